import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ModuleRejectionCode } from "../../src/execution/index.ts";
import {
  add,
  assemble,
  block,
  br,
  brIf,
  type Code,
  call,
  drop,
  type FunctionSource,
  f64,
  get,
  I32,
  I64,
  i32,
  loop,
  type ModuleSource,
  otherwise,
  PREAMBLE,
  section,
  set,
  u32,
  unreachable,
  vector,
} from "./assembler.ts";
import { rejectionOf } from "./harness.ts";

const one = (body: Code, more: Partial<FunctionSource> = {}): ModuleSource => ({ functions: [{ body, ...more }] });

function refused(code: ModuleRejectionCode, source: ModuleSource | Uint8Array, words: RegExp): void {
  const rejection = rejectionOf(source instanceof Uint8Array ? source : assemble(source));
  assert.ok(rejection, "accepted");
  assert.is(rejection.code, code, rejection.message);
  assert.match(rejection.message, words);
}

function accepted(source: ModuleSource): void {
  const rejection = rejectionOf(assemble(source));
  assert.is(rejection, undefined, rejection?.message);
}

test("proposals outside the cost version are refused by name", () => {
  const cases: [Code, RegExp][] = [
    [[0x06, 0x40, 0x0b], /exception handling/],
    [[0x08, 0], /exception handling/],
    [[0x1f, 0x40, 0, 0x0b], /exception handling/],
    [[0x14, 0], /typed function references/],
    [[0xfb, 0, 0], /garbage collection/],
    [[0xfe, 0x10, 2, 0], /threads/],
    [[0xfd, 0x80, 0x02], /relaxed SIMD/],
    [[0xd0, 0x6e, drop], /garbage collection/],
    [[0xd0, 0x69, drop], /exception handling/],
  ];
  for (const [body, words] of cases) refused("feature", one(body), words);
  const memory = (limits: Code) => Uint8Array.from([...PREAMBLE, ...section(5, [vector([limits])])]);
  refused("feature", memory([3, 1, 1]), /threads/);
  refused("feature", memory([4, 1]), /memory64/);
  refused("feature", Uint8Array.from([...PREAMBLE, ...section(13, [0])]), /exception handling/);
  refused("feature", Uint8Array.from([...PREAMBLE, ...section(1, vector([[0x5f, 0]]))]), /garbage collection/);
  refused("feature", Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), /component model/);
});

test("unknown instructions are refused, not guessed", () => {
  for (const opcode of [0x16, 0x17, 0x27, 0xc5, 0xd7, 0xff]) refused("malformed", one([opcode]), /unknown instruction/);
  refused("malformed", one([0xfc, 18]), /unknown instruction/);
  refused("malformed", one([0xfd, 0x9a, 0x01]), /unknown instruction/);
});

test("types are checked", () => {
  refused("invalid", one([i32(1), f64(1), add, drop]), /type mismatch/);
  refused("invalid", one([add, drop]), /operand is missing/);
  refused("invalid", one([i32(1)]), /left over/);
  refused("invalid", one([], { results: [I32] }), /operand is missing/);
  refused("invalid", one([f64(1)], { results: [I32] }), /type mismatch/);
  refused("invalid", one([get(0), drop]), /unknown local/);
  refused("invalid", one([f64(1), set(0)], { locals: [I32] }), /type mismatch/);
  refused("invalid", one([br(1)]), /unknown label/);
  refused("invalid", one([call(7)]), /unknown function/);
  refused("invalid", one([[0x12, 7]]), /unknown function/);
  refused("invalid", { functions: [{ results: [I32], body: [i32(1)] }, { body: [[0x12, 0]] }] }, /tail call/);
  refused("invalid", one([[0x23, 0], drop]), /unknown global/);
  refused("invalid", { globals: [[I32, false, i32(1)]], ...one([i32(1), [0x24, 0]]) }, /immutable/);
  refused("invalid", one([i32(0), [0x28, 2, 0], drop]), /unknown memory/);
  refused("invalid", { memory: [1], ...one([i32(0), [0x28, 3, 0], drop]) }, /alignment/);
  refused("invalid", one([i32(0), [0x11, 0, 0]]), /unknown table/);
  refused("invalid", one([i32(1), 0x04, I32, i32(1), 0x0b, drop]), /if without else/);
  refused("invalid", one([block(otherwise)]), /else without if/);
  refused("invalid", one([[0xd2, 0], drop]), /undeclared/);
  refused("invalid", one([[0xd0, 0x70], [0xd0, 0x70], i32(1), 0x1b, drop]), /select/);
});

test("unreachable code is polymorphic, but not untyped", () => {
  accepted(one([unreachable, add, drop]));
  accepted(one([unreachable, 0x1b], { results: [I64] }));
  accepted(one([br(0), i32(1), brIf(0)]));
  accepted(one([[0x02, I32], unreachable, i32(0), [0x0e, 1, 0, 0], 0x0b, drop]));
  refused("invalid", one([unreachable, f64(1), add, drop]), /type mismatch/);
  refused("invalid", one([unreachable, i32(1)], { results: [I64] }), /type mismatch/);
});

