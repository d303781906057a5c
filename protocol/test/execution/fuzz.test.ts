/**
 * Mutated modules: whatever the bytes, the rewriting either refuses them with a ModuleRejection or produces a module
 * that V8 takes, and a run of that module ends in an outcome. V8's own validation is the referee in both directions.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ModuleRejection, rewriteModule } from "../../src/execution/index.ts";
import { execute } from "./harness.ts";

/** A module with most instructions, all kinds of segments, references, SIMD and multi-value; mixed.wat is its text. */
const MIXED = new Uint8Array(readFileSync(new URL("./vectors/mixed.wasm", import.meta.url)));
const SMALL_LIMITS = { maxFuel: 30_000n, maxMemoryPages: 64, maxOutputBytes: 1000 };
/** Reasons for which cost version 1 may refuse what V8 takes. */
const STRICTER = new Set(["feature", "import", "entryPoint", "limit", "reservedName"]);

const mutation = fc.record({
  at: fc.nat(MIXED.length - 1),
  kind: fc.constantFrom("set", "flip", "copy", "step"),
  value: fc.nat(MIXED.length - 1),
});

function mutated(mutations: readonly { at: number; kind: string; value: number }[]): Uint8Array<ArrayBuffer> {
  const bytes = MIXED.slice();
  for (const { at, kind, value } of mutations) {
    if (kind === "set") bytes[at] = value & 0xff;
    else if (kind === "flip") bytes[at]! ^= 1 << (value & 7);
    else if (kind === "copy") bytes[at] = bytes[value]!;
    else bytes[at]! += value % 2 === 0 ? 1 : -1;
  }
  return bytes;
}

function isValid(bytes: Uint8Array): boolean {
  return WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>);
}

test("the module that is mutated is itself accepted and runs", () => {
  assert.is(execute(MIXED).kind, "trapped");
});

test("20,000 mutations: rejected by name, or valid after the rewriting and run to an outcome", () => {
  let accepted = 0;
  let rejected = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      const code = mutated(mutations);
      try {
        const { bytes } = rewriteModule(code, { costVersion: 1, maxMemoryPages: 64 });
        assert.ok(isValid(code), "V8 refuses what was accepted");
        assert.ok(isValid(bytes), "the rewritten module is not valid");
        execute(code, { limits: SMALL_LIMITS });
        accepted++;
      } catch (error) {
        if (!(error instanceof ModuleRejection)) throw error;
        assert.ok(error.offset >= 0 && error.offset <= code.length);
        const outsideSegment = error.message.startsWith("a data seg") || error.message.startsWith("an element seg");
        assert.ok(!isValid(code) || STRICTER.has(error.code) || outsideSegment, `V8 takes it: ${error.message}`);
        rejected++;
      }
    }),
    { numRuns: 20_000, seed: 20_261 },
  );
  assert.ok(accepted > 200 && rejected > 200, `${accepted} accepted, ${rejected} rejected: one side is not tested`);
});

test("every prefix of the module is refused", () => {
  for (let length = 0; length < MIXED.length; length++) {
    assert.throws(
      () => rewriteModule(MIXED.slice(0, length), { costVersion: 1, maxMemoryPages: 64 }),
      (error: unknown) => error instanceof ModuleRejection,
    );
  }
});

test.run();
