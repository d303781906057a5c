import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, initializeArgs, resolveExecutionArgs } from "../../client/index.ts";

const response = {
  success: true,
  output: { kind: "Json", json: '{ "b":1.50, "a" : "\\u00e9" }' },
  error: undefined,
  instructions: 2n ** 64n - 1n,
  timeMs: 3n,
  compileTimeMs: undefined,
  compilationNote: "note",
  refundUsd: undefined,
} as const;

test("a guest's JSON stands in the arguments as the guest spelled it", () => {
  const resolution = {
    requestId: 7,
    leaseEpoch: 1,
    codeHash: new Uint8Array(32).fill(0xab),
    tapeHash: new Uint8Array(32),
    response,
    attestations: [{ accountId: "n.test", seat: 2, signature: new Uint8Array(64).fill(1) }],
  };
  const args = resolveExecutionArgs(resolution);
  assert.ok(args.includes('{"Json":{ "b":1.50, "a" : "\\u00e9" }}'));
  assert.ok(args.includes('"instructions":18446744073709551615'));
  const parsed = JSON.parse(args);
  assert.is(parsed.code_hash, "ab".repeat(32));
  assert.is(parsed.response.compilation_note, "note");
  assert.is(parsed.response.error, null);
  assert.equal(parsed.attestations, [
    { account_id: "n.test", seat: 2, signature: Buffer.alloc(64, 1).toString("base64") },
  ]);
});

test("texts and bytes keep what they hold", () => {
  const base = {
    requestId: 0,
    leaseEpoch: 0,
    codeHash: new Uint8Array(32),
    tapeHash: new Uint8Array(32),
    attestations: [],
  };
  const text = resolveExecutionArgs({
    ...base,
    response: { ...response, output: { kind: "Text", text: 'a"\n\u0000é' } },
  });
  assert.is(JSON.parse(text).response.output.Text, 'a"\n\u0000é');
  const bytes = Uint8Array.of(0, 127, 255);
  const binary = resolveExecutionArgs({ ...base, response: { ...response, output: { kind: "Bytes", bytes } } });
  assert.equal(JSON.parse(binary).response.output.Bytes, [0, 127, 255]);
});

test("what is not named is left to the contract", () => {
  assert.equal(JSON.parse(initializeArgs("o.test")), { owner_id: "o.test", network: {} });
  assert.equal(JSON.parse(initializeArgs("o.test", "p.test", { seatStakeYocto: 10n ** 24n, quorum: 2 })), {
    owner_id: "o.test",
    operator_id: "p.test",
    network: { seat_stake: (10n ** 24n).toString(), quorum: 2 },
  });
  assert.is(claimLeaseArgs({ requestId: 1, seat: 2, leaseEpoch: 3 }), '{"request_id":1,"seat":2,"lease_epoch":3}');
});

test.run();
