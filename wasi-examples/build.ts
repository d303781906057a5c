/**
 * Compiles the guests with the AssemblyScript compiler into dist/<name>.wasm. A guest is compiled again only when the
 * hash of its sources, its options or the compiler's version has changed. Run by `node wasi-examples/build.ts` or
 * through `buildGuests` by the project's build.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, "dist");

/** Guests and the memory manager of each: "stub" never frees, which is right for a short run with little garbage. */
const RUNTIMES = {
  "random-ark": "stub",
  echo: "stub",
  "json-transform": "incremental",
  "cpu-heavy": "stub",
  failing: "stub",
} as const;

export type GuestName = keyof typeof RUNTIMES;
export const guestNames = Object.keys(RUNTIMES) as readonly GuestName[];

/** Where a guest's compiled module stands after `buildGuests`. */
export function guestPath(name: GuestName): string {
  return join(DIST, `${name}.wasm`);
}

function compilerOptions(name: GuestName): string[] {
  return [
    `${name}/assembly/index.ts`,
    "--outFile",
    `dist/${name}.wasm`,
    "--runtime",
    RUNTIMES[name],
    "--exportStart",
    "_start",
    "--use",
    "abort=guestAbort",
    "--optimizeLevel",
    "3",
    "--shrinkLevel",
    "1",
    "--converge",
  ];
}

/** Hash over everything that decides the compiled bytes. */
function stampOf(options: readonly string[], name: string): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([asc.version, options]));
  for (const folder of [join(HERE, name, "assembly"), join(HERE, "wasi", "assembly")]) {
    for (const file of readdirSync(folder).sort()) hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  }
  return hash.digest("hex");
}

/** Compiles what has changed. @throws Error with the compiler's messages when a guest does not compile. */
export async function buildGuests(): Promise<void> {
  for (const name of guestNames) await compile(name, compilerOptions(name));
}

/** Compiles the benchmark's programs, which export functions and import nothing, and returns where they stand. */
export async function buildBenchPrograms(): Promise<string> {
  const options = ["bench/assembly/index.ts", "--outFile", "dist/bench.wasm", "--runtime", "stub", "--use", "abort="];
  await compile("bench", [...options, "--optimizeLevel", "3", "--shrinkLevel", "0", "--converge"]);
  return join(DIST, "bench.wasm");
}

async function compile(name: string, options: readonly string[]): Promise<void> {
  mkdirSync(DIST, { recursive: true });
  const stamp = stampOf(options, name);
  const stampPath = join(DIST, `${name}.stamp`);
  const current = existsSync(join(DIST, `${name}.wasm`)) && existsSync(stampPath);
  if (current && readFileSync(stampPath, "utf8") === stamp) return;
  const { error, stderr } = await asc.main([...options, "--baseDir", HERE]);
  if (error) throw new Error(`the guest ${name} does not compile: ${error.message}\n${stderr}`, { cause: error });
  writeFileSync(stampPath, stamp);
}

if (import.meta.main) await buildGuests();
