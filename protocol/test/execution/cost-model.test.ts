/**
 * The cost table is consensus: this file pins every weight of cost version 1. Whoever changes one makes a new
 * version; this test is changed only while no version was released.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as cost from "../../src/execution/cost-model.ts";
import { fuelOfTicks } from "../../src/execution/index.ts";
import * as limits from "../../src/execution/limits.ts";

/** Everything that decides what a run costs, as one text. */
function everyWeight(): string {
  const simd = Array.from({ length: 256 }, (_, opcode) => cost.simdTicks(opcode));
  const { TICKS, ...others } = cost;
  const constants = Object.entries(others)
    .filter(([, value]) => typeof value !== "function")
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  const frames = [0, 1, 10, 1000].map((slots) => cost.frameBytes(slots));
  return [[...TICKS].join(), simd.join(), constants.join(), frames.join(), limits.STACK_BYTES].join("\n");
}

const PINNED = "45c2a95d2f54a36398e76a3327125d4a77dc913cb141af9132af975d264d76d7";

test("the weights of cost version 1 are these", () => {
  assert.is(cost.COST_VERSION, 1);
  assert.is(createHash("sha256").update(everyWeight()).digest("hex"), PINNED);
});

test("fuel is ticks divided and rounded up", () => {
  assert.is(fuelOfTicks(0n), 0n);
  assert.is(fuelOfTicks(1n), 1n);
  assert.is(fuelOfTicks(3n), 1n);
  assert.is(fuelOfTicks(4n), 2n);
});

/** Row of the specification's table → what the code charges. */
const SPECIFIED: readonly (readonly [row: string, ticks: readonly number[]])[] = [
  ["block, loop, else, end, nop, drop", [cost.TICKS[0x02]!]],
  ["loads and stores", [cost.TICKS[0x28]!]],
  ["i32.mul, i64.mul", [cost.TICKS[0x6c]!]],
  ["integer division and remainder; f32.div, f64.div", [cost.TICKS[0x6d]!]],
  ["f32.sqrt, f64.sqrt", [cost.TICKS[0x91]!]],
  ["call, return_call", [cost.TICKS[0x10]!]],
  ["call_indirect, return_call_indirect", [cost.TICKS[0x11]!]],
  ["memory.grow", [cost.TICKS[0x40]!, cost.GROWN_PAGE_TICKS]],
  ["an initial page of memory", [cost.INITIAL_PAGE_TICKS]],
  ["a call of a host function", [cost.HOST_CALL_TICKS, cost.TICKS[0x10]!]],
  ["an entry of a list that the host walks", [cost.HOST_ENTRY_TICKS]],
  ["a byte of `random_get`", [cost.RANDOM_BYTE_TICKS]],
  ["bulk memory and table instructions", [cost.BULK_TICKS, 1, 2 ** cost.BULK_SHIFT]],
  ["SIMD", [2, cost.simdTicks(231), cost.simdTicks(227)]],
];

test("docs/spec/fuel.md says what the code charges", () => {
  const page = readFileSync(new URL("../../../docs/spec/fuel.md", import.meta.url), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("|"));
  for (const [name, ticks] of SPECIFIED) {
    const row = rows.find((line) => line.slice(2).startsWith(name));
    if (row === undefined) throw new Error(`no row "${name}"`);
    const said = row
      .split("|")[2]!
      .replace(/,(?=\d)/g, "")
      .replace(/[fi]\d+x\d+/g, "")
      .match(/\d+/g)!
      .map(Number);
    assert.equal(said, ticks, name);
  }
  assert.match(page, new RegExp(`ticks\\s*/\\s*${cost.FUEL_DIVISOR}`));
});

test.run();
