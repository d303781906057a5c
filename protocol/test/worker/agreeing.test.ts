import { test } from "uvu";
import * as assert from "uvu/assert";
import { commitmentOf, type ResultClaim } from "../../src/wire/messages.ts";
import { requestDigest } from "../../src/wire/records.ts";
import {
  attest,
  FOUND,
  Harness,
  leaseOf,
  leaseOrder,
  nodeRecordOf,
  OPENED,
  replayOrder,
  requestRecordOf,
  signAs,
} from "./harness.ts";

const record = requestRecordOf();
const { requestId } = record;
const holder = leaseOrder(record)[0]!;
const lease = leaseOf(record, holder);
const [replayer, other, spare] = replayOrder(record, holder) as [string, string, string];
const NONCE = new Uint8Array(32).fill(9);

const claim = FOUND;
const lie: ResultClaim = { ...claim, responseHash: new Uint8Array(32).fill(6) };

/** A node that has seen the lease and run the guest. */
function atWork(accountId: string): Harness {
  const node = new Harness(accountId);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.feed({ kind: "leaseChanged", requestId, lease });
  node.feed({ kind: "blockObserved", height: lease.claimedHeight });
  node.runGuest(requestId, "42");
  return node;
}

function commitment(accountId: string, found: ResultClaim, leaseEpoch = 0) {
  const hash = commitmentOf(requestDigest(record), leaseEpoch, accountId, found, NONCE);
  return { kind: "Commitment", requestId, leaseEpoch, seat: 0, commitment: hash } as const;
}

function attestation(accountId: string, found: ResultClaim, signer = accountId) {
  const signature = attest(signer, record, lease, found);
  return {
    kind: "Attestation",
    requestId,
    leaseEpoch: 0,
    holder,
    seat: 0,
    result: found,
    nonce: NONCE,
    signature,
  } as const;
}

function reveal(found: ResultClaim, signer = holder) {
  const signature = attest(signer, record, lease, found);
  return { kind: "Reveal", requestId, leaseEpoch: 0, result: found, signature, commitments: [] } as const;
}

