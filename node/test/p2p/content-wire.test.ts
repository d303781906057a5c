import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  decodeReplyHeader,
  decodeRequest,
  encodeReplyHeader,
  encodeRequest,
  type ReplyStatus,
} from "../../src/p2p/content-wire.ts";

const length = fc.maxSafeNat();

test("requests and headers come back as they were", () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.record({ hash, offset: length, length }, { noNullPrototype: true }), (request) => {
      assert.equal(decodeRequest(encodeRequest(request)), request);
    }),
  );
  const status = fc.integer({ min: 0, max: 3 }) as fc.Arbitrary<ReplyStatus>;
  fc.assert(
    fc.property(fc.record({ status, total: length }, { noNullPrototype: true }), (header) => {
      assert.equal(decodeReplyHeader(encodeReplyHeader(header)), header);
    }),
  );
});

test("anything else is none", () => {
  assert.is(decodeRequest(new Uint8Array(47)), undefined);
  assert.is(decodeRequest(new Uint8Array(49)), undefined);
  assert.is(decodeRequest(new Uint8Array(48).fill(255)), undefined, "an offset beyond exact integers");
  assert.is(decodeReplyHeader(new Uint8Array(8)), undefined);
  assert.is(decodeReplyHeader(Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0)), undefined, "an unknown status");
  assert.is(decodeReplyHeader(Uint8Array.of(0, 255, 0, 0, 0, 0, 0, 0, 0)), undefined, "a total beyond exact integers");
});

test.run();
