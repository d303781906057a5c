/**
 * A script of WASI calls, carried out by the same program in three languages (wasi-examples/calls) on three hosts: ours,
 * Node's WASI (uvwasi) and wasmtime's own, the last two over a real folder. What each step gave is compared as text.
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI } from "node:wasi";

const WORKER = new URL("./wasmtime-wasi.ts", import.meta.url).pathname;
const EXIT_CODE = 7;
/** What a step gave on a host that ended the guest at it. */
export const ENDED = "ends the guest";

/** Lines by the name of the step, in order: of a script its instructions, of a transcript what they gave. */
export type Steps = ReadonlyMap<string, readonly string[]>;

/** @throws Error when two steps have one name. */
export function parseSteps(text: string): Steps {
  const steps = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("= ")) {
      if (steps.has(line)) throw new Error(`two steps are called ${line}`);
      lines = [];
      steps.set(line, lines);
    } else if (line !== "") lines.push(line);
  }
  return steps;
}

export function textOfSteps(steps: Steps): string {
  return [...steps].map(([name, lines]) => [name, ...lines, ""].join("\n")).join("");
}

/** A folder with an empty one inside for the guest, gone after `use`. */
function withFolder<T>(use: (folder: string, root: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "outlayer-wasi-"));
  const root = join(folder, "root");
  mkdirSync(root);
  try {
    return use(folder, root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The transcript on Node's WASI. @throws Error when the program does not come to its end. */
export function onNodeWasi(code: Uint8Array, script: string): Steps {
  return withFolder((folder, root) => {
    const [input, output] = [join(folder, "in"), join(folder, "out")];
    writeFileSync(input, script);
    const files = [openSync(input, "r"), openSync(output, "w"), openSync("/dev/null", "w")] as const;
    const [stdin, stdout, stderr] = files;
    const wasi = new WASI({
      version: "preview1",
      env: { A: "1" },
      preopens: { ".": root },
      stdin,
      stdout,
      stderr,
      returnOnExit: true,
    });
    const module = new WebAssembly.Module(code as Uint8Array<ArrayBuffer>);
    const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
    const exitCode = wasi.start(instance);
    for (const file of files) closeSync(file);
    if (exitCode !== EXIT_CODE) throw new Error(`the program ended with ${exitCode} on Node's WASI`);
    return parseSteps(readFileSync(output, "utf8"));
  });
}

/** The transcript on wasmtime's WASI. A step at which it ends the guest is noted and left out of the next attempt. */
export function onWasmtime(library: string, modulePath: string, script: string): Steps {
  const steps = new Map(parseSteps(script));
  const ended = new Set<string>();
  for (;;) {
    const { exitCode, transcript, reason } = runOnWasmtime(library, modulePath, textOfSteps(steps));
    if (exitCode === EXIT_CODE) {
      const whole = [...parseSteps(script).keys()].map((name) => [name, transcript.get(name) ?? [ENDED]] as const);
      return new Map(whole);
    }
    const last = [...transcript.keys()].at(-1);
    if (last === undefined || ended.has(last)) throw new Error(`the program did not run on wasmtime: ${reason}`);
    ended.add(last);
    steps.delete(last);
  }
}

function runOnWasmtime(library: string, modulePath: string, script: string) {
  return withFolder((folder, root) => {
    const [input, output] = [join(folder, "in"), join(folder, "out")];
    writeFileSync(input, script);
    const flags = ["--disable-warning=ExperimentalWarning", WORKER, library, modulePath, input, output, root];
    const { status, stdout, stderr } = spawnSync(process.execPath, flags, { encoding: "utf8" });
    const exitCode = status === 0 ? Number(stdout) : undefined;
    return { exitCode, transcript: parseSteps(readFileSync(output, "utf8")), reason: stderr };
  });
}
