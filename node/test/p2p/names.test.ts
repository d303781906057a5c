import { test } from "uvu";
import * as assert from "uvu/assert";
import { isOperatingError } from "../../src/errors.ts";
import { networkNames } from "../../src/p2p/names.ts";

test("the network stands in every name", () => {
  assert.equal(networkNames("testnet/outlayer.testnet"), {
    workTopic: "/outlayer/testnet/outlayer.testnet/work/1",
    directProtocol: "/outlayer/testnet/outlayer.testnet/direct/1",
    contentProtocol: "/outlayer/testnet/outlayer.testnet/content/1",
    dhtProtocol: "/outlayer/testnet/outlayer.testnet/kad/1.0.0",
  });
});

test("network ids that would bend the names are refused", () => {
  for (const id of ["", "/", "a//b", "/a", "a/", "a b", "a\n", ".a", "a/../b", "x".repeat(129)]) {
    let refusal: unknown;
    try {
      networkNames(id);
    } catch (error) {
      refusal = error;
    }
    assert.ok(isOperatingError(refusal, "p2p_network_id_invalid"), JSON.stringify(id));
  }
});

test.run();
