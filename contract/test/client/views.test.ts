import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  ContractViewError,
  parseAmount,
  parseBuild,
  parseNetwork,
  parseNode,
  parseNodes,
  parsePendingRecords,
  parseRecipes,
} from "../../client/index.ts";

function codeOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof ContractViewError) return error.code;
    throw error;
  }
  return "accepted";
}

test("answers that a lying RPC could give are refused by name", () => {
  assert.is(
    codeOf(() => parseNetwork("{")),
    "badJson",
  );
  assert.is(
    codeOf(() => parseNetwork(Uint8Array.of(0xff))),
    "badJson",
  );
  assert.is(
    codeOf(() => parseNetwork("[]")),
    "badShape",
  );
  assert.is(
    codeOf(() => parseNetwork("{}")),
    "badShape",
  );
  assert.is(
    codeOf(() => parseNode("5")),
    "badShape",
  );
  assert.is(
    codeOf(() => parseNode("{}")),
    "badShape",
  );
  assert.is(
    codeOf(() => parseNode('{"record":"AAAA"}')),
    "badRecord",
  );
  assert.is(
    codeOf(() => parseNodes("{}")),
    "badShape",
  );
  assert.is(
    codeOf(() => parseNodes("[null]")),
    "badShape",
  );
  assert.is(
    codeOf(() => parsePendingRecords('[{"request":"","lease":null,"outcome":null}]')),
    "badRecord",
  );
  assert.is(
    codeOf(() => parsePendingRecords('[{"lease":null,"outcome":null}]')),
    "badShape",
  );
  assert.is(
    codeOf(() => parseBuild('{"code_hash":"00"}')),
    "badShape",
  );
  assert.is(
    codeOf(() => parseRecipes(`["${"AB".repeat(32)}"]`)),
    "badShape",
  );
  for (const amount of ["5", '""', '"-1"', '"1.5"', `"${"9".repeat(40)}"`]) {
    assert.is(
      codeOf(() => parseAmount(amount)),
      "badShape",
    );
  }
});

test("answers that are what they should be are read", () => {
  assert.is(parseNode("null"), undefined);
  assert.equal(parseNodes("[]"), []);
  assert.is(parseBuild("null"), undefined);
  assert.equal(parseRecipes(`["${"ab".repeat(32)}"]`), [new Uint8Array(32).fill(0xab)]);
  assert.is(parseAmount('"340282366920938463463374607431768211455"'), 2n ** 128n - 1n);
});

test.run();
