/**
 * Every function of WASI preview 1, error number for error number: one program in C, Rust and AssemblyScript carries
 * out one script of calls on our host, on Node's WASI and, as it was recorded, on wasmtime's (vectors/README.md).
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import asc from "assemblyscript/asc";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { WASI_FUNCTION_NAMES } from "../../../protocol/src/execution/wasi/imports.ts";
import { onNodeWasi, parseSteps, type Steps } from "../../conformance/engine/wasi-calls.ts";
import { EnginePool } from "../../src/engine/index.ts";
import { jobOf, textOf } from "./guests.ts";

const PROGRAMS = new URL("../../../wasi-examples/calls/", import.meta.url).pathname;
const vector = (name: string) => new URL(`./vectors/wasi/${name}`, import.meta.url).pathname;
const script = readFileSync(vector("calls.txt"), "utf8");
const expected = readFileSync(vector("expected.txt"), "utf8");
const wasmtime = parseSteps(readFileSync(vector("wasmtime.txt"), "utf8"));
const pool = new EnginePool({ children: 1, wallTimeMs: 60_000 });

/**
 * Steps at which ours is neither referee's answer: what preview 1 says of the case. An address outside of the memory
 * is EFAULT where wasmtime ends the guest and uvwasi says EOVERFLOW; in a poll a descriptor that is not open is that
 * event's error, where wasmtime fails the whole call and uvwasi writes an empty event.
 */
const NEITHER: ReadonlySet<string> = new Set([
  "= vectors outside of the memory",
  "= a result outside of the memory",
  "= a path outside of the memory",
  "= poll what is not open",
]);

async function assemblyScript(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "outlayer-asc-"));
  const output = join(folder, "program.wasm");
  const flags = ["--runtime", "stub", "--exportStart", "_start", "--use", "abort=", "-O2"];
  const files = ["assembly/index.ts", "--baseDir", PROGRAMS, "--outFile", relative(PROGRAMS, output)];
  const { error, stderr } = await asc.main([...files, ...flags]);
  assert.is(error, null, `${error?.message}\n${stderr}`);
  const code = new Uint8Array(readFileSync(output));
  rmSync(folder, { recursive: true });
  return code;
}

const programs: readonly (readonly [language: string, code: Uint8Array])[] = [
  ["C", new Uint8Array(readFileSync(vector("c.wasm")))],
  ["Rust", new Uint8Array(readFileSync(vector("rust.wasm")))],
  ["AssemblyScript", await assemblyScript()],
];

test("the script calls every function there is", () => {
  const called = new Set(script.match(/(?<=^call )\w+/gm));
  assert.equal([...called].sort(), [...WASI_FUNCTION_NAMES].sort());
});

for (const [language, code] of programs) {
  test(`${language}: the recorded answers on our host`, async () => {
    const outcome = await pool.run(
      jobOf(code, {
        input: new TextEncoder().encode(script),
        environ: [["A", "1"]],
        limits: { maxFuel: 100_000_000n, maxMemoryPages: 64, maxOutputBytes: 100_000 },
      }),
    );
    if (outcome.kind !== "exited") return assert.unreachable(textOf(outcome));
    assert.is(outcome.exitCode, 7);
    assert.is(new TextDecoder().decode(outcome.stdout), expected);
  });

  test(`${language}: every answer is that of Node's WASI or of wasmtime's`, () => {
    const node = onNodeWasi(code, script);
    const counts = { both: 0, node: 0, wasmtime: 0, neither: 0 };
    for (const [name, lines] of parseSteps(expected)) {
      const [asNode, asWasmtime] = [same(node, name, lines), same(wasmtime, name, lines)];
      counts[asNode && asWasmtime ? "both" : asNode ? "node" : asWasmtime ? "wasmtime" : "neither"]++;
      assert.is(asNode || asWasmtime, !NEITHER.has(name), `${name}: ${lines}; Node ${node.get(name)}`);
    }
    console.log(`as ${Object.entries(counts).map(([who, count]) => `${who} ${count}`)}`);
  });
}

function same(steps: Steps, name: string, lines: readonly string[]): boolean {
  return steps.get(name)?.join() === lines.join();
}

test.after(() => pool.stop());
test.run();