test("integers are read as the format prescribes", () => {
  refused("malformed", one([0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, drop]), /too long/);
  refused("malformed", one([0x41, 0xff, 0xff, 0xff, 0xff, 0x0f, drop]), /too large/);
  refused("malformed", one([0x42, ...Array(9).fill(0x80), 0x01, drop]), /too large/);
  refused("malformed", one([0x10, 0xff, 0xff, 0xff, 0xff, 0x1f]), /too large/);
  accepted(one([0x41, 0xff, 0xff, 0xff, 0xff, 0x7f, drop]));
  accepted(one([0x41, 0x80, 0x80, 0x80, 0x80, 0x78, drop]));
});

test("the module's structure is checked", () => {
  const bytes = (...parts: Code[]) => Uint8Array.from([...PREAMBLE, ...(parts.flat(9) as number[])]);
  refused("malformed", new Uint8Array(4), /too short/);
  refused("malformed", new Uint8Array(8), /magic/);
  refused("malformed", bytes(section(3, [0]), section(1, [0])), /out of order/);
  refused("malformed", bytes(section(1, [0]), section(1, [0])), /out of order/);
  refused("malformed", bytes(section(14, [0])), /unknown section/);
  refused("malformed", bytes(section(1, [0, 0])), /left over/);
  refused("malformed", bytes([1, 5, 0]), /unexpected end/);
  refused("malformed", bytes(section(0, [2, 0xff, 0xff])), /UTF-8/);
  refused("malformed", bytes(section(1, [vector([[0x60, 0, 0]])]), section(3, vector([[0]]))), /bodies/);
  refused("invalid", { memory: [1], ...one([], { export: "memory" }) }, /two exports/);
  refused("invalid", { ...one([], { params: [I32] }), start: 0 }, /start function/);
  refused("invalid", { memory: [1], data: [[65_535, [1, 2]]], ...one([]) }, /outside the initial memory/);
  refused("invalid", { table: 1, elements: [0, 0], ...one([]) }, /outside its table/);
  refused("invalid", { globals: [[I32, false, f64(1)]], ...one([]) }, /constant expression/);
  refused("invalid", { globals: [[I32, false, [0x23, 0]]], ...one([]) }, /imported globals/);
});

test("imports are named when they are refused", () => {
  const importing = (from: string, item: string, params: number[], results: number[]): ModuleSource => ({
    imports: [[from, item, params, results]],
    functions: [],
  });
  refused("import", importing("env", "abort", [], []), /env\.abort/);
  refused("import", importing("wasi_snapshot_preview1", "fd_teleport", [], [I32]), /fd_teleport/);
  refused("import", importing("wasi_snapshot_preview1", "fd_close", [I64], [I32]), /fd_close has another signature/);
  refused("reservedName", importing("env", "$fuel", [], []), /\$fuel/);
  accepted(importing("wasi_snapshot_preview1", "fd_close", [I32], [I32]));
});

test("what a compiler has to remember of a function and of a module is bounded", () => {
  const locals = Array<number>(4_000).fill(I32);
  const loops = (count: number): Code => [Array(count).fill([0x03, 0x40]), Array(count).fill(0x0b)];
  accepted({ functions: [{ export: "_start", locals, body: [loops(3_999)] }] });
  refused("limit", { functions: [{ locals, body: [loops(4_001)] }] }, /blocks and branches times locals in a function/);
  refused("limit", { functions: [{ locals, body: [block(Array(4_001).fill([get(0), brIf(0)]))] }] }, /times locals/);
  const dispatch: Code = [get(0), 0x0e, u32(4_000), Array(4_001).fill(0)];
  refused("limit", { functions: [{ locals, body: [block(dispatch)] }] }, /times locals/);
  refused(
    "limit",
    { functions: Array(17).fill({ locals, body: [loops(3_999)] }) },
    /blocks and branches times locals,/,
  );

  const many = Array<number>(500).fill(I32);
  const calls = (count: number) => ({
    functions: [
      { params: many, results: many, body: many.map((_, index) => get(index)) },
      { body: [many.map(() => i32(0)), Array(count).fill(call(0)), many.map(() => drop)] },
    ],
  });
  accepted(calls(500));
  refused("limit", calls(501), /values that blocks, branches and calls of a function carry/);
  const [callee, caller] = calls(500).functions;
  refused(
    "limit",
    { functions: [callee!, ...Array(17).fill(caller!)] },
    /values that blocks, branches and calls carry,/,
  );
});

