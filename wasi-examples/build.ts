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
function stampOf(name: GuestName): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([asc.version, compilerOptions(name)]));
  for (const folder of [join(HERE, name, "assembly"), join(HERE, "wasi", "assembly")]) {
    for (const file of readdirSync(folder).sort()) hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  }
  return hash.digest("hex");
}

/** Compiles what has changed. @throws Error with the compiler's messages when a guest does not compile. */
export async function buildGuests(): Promise<void> {
  mkdirSync(DIST, { recursive: true });
  for (const name of guestNames) {
    const stamp = stampOf(name);
    const stampPath = join(DIST, `${name}.stamp`);
    if (existsSync(guestPath(name)) && existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp) continue;
    const { error, stderr } = await asc.main([...compilerOptions(name), "--baseDir", HERE]);
    if (error) throw new Error(`the guest ${name} does not compile: ${error.message}\n${stderr}`, { cause: error });
    writeFileSync(stampPath, stamp);
  }
}

if (import.meta.main) await buildGuests();
