/** A call finds the memory as a new one would be, whatever the call before it wrote and however that call ended. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { buildModule, call, F32, F64, I32, I64, i32, i64 } from "../../../devchain/oracle/module-builder.ts";
import { callAlone } from "../fixtures/lone-call.ts";

const PAGES = 1024;
const PAGE_BYTES = 65_536;

/** Traps if any of the 64-bit words of the memory, or its size, is not that of a new one. */
const inspector = buildModule({
  memory: [1, 2048],
  functions: [
    {
      export: "main",
      locals: [I32],
      body: [
        ...[0x3f, 0, ...i32(PAGES), 0x47, 0x04, 0x40, 0x00, 0x0b],
        ...[0x03, 0x40],
        ...[0x20, 0, 0x29, 3, 0, 0x50, 0x45, 0x04, 0x40, 0x00, 0x0b],
        ...[0x20, 0, ...i32(8), 0x6a, 0x22, 0, ...i32(PAGES * PAGE_BYTES), 0x49, 0x0d, 0],
        0x0b,
      ],
    },
  ],
});

function expectClean(how: string): void {
  const { failure } = callAlone(inspector, "main", { prepaidGas: 1_000_000_000_000_000 });
  assert.is(failure, undefined, `${how}: ${JSON.stringify(failure)}`);
}

const memory = [1, 2048] as const;
const writer = (body: number[], more: Partial<Parameters<typeof buildModule>[0]> = {}) =>
  buildModule({ memory, functions: [{ export: "main", body }], ...more });

const ADDRESSES = [0, 1, 70_000, 4 * 1024 * 1024, PAGES * PAGE_BYTES - 8];
const VALUES: readonly (readonly [opcode: number, value: number[]])[] = [
  [0x36, i32(-1)],
  [0x37, i64(-1n)],
  [0x38, [0x43, 1, 2, 3, 4]],
  [0x39, [0x44, 1, 2, 3, 4, 5, 6, 7, 8]],
  [0x3a, i32(-1)],
  [0x3b, i32(-1)],
  [0x3c, i64(-1n)],
  [0x3d, i64(-1n)],
  [0x3e, i64(-1n)],
];

test("stores of every width, at every distance, with and without a displacement", () => {
  expectClean("a new memory");
  for (const [opcode, value] of VALUES) {
    for (const address of ADDRESSES) {
      const plain = callAlone(writer([...i32(address), ...value, opcode, 0, 0]));
      assert.is(plain.failure, undefined);
      expectClean(`store ${opcode} at ${address}`);
    }
    const displaced = callAlone(writer([...i32(5), ...value, opcode, 0, 0xf0, 0xa2, 4]));
    assert.is(displaced.failure, undefined);
    expectClean(`store ${opcode} with a displacement`);
  }
});

test("the value that is stored is the value that was given", () => {
  for (const [store, load, type, bits] of [
    [0x36, 0x28, I32, [0x41, 0x2a]],
    [0x37, 0x29, I64, [0x42, 0x2a]],
    [0x38, 0x2a, F32, [0x43, 1, 2, 3, 4]],
    [0x39, 0x2b, F64, [0x44, 1, 2, 3, 4, 5, 6, 7, 8]],
  ] as const) {
    const equal = type === I32 ? 0x46 : type === I64 ? 0x51 : type === F32 ? 0x5b : 0x61;
    const body = [...i32(8), ...bits, store, 0, 0, ...i32(8), load, 0, 0, ...bits, equal, 0x45, 0x04, 0x40, 0x00, 0x0b];
    assert.is(callAlone(writer(body)).failure, undefined);
  }
});

test("memory.fill, memory.copy, memory.init and active data", () => {
  const at = 100_000;
  const dirty: Record<string, Uint8Array<ArrayBuffer>> = {
    fill: writer([...i32(at), ...i32(7), ...i32(500), 0xfc, 11, 0]),
    copy: writer([...i32(at), ...i32(0), ...i32(10), 0xfc, 10, 0, 0], { data: [{ at: 0, bytes: [1, 2, 3, 4] }] }),
    init: writer([...i32(at), ...i32(0), ...i32(4), 0xfc, 8, 0, 0], { data: [{ bytes: [1, 2, 3, 4] }] }),
    data: writer([], { data: [{ at, bytes: [1, 2, 3, 4] }] }),
  };
  for (const [name, code] of Object.entries(dirty)) {
    assert.is(callAlone(code).failure, undefined, name);
    expectClean(name);
  }
});

test("what the host writes", () => {
  const code = buildModule({
    types: [{ parameters: [I64] }, { parameters: [I64, I64] }],
    imports: [
      { name: "input", type: 1 },
      { name: "read_register", type: 2 },
    ],
    functions: [{ export: "main", body: [...i64(0n), ...call(0), ...i64(0n), ...i64(200_000n), ...call(1)] }],
  });
  assert.is(callAlone(code, "main", { input: Uint8Array.from([1, 2, 3]) }).failure, undefined);
  expectClean("read_register");
});

test("calls that grow the memory, trap, run out of gas or of bounds, or do not even start", () => {
  const store = [...i32(300_000), ...i64(-1n), 0x37, 0, 0];
  const endings: Record<string, Uint8Array<ArrayBuffer>> = {
    grow: writer([...i32(1), 0x40, 0, 0x1a, ...i32(PAGES * PAGE_BYTES), ...i32(-1), 0x36, 0, 0]),
    trap: writer([...store, 0x00]),
    gas: writer([...store, 0x03, 0x40, 0x0c, 0, 0x0b]),
    bounds: writer([...store, ...i32(-4), ...i32(1), 0x36, 0, 8]),
    "bulk that wraps": writer([...store, ...i32(-4), ...i32(1), ...i32(8), 0xfc, 11, 0]),
    "data out of bounds": writer([], {
      data: [
        { at: 9, bytes: [1] },
        { at: -1, bytes: [2] },
      ],
    }),
  };
  for (const [name, code] of Object.entries(endings)) {
    const { failure } = callAlone(code, "main", { prepaidGas: 1_000_000_000_000 });
    assert.is(failure === undefined, name === "grow", `${name}: ${JSON.stringify(failure)}`);
    expectClean(name);
  }
});

test.run();
