/** The programs on wasmi with fuel, where cargo can build the small program in the folder beside this file. */
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROGRAMS } from "./programs.ts";

const MANIFEST = new URL("./wasmi/Cargo.toml", import.meta.url).pathname;
const TARGET = join(tmpdir(), "outlayer-wasmi-bench");
const ROUNDS = 3;

/** By release of wasmi, then by program: CPU milliseconds of a call, and wasmi's fuel. */
export type WasmiTimes = Readonly<Record<string, Readonly<Record<string, { ms: number; fuel: number }>>>>;

/** What wasmi took, or why it cannot be asked. */
export function wasmiTimes(modulePath: string): { readonly times: WasmiTimes } | { readonly missing: string } {
  const env = { ...process.env, CARGO_TARGET_DIR: TARGET };
  const options = { encoding: "utf8", env } as const;
  const built = spawnSync("cargo", ["build", "--release", "--locked", "--manifest-path", MANIFEST], options);
  if (built.error) return { missing: `cargo cannot be run: ${built.error.message}` };
  if (built.status !== 0) return { missing: `cargo build failed: ${built.stderr.trim().split("\n").at(-1)}` };
  const work = PROGRAMS.map(([name, size]) => `${name}=${size}`);
  const ran = spawnSync(join(TARGET, "release", "wasmi-bench"), [modulePath, String(ROUNDS), ...work], options);
  if (ran.status !== 0) throw new Error(`the programs did not run on wasmi: ${ran.stderr}`);
  return { times: JSON.parse(ran.stdout) as WasmiTimes };
}
