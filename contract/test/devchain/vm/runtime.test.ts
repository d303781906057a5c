/**
 * Gas to the unit, against the figures that near-vm-runner 0.38.0 publishes in its own tests
 * (src/tests/runtime_errors.rs, compile_errors.rs, regression_tests.rs) for these very modules. They were assembled
 * there from text, which keeps names in a custom section: its bytes count for loading, so they are here as well.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sha256 } from "../../../devchain/codec/hash.ts";
import type { CallContext, CallExternal } from "../../../devchain/vm/call-context.ts";
import { runContract } from "../../../devchain/vm/runtime.ts";
import { describeFailure } from "../../../devchain/vm/vm-error.ts";

const TERA = 1_000_000_000_000;

function section(id: number, content: readonly number[]): number[] {
  return [id, content.length, ...content];
}
const text = (value: string) => [value.length, ...Buffer.from(value)];
const NOTHING_TO_NOTHING = [0x60, 0, 0];

interface Parts {
  types?: number[][];
  import?: { name: string; type: number };
  functions?: number[];
  table?: number[];
  memory?: number[];
  global?: number[];
  export?: { name: string; kind?: number; index: number };
  start?: number;
  body?: number[];
  /** Name of function 0. */
  named?: string;
}

function assemble(parts: Parts): Uint8Array<ArrayBuffer> {
  const types = parts.types ?? [NOTHING_TO_NOTHING];
  const imported = parts.import && [1, ...text("env"), ...text(parts.import.name), 0, parts.import.type];
  const exported = parts.export && [1, ...text(parts.export.name), parts.export.kind ?? 0, parts.export.index];
  const names = parts.named && [1, 0, ...text(parts.named)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...(types.length > 0 ? section(1, [types.length, ...types.flat()]) : []),
    ...(imported ? section(2, imported) : []),
    ...(parts.functions ? section(3, [parts.functions.length, ...parts.functions]) : []),
    ...(parts.table ? section(4, [1, ...parts.table]) : []),
    ...(parts.memory ? section(5, [1, ...parts.memory]) : []),
    ...(parts.global ? section(6, [1, ...parts.global]) : []),
    ...(exported ? section(7, exported) : []),
    ...(parts.start === undefined ? [] : section(8, [parts.start])),
    ...(parts.body ? section(10, [1, parts.body.length + 2, 0, ...parts.body, 0x0b]) : []),
    ...(names ? section(0, [...text("name"), 1, names.length, ...names]) : []),
  ]);
}

/** One exported method without arguments. */
const main = (body: number[], parts: Parts = {}) =>
  assemble({ functions: [0], export: { name: "main", index: 0 }, body, ...parts });

const refuse = () => {
  throw new Error("these contracts do not touch the chain");
};
const EXTERNAL: CallExternal = {
  storageGet: refuse,
  storageSet: refuse,
  storageRemove: refuse,
  validatorStake: refuse,
  validatorTotalStake: refuse,
  createYield: refuse,
  createYieldWithId: refuse,
  resumeYield: refuse,
  resumeYieldWithId: refuse,
};

function context(code: Uint8Array, prepaidGas: number): CallContext {
  return {
    chainId: "test",
    currentAccountId: "alice",
    signerAccountId: "bob",
    signerPublicKey: Uint8Array.from([0, 1, 2]),
    predecessorAccountId: "carol",
    refundToAccountId: "david",
    input: new Uint8Array(),
    promiseResults: [],
    blockHeight: 10,
    blockTimestampNs: 42n,
    epochHeight: 1,
    balance: 2n,
    lockedBalance: 0n,
    storageUsage: 12,
    attachedDeposit: 2n,
    prepaidGas,
    randomSeed: Uint8Array.from([0, 1, 2]),
    isView: false,
    outputDataReceivers: [],
    codeHash: sha256(code),
  };
}

interface Expected {
  burnt: number;
  fails?: string;
  method?: string;
  gas?: number;
}

