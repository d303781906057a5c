/** Several memories: each its own bytes and its own maximum, one cap and one counter for all of them. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { GROWN_PAGE_TICKS, INITIAL_PAGE_TICKS } from "../../src/execution/cost-model.ts";
import { rewriteModule } from "../../src/execution/index.ts";
import { memoriesDigest, memoryDigest } from "../../src/execution/memory-digest.ts";
import { assemble, type Code, type FunctionSource, get, I32, i32, type ModuleSource, u32 } from "./assembler.ts";
import { engine, execute, metered, rejectionOf } from "./harness.ts";

const MAX_PAGES = 8;
const grow = (memory: number): FunctionSource => ({
  params: [I32],
  results: [I32],
  body: [get(0), 0x40, u32(memory)],
  export: `grow${memory}`,
});
const size = (memory: number): FunctionSource => ({
  results: [I32],
  body: [0x3f, u32(memory)],
  export: `size${memory}`,
});
/** `i32.store8` and `i32.load8_u` that name their memory. */
const store8 = (memory: number, at: Code, value: Code): Code => [at, value, 0x3a, 0x40, u32(memory), u32(0)];
const load8 = (memory: number, at: Code): Code => [at, 0x2d, 0x40, u32(memory), u32(0)];

const three: ModuleSource = {
  memory: [1],
  moreMemories: [[1, 2], [0]],
  functions: [grow(0), grow(1), grow(2), size(0), size(1), size(2)],
};
const guestOf = (source: ModuleSource) => metered(source, 1n << 40n, MAX_PAGES);

test("memories grow apart, each to its own maximum and all together to the cap", () => {
  const { exports } = guestOf(three);
  assert.is(exports.grow1!(1), 1);
  assert.is(exports.grow1!(1), -1, "its own maximum is 2");
  assert.is(exports.grow2!(4), 0);
  assert.is(exports.grow0!(2), -1, "7 of 8 pages are taken");
  assert.is(exports.grow0!(1), 1);
  assert.is(exports.grow2!(1), -1);
  assert.equal([exports.size0!(), exports.size1!(), exports.size2!()], [2, 2, 4]);
  assert.is(exports.grow2!(0), 4);
});

test("each growth is charged by its pages, a refused one is not", () => {
  const guest = guestOf(three);
  const spent = (run: () => unknown) => {
    const before = guest.fuel.value;
    run();
    return before - guest.fuel.value;
  };
  const none = spent(() => guest.exports.grow2!(0));
  assert.is(spent(() => guest.exports.grow2!(3)) - none, 3n * BigInt(GROWN_PAGE_TICKS));
  assert.is(
    spent(() => guest.exports.grow1!(100)),
    none,
  );
  const { instantiationTicks, initialMemoryPages } = rewriteModule(assemble(three), {
    costVersion: 1,
    maxMemoryPages: MAX_PAGES,
    entryPoint: undefined,
  });
  assert.is(initialMemoryPages, 2);
  assert.is(instantiationTicks, 2 * INITIAL_PAGE_TICKS);
});

test("loads and stores reach the memory that they name, and bulk instructions copy between two", () => {
  const copy: Code = [i32(5), i32(0), i32(1), 0xfc, 10, u32(0), u32(1)];
  const fill: Code = [i32(0), i32(9), i32(3), 0xfc, 11, u32(1)];
  const { exports } = guestOf({
    memory: [1],
    moreMemories: [[1]],
    functions: [
      { body: [store8(1, i32(0), i32(7)), store8(0, i32(0), i32(3)), copy], export: "copy" },
      { params: [I32], results: [I32], body: load8(0, get(0)), export: "first" },
      { params: [I32], results: [I32], body: load8(1, get(0)), export: "second" },
      { body: fill, export: "fill" },
    ],
  });
  exports.copy!();
  assert.equal([exports.first!(0), exports.first!(5), exports.second!(0), exports.second!(5)], [3, 7, 7, 0]);
  exports.fill!();
  assert.equal([exports.second!(0), exports.second!(2), exports.second!(3), exports.first!(2)], [9, 9, 0, 0]);
});

