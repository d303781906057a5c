/** Short runs: agreed upon under an announced claim, then claimed and answered in one transaction. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { FUSED_MAX_INSTRUCTIONS } from "../../src/lease/claiming.ts";
import { commitmentOf } from "../../src/wire/messages.ts";
import { requestDigest } from "../../src/wire/records.ts";
import { attest, FOUND, Harness, leaseOf, leaseOrder, OPENED, replayOrder, requestRecordOf } from "./harness.ts";

const record = requestRecordOf({ maxInstructions: FUSED_MAX_INSTRUCTIONS });
const { requestId } = record;
const [claimant, second] = leaseOrder(record) as [string, string];
const lease = leaseOf(record, claimant);
const [replayer, other] = replayOrder(record, claimant) as [string, string];
const NONCE = new Uint8Array(32).fill(9);
const intent = { kind: "LeaseIntent", requestId, leaseEpoch: 0, seat: 0 } as const;

function atWork(accountId: string): Harness {
  const node = new Harness(accountId);
  node.sync();
  node.feed({ kind: "blockObserved", height: OPENED });
  node.feed({ kind: "requestOpened", record });
  return node;
}

const result = FOUND;

test("the best ticket announces and runs, and sends no claim yet", () => {
  const node = new Harness(claimant);
  node.sync();
  assert.equal(node.feed({ kind: "requestOpened", record }), ["publish LeaseIntent", "fetchCode"]);
});

test("replayers work for the best announced claim before anything stands on the chain", () => {
  const node = atWork(replayer);
  assert.ok(node.hear(claimant, intent).includes("fetchCode"));
  assert.ok(node.runGuest(requestId, "42").includes(`send Commitment to ${claimant}`));
});

test("when a quorum agrees the claim goes with the answer", () => {
  const node = atWork(claimant);
  node.runGuest(requestId, "42");
  for (const sender of [replayer, other]) {
    const commitment = commitmentOf(requestDigest(record), 0, sender, result, NONCE);
    node.hear(sender, { kind: "Commitment", requestId, leaseEpoch: 0, seat: 0, commitment });
  }
  const signature = attest(replayer, record, lease, result);
  const attestation = {
    kind: "Attestation",
    requestId,
    leaseEpoch: 0,
    holder: claimant,
    seat: 0,
    result,
    nonce: NONCE,
    signature,
  } as const;
  assert.equal(node.hear(replayer, attestation), ["submit claimAndResolve 0"]);
  const submission = node.effects.findLast((effect) => effect.kind === "submit")?.submission;
  assert.is(submission?.purpose === "claimAndResolve" && submission.seat, lease.seat);
});

test("what was signed under the announced claim holds under the lease that it becomes", () => {
  const node = atWork(replayer);
  node.hear(claimant, intent);
  node.runGuest(requestId, "42");
  const before = node.lastSent("Commitment");
  node.feed({ kind: "leaseChanged", requestId, lease: { ...lease, claimedHeight: OPENED + 2 } });
  node.feed({ kind: "blockObserved", height: OPENED + 2 });
  assert.equal(node.lastSent("Commitment"), before);
});

test("a better announced claim takes over the worse one's exchange", () => {
  const node = atWork(replayOrder(record, claimant).find((accountId) => accountId !== second)!);
  node.hear(second, intent);
  assert.is(node.machine.view().requests[0]?.holder, second);
  node.hear(claimant, intent);
  assert.is(node.machine.view().requests[0]?.holder, claimant);
});

test("peers that follow different announced claims do not blame each other", () => {
  const [replaying, peer] = replayOrder(record, claimant).filter((accountId) => accountId !== second) as [
    string,
    string,
  ];
  const node = atWork(replaying);
  node.hear(second, intent);
  node.runGuest(requestId, "42");
  // The peer has heard of the better claim already, and attests under that one.
  const signature = attest(peer, record, lease, result);
  const ahead = {
    kind: "Attestation",
    requestId,
    leaseEpoch: 0,
    holder: claimant,
    seat: 0,
    result,
    nonce: NONCE,
  } as const;
  assert.equal(node.hear(peer, { ...ahead, signature }), []);
  assert.is(node.machine.view().requests[0]?.attestations, 0);
  // The better claim arrives, and what was said about it counts.
  node.hear(claimant, intent);
  assert.is(node.machine.view().requests[0]?.attestations, 1);
  // Whoever still follows the worse one is late, and no more.
  node.feed({ kind: "leaseChanged", requestId, lease });
  node.feed({ kind: "blockObserved", height: lease.claimedHeight + 2 });
  const behind = { ...ahead, holder: second, signature: attest(peer, record, leaseOf(record, second), result) };
  assert.equal(node.hear(peer, behind), ["reject staleLease"]);
});

test("an attestation that is about another holder than it says is a forgery", () => {
  const node = atWork(replayer);
  node.hear(claimant, intent);
  node.runGuest(requestId, "42");
  const signature = attest(other, record, leaseOf(record, second), result);
  const forged = {
    kind: "Attestation",
    requestId,
    leaseEpoch: 0,
    holder: claimant,
    seat: 0,
    result,
    nonce: NONCE,
  } as const;
  assert.equal(node.hear(other, { ...forged, signature }), ["reject badAttestation"]);
});

test("an answer that nobody agrees upon in time is claimed by itself", () => {
  const node = atWork(claimant);
  node.runGuest(requestId, "42");
  const sent: string[] = [];
  for (let height = OPENED + 1; height < OPENED + 6; height++)
    sent.push(...node.feed({ kind: "blockObserved", height }));
  assert.equal(
    sent.filter((line) => line.startsWith("submit")),
    ["submit claim 0"],
  );
});

test("a claimant that falls silent is forgotten, and the next ticket claims", () => {
  const node = atWork(second);
  node.hear(claimant, intent);
  const lines: string[] = [];
  for (let height = OPENED + 1; height < OPENED + 12; height++) {
    lines.push(...node.feed({ kind: "blockObserved", height }));
    lines.push(...node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` }));
  }
  assert.ok(lines.includes("publish LeaseIntent"));
  assert.is(node.machine.view().requests[0]?.holder, second);
});

test("nobody disturbs a lease that still holds by announcing the next one", () => {
  const node = atWork(replayer);
  node.feed({ kind: "leaseChanged", requestId, lease });
  node.feed({ kind: "blockObserved", height: lease.claimedHeight });
  const early = { ...intent, leaseEpoch: 1 };
  assert.equal(node.hear(second, early), ["reject staleLease"]);
});

test.run();