test("a replayer persists its result, then signs, then commits, and shows nothing before the reveal", () => {
  const node = new Harness(replayer);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.feed({ kind: "blockObserved", height: lease.claimedHeight });
  assert.equal(node.feed({ kind: "leaseChanged", requestId, lease }), ["fetchCode"]);
  const lines = node.runGuest(requestId, "42");
  assert.equal(lines, ["execute", "persist result/7", "sign", `send Commitment to ${holder}`]);
  const text = JSON.stringify(node.lastSent("Commitment"), (_, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
  );
  assert.not.ok(text.includes(Buffer.from(claim.responseHash).toString("hex")));
});

test("the holder reveals when all replicas have committed, and resolves when a quorum agrees", () => {
  const node = atWork(holder);
  assert.equal(node.hear(replayer, commitment(replayer, claim)), []);
  const revealed = node.hear(other, commitment(other, claim));
  assert.equal(revealed, [`send Reveal to ${replayer}`, `send Reveal to ${other}`]);
  assert.equal(node.hear(replayer, attestation(replayer, claim)), ["submit resolve 0"]);
});

test("a holder with enough for the quorum does not wait for a dead replica for ever", () => {
  const node = atWork(holder);
  node.hear(replayer, commitment(replayer, claim));
  assert.equal(node.feed({ kind: "blockObserved", height: lease.claimedHeight }), []);
  assert.equal(node.feed({ kind: "blockObserved", height: lease.claimedHeight + 1 }), [`send Reveal to ${replayer}`]);
});

test("a replayer attests to the holder and to the other replayers after a valid reveal", () => {
  const node = atWork(replayer);
  assert.equal(node.hear(holder, reveal(claim)), [`send Attestation to ${holder}`, `send Attestation to ${other}`]);
});

test("a replayer that found something else says so by its own attestation and never signs the holder's", () => {
  const node = atWork(replayer);
  node.hear(holder, reveal(lie));
  const sent = node.lastSent("Attestation");
  assert.equal(sent.result.responseHash, claim.responseHash);
  assert.equal(sent.signature, attest(replayer, record, lease, claim));
});

test("whoever committed too late is named only where the others do not make a quorum", () => {
  const named = (node: Harness) => {
    const submission = node.effects.findLast((effect) => effect.kind === "submit")?.submission;
    return submission?.purpose === "resolve" ? submission.attestations.map(({ accountId }) => accountId) : [];
  };
  const enough = atWork(holder);
  enough.hear(replayer, commitment(replayer, claim));
  enough.feed({ kind: "blockObserved", height: lease.claimedHeight + 1 });
  assert.equal(enough.hear(other, commitment(other, claim)), [`send Reveal to ${other}`]);
  const submitted = enough.hear(replayer, attestation(replayer, claim));
  assert.equal(submitted, ["submit resolve 0"]);
  assert.equal(enough.hear(other, attestation(other, claim)), []);
  enough.feed({ kind: "blockObserved", height: lease.claimedHeight + 6 });
  assert.equal(named(enough), [holder, replayer].sort());

  const tooFew = atWork(holder);
  tooFew.hear(replayer, commitment(replayer, claim));
  tooFew.feed({ kind: "blockObserved", height: lease.claimedHeight + 1 });
  tooFew.hear(other, commitment(other, claim));
  assert.equal(tooFew.hear(other, attestation(other, claim)), ["submit resolve 0"]);
  assert.equal(named(tooFew), [holder, other].sort());
});

test("a replayer believes the holder about others' commitments as far as leaving them out, not as far as blaming", () => {
  const node = atWork(replayer);
  const named = [{ accountId: other, commitment: new Uint8Array(32).fill(5) }];
  node.hear(holder, { ...reveal(claim), commitments: named });
  assert.equal(node.hear(other, attestation(other, claim)), []);
  assert.is(node.machine.view().requests[0]?.attestations, 3);
});

test("attestations that disagree do not count towards the quorum", () => {
  const node = atWork(holder);
  node.hear(replayer, commitment(replayer, lie));
  node.hear(other, commitment(other, lie));
  assert.equal(node.hear(replayer, attestation(replayer, lie)), []);
  assert.equal(node.hear(other, attestation(other, lie)), []);
});

test("when the holder does not resolve, a replayer does", () => {
  const node = atWork(replayer);
  node.hear(holder, reveal(claim));
  const sent: number[] = [];
  for (let height = lease.claimedHeight; height < lease.untilHeight; height++) {
    const lines = node.feed({ kind: "blockObserved", height });
    if (lines.includes("submit resolve 0")) sent.push(height);
  }
  assert.ok(sent.length > 0);
  assert.ok(sent[0]! > lease.claimedHeight + 3);
});

test("a resolve names everybody first, and then one quorum after the other, so that no single signer can spoil it", () => {
  const node = atWork(holder);
  node.hear(replayer, commitment(replayer, claim));
  node.hear(other, commitment(other, claim));
  node.hear(replayer, attestation(replayer, claim));
  node.hear(other, attestation(other, claim));
  for (let height = lease.claimedHeight; height < lease.untilHeight; height++)
    node.feed({ kind: "blockObserved", height });
  const named = node.effects.flatMap((effect) =>
    effect.kind === "submit" && effect.submission.purpose === "resolve"
      ? [effect.submission.attestations.map(({ accountId }) => accountId)]
      : [],
  );
  assert.ok(named.length >= 3, `${named.length} tries`);
  const without = (accountId: string) => named.some((accounts) => !accounts.includes(accountId));
  assert.ok(without(replayer) && without(other));
  assert.ok(named.slice(1).every((accounts) => accounts.length === record.level.quorum));
});

test("a reveal that names a commitment which this node did not make is refused", () => {
  const node = atWork(replayer);
  const commitments = [{ accountId: replayer, commitment: new Uint8Array(32).fill(5) }];
  assert.equal(node.hear(holder, { ...reveal(claim), commitments }), ["reject brokenCommitment"]);
  const own = [{ accountId: replayer, commitment: node.lastSent("Commitment").commitment }];
  assert.ok(node.hear(holder, { ...reveal(claim), commitments: own }).includes(`send Attestation to ${holder}`));
});

test("a replayer whose seats are gone is off the committee at once", () => {
  const node = atWork(holder);
  node.feed({ kind: "nodeChanged", node: { ...nodeRecordOf(replayer), seatsCurrent: 0, seatsNext: 0 } });
  assert.equal(node.hear(replayer, commitment(replayer, claim)), ["reject notEligible"]);
});

test("a lease that is learned of after a gap is acted upon", () => {
  const node = new Harness(replayer);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  assert.equal(node.read(lease.claimedHeight, { record, lease }), ["fetchCode"]);
});

test("what this version cannot judge it leaves alone; what no version here can do ends as failed", () => {
  for (const change of [{ version: 2 }, { costVersion: 9 }]) {
    const node = new Harness(holder);
    node.sync();
    const foreign = requestRecordOf(change);
    node.feed({ kind: "requestOpened", record: foreign });
    assert.equal(node.feed({ kind: "leaseChanged", requestId, lease: leaseOf(foreign, holder) }), []);
  }
  const secret = requestRecordOf({ secrets: { profile: "default", accountId: "app.test" } });
  const node = new Harness(holder);
  node.sync();
  node.feed({ kind: "requestOpened", record: secret });
  assert.ok(node.log.has(`result/${requestId}`));
});

test("what is said again until it is answered: commitment, reveal, attestation", () => {
  const waiting = atWork(replayer);
  assert.equal(waiting.feed({ kind: "blockObserved", height: lease.claimedHeight + 1 }), []);
  const again = waiting.feed({ kind: "blockObserved", height: lease.claimedHeight + 2 });
  assert.equal(again, [`send Commitment to ${holder}`]);

  const revealing = atWork(holder);
  revealing.hear(replayer, commitment(replayer, claim));
  revealing.feed({ kind: "blockObserved", height: lease.claimedHeight + 2 });
  const repeated = revealing.feed({ kind: "blockObserved", height: lease.claimedHeight + 4 });
  assert.equal(repeated, [`send Reveal to ${replayer}`]);
  // A replayer that commits again has not seen the reveal.
  assert.equal(revealing.hear(replayer, commitment(replayer, claim)), [`send Reveal to ${replayer}`]);
});

test("forged, foreign and broken messages are refused by name and change nothing", () => {
  const node = atWork(holder);
  assert.equal(node.hear(replayer, { ...commitment(replayer, claim), seat: 3 }), ["reject notEligible"]);
  node.hear(replayer, commitment(replayer, claim));
  assert.equal(node.hear(replayer, commitment(replayer, lie)), ["reject brokenCommitment"]);
  node.hear(other, commitment(other, claim));
  assert.equal(node.hear(replayer, attestation(replayer, claim, spare)), ["reject badAttestation"]);
  assert.equal(node.hear(other, attestation(other, lie)), ["reject brokenCommitment"]);
  assert.equal(node.hear(replayer, attestation(replayer, claim)), ["submit resolve 0"]);
  assert.equal(node.hear(replayer, attestation(replayer, claim)), ["reject duplicate"]);
  assert.equal(node.hear(holder, attestation(holder, claim)), ["reject notEligible"]);

  const second = atWork(replayer);
  // For one block a better ticket still takes a lease, and the sender may have seen that block.
  assert.equal(second.hear(other, reveal(claim, other)), []);
  second.feed({ kind: "blockObserved", height: lease.claimedHeight + 2 });
  assert.equal(second.hear(other, reveal(claim, other)), ["reject staleLease"]);
  assert.equal(second.hear(holder, reveal(claim, other)), ["reject badAttestation"]);
  assert.equal(second.hear(other, commitment(other, claim)), ["reject notHolder"]);
});

test("messages about a lease that is not seen yet are heard again when it is", () => {
  const node = new Harness(holder);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.runGuest(requestId, "42");
  assert.equal(node.hear(replayer, commitment(replayer, claim)), []);
  assert.equal(node.hear(other, commitment(other, claim)), []);
  node.feed({ kind: "blockObserved", height: lease.claimedHeight });
  const lines = node.feed({ kind: "leaseChanged", requestId, lease });
  assert.ok(lines.includes(`send Reveal to ${other}`));
});

test("where a lease found no quorum, the next one asks as many again, so that dead replayers do not stop them all", () => {
  const narrow = requestRecordOf({ level: { replaySeats: 9, replicas: 2, quorum: 2 } });
  const [, , last] = replayOrder(narrow, holder) as [string, string, string];
  const heir = replayOrder(narrow, holder).find((accountId) => accountId !== last)!;
  const node = new Harness(last);
  node.sync();
  node.feed({ kind: "requestOpened", record: narrow });
  assert.equal(node.feed({ kind: "leaseChanged", requestId, lease: leaseOf(narrow, holder) }), []);
  const next = leaseOf(narrow, heir, { leaseEpoch: 1, former: [holder], claimedHeight: OPENED + 14 });
  assert.equal(node.feed({ kind: "leaseChanged", requestId, lease: { ...next, untilHeight: OPENED + 24 } }), [
    "fetchCode",
  ]);
});

test("messages about an earlier lease are stale", () => {
  const node = atWork(replayer);
  const next = leaseOf(record, other, {
    leaseEpoch: 1,
    former: [holder],
    claimedHeight: OPENED + 14,
    untilHeight: OPENED + 24,
  });
  node.feed({ kind: "leaseChanged", requestId, lease: next });
  assert.equal(node.hear(holder, reveal(claim)), ["reject staleLease"]);
});

test("after a restart the persisted result stands: nothing is run again and nothing else is ever signed", () => {
  const node = atWork(replayer);
  const before = node.lastSent("Commitment");
  node.restart();
  const lines = node.read(OPENED, { record, lease });
  assert.not.ok(lines.includes("fetchCode"));
  assert.equal(node.lastSent("Commitment").commitment, before.commitment);
});

test("a node that lost its log signs nothing for 200 blocks; a new one is free at once", () => {
  const lost = new Harness(replayer);
  lost.read(OPENED - 1);
  lost.feed({ kind: "requestOpened", record });
  assert.equal(lost.feed({ kind: "leaseChanged", requestId, lease }), []);
  assert.is(lost.machine.view().abstainUntilHeight, OPENED - 1 + 200);

  lost.restart();
  assert.is(lost.machine.view().abstainUntilHeight, OPENED - 1 + 200);
  assert.is(atWork(replayer).machine.view().abstainUntilHeight, 0);
});

test("an unreadable log is a lost log", () => {
  const node = new Harness(replayer, [
    { key: "identity", value: new Uint8Array(8) },
    { key: "result/7", value: new Uint8Array([1, 2, 3]) },
  ]);
  node.read(OPENED);
  assert.is(node.machine.view().abstainUntilHeight, OPENED + 200);
});

test("a signature that came too late for its lease is not used", () => {
  const node = new Harness(replayer);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.feed({ kind: "leaseChanged", requestId, lease });
  node.feed({ kind: "codeFetched", ...node.subjectOf(requestId) });
  const stale = node.feed({
    kind: "signed",
    requestId,
    leaseEpoch: 0,
    signature: signAs(replayer, new Uint8Array(32)),
  });
  assert.equal(stale, []);
});

test.run();
