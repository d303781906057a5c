/**
 * What `npm test` takes from its vectors about WASI, made again where the tools are: the program in C and in Rust
 * compiled from its source (clang, rustc with a wasm32 target), and wasmtime's answers (engine/wasmtime-wheel.ts).
 * Compilers differ in bytes and not in what the program writes. OUTLAYER_CONFORMANCE_WRITE=1 records wasmtime's answers.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENDED, onNodeWasi, onWasmtime, textOfSteps } from "./engine/wasi-calls.ts";
import { findWasmtime } from "./engine/wasmtime-wheel.ts";

const SOURCES = new URL("../../wasi-examples/calls/", import.meta.url).pathname;
const VECTORS = new URL("../test/engine/vectors/wasi/", import.meta.url).pathname;
const C_FLAGS = ["--target=wasm32", "-Os", "-nostdlib", "-ffreestanding", "-fno-builtin", "-mcpu=mvp", "-mbulk-memory"];
const C_LINKER_FLAGS = ["-Wl,--export=_start", "-Wl,--strip-all"];
const RUST_FLAGS = ["--edition", "2021", "--target", "wasm32-unknown-unknown", "--crate-type", "cdylib"];
const RUST_CODE_FLAGS = ["opt-level=s", "panic=abort", "lto", "strip=symbols"].flatMap((flag) => ["-C", flag]);
/** Compilers to try in turn; a rustc that has the target may bring its linker or need the system's. */
const COMPILERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  c: ["clang", "clang-19"].map((clang) => [clang, ...C_FLAGS, ...C_LINKER_FLAGS, join(SOURCES, "program.c"), "-o"]),
  rust: ["rustc", "/usr/bin/rustc"].flatMap((rustc) =>
    [[], ["-C", "linker=wasm-ld"]].map((linker) => [
      rustc,
      ...RUST_FLAGS,
      ...RUST_CODE_FLAGS,
      ...linker,
      join(SOURCES, "program.rs"),
      "-o",
    ]),
  ),
};

const script = readFileSync(join(VECTORS, "calls.txt"), "utf8");
const recorded = readFileSync(join(VECTORS, "wasmtime.txt"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "outlayer-wasi-programs-"));
const wasmtime = findWasmtime();
if ("missing" in wasmtime) console.log(`wasmtime is not asked again: ${wasmtime.missing}`);
let passed = 0;
let failed = 0;

function check(what: string, equal: boolean): void {
  if (equal) passed++;
  else failed++;
  console.log(`${equal ? "equal" : "DIFFERENT"}: ${what}`);
}

/** Path of the compiled program, or undefined where no compiler made one. */
function compiled(language: string): string | undefined {
  const output = join(folder, `${language}.wasm`);
  const reasons: string[] = [];
  for (const [compiler = "", ...flags] of COMPILERS[language] ?? []) {
    const { status, error, stderr } = spawnSync(compiler, [...flags, output], { encoding: "utf8" });
    if (status === 0) return output;
    reasons.push(`${compiler}: ${error?.message ?? stderr.trim().split("\n")[0]}`);
  }
  console.log(`not compiled again: ${language} (${reasons.join("; ")})`);
  return undefined;
}

function checkProgram(what: string, path: string, reference: string): void {
  const onNode = textOfSteps(onNodeWasi(new Uint8Array(readFileSync(path)), script));
  check(`${what} on Node's WASI and the recorded program there`, onNode === reference);
  if ("missing" in wasmtime) return;
  const asked = textOfSteps(onWasmtime(wasmtime.library, path, script));
  if (process.env.OUTLAYER_CONFORMANCE_WRITE === "1") writeFileSync(join(VECTORS, "wasmtime.txt"), asked);
  check(
    `${what} on wasmtime and what was recorded (${asked.split(ENDED).length - 1} steps end the guest)`,
    asked === recorded,
  );
}

try {
  const reference = textOfSteps(onNodeWasi(new Uint8Array(readFileSync(join(VECTORS, "c.wasm"))), script));
  for (const language of Object.keys(COMPILERS)) {
    checkProgram(`recorded ${language}`, join(VECTORS, `${language}.wasm`), reference);
    const path = compiled(language);
    if (path !== undefined) checkProgram(`${language} compiled now`, path, reference);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
