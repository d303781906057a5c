import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { EngineFailure, executeModule, type GuestEngine, rewriteModule } from "../../src/execution/index.ts";
import { assemble, call, drop, I32, i32, type ModuleSource, unreachable } from "./assembler.ts";
import { engine, execute, jobOf } from "./harness.ts";

const WASI = "wasi_snapshot_preview1";
const limits = (maxFuel: bigint) => ({ maxFuel, maxMemoryPages: 64, maxOutputBytes: 8 });

/** Prints its 5 bytes of data `times` times. */
function printer(times: number): ModuleSource {
  const print = [i32(1), i32(0), i32(1), i32(32), call(0), drop];
  return {
    imports: [[WASI, "fd_write", [I32, I32, I32, I32], [I32]]],
    memory: [1],
    data: [
      [0, [16, 0, 0, 0, 5, 0, 0, 0]],
      [16, [...Buffer.from("hello")]],
    ],
    functions: [{ export: "_start", body: Array(times).fill(print) }],
  };
}

test("output up to the limit is kept, what goes beyond stops the guest", () => {
  const once = execute(printer(1), { limits: limits(10_000n) });
  assert.is(once.kind === "exited" && Buffer.from(once.stdout).toString(), "hello");
  const twice = execute(printer(2), { limits: limits(10_000n) });
  assert.is(twice.kind === "trapped" && twice.trap, "outputLimit");
  assert.is(twice.kind === "trapped" && Buffer.from(twice.stdout).toString(), "hello");
});

test("the fuel of a run is hand-countable", () => {
  // Page 1000, 13 bytes of data rounded up 2; body 4 constants, call 6; host call 500, one buffer 350, 5 bytes 0.
  const ticks = 1000 + 2 + 10 + 500 + 350;
  const outcome = execute(printer(1), { limits: limits(10_000n) });
  assert.is(outcome.kind === "exited" && outcome.fuel, BigInt(Math.ceil(ticks / 3)));
  const exact = execute(printer(1), { limits: limits(BigInt(Math.ceil(ticks / 3))) });
  assert.is(exact.kind, "exited");
  const less = execute(printer(1), { limits: limits(BigInt(Math.ceil(ticks / 3)) - 1n) });
  assert.is(less.kind === "trapped" && less.trap, "outOfFuel");
});

test("initial memory is paid before anything runs", () => {
  const source: ModuleSource = { memory: [10], functions: [{ export: "_start", body: [unreachable] }] };
  const outcome = execute(source, { limits: limits(3333n) });
  assert.is(outcome.kind === "trapped" && outcome.trap, "outOfFuel");
  assert.is(outcome.kind === "trapped" && outcome.fuel, 3333n);
  assert.is(outcome.kind === "trapped" && outcome.memoryPages, 0);
  const paid = execute(source, { limits: limits(3334n) });
  assert.is(paid.kind === "trapped" && paid.trap, "trap");
});

test("the start function runs first, under the same counter", () => {
  const store = (value: number) => [i32(0), [0x28, 2, 0], i32(10), 0x6c, i32(value), 0x6a];
  const outcome = execute({
    imports: [[WASI, "proc_exit", [I32], []]],
    memory: [1],
    start: 1,
    functions: [{ body: [i32(0), store(4), [0x36, 2, 0]] }, { export: "_start", body: [store(2), call(0)] }],
  });
  assert.is(outcome.kind === "exited" && outcome.exitCode, 42);
});

test("the host sees memory that the guest has grown", () => {
  const outcome = execute({
    imports: [
      [WASI, "random_get", [I32, I32], [I32]],
      [WASI, "proc_exit", [I32], []],
    ],
    memory: [1],
    functions: [
      {
        export: "_start",
        body: [i32(0), i32(8), call(0), drop, i32(1), [0x40, 0], drop, i32(65_536), i32(8), call(0), call(1)],
      },
    ],
  });
  assert.is(outcome.kind === "exited" && outcome.exitCode, 0);
  assert.is(outcome.kind === "exited" && outcome.memoryPages, 2);
});

test("the memory's digest is sha256(pages, then index and bytes of each page that is not zero)", () => {
  const outcome = execute({
    memory: [3],
    functions: [{ export: "_start", body: [i32(65_536 + 7), i32(9), [0x3a, 0, 0]] }],
  });
  const page = new Uint8Array(65_536);
  page[7] = 9;
  const expected = createHash("sha256").update(Uint32Array.of(3)).update(Uint32Array.of(1)).update(page).digest("hex");
  assert.is(outcome.kind === "exited" && Buffer.from(outcome.memoryDigest).toString("hex"), expected);
});

test("what the engine does wrong is its failure, never an outcome", () => {
  const code = assemble({ memory: [1], functions: [{ export: "_start", body: [unreachable] }] });
  const module = rewriteModule(code, { costVersion: 1, maxMemoryPages: 64 });
  const run = (broken: Partial<GuestEngine>) => executeModule(module, jobOf(code), { ...engine, ...broken });
  const fails = (broken: Partial<GuestEngine>) =>
    assert.throws(
      () => run(broken),
      (error: unknown) => error instanceof EngineFailure,
    );
  assert.is(run({}).kind, "trapped");
  fails({
    instantiate: () => {
      throw new RangeError("no memory");
    },
  });
  fails({ isTrap: () => false });
  // The growth helper raises this flag when the engine cannot grow below the cap.
  fails({ instantiate: (...given) => ({ ...engine.instantiate(...given), $infra: { value: 1 } }) });
});

test("elements that a table begins with are paid like those that a segment copies", () => {
  const ticksWith = (more: object) =>
    rewriteModule(assemble({ functions: [{ export: "_start", body: [] }], ...more }), {
      costVersion: 1,
      maxMemoryPages: 1,
    }).instantiationTicks;
  assert.is(ticksWith({}), 0);
  assert.is(ticksWith({ table: 1_000 }), 32_000);
  assert.is(ticksWith({ table: 1_000, elements: [0, 0] }), 32_064);
});

test.run();
