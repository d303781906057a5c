import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isOperatingError } from "../../src/errors.ts";
import { cidOf, hashOfCid } from "../../src/p2p/index.ts";

// 0x01 (CIDv1), 0x55 (raw), 0x12 0x20 (sha-256 of 32 bytes) and the digest b94d27b9...2efcde9, in base32 after "b".
const HELLO_CID = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

test("cids are those of IPFS, and map back", () => {
  const hash = new Uint8Array(createHash("sha256").update("hello world").digest());
  assert.is(cidOf(hash), HELLO_CID);
  assert.equal(new Uint8Array(hashOfCid(HELLO_CID)), hash);
});

test("other cids and hashes of another length are refused", () => {
  const refused = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      return isOperatingError(error, "content_invalid_hash");
    }
    return false;
  };
  assert.ok(refused(() => cidOf(new Uint8Array(31))));
  const others = [
    "",
    "rubbish",
    "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o", // version 0, dag-pb
    "bafybeibwzifw52ttrkqlikfzext5akxu7lz4xiwjgwzmqcpdzmp3n5vnbe", // dag-pb
    `b${"a".repeat(500)}`,
  ];
  for (const cid of others)
    assert.ok(
      refused(() => hashOfCid(cid)),
      cid,
    );
});

test.run();
