/**
 * Builds the oracle beside the other conformance runs, which takes about twelve minutes the first time and a moment
 * after that. What it comes to is said by `devchain-oracle.ts`, which asks for the same build and waits for it.
 */
import { buildOracle } from "../devchain/oracle/run-oracle.ts";

const LONGEST_MS = 60 * 60_000;

await buildOracle(LONGEST_MS);
