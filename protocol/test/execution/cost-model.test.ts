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

/** Everything that decides what a run costs and what may run, as one text. */
function everyWeight(): string {
  const simd = Array.from({ length: 256 }, (_, opcode) => cost.simdTicks(opcode));
  const { TICKS, ...others } = cost;
  const { EXPANSION, ...bounds } = limits;
  const constants = [...Object.entries(others), ...Object.entries(bounds)]
    .filter(([, value]) => typeof value !== "function")
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  const frames = [0, 1, 10, 1000].map((slots) => cost.frameBytes(slots));
  return [[...TICKS].join(), simd.join(), [...EXPANSION].join(), constants.join(), frames.join()].join("\n");
}

const PINNED = "ed23a4ce28f681fc66c71b5a2e26d1bf9748ab3a5fc028c8b6750e25fce9b9c6";

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

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Rows of the specification's table, with the opcodes that each names (WebAssembly's binary format, section 5.4). */
const OPCODE_ROWS: readonly (readonly [row: string, opcodes: readonly number[]])[] = [
  ["block, loop, else, end, nop, drop", [0x01, 0x02, 0x03, 0x05, 0x0b, 0x1a]],
  ["loads and stores", range(0x28, 0x3e)],
  ["i32.mul, i64.mul", [0x6c, 0x7e]],
  [
    "float comparison, arithmetic, rounding, conversion",
    [
      ...[...range(0x5b, 0x66), ...range(0x8b, 0x90), ...range(0x92, 0x94), ...range(0x96, 0x9e), ...range(0xa0, 0xa2)],
      ...[...range(0xa4, 0xa6), ...range(0xa8, 0xab), ...range(0xae, 0xbb)],
    ],
  ],
  ["integer division and remainder; f32.div, f64.div", [...range(0x6d, 0x70), ...range(0x7f, 0x82), 0x95, 0xa3]],
  ["f32.sqrt, f64.sqrt", [0x91, 0x9f]],
  ["call, return_call", [0x10, 0x12]],
  ["call_indirect, return_call_indirect", [0x11, 0x13]],
  ["table.set", [0x26]],
  ["ref.func", [0xd2]],
];
/** Opcodes with rows of their own, or a prefix of many instructions. */
const APART = [0x40, 0xfc, 0xfd];

/** Other rows, with every number that stands in them. */
const SPECIFIED: readonly (readonly [row: string, ticks: readonly number[]])[] = [
  ["memory.grow", [cost.TICKS[0x40]!, cost.GROWN_PAGE_TICKS]],
  ["data.drop, elem.drop, table.size", [cost.SEGMENT_TICKS]],
  ["an initial page of memory", [cost.INITIAL_PAGE_TICKS]],
  ["data segments copied at instantiation", [1, 2 ** cost.BULK_SHIFT]],
  ["element segments copied at instantiation", [2 ** cost.ELEMENT_SHIFT]],
  ["a call of a host function", [cost.HOST_CALL_TICKS, cost.TICKS[0x10]!]],
  ["an error number of a host function", [cost.HOST_ERROR_TICKS]],
  ["what a host function handles one by one", [cost.HOST_ITEM_TICKS]],
  ["what a host function passes by", [cost.HOST_ENTRY_TICKS]],
  ["a byte of a path", [cost.PATH_BYTE_TICKS]],
  ["a byte that a file grows by", [cost.FILE_BYTE_TICKS]],
  ["a byte of `random_get`", [cost.RANDOM_BYTE_TICKS]],
  ["bulk memory instructions", [cost.BULK_TICKS, 1, 2 ** cost.BULK_SHIFT]],
  ["bulk table instructions", [cost.BULK_TICKS, 2 ** cost.ELEMENT_SHIFT]],
  ["SIMD", [2, cost.simdTicks(231), cost.simdTicks(227)]],
];

test("docs/spec/fuel.md says what the code charges", () => {
  const page = readFileSync(new URL("../../../docs/spec/fuel.md", import.meta.url), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("|"));
  const said = (name: string) => {
    const row = rows.find((line) => line.slice(2).startsWith(name));
    if (row === undefined) throw new Error(`no row "${name}"`);
    const numbers = row
      .split("|")[2]!
      .replace(/,(?=\d)/g, "")
      .replace(/[fi]\d+x\d+/g, "");
    return numbers.match(/\d+/g)!.map(Number);
  };
  for (const [name, ticks] of SPECIFIED) assert.equal(said(name), ticks, name);
  const named = new Set(APART);
  for (const [name, opcodes] of OPCODE_ROWS) {
    const [ticks] = said(name);
    for (const opcode of opcodes) {
      assert.is(cost.TICKS[opcode], ticks, `${name}: 0x${opcode.toString(16)}`);
      named.add(opcode);
    }
  }
  const [rest] = said("everything else");
  for (const opcode of range(0, 0xff)) {
    if (!named.has(opcode)) assert.is(cost.TICKS[opcode], rest, `0x${opcode.toString(16)}`);
  }
  assert.is(cost.SATURATING_TICKS, said("float comparison")[0]);
  assert.match(page, new RegExp(`ticks\\s*/\\s*${cost.FUEL_DIVISOR}`));
});

test.run();
