/** Universal accounts, as far as contracts ask about them: one spelling counts, and receipts refuse them by name. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkActions } from "../../devchain/chain/verifier.ts";
import { inspectStateInit, largestStateInit, universalAccountId } from "../../devchain/codec/universal-state-init.ts";

const record = (key: string, value: string) =>
  [key, value].flatMap((text) => [text.length, 0, 0, 0, ...Buffer.from(text)]);
/** Version, no contract, records, Ed25519 keys that are one byte over and over. */
const init = (records: readonly (readonly [string, string])[], keys: readonly number[]) =>
  Uint8Array.from([
    ...[0, 0],
    ...[records.length, 0, 0, 0],
    ...records.flatMap(([key, value]) => record(key, value)),
    ...[keys.length, 0, 0, 0],
    ...keys.flatMap((key) => [0, ...new Array<number>(32).fill(key)]),
  ]);
const statusOf = (bytes: Uint8Array) => inspectStateInit(bytes).status;

test("only the sorted spelling without repetitions counts", () => {
  const good = init(
    [
      ["a", "1"],
      ["b", "2"],
    ],
    [1, 2],
  );
  assert.equal(inspectStateInit(good), { status: "canonical", size: { entries: 2, keys: 2 } });
  for (const wrong of [
    init(
      [
        ["b", "2"],
        ["a", "1"],
      ],
      [],
    ),
    init(
      [
        ["a", "1"],
        ["a", "2"],
      ],
      [],
    ),
    init([], [2, 1]),
    init([], [1, 1]),
  ]) {
    assert.is(statusOf(wrong), "nonCanonical");
  }
  for (let length = 0; length < good.length; length++) assert.is(statusOf(good.subarray(0, length)), "malformed");
  assert.is(statusOf(Uint8Array.from([...good, 0])), "malformed");
  assert.is(statusOf(Uint8Array.from([1, ...good.subarray(1)])), "malformed");
  // A count of four thousand millions ends with the bytes.
  assert.is(statusOf(Uint8Array.from([0, 0, 255, 255, 255, 255, ...new Array<number>(64).fill(0)])), "malformed");
});

test("the account's name is 0u and 52 symbols, and follows from each byte", () => {
  const [one, other] = [init([], [1]), init([], [2])].map(universalAccountId);
  assert.match(one!, /^0u[0-9a-hjkmnp-tv-z]{51}[0g]$/);
  assert.is.not(one, other);
});

test("what cannot be decoded is paid for as the most that it could hold", () => {
  assert.equal(largestStateInit(0), { entries: 0, keys: 0 });
  assert.equal(largestStateInit(7), { entries: 1, keys: 0 });
  assert.equal(largestStateInit(100), { entries: 12, keys: 3 });
});

test("receipts with them are refused by name", () => {
  const stateInit = init([], [1]);
  const error = checkActions([{ kind: "UniversalStateInit", stateInit, deposit: 0n }], universalAccountId(stateInit));
  assert.equal(error, { UnsupportedProtocolFeature: { protocol_feature: "UniversalAccounts", version: 88 } });
});

test.run();
