/**
 * Generated modules through the pool on every engine there is: V8's baseline compiler, its optimising one, both with
 * tier-up, and wasmtime (engine/wasmtime-wheel.ts). Outcomes must be equal in every byte. Half of the modules come from
 * a generator of ours, half from wasm-smith (needs cargo). OUTLAYER_CONFORMANCE_MODULES says how many of each.
 */
import { createHash } from "node:crypto";
import type { ExecutionJob, ExecutionOutcome } from "@outlayer/protocol/execution/index";
import { EnginePool, sameOutcome } from "../src/engine/index.ts";
import { buildOutsideModules, linesOf } from "./engine/outside-modules.ts";
import { randomModule } from "./engine/random-module.ts";
import { findWasmtime } from "./engine/wasmtime-wheel.ts";

const MODULES = Number(process.env.OUTLAYER_CONFORMANCE_MODULES ?? 5_000);
const endAtMs = performance.now() + Number(process.env.OUTLAYER_CONFORMANCE_MS ?? 600_000);
/** Jobs that are under way at the same time on each engine. */
const AT_ONCE = 8;
const FUEL = 60_000n;

const pools = new Map<string, EnginePool>([
  ["V8 optimising", new EnginePool({ children: 1, wallTimeMs: 60_000 })],
  ["V8 baseline", new EnginePool({ children: 1, wallTimeMs: 60_000, v8Flags: ["--liftoff-only"] })],
  ["V8 tiers", new EnginePool({ children: 1, wallTimeMs: 60_000, v8Flags: [] })],
]);
const wasmtime = findWasmtime();
if ("missing" in wasmtime) console.log(`not run on wasmtime: ${wasmtime.missing}`);
else pools.set("wasmtime", new EnginePool({ children: 1, wallTimeMs: 60_000, wasmtimeLibrary: wasmtime.library }));

let passed = 0;
let failed = 0;

function* ours(): Generator<readonly [string, Uint8Array]> {
  for (let seed = 0; seed < MODULES; seed++) yield [`ours ${seed}`, randomModule(seed)];
}

async function* smith(): AsyncGenerator<readonly [string, Uint8Array]> {
  const outside = buildOutsideModules(endAtMs - performance.now());
  if ("missing" in outside) return console.log(`wasm-smith not run: ${outside.missing}`);
  for await (const line of linesOf(outside.program, "smith", "0", String(MODULES))) {
    const { seed, wasm } = JSON.parse(line) as { seed: number; wasm: string };
    yield [`wasm-smith ${seed}`, new Uint8Array(Buffer.from(wasm, "base64"))];
  }
}

function jobOf(code: Uint8Array): ExecutionJob {
  return {
    codeHash: new Uint8Array(createHash("sha256").update(code).digest()),
    code,
    input: new Uint8Array(0),
    seed: new Uint8Array(32),
    environ: [],
    blockTimeNs: 0n,
    limits: { maxFuel: FUEL, maxMemoryPages: 64, maxOutputBytes: 1_000 },
  };
}

async function check(name: string, code: Uint8Array, ends: Map<string, number>): Promise<void> {
  const job = jobOf(code);
  const outcomes = await Promise.all([...pools.values()].map((pool) => pool.run(job)));
  const [first] = outcomes as [ExecutionOutcome];
  const end = first.kind === "trapped" ? first.trap : first.kind;
  ends.set(end, (ends.get(end) ?? 0) + 1);
  if (outcomes.every((outcome) => sameOutcome(first, outcome))) {
    passed++;
    return;
  }
  failed++;
  const told = [...pools.keys()].map((engine, index) => `${engine}: ${describe(outcomes[index]!)}`);
  console.log(`${name} differs\n  ${told.join("\n  ")}`);
}

function describe(outcome: ExecutionOutcome): string {
  if (outcome.kind === "rejected") return `${outcome.code}: ${outcome.detail}`;
  const end = outcome.kind === "trapped" ? outcome.trap : outcome.exitCode;
  const digest = Buffer.from(outcome.memoryDigest).toString("hex").slice(0, 16);
  return `${end}, fuel ${outcome.fuel}, ${outcome.memoryPages} pages, ${digest}`;
}

async function checkAll(
  what: string,
  modules: Iterable<readonly [string, Uint8Array]> | AsyncIterable<readonly [string, Uint8Array]>,
  untilMs: number,
) {
  const ends = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  for await (const [name, code] of modules) {
    if (performance.now() > untilMs) {
      console.log(`${what}: out of time before ${name}`);
      break;
    }
    const work = check(name, code, ends).finally(() => underWay.delete(work));
    underWay.add(work);
    if (underWay.size >= AT_ONCE) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  console.log(`${what}: ${[...ends].map(([end, count]) => `${count} ${end}`).join(", ")}`);
}

try {
  await checkAll("generator of ours", ours(), (performance.now() + endAtMs) / 2);
  await checkAll("wasm-smith", smith(), endAtMs);
} finally {
  await Promise.all([...pools.values()].map((pool) => pool.stop()));
}
console.log(`on ${[...pools.keys()].join(", ")}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
