/**
 * Mutated modules against the validator, with V8 as the referee: whatever the bytes, a typed rejection, or a module
 * that is valid before and after the rewriting and runs to an outcome. OUTLAYER_CONFORMANCE_MUTATIONS says how many,
 * OUTLAYER_CONFORMANCE_SEED with which randomness.
 */
import { readFileSync } from "node:fs";
import { executeModule, ModuleRejection, rewriteModule } from "@outlayer/protocol/execution/index";
import { buildGuests, guestNames, guestPath } from "../../wasi-examples/build.ts";
import { V8Engine } from "../src/engine/v8-engine.ts";
import { randomModule } from "./engine/random-module.ts";

const MUTATIONS = Number(process.env.OUTLAYER_CONFORMANCE_MUTATIONS ?? 1_000_000);
const endAtMs = performance.now() + Number(process.env.OUTLAYER_CONFORMANCE_MS ?? 600_000);
const LIMITS = { maxFuel: 5_000n, maxMemoryPages: 64, maxOutputBytes: 1_000 };
/** Reasons for which cost version 1 refuses what V8 takes. */
const STRICTER = new Set(["feature", "import", "entryPoint", "limit", "reservedName"]);
/** A mutation that makes a module slow to judge would be a way to attack a node. */
const MAX_MS = 5_000;
const RANDOM_BASES = 40;

let state = Number(process.env.OUTLAYER_CONFORMANCE_SEED ?? 1) >>> 0 || 1;
function below(count: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % count;
}

await buildGuests();
const bases = [
  new Uint8Array(readFileSync(new URL("../../protocol/test/execution/vectors/mixed.wasm", import.meta.url))),
  ...guestNames.map((name) => new Uint8Array(readFileSync(guestPath(name)))),
  ...Array.from({ length: RANDOM_BASES }, (_, seed) => randomModule(seed)),
];

function mutated(base: Uint8Array): Uint8Array<ArrayBuffer> {
  let bytes = base.slice();
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(bytes.length);
    const kind = below(7);
    if (kind === 0) bytes[at] = below(256);
    else if (kind === 1) bytes[at]! ^= 1 << below(8);
    else if (kind === 2) bytes[at] = bytes[below(bytes.length)]!;
    else if (kind === 3) bytes[at]! += below(2) === 0 ? 1 : -1;
    else if (kind === 4) bytes = bytes.slice(0, at + 1);
    else if (kind === 5) bytes.copyWithin(at, below(bytes.length), at + 1 + below(16));
    else bytes = Uint8Array.from([...bytes.subarray(0, at), below(256), ...bytes.subarray(at)]);
  }
  return bytes;
}

const engine = new V8Engine();
const counts = { accepted: 0, rejected: 0 };

/** What is wrong about these bytes, or undefined. */
function judge(code: Uint8Array<ArrayBuffer>): string | undefined {
  const valid = WebAssembly.validate(code);
  try {
    const module = rewriteModule(code, { costVersion: 1, maxMemoryPages: LIMITS.maxMemoryPages });
    counts.accepted++;
    if (!valid) return "accepted, and V8 refuses it";
    if (!WebAssembly.validate(module.bytes as Uint8Array<ArrayBuffer>)) return "the rewritten module is not valid";
    const job = { codeHash: new Uint8Array(32), code, input: new Uint8Array(0), seed: new Uint8Array(32) };
    executeModule(module, { ...job, environ: [], blockTimeNs: 0n, limits: LIMITS }, engine);
    return undefined;
  } catch (error) {
    if (!(error instanceof ModuleRejection)) return `threw ${error instanceof Error ? error.stack : error}`;
    counts.rejected++;
    const outsideSegment = /^an? (data|element) segment outside/.test(error.message);
    if (valid && !STRICTER.has(error.code) && !outsideSegment) return `refused, and V8 takes it: ${error.message}`;
    return undefined;
  }
}

let passed = 0;
let failed = 0;
let slowestMs = 0;
for (let index = 0; index < MUTATIONS; index++) {
  const startedAtMs = performance.now();
  if (startedAtMs > endAtMs) {
    console.log(`out of time after ${index} of ${MUTATIONS} mutations`);
    break;
  }
  const code = mutated(bases[index % bases.length]!);
  const wrong = judge(code);
  const tookMs = performance.now() - startedAtMs;
  slowestMs = Math.max(slowestMs, tookMs);
  if (wrong === undefined && tookMs < MAX_MS) {
    passed++;
    continue;
  }
  failed++;
  console.log(
    `mutation ${index}: ${wrong ?? `took ${tookMs.toFixed(0)} ms`}\n  ${Buffer.from(code).toString("base64")}`,
  );
}
console.log(`${counts.accepted} accepted, ${counts.rejected} rejected, slowest ${slowestMs.toFixed(0)} ms`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
