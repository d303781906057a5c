/**
 * `npm run bench -- calibrate [--json]`: what instructions take on this machine beside what cost version 1 charges
 * for them. Each kind runs in a chain of dependent operations in a loop; the loop alone is taken off. The table is
 * frozen (protocol/test/execution/cost-model.test.ts): this tells whether it still fits, and what a next version
 * should weigh.
 */

import { setFlagsFromString } from "node:v8";
import { TICKS } from "@outlayer/protocol/execution/cost-model";
import { DEFAULT_V8_FLAGS } from "../src/engine/child-options.ts";

for (const flag of DEFAULT_V8_FLAGS) setFlagsFromString(flag);

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
/** Operations in a loop's body: enough that the loop itself does not count. */
const UNROLLED = 64;
const ITERATIONS = 200_000;
const ROUNDS = 7;

/** [name, type of the chain, code that takes the value on the stack to the next one, opcode that is weighed]. */
const KINDS: readonly (readonly [name: string, type: number, step: readonly number[], opcode: number])[] = [
  ["i32.add", I32, [0x20, 1, 0x6a], 0x6a],
  ["i32.mul", I32, [0x20, 1, 0x6c], 0x6c],
  ["i32.div_u", I32, [0x20, 1, 0x6e], 0x6e],
  ["i32.load", I32, [0x41, 0xfc, 0xff, 0x03, 0x71, 0x28, 2, 0], 0x28],
  ["i64.mul", I64, [0x20, 1, 0x7e], 0x7e],
  ["i64.div_u", I64, [0x20, 1, 0x80], 0x80],
  ["f32.div", F32, [0x20, 1, 0x95], 0x95],
  ["f64.add", F64, [0x20, 1, 0xa0], 0xa0],
  ["f64.mul", F64, [0x20, 1, 0xa2], 0xa2],
  ["f64.div", F64, [0x20, 1, 0xa3], 0xa3],
  ["f64.sqrt", F64, [0x9f], 0x9f],
  ["call", I32, [0x10, 1], 0x10],
];

const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]);
const vector = (items: readonly (readonly number[])[]): number[] => [...leb(items.length), ...items.flat()];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...leb(bytes.length), ...bytes];

/** f(start, operand, times): the step, UNROLLED times an iteration; function 1 is i32 -> i32 and does nothing. */
function moduleOf(type: number, step: readonly number[]): WebAssembly.Module {
  const chain = Array.from({ length: UNROLLED }, () => step).flat();
  const loop = [0x03, 0x40, 0x20, 0, ...chain, 0x21, 0, 0x20, 2, 0x41, 1, 0x6b, 0x22, 2, 0x0d, 0, 0x0b];
  const body = [0, ...loop, 0x20, 0, 0x0b];
  return new WebAssembly.Module(
    Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(
        1,
        vector([
          [0x60, 3, type, type, I32, 1, type],
          [0x60, 1, I32, 1, I32],
        ]),
      ),
      ...section(3, vector([[0], [1]])),
      ...section(5, vector([[0, 1]])),
      ...section(7, vector([[1, 0x66, 0, 0]])),
      ...section(
        10,
        vector([
          [...leb(body.length), ...body],
          [4, 0, 0x20, 0, 0x0b],
        ]),
      ),
    ]),
  );
}

/** Nanoseconds of CPU time for one step. */
function nanosecondsOf(type: number, step: readonly number[]): number {
  const { f } = new WebAssembly.Instance(moduleOf(type, step)).exports as {
    f: (start: number | bigint, operand: number | bigint, times: number) => unknown;
  };
  const [start, operand] = type === I64 ? [12_345_678_901n, 3n] : [12_345, type === I32 ? 3 : 1.0000001];
  f(start, operand, 1_000);
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    f(start, operand, ITERATIONS);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return (Math.min(...times) * 1_000) / (UNROLLED * ITERATIONS);
}

const tick = nanosecondsOf(I32, [0x20, 1, 0x6a]);
const figures: Record<string, { value: number; unit: string; goal: string; ok: boolean }> = {};
for (const [name, type, step, opcode] of KINDS) {
  const measured = nanosecondsOf(type, step);
  const value = Math.round((measured / tick) * 100) / 100;
  figures[name] = { value, unit: "i32.add", goal: `charged ${TICKS[opcode]}`, ok: true };
  console.log(
    `${name.padEnd(12)} ${measured.toFixed(2).padStart(8)} ns ${value.toFixed(2).padStart(8)} charged ${TICKS[opcode]}`,
  );
}
console.log(JSON.stringify({ topic: "calibrate", figures }));
