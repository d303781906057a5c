/** The programs on wasmi with fuel, where cargo can build the small program in the folder beside this file. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROGRAMS } from "./programs.ts";

const MANIFEST = new URL("./wasmi/Cargo.toml", import.meta.url).pathname;
const TARGET = join(tmpdir(), "outlayer-wasmi-bench");
const ROUNDS = 3;

/** CPU milliseconds of a call by release of wasmi, then by program. */
export type WasmiTimes = Readonly<Record<string, Readonly<Record<string, { ms: number }>>>>;

export interface Wasmi {
  programs(modulePath: string): WasmiTimes;
  /** Milliseconds of one whole run by release of wasmi. */
  guest(modulePath: string, input: string, runs: number): Readonly<Record<string, number>>;
}

/** wasmi, or why it cannot be asked. */
export function buildWasmi(): Wasmi | { readonly missing: string } {
  const env = { ...process.env, CARGO_TARGET_DIR: TARGET };
  const flags = ["build", "--release", "--locked", "--manifest-path", MANIFEST];
  const built = spawnSync("cargo", flags, { encoding: "utf8", env });
  if (built.error) return { missing: `cargo cannot be run: ${built.error.message}` };
  if (built.status !== 0) return { missing: `cargo build failed: ${built.stderr.trim().split("\n").at(-1)}` };
  return {
    programs: (modulePath) =>
      ask([modulePath, String(ROUNDS), ...PROGRAMS.map(([name, work]) => `${name}=${work}`)]) as WasmiTimes,
    guest(modulePath, input, runs) {
      const folder = mkdtempSync(join(tmpdir(), "outlayer-bench-"));
      const inputPath = join(folder, "input");
      writeFileSync(inputPath, input);
      try {
        return ask(["guest", modulePath, inputPath, String(runs), String(ROUNDS)]) as Readonly<Record<string, number>>;
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

function ask(flags: readonly string[]): unknown {
  const { status, stdout, stderr } = spawnSync(join(TARGET, "release", "wasmi-bench"), flags, { encoding: "utf8" });
  if (status !== 0) throw new Error(`wasmi did not run ${flags[0]}: ${stderr}`);
  return JSON.parse(stdout);
}
