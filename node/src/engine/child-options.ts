/**
 * How a child is started. What isolates it today: a process of its own with an empty environment, Node's permission
 * model (no writes, no child processes, no workers, no addons; reads of its own program files only), a bounded heap,
 * and the rewriting that bounds the guest. Node's permission model does not close the network; the guest has no
 * function that reaches it. Where the machine allows it, bubblewrap stands around all of that (sandbox.ts).
 */
import { type ForkOptions, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineFault } from "./engine-fault.ts";
import { CHILD_HEAP_MIB } from "./engine-limits.ts";
import { type Sandbox, sandboxArguments } from "./sandbox.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** The child's program: beside this file in the source tree, beside the bundle when published. */
export const CHILD_PROGRAM = join(HERE, FROM_SOURCE ? "engine-child.ts" : "engine-child.mjs");

/**
 * V8 in one tier: a hot loop inside a single call would otherwise stay in the baseline compiler. It may inline until a
 * function is four times its size instead of three: what the rewriting adds to a callee is mostly gone once inlined
 * (measured in docs/results/engine.md).
 */
export const DEFAULT_V8_FLAGS: readonly string[] = ["--no-liftoff", "--wasm-inlining-factor=4"];

const SETPRIV = "/usr/bin/setpriv";
const DEATH_SIGNAL: readonly string[] = ["--pdeathsig", "KILL", "--"];

export interface ChildProgram {
  readonly v8Flags: readonly string[];
  /** Path of wasmtime's C library, for a child that runs guests on it. */
  readonly wasmtimeLibrary?: string | undefined;
  /** What stands around the process; nothing when absent. */
  readonly sandbox?: Sandbox | undefined;
}

/** What the child's program is told on its command line. */
export function childArguments({ wasmtimeLibrary }: ChildProgram): readonly string[] {
  return wasmtimeLibrary === undefined ? [] : [resolve(wasmtimeLibrary)];
}

/** koffi is an optional dependency: without it there is no auditor. */
function koffiDirectory(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("koffi"));
  } catch (cause) {
    throw new EngineFault("engineFailure", "wasmtime needs the package koffi, which is not installed", cause);
  }
}

/** Native code is out of the permission model's reach, so only the auditor's children may load it. */
function auditorFiles({ wasmtimeLibrary }: ChildProgram): readonly string[] {
  if (wasmtimeLibrary === undefined) return [];
  const koffi = koffiDirectory();
  return [resolve(wasmtimeLibrary), join(koffi, "*"), join(dirname(koffi), "@koromix", "*")];
}

function auditorOptions({ wasmtimeLibrary }: ChildProgram): readonly string[] {
  // Host functions run above the guest's frames on one native stack.
  return wasmtimeLibrary === undefined ? [] : ["--stack-size=3500", "--allow-addons"];
}

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

/**
 * A child deep inside a guest reads no messages and does not notice that its parent is gone. On Linux the kernel then
 * ends it: util-linux's setpriv asks for that and becomes Node, keeping process id and channel. Found out once; where
 * it is missing, such a child ends with its guest's fuel.
 */
export const ENDS_WITH_PARENT: boolean =
  process.platform === "linux" && spawnSync(SETPRIV, [...DEATH_SIGNAL, "true"], { stdio: "ignore" }).status === 0;

/** What is started and what its arguments begin with: Node, behind whatever isolates it or ends it with this process. */
function launcher(
  { sandbox }: ChildProgram,
  files: readonly string[],
): { execPath: string; before: readonly string[] } {
  if (sandbox?.kind === "bubblewrap") {
    const readable = files.map((path) => (path.endsWith("/*") ? dirname(path) : path));
    return { execPath: sandbox.program, before: [...sandboxArguments(readable), process.execPath] };
  }
  if (ENDS_WITH_PARENT) return { execPath: SETPRIV, before: [...DEATH_SIGNAL, process.execPath] };
  return { execPath: process.execPath, before: [] };
}

export function childOptions(program: ChildProgram): ForkOptions {
  const files = [...programFiles(), ...auditorFiles(program)];
  const node = launcher(program, files);
  return {
    execPath: node.execPath,
    env: {},
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // A session and a process group of its own: killed as a whole, and without a terminal that a guest could type into.
    // Outside of bubblewrap one process id is all there is, and a terminal's Ctrl-C should reach it.
    detached: program.sandbox?.kind === "bubblewrap",
    execArgv: [
      ...node.before,
      ...program.v8Flags,
      `--max-old-space-size=${CHILD_HEAP_MIB}`,
      "--disable-warning=ExperimentalWarning",
      "--permission",
      ...files.map((path) => `--allow-fs-read=${path}`),
      ...auditorOptions(program),
    ],
  };
}
