/** Whatever shape a recursion's frames have, the metered stack ends before V8's own does, at the same depth on both compilers. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  assemble,
  type Code,
  call,
  drop,
  F64,
  type FunctionSource,
  get,
  I32,
  I64,
  i32,
  i64,
  loop,
  tee,
  V128,
} from "../../../protocol/test/execution/assembler.ts";
import { DEFAULT_V8_FLAGS } from "../../src/engine/child-options.ts";
import { EnginePool } from "../../src/engine/index.ts";
import { jobOf, textOf } from "./guests.ts";

const pools = [DEFAULT_V8_FLAGS, ["--liftoff-only"]].map(
  (v8Flags) => new EnginePool({ children: 1, wallTimeMs: 60_000, v8Flags }),
);
const wasmtimeLibrary = process.env.OUTLAYER_WASMTIME_LIB;
if (wasmtimeLibrary === undefined) console.log("OUTLAYER_WASMTIME_LIB is not set: wasmtime's frames are not tested");
else pools.push(new EnginePool({ children: 1, wallTimeMs: 60_000, wasmtimeLibrary }));

/** Counts the calls in memory, so that the digest tells the depth. */
const count: Code = [i32(0), i32(0), [0x28, 2, 0], i32(1), 0x6a, [0x36, 2, 0]];
const many = (length: number, type: number): number[] => Array<number>(length).fill(type);
const wideParams = many(500, I64);
const fewResults = many(20, I64);
const manyResults = many(500, I64);
const vectors = many(400, V128);

const zeroOf = (type: number): Code => (type === V128 ? [i32(0), [0xfd, 17]] : i64(0n));

/** Function 0 of each shape recurses. */
const shapes: Readonly<Record<string, FunctionSource>> = {
  "no locals": { body: [count, call(0)] },
  "500 parameters": { params: wideParams, body: [count, wideParams.map((_, index) => get(index)), call(0)] },
  "20 results": { results: fewResults, body: [count, call(0)] },
  "500 results": { results: manyResults, body: [count, call(0)] },
  "500 parameters and 500 results": {
    params: wideParams,
    results: manyResults,
    body: [count, wideParams.map((_, index) => get(index)), call(0)],
  },
  "400 vectors in and out": {
    params: vectors,
    results: vectors,
    body: [count, vectors.map((_, index) => get(index)), call(0)],
  },
  "vectors in locals": { locals: many(300, V128), body: [count, call(0), get(299), [0xfd, 83], drop] },
  "a deep operand stack": {
    body: [count, wideParams.map((_, index) => i64(BigInt(index))), call(0), wideParams.map(() => drop)],
  },
  "values live across the call": {
    locals: many(200, F64),
    body: [
      count,
      many(200, 0).map((_, index) => [[0x23, 0], tee(index), drop]),
      call(0),
      many(200, 0).map((_, index) => [get(index), [0x24, 0]]),
    ],
  },
  "a call inside a loop": { locals: [I32], body: [loop(count, call(0), get(0), [0x0d, 0])] },
};

for (const [name, shape] of Object.entries(shapes)) {
  test(`recursion with ${name}`, async () => {
    const entry: FunctionSource = {
      export: "_start",
      body: [(shape.params ?? []).map(zeroOf), call(0), (shape.results ?? []).map(() => drop)],
    };
    const code = assemble({
      memory: [1],
      globals: [[F64, true, [0x44, ...many(8, 0)]]],
      functions: [shape, entry],
    });
    const outcomes = await Promise.all(pools.map((pool) => pool.run(jobOf(code))));
    const [first] = outcomes;
    assert.is(first!.kind === "trapped" ? first!.trap : textOf(first!), "stackExhausted");
    assert.is(new Set(outcomes.map(textOf)).size, 1);
  });
}

test.after(async () => {
  await Promise.all(pools.map((pool) => pool.stop()));
});
test.run();
