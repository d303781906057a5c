/**
 * Readings of the whole contract: what stands on the chain holds, whatever blocks said that others took the place of,
 * and what a node signed is not forgotten with the block that ended its request.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commitmentOf } from "../../src/wire/messages.ts";
import { requestDigest } from "../../src/wire/records.ts";
import {
  attest,
  FOUND,
  Harness,
  leaseOf,
  leaseOrder,
  OPENED,
  proposalOf,
  replayOrder,
  requestRecordOf,
} from "./harness.ts";

const record = requestRecordOf();
const { requestId } = record;
const [holder] = leaseOrder(record) as [string];
const [replayer] = replayOrder(record, holder) as [string];
const lease = leaseOf(record, holder);
const NONCE = new Uint8Array(32).fill(9);
const { outcome } = proposalOf([holder, replayer], OPENED + 8, FOUND.responseHash);

/** Has run the guest of a request that `holder` leased. */
function worked(accountId: string): Harness {
  const node = new Harness(accountId);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.feed({ kind: "blockObserved", height: lease.claimedHeight });
  node.feed({ kind: "leaseChanged", requestId, lease });
  node.runGuest(requestId, "42");
  return node;
}

test("a lease that a replaced block made is taken back, and its holder claims again", () => {
  const node = worked(holder);
  const lines = node.read(OPENED + 3, { record });
  assert.ok(lines.includes("submit claim 0"), lines.join(", "));
  assert.ok(node.feed({ kind: "leaseChanged", requestId, lease }).every((line) => line !== "fetchCode"));
});

test("the lease of another takes the place of the one that was seen, and what was signed under it is signed anew", () => {
  const node = worked(replayer);
  const theirs = replayOrder(record, replayer).find((accountId) => accountId !== holder)!;
  const lines = node.read(OPENED + 3, { record, lease: leaseOf(record, theirs) });
  assert.equal(lines, ["sign", `send Commitment to ${theirs}`]);
});

test("a request that ended in a replaced block has the result that it had, and nothing is run again", () => {
  const node = worked(replayer);
  const { commitment } = node.lastSent("Commitment");
  assert.equal(node.feed({ kind: "requestClosed", requestId }), []);
  const lines = node.read(OPENED + 4, { record, lease });
  assert.equal(lines, ["sign", `send Commitment to ${holder}`]);
  assert.equal(node.lastSent("Commitment").commitment, commitment);
});

test("the same after a restart in between, and it is forgotten when no block can open the request again", () => {
  const node = worked(replayer);
  const { commitment } = node.lastSent("Commitment");
  node.feed({ kind: "requestClosed", requestId });
  node.restart();
  node.read(OPENED + 3);
  node.read(OPENED + 4, { record, lease });
  assert.equal(node.lastSent("Commitment").commitment, commitment);
  node.feed({ kind: "requestClosed", requestId });
  for (let height = OPENED + 5; height < OPENED + 14; height++) {
    assert.equal(node.feed({ kind: "blockObserved", height }), []);
  }
  assert.ok(node.log.has(`result/${requestId}`));
  assert.equal(node.feed({ kind: "blockObserved", height: OPENED + 14 }), [`persist -result/${requestId}`]);
});

test("another request under the same number is another request", () => {
  const node = worked(holder);
  const other = requestRecordOf({ seed: new Uint8Array(32).fill(9) });
  const lines = node.read(OPENED + 3, { record: other, lease: leaseOf(other, holder) });
  assert.equal(lines, ["fetchCode"]);
  assert.is(node.machine.view().requests.length, 1);
});

test("work that was under way for a replaced request is not taken for the one that has its number now", () => {
  const node = new Harness(holder);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.feed({ kind: "leaseChanged", requestId, lease });
  const stale = node.subjectOf(requestId);
  node.feed({ kind: "codeFetched", ...stale });
  const other = requestRecordOf({ seed: new Uint8Array(32).fill(9) });
  node.read(OPENED + 3, { record: other, lease: leaseOf(other, holder) });
  const outcome = { kind: "trapped", trap: "trap", detail: "" } as never;
  assert.equal(node.feed({ kind: "executed", ...stale, outcome }), []);
  assert.equal(node.feed({ kind: "codeUnavailable", ...stale }), []);
  assert.equal(node.feed({ kind: "executionFaulted", ...stale, reason: "late" }), []);
  assert.ok(node.runGuest(requestId, "42").includes(`persist result/${requestId}`));
});

test("a request that comes back after another had its number has the result that it had", () => {
  const node = worked(replayer);
  const { commitment } = node.lastSent("Commitment");
  node.read(OPENED + 3, { record: requestRecordOf({ seed: new Uint8Array(32).fill(9) }) });
  assert.not.ok(node.read(OPENED + 4, { record, lease }).includes("fetchCode"));
  assert.equal(node.lastSent("Commitment").commitment, commitment);
});

test("an outage does not make a node forget what it signed", () => {
  const node = worked(replayer);
  const { commitment } = node.lastSent("Commitment");
  node.feed({ kind: "requestClosed", requestId });
  assert.not.ok(
    node.read(OPENED + 40, { record, lease: { ...lease, untilHeight: OPENED + 60 } }).includes("fetchCode"),
  );
  assert.equal(node.lastSent("Commitment").commitment, commitment);
});

test("a height that an endpoint made up does not stay, nor does a silence that follows from it", () => {
  const node = new Harness(replayer);
  node.read(2 ** 52);
  assert.is(node.machine.view().abstainUntilHeight, 2 ** 52 + 200);
  node.restart();
  node.read(OPENED);
  assert.is(node.machine.view().height, OPENED);
  assert.is(node.machine.view().abstainUntilHeight, OPENED + 200);
});

test("one peer does not fill what is kept for a lease that is not seen yet", () => {
  const node = worked(replayer);
  const from = { requestId, seat: 0, commitment: new Uint8Array(32) };
  const heard = Array.from({ length: 6 }, (_, i) =>
    node.hear(holder, { kind: "Commitment", ...from, leaseEpoch: 5 + i }),
  );
  assert.equal(heard.flat(), ["reject staleLease", "reject staleLease"]);
});

test("an answer that a replaced block stored is sent again where it does not come back", () => {
  const node = worked(holder);
  const message = { requestId, leaseEpoch: 0, seat: 0 };
  const commitment = commitmentOf(requestDigest(record), 0, replayer, FOUND, NONCE);
  node.feed({ kind: "blockObserved", height: OPENED + 4 });
  node.hear(replayer, { kind: "Commitment", ...message, commitment });
  const signature = attest(replayer, record, lease, FOUND);
  const lines = node.hear(replayer, {
    kind: "Attestation",
    ...message,
    holder,
    result: FOUND,
    nonce: NONCE,
    signature,
  });
  assert.equal(lines, ["submit resolve 0"]);
  assert.equal(node.feed({ kind: "outcomeStored", requestId, outcome }), ["keepReceipt"]);
  assert.equal(node.feed({ kind: "blockObserved", height: OPENED + 7 }), []);
  assert.equal(node.read(OPENED + 7, { record, lease }), []);
  assert.equal(node.feed({ kind: "blockObserved", height: OPENED + 8 }), ["submit resolve 0"]);
});

test("nodes that the reading does not name are not there", () => {
  const node = worked(replayer);
  assert.is(node.machine.view().nodes.length, 4);
  node.feed({ kind: "contractRead", height: OPENED + 3, nodes: [], requests: [] });
  assert.is(node.machine.view().nodes.length, 0);
  assert.is(node.machine.view().registered, false);
  assert.is(node.machine.view().abstainUntilHeight, 0);
});

test.run();
