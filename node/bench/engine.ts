/**
 * `npm run bench -- engine [--json]`: what determinism costs. Seven kinds of programs, plain against rewritten on V8
 * in one process, calls interleaved, CPU time, medians; between them wasmtime with its own fuel and NaN canonicalisation
 * when OUTLAYER_WASMTIME_LIB names its library; wasmi with fuel when there is cargo to build it; the example guests in whole runs
 * on the same engines; loading guests of three sizes; a whole invocation through the pool.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { ExecutionJob } from "@outlayer/protocol/execution/index";
import { buildBenchPrograms, buildGuests, type GuestName, guestNames, guestPath } from "../../wasi-examples/build.ts";
import { largeModule } from "../conformance/engine/random-module.ts";
import { DEFAULT_V8_FLAGS } from "../src/engine/child-options.ts";
import { EnginePool } from "../src/engine/index.ts";
import type { Compared } from "./engine/compare-worker.ts";
import { GUEST_WORK } from "./engine/guest-inputs.ts";
import type { ComparedGuest } from "./engine/guest-worker.ts";
import { buildWasmi } from "./engine/wasmi.ts";

interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
  readonly ok: boolean;
}

/** The release that OutLayer's first workers ran. */
const FIRST_WASMI = "0.31.2";
const POOLED_RUNS = 300;
const wasmtimeLibrary = process.env.OUTLAYER_WASMTIME_LIB;
const wasmi = buildWasmi();
const figures: Record<string, Figure> = {};

function figure(name: string, value: number, unit: string, goal = "", ok = true): void {
  figures[name] = { value: Math.round(value * 1000) / 1000, unit, goal, ok };
  console.log(`${name.padEnd(60)} ${value.toFixed(3).padStart(12)} ${unit.padEnd(6)} ${goal}${ok ? "" : "  MISSED"}`);
}

function worker<T>(file: string, ...args: readonly string[]): T {
  const path = fileURLToPath(new URL(`./engine/${file}`, import.meta.url));
  const flags = ["--disable-warning=ExperimentalWarning", ...DEFAULT_V8_FLAGS];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, path, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

const geomean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

function comparePrograms(modulePath: string): void {
  const more = wasmtimeLibrary === undefined ? [] : [wasmtimeLibrary];
  const compared = worker<Record<string, Compared>>("compare-worker.ts", modulePath, "21", ...more);
  const ratios = Object.entries(compared).map(([name, { ratio }]) => {
    figure(`rewritten / plain V8: ${name}`, ratio, "ratio", "<= 1.6", ratio <= 1.6);
    return ratio;
  });
  const mean = geomean(ratios);
  figure("rewritten / plain V8: geomean", mean, "ratio", "<= 1.25", mean <= 1.25);
  if (wasmtimeLibrary === undefined) console.log("wasmtime is not compared: OUTLAYER_WASMTIME_LIB is not set");
  else compareWasmtime(compared);
  compareWasmi(modulePath, compared);
}

function compareWasmtime(compared: Readonly<Record<string, Compared>>): void {
  const programs = Object.entries(compared).map(([name, { ticks, wasmtime }]) => {
    if (wasmtime === undefined) throw new Error(`${name} did not run on wasmtime`);
    figure(`rewritten V8 / wasmtime with fuel and NaN: ${name}`, wasmtime.ratio, "ratio");
    return { ratio: wasmtime.ratio, ticks: ticks / wasmtime.fuel };
  });
  const mean = geomean(programs.map(({ ratio }) => ratio));
  figure("rewritten V8 / wasmtime with fuel and NaN: geomean", mean, "ratio", "<= 0.5", mean <= 0.5);
  const ticks = Math.max(...programs.map((program) => program.ticks));
  figure("ticks / wasmtime's fuel, worst program", ticks, "ratio", "<= 3", ticks <= 3);
}

function compareWasmi(modulePath: string, compared: Readonly<Record<string, Compared>>): void {
  if ("missing" in wasmi) return console.log(`wasmi is not compared: ${wasmi.missing}`);
  for (const [release, times] of Object.entries(wasmi.programs(modulePath))) {
    const faster = geomean(Object.entries(compared).map(([name, { meteredMs }]) => times[name]!.ms / meteredMs));
    const judged = release === FIRST_WASMI;
    const ok = !judged || faster >= 45;
    figure(`wasmi ${release} with fuel / rewritten V8: geomean`, faster, "ratio", judged ? ">= 45" : "", ok);
  }
}

/** The example guests, whole runs: the smaller ones are mostly their instantiation and the host. */
function compareGuests(): void {
  const more = wasmtimeLibrary === undefined ? [] : [wasmtimeLibrary];
  const guests = worker<Record<GuestName, ComparedGuest>>("guest-worker.ts", ...more);
  for (const name of guestNames) {
    const { meteredMs, ratio, wasmtimeRatio } = guests[name];
    figure(`guest ${name}: a run`, meteredMs, "ms");
    figure(`guest ${name}: rewritten / plain V8`, ratio, "ratio", "<= 1.6", ratio <= 1.6);
    if (wasmtimeRatio !== undefined)
      figure(`guest ${name}: rewritten V8 / wasmtime with fuel and NaN`, wasmtimeRatio, "ratio");
    if ("missing" in wasmi) continue;
    const { input, runs } = GUEST_WORK[name];
    for (const [release, ms] of Object.entries(wasmi.guest(guestPath(name), input, runs))) {
      figure(`guest ${name}: wasmi ${release} with fuel / rewritten V8`, ms / meteredMs, "ratio");
    }
  }
}

function loadGuests(): void {
  type Loaded = { startMs: number; rewriteMbPerSecond: number; growth: number };
  for (const [name, sizeBytes] of [
    ["100 KB", 100_000],
    ["2.4 MB", 2_400_000],
    ["10 MB", 10_000_000],
  ] as const) {
    const { startMs, rewriteMbPerSecond, growth } = worker<Loaded>("cold-worker.ts", String(sizeBytes));
    const judged = sizeBytes === 2_400_000;
    figure(
      `first instruction of ${name}, rewritten before`,
      startMs,
      "ms",
      judged ? "<= 40" : "",
      !judged || startMs <= 40,
    );
    const fast = rewriteMbPerSecond >= 30;
    figure(`rewriting ${name}, warm`, rewriteMbPerSecond, "MB/s", judged ? ">= 30" : "", !judged || fast);
    figure(`growth of ${name}`, growth, "ratio");
  }
}

async function invokePooled(): Promise<void> {
  const pool = new EnginePool({ children: 1, wallTimeMs: 60_000 });
  const code = largeModule(10_000);
  const job: ExecutionJob = {
    codeHash: new Uint8Array(createHash("sha256").update(code).digest()),
    code,
    input: new Uint8Array(0),
    seed: new Uint8Array(32),
    environ: [],
    blockTimeNs: 0n,
    limits: { maxFuel: 1_000_000n, maxMemoryPages: 64, maxOutputBytes: 1_000 },
  };
  const times: number[] = [];
  for (let run = 0; run < POOLED_RUNS; run++) {
    const start = performance.now();
    const outcome = await pool.run(job);
    times.push(performance.now() - start);
    if (outcome.kind !== "exited") throw new Error(`the trivial guest was ${outcome.kind}`);
  }
  await pool.stop();
  const median = times.sort((a, b) => a - b)[times.length >> 1]!;
  figure("pooled invocation of a trivial guest", median, "ms", "<= 2", median <= 2);
}

await buildGuests();
comparePrograms(await buildBenchPrograms());
compareGuests();
loadGuests();
await invokePooled();
console.log(JSON.stringify({ topic: "engine", figures }));