function expectGas(code: Uint8Array<ArrayBuffer>, expected: Expected): void {
  const outcome = runContract(code, expected.method ?? "main", context(code, expected.gas ?? 100 * TERA), EXTERNAL);
  const fails = outcome.failure && describeFailure(outcome.failure);
  assert.equal(
    { burnt: outcome.gasBurnt, used: outcome.gasUsed, fails },
    { burnt: expected.burnt, used: expected.burnt, fails: expected.fails },
  );
}

const EMPTY = main([]);
const DIVISION = [0x41, 1, 0x41, 1, 0x6d, 0x0f];
const PREPAID = "Exceeded the prepaid gas.";
const OUT_OF_BOUNDS = "Accessed memory outside the bounds.";

test("test_simple_contract, test_export_not_found, test_empty_method, test_gas_exceed_loading", () => {
  expectGas(EMPTY, { burnt: 79_064_041 });
  expectGas(EMPTY, { method: "no-such-method", burnt: 0, fails: "MethodNotFound" });
  expectGas(EMPTY, { method: "", burnt: 0, fails: "MethodEmptyName" });
  expectGas(EMPTY, { method: "non_empty_non_existing", gas: 1, burnt: 1, fails: PREPAID });
});

test("test_trap_contract, test_trap_initializer, test_div_by_zero_contract", () => {
  const unreachable = "WebAssembly trap: An `unreachable` opcode was executed.";
  expectGas(main([0x00]), { burnt: 80_976_092, fails: unreachable });
  expectGas(main([0x00], { start: 0, named: "f" }), { burnt: 98_404_812, fails: unreachable });
  const fails = "WebAssembly trap: An arithmetic exception, e.g. divided by zero.";
  expectGas(main([0x41, 1, 0x41, 0, 0x6d, 0x0f]), { burnt: 88_068_079, fails });
});

test("test_float_to_int_contract", () => {
  const huge = [0x44, 0, 0, 0, 0, 0, 0, 0xe0, 0x7f];
  const fails = "WebAssembly trap: An arithmetic exception, e.g. divided by zero.";
  for (const truncation of [0xaa, 0xab, 0xb0, 0xb1]) {
    expectGas(main([...huge, truncation, 0x0f]), { burnt: 92_691_798, fails });
  }
});

test("test_fn_loading_gas_protocol_upgrade: enough, just enough to load, just enough to begin", () => {
  const code = main(DIVISION);
  const loading = 35_445_963 + 1_089_295 * code.length;
  expectGas(code, { burnt: 88_890_835 });
  expectGas(code, { gas: loading, burnt: 79_017_763, fails: PREPAID });
  expectGas(code, { gas: loading + 884_037, burnt: 79_901_800, fails: PREPAID });
});

test("test_wrong_signature_contract, test_export_wrong_type", () => {
  const parameter = main([], { types: [[0x60, 1, 0x7f, 0]] });
  expectGas(parameter, { burnt: 0, fails: "MethodInvalidSignature" });
  const global = assemble({
    types: [],
    global: [0x7f, 0, 0x41, 0xfb, 0, 0x0b],
    export: { name: "main", kind: 3, index: 0 },
  });
  expectGas(global, { burnt: 0, fails: "MethodNotFound" });
});

test("test_guest_panic, test_panic_re_export, test_trampoline_only_start_section", () => {
  const panic = { import: { name: "panic", type: 0 }, named: "panic" };
  const fails = "Smart contract panicked: explicit guest panic";
  expectGas(main([0x10, 0], { ...panic, export: { name: "main", index: 1 } }), { burnt: 381_690_938, fails });
  const again = { ...panic, export: { name: "main", index: 0 } };
  expectGas(assemble(again), { burnt: 361_214_594, fails });
  expectGas(assemble({ ...again, start: 0 }), { burnt: 364_482_479, fails });
});

test("test_external_call_ok, test_external_call_error", () => {
  const code = main([0x10, 0, 0x1a], {
    types: [[0x60, 0, 1, 0x7e], NOTHING_TO_NOTHING],
    import: { name: "prepaid_gas", type: 0 },
    functions: [1],
    export: { name: "main", index: 1 },
    named: "prepaid_gas",
  });
  expectGas(code, { burnt: 401_031_709 });
  expectGas(code, { gas: 100, burnt: 100, fails: PREPAID });
});

