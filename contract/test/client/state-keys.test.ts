import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseStateKey, stateKeys } from "../../client/index.ts";

test("keys are read back as what they were made for", () => {
  for (const requestId of [0, 1, 256, Number.MAX_SAFE_INTEGER]) {
    for (const kind of ["request", "lease", "outcome"] as const) {
      assert.equal(parseStateKey(stateKeys[kind](requestId)), { kind, requestId });
    }
  }
  assert.equal(stateKeys.request(0x0102), Uint8Array.of(0x72, 0, 0, 0, 0, 0, 0, 1, 2));
  assert.equal(parseStateKey(stateKeys.node("a.test")), { kind: "node", accountId: "a.test" });
});

test("the contract's private keys, and keys that nobody makes, are nothing", () => {
  const keys = [
    new TextEncoder().encode("STATE"),
    Uint8Array.of(),
    Uint8Array.of(0x72),
    Uint8Array.of(0x72, ...new Uint8Array(9)),
    Uint8Array.of(0x72, ...new Uint8Array(8).fill(0xff)),
    Uint8Array.of(0x70, ...new Uint8Array(8)),
  ];
  for (const key of keys) assert.is(parseStateKey(key), undefined);
});

test.run();
