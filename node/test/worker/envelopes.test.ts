import type { PeerMessage } from "@outlayer/protocol/wire/messages";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { NodeKey } from "../../src/keys/index.ts";
import { seal, unseal } from "../../src/worker/envelopes.ts";

const nodeKey = NodeKey.generate();
const identity = { networkId: "test/outlayer.test", accountId: "node.test", nodeKey };
const intent: PeerMessage = {
  kind: "LeaseIntent",
  requestId: 3,
  requestDigest: new Uint8Array(32).fill(7),
  leaseEpoch: 0,
  seat: 1,
};

test("what is sealed is unsealed, with the sender that signed it", () => {
  const opened = unseal(identity.networkId, seal(identity, intent));
  assert.equal(opened?.message, intent);
  assert.is(opened?.sender, "node.test");
  assert.equal(opened?.publicKey, nodeKey.publicKey);
});

test("no flipped bit, no cut and no other network gets through", () => {
  const sealed = seal(identity, intent);
  assert.is(unseal("test/other.test", sealed), undefined);
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const mutated = sealed.slice();
      mutated[at]! ^= flip;
      assert.is(unseal(identity.networkId, mutated), undefined);
      assert.is(unseal(identity.networkId, sealed.subarray(0, at)), undefined);
    }),
    { numRuns: 300 },
  );
});

test("bytes of anybody are refused without an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.is(unseal(identity.networkId, bytes), undefined);
    }),
  );
});

test.run();