test("test_bad_import_4: a host function that is not there", () => {
  const code = assemble({
    import: { name: "no-such-fn", type: 0 },
    export: { name: "main", index: 0 },
    named: "f",
  });
  expectGas(code, { burnt: 97_535_778, fails: "unknown or invalid import" });
});

test("test_stack_overflow: as many frames as fit into 256 KiB", () => {
  expectGas(main([0x10, 0], { named: "f" }), { burnt: 30_418_898_602, fails: OUT_OF_BOUNDS });
});

test("test_infinite_initializer, test_initializer_no_gas", () => {
  const loop = [0x03, 0x40, 0x0c, 0, 0x0b];
  expectGas(main(loop, { start: 0 }), { gas: 10_000_000_000, burnt: 10_000_000_000, fails: PREPAID });
  expectGas(main([0x01], { start: 0, named: "f" }), { gas: 0, burnt: 0, fails: PREPAID });
});

test("test_memory_grow_1_page_gas, test_memory_grow_10_pages_gas, memory_size_alignment_issue", () => {
  const memory = [1, 1, 0x80, 1];
  const grow = (pages: number) => main([0x41, pages, 0x40, 0, 0x1a], { memory });
  expectGas(grow(1), { burnt: 120_932_041 });
  expectGas(grow(10), { burnt: 128_336_845 });
  const size = main([0x3f, 0, 0x1a], { memory: [1, 1, 0x80, 8], export: { name: "foo", index: 0 } });
  expectGas(size, { method: "foo", burnt: 90_513_208 });
});

test("test_table_grow_1_element_gas, test_table_grow_10_elements_gas", () => {
  const table = [0x70, 1, 1, 0x80, 1];
  const grow = (elements: number) => main([0xd0, 0x70, 0x41, elements, 0xfc, 0x0f, 0, 0x1a], { table });
  expectGas(grow(1), { burnt: 126_111_977 });
  expectGas(grow(10), { burnt: 133_516_781 });
});

test("gas_overflow_direct_call", () => {
  const code = main([0x41, 0x7f, 0x10, 0], {
    types: [[0x60, 1, 0x7f, 0], NOTHING_TO_NOTHING],
    import: { name: "gas", type: 0 },
    functions: [1],
    export: { name: "main", index: 1 },
    named: "gas",
  });
  const fails = "Exceeded the maximum amount of gas allowed to burn per contract.";
  expectGas(code, { burnt: 100 * TERA, fails });
});

test("modules that are none, and features that protocol 88 has not", () => {
  const fails = "PrepareError: Error happened while deserializing the module.";
  const broken: Uint8Array<ArrayBuffer>[] = [
    new Uint8Array(),
    EMPTY.slice(0, 20),
    assemble({ functions: [1], export: { name: "main", index: 0 } }),
    assemble({ types: [], export: { name: "main", index: 0 } }),
    main([0xfd, 0x0c, ...new Array<number>(16).fill(0), 0x1a]), // SIMD
    main([0x41, 0, 0x41, 0, 0x1a, 0x1a], { types: [NOTHING_TO_NOTHING, [0x60, 0, 2, 0x7f, 0x7f]] }), // multi-value
    main([0x12, 0]), // tail call
    main([], { global: [0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b] }), // extended constants
  ];
  for (const code of broken) expectGas(code, { burnt: 0, fails });
});

test("every prefix and every flipped byte of a module ends in an outcome, not in a crash", () => {
  const code = main(DIVISION, { memory: [1, 1, 0x80, 1], start: 0, named: "f" });
  const outcomes = new Set<string>();
  for (let index = 0; index < code.length; index++) {
    const flipped = code.slice();
    flipped[index] = flipped[index]! ^ 0x41;
    for (const module of [code.slice(0, index), flipped]) {
      const outcome = runContract(module, "main", context(module, TERA), EXTERNAL);
      outcomes.add(outcome.failure?.kind ?? "ok");
    }
  }
  assert.ok(outcomes.has("PrepareError") && outcomes.has("ok"));
});

test.run();