test("exports of wide functions are bounded together", () => {
  const many = Array<number>(500).fill(I32);
  const wide = (count: number): ModuleSource => ({
    functions: Array.from({ length: count }, (_, index) => ({
      ...{ params: many, results: many, body: [unreachable] },
      export: `wide ${index}`,
    })),
  });
  accepted(wide(500));
  refused("limit", wide(501), /exported functions take and give 501000 values/);
});

test("a body that grows beyond what engines take is refused", () => {
  const roots: Code = [f64(-1), Array(500_000).fill([0x9f, 0x9a]), drop];
  refused("limit", { functions: [{ body: [roots] }] }, /once rewritten/);
});

test("tables share their bound, at the start and as they grow", () => {
  const table = (minimum: number): Code => [0x70, 0, u32(minimum)];
  const tables = (...sizes: number[]) => Uint8Array.from([...PREAMBLE, ...section(4, [vector(sizes.map(table))])]);
  refused("limit", tables(600_000, 600_000), /tables of 1200000 elements/);
  assert.is(rejectionOf(tables(600_000, 400_000)), undefined);
});

test("what compilers write out at length is bounded in a function and in a module", () => {
  const calls = (count: number, functions = 1) => ({
    functions: [{ export: "_start", body: [] }, ...Array(functions).fill({ body: [Array(count).fill([0x10, 0])] })],
  });
  accepted(calls(300_000));
  refused("limit", calls(300_001), /300001 calls and table accesses, weighed, in a function/);
  refused("limit", calls(290_000, 11), /calls and table accesses, weighed, at most 3000000/);
  const reads = (count: number) => ({ table: 2, ...one([Array(count).fill([i32(0), 0x25, 0, drop])]) });
  accepted(reads(20_000));
  refused("limit", reads(20_001), /table accesses, weighed, in a function/);
});

test("bounds are kept", () => {
  refused("limit", one([], { locals: Array(20_001).fill(I32) }), /locals/);
  refused("limit", one([Array(20_002).fill([0x02, 0x40]), Array(20_002).fill(0x0b)]), /nested/);
  refused("limit", one([Array(20_001).fill(i32(0)), Array(20_001).fill(drop)]), /operands/);
  refused("limit", one([Array(1024 * 1024).fill(0x01)]), /a function of/);
  refused("limit", { memory: [65], ...one([]) }, /initial memory/);
  refused("limit", { table: 1_000_001, ...one([]) }, /tables of/);
  refused("limit", new Uint8Array(10 * 1024 * 1024 + 1), /a module of/);
  const types = Uint8Array.from([...PREAMBLE, ...section(1, u32(100_001))]);
  refused("limit", types, /types/);
});

test("what a few bytes claim is refused before anything is made of it", () => {
  const bytes = (...parts: Code[]) => Uint8Array.from([...PREAMBLE, ...(parts.flat(9) as number[])]);
  const type = section(1, [vector([[0x60, 0, 0]])]);
  const body = (...code: Code[]) =>
    bytes(type, section(3, [vector([[0]])]), section(10, [vector([[u32((code.flat(9) as number[]).length), code]])]));
  // 50,000 locals, and as many as the format can say, in one group of five bytes.
  refused("limit", body([1, u32(50_000), I32, 0x0b]), /locals/);
  refused("limit", body([1, u32(0xffff_ffff), I32, 0x0b]), /locals/);
  refused("limit", body([2, u32(0xffff_ffff), I32, u32(0xffff_ffff), I64, 0x0b]), /locals/);
  // Ten million functions, claimed and spelled out.
  refused("limit", bytes(type, section(3, [u32(10_000_000)])), /functions/);
  const head = bytes(type, [3, u32(10_000_004), u32(10_000_000)]);
  const spelled = new Uint8Array(head.length + 10_000_000);
  spelled.set(head);
  refused("limit", spelled, /functions/);
  // A table of branches that is not there, and one that is.
  refused("limit", body([0, i32(0), 0x0e, u32(10_000_000), 0, 0x0b]), /branch targets/);
  refused("malformed", body([0, i32(0), 0x0e, u32(50_000), 0, 0x0b]), /end/);
  accepted(one([block(i32(0), 0x0e, u32(60_000), Array(60_001).fill(0))]));
  // A data segment of four gigabytes, and one that is as large as the memory and a byte.
  refused(
    "malformed",
    bytes(section(5, [vector([[0, 1]])]), section(11, [1, 0, i32(0), 0x0b, u32(0xffff_ffff)])),
    /end/,
  );
  refused("invalid", { memory: [1], data: [[0, Array(65_537).fill(7)]], ...one([]) }, /outside the initial memory/);
});

test("deep nesting and many branches take time in proportion", () => {
  const depth = 15_000;
  const body = [Array(depth).fill([0x02, 0x40]), Array(20_000).fill([i32(0), brIf(depth)]), Array(depth).fill(0x0b)];
  accepted(one([body, loop()]));
});

test.run();
