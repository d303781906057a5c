/** Builds the program in ../outside-modules with cargo, outside of the repository, and reads what it prints. */
import { spawn, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const MANIFEST = new URL("../outside-modules/Cargo.toml", import.meta.url).pathname;
const TARGET = process.env.OUTLAYER_CARGO_TARGET_DIR ?? join(tmpdir(), "outlayer-outside-modules");

/** Path of the program, or why there is none, within this time. */
export function buildOutsideModules(timeoutMs: number): { readonly program: string } | { readonly missing: string } {
  const built = spawnSync("cargo", ["build", "--release", "--locked", "-j", "1", "--manifest-path", MANIFEST], {
    encoding: "utf8",
    env: { ...process.env, CARGO_TARGET_DIR: TARGET },
    timeout: Math.max(Math.round(timeoutMs), 1),
  });
  if (built.error && "code" in built.error && built.error.code === "ETIMEDOUT") {
    return { missing: "cargo did not end the build in time; the next goes on from here" };
  }
  if (built.error) return { missing: `cargo cannot be run: ${built.error.message}` };
  if (built.status !== 0) return { missing: `cargo build failed: ${built.stderr.trim().split("\n").at(-1)}` };
  return { program: join(TARGET, "release", "outside-modules") };
}

/** Lines that the program prints, one at a time: its output is larger than one likes to hold. */
export async function* linesOf(program: string, ...args: readonly string[]): AsyncGenerator<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) yield line;
  const status = await ended;
  if (status !== 0) throw new Error(`outside-modules ${args.join(" ")} ended with ${status}`);
}