test("a data segment fills the memory that it names, within its own size", () => {
  const segment = (memory: number, at: number): Code => [1, 2, u32(memory), i32(at), 0x0b, u32(2), 4, 5];
  const source = (memory: number, at: number): ModuleSource => ({
    memory: [0],
    moreMemories: [[1]],
    functions: [{ params: [I32], results: [I32], body: load8(1, get(0)), export: "second" }],
    extra: [[11, segment(memory, at)]],
  });
  assert.is(guestOf(source(1, 65_534)).exports.second!(65_535), 5);
  assert.match(rejectionOf(assemble(source(1, 65_535)))?.message ?? "", /outside the initial memory/);
  assert.match(rejectionOf(assemble(source(0, 0)))?.message ?? "", /outside the initial memory/);
  assert.match(rejectionOf(assemble(source(2, 0)))?.message ?? "", /unknown memory 2/);
});

test("indices, names and sizes are judged", () => {
  const refusal = (source: ModuleSource, pages = MAX_PAGES) => {
    const rejection = rejectionOf(assemble(source), pages);
    return rejection && `${rejection.code}: ${rejection.message}`;
  };
  const one = (body: Code): ModuleSource => ({ memory: [1], functions: [{ body }] });
  assert.match(refusal(one([0x3f, 1, 0x1a])) ?? "", /^invalid: unknown memory 1/);
  assert.match(refusal(one([store8(1, i32(0), i32(0))])) ?? "", /^invalid: unknown memory 1/);
  assert.match(refusal({ ...three, moreMemories: [[4], [4]] }) ?? "", /^limit: 9 pages of initial memory, at most 8/);
  assert.match(refusal({ ...three, moreMemories: Array(16).fill([0]) }) ?? "", /^limit: .*memories/);
  for (const name of ["$memory", "$memory1", "$memory15"]) {
    assert.match(refusal({ ...three, exports: [[name, 2, 0]] }) ?? "", /^reservedName/);
  }
  // An index may be spelled in more bytes than it needs.
  const { exports } = guestOf({
    ...three,
    functions: [{ results: [I32], body: [i32(1), 0x40, 0x82, 0x00], export: "long" }],
  });
  assert.is(exports.long!(), 0);
});

test("an outcome counts all pages, and its digest tells the memories apart", () => {
  const run = (memories: readonly (readonly [number])[], memory: number) =>
    execute({
      memory: [1],
      moreMemories: memories,
      functions: [{ export: "_start", body: store8(memory, i32(0), i32(1)) }],
    });
  const first = run([[1]], 0);
  const second = run([[1]], 1);
  assert.ok(first.kind === "exited" && second.kind === "exited");
  assert.is(first.memoryPages, 2);
  assert.not.equal(first.memoryDigest, second.memoryDigest);
  const page = (byte: number) => new Uint8Array(65_536).fill(byte, 0, 1).buffer;
  const { sha256 } = engine;
  assert.equal(second.memoryDigest, sha256([memoryDigest(page(0), sha256), memoryDigest(page(1), sha256)]));
  assert.equal(memoriesDigest([page(1)], sha256), memoryDigest(page(1), sha256), "one memory has the digest it had");
});

test("host functions work on the memory that the guest exports as memory", () => {
  const importing = (exported: number): ModuleSource => ({
    imports: [["wasi_snapshot_preview1", "random_get", [I32, I32], [I32]]],
    moreMemories: [[1], [1]],
    functions: [{ export: "_start", body: [i32(0), i32(8), 0x10, 0, 0x1a] }],
    exports: [["memory", 2, exported]],
  });
  const outcomes = [0, 1].map((exported) => execute(importing(exported)));
  const digests = outcomes.map((outcome) => (outcome.kind === "exited" ? outcome.memoryDigest : undefined));
  assert.ok(digests[0] && digests[1]);
  assert.not.equal(digests[0], digests[1]);
});

test.run();
