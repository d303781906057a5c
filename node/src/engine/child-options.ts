/**
 * How a child is started. What isolates it today: a process of its own with an empty environment, Node's permission
 * model (no writes, no child processes, no workers, no addons; reads of its own program files only), a bounded heap,
 * and the rewriting that bounds the guest. Node's permission model does not close the network; the guest has no
 * function that reaches it.
 */
import type { ForkOptions } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CHILD_HEAP_MIB } from "./engine-limits.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** The child's program: beside this file in the source tree, beside the bundle when published. */
export const CHILD_PROGRAM = join(HERE, FROM_SOURCE ? "engine-child.ts" : "engine-child.mjs");

/** V8 in one tier: a hot loop inside a single call would otherwise stay in the baseline compiler. */
export const DEFAULT_V8_FLAGS: readonly string[] = ["--no-liftoff"];

/** Files that the child's imports are read from. */
function programFiles(): readonly string[] {
  if (!FROM_SOURCE) return [join(HERE, "*")];
  const require = createRequire(import.meta.url);
  const execution = fileURLToPath(import.meta.resolve("@outlayer/protocol/execution/index"));
  const protocol = dirname(dirname(dirname(execution)));
  const noble = dirname(createRequire(execution).resolve("@noble/hashes/sha2.js"));
  const links = (require.resolve.paths("@outlayer/protocol") ?? [])
    .map((path) => join(path, "@outlayer"))
    .filter((path) => existsSync(path));
  const packageFile = join(HERE, "..", "..", "package.json");
  return [join(HERE, "*"), packageFile, join(protocol, "*"), join(noble, "*"), ...links.map((path) => join(path, "*"))];
}

export function childOptions(v8Flags: readonly string[]): ForkOptions {
  return {
    env: {},
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: [
      ...v8Flags,
      `--max-old-space-size=${CHILD_HEAP_MIB}`,
      "--disable-warning=ExperimentalWarning",
      "--permission",
      ...programFiles().map((path) => `--allow-fs-read=${path}`),
    ],
  };
}
