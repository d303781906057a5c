/** Builds what `engine-generated.ts` reads modules from, beside the other conformance runs: some minutes the first time. */
import { buildOutsideModules } from "./engine/outside-modules.ts";

const LONGEST_MS = 60 * 60_000;

buildOutsideModules(LONGEST_MS);
