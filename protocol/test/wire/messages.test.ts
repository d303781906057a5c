import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decode, encode, WireError } from "../../src/wire/borsh.ts";
import { commitmentOf, envelope, envelopeDigest, peerMessage, type ResultClaim } from "../../src/wire/messages.ts";

const fill = (byte: number) => new Uint8Array(32).fill(byte);
const claim: ResultClaim = { codeHash: fill(1), responseHash: fill(2), tapeHash: fill(0) };

test("a mutated envelope never becomes another message without its digest changing", () => {
  const body = encode(peerMessage, {
    kind: "LeaseIntent",
    requestId: 5,
    requestDigest: new Uint8Array(32),
    leaseEpoch: 1,
    seat: 2,
  });
  const sealed = encode(envelope, { sender: "a.near", publicKey: fill(3), body, signature: new Uint8Array(64) });
  const digest = envelopeDigest("net", "a.near", fill(3), body);
  fc.assert(
    fc.property(fc.nat(sealed.length - 65), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const mutated = sealed.slice();
      mutated[at]! ^= flip;
      try {
        const opened = decode(envelope, mutated);
        const other = envelopeDigest("net", opened.sender, opened.publicKey, opened.body);
        assert.not.equal(other, digest);
      } catch (error) {
        assert.instance(error, WireError);
      }
    }),
    { numRuns: 500 },
  );
});

test("an envelope of one network means nothing on another", () => {
  const body = new Uint8Array([1]);
  assert.not.equal(envelopeDigest("a/c", "x.near", fill(1), body), envelopeDigest("b/c", "x.near", fill(1), body));
});

test("a commitment binds account, lease, request and result, and hides behind its nonce", () => {
  const base = commitmentOf(fill(9), 0, "a.near", claim, fill(7));
  assert.equal(commitmentOf(fill(9), 0, "a.near", claim, fill(7)), base);
  for (const other of [
    commitmentOf(fill(8), 0, "a.near", claim, fill(7)),
    commitmentOf(fill(9), 1, "a.near", claim, fill(7)),
    commitmentOf(fill(9), 0, "b.near", claim, fill(7)),
    commitmentOf(fill(9), 0, "a.near", { ...claim, responseHash: fill(3) }, fill(7)),
    commitmentOf(fill(9), 0, "a.near", claim, fill(6)),
  ]) {
    assert.not.equal(other, base);
  }
});

test.run();
