/** Answers that somebody may object to: who looks at them, who objects, and what counts after an objection. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { highestCommittee } from "../../src/replay/committee.ts";
import { commitmentOf } from "../../src/wire/messages.ts";
import { requestDigest } from "../../src/wire/records.ts";
import {
  ACCOUNTS,
  attest,
  CONTRACT_ID,
  FOUND,
  Harness,
  leaseOf,
  leaseOrder,
  nodeRecordOf,
  OPENED,
  proposalOf,
  replayOrder,
  requestRecordOf,
} from "./harness.ts";

const SEATS = 2;
const record = requestRecordOf({ seatsTotal: SEATS * ACCOUNTS.length });
const { requestId } = record;
const [holder] = leaseOrder(record) as [string];
const [signer, bystander, other] = replayOrder(record, holder) as [string, string, string];
const lease = leaseOf(record, holder);
const FINAL = OPENED + 8;
const NONCE = new Uint8Array(32).fill(9);
const LIE = { ...FOUND, responseHash: new Uint8Array(32).fill(7) };

const proposing = (responseHash: Uint8Array) => proposalOf([holder, signer], FINAL, responseHash);

/** A node of four that have two seats each; a lease stands and the request is ten blocks old at most. */
function atWork(accountId: string): Harness {
  const node = new Harness(accountId);
  node.sync();
  for (const account of ACCOUNTS) node.feed({ kind: "nodeChanged", node: nodeRecordOf(account, SEATS) });
  node.feed({ kind: "requestOpened", record });
  node.feed({ kind: "leaseChanged", requestId, lease });
  node.feed({ kind: "blockObserved", height: OPENED + 5 });
  return node;
}

function withProposal(accountId: string, responseHash: Uint8Array): Harness {
  const node = atWork(accountId);
  node.feed({ kind: "proposalChanged", requestId, proposal: proposing(responseHash) });
  return node;
}

const committee = highestCommittee(
  CONTRACT_ID,
  record,
  ACCOUNTS.map((accountId) => nodeRecordOf(accountId, SEATS)),
);
const submitted = (lines: readonly string[]) => lines.filter((line) => line.startsWith("submit"));

test("who has not signed the answer that waits runs the guest, and objects when it finds something else", () => {
  const node = atWork(other);
  const lines = node.feed({ kind: "proposalChanged", requestId, proposal: proposing(LIE.responseHash) });
  assert.ok(lines.includes("fetchCode"));
  assert.equal(submitted(node.runGuest(requestId, "42")), ["submit object"]);
  assert.equal(submitted(node.feed({ kind: "blockObserved", height: OPENED + 6 })), []);
  assert.equal(submitted(node.feed({ kind: "blockObserved", height: FINAL })), [], "it would come too late");
});

test("who finds the same does not, and neither does who signed it, whatever it finds", () => {
  assert.equal(submitted(withProposal(other, FOUND.responseHash).runGuest(requestId, "42")), []);
  const liar = atWork(signer);
  liar.runGuest(requestId, "42");
  assert.equal(submitted(liar.feed({ kind: "proposalChanged", requestId, proposal: proposing(LIE.responseHash) })), []);
});

test("after an objection everybody with a drawn seat replays, and the holder waits for two thirds of all seats", () => {
  for (const accountId of [bystander, other]) {
    const node = withProposal(accountId, LIE.responseHash);
    node.feed({ kind: "objectionStored", requestId });
    node.feed({ kind: "proposalChanged", requestId, proposal: undefined });
    assert.ok(node.runGuest(requestId, "42").includes(`send Commitment to ${holder}`), accountId);
  }
});

test("an answer after an objection names every drawn seat of each account that found it", () => {
  const node = atWork(holder);
  node.runGuest(requestId, "42");
  node.feed({ kind: "objectionStored", requestId });
  const hear = (sender: string) => {
    const commitment = commitmentOf(requestDigest(record), 0, sender, FOUND, NONCE);
    const { seat } = committee.find(({ accountId }) => accountId === sender)!;
    node.hear(sender, { kind: "Commitment", requestId, leaseEpoch: 0, seat, commitment });
    return { seat, signature: attest(sender, record, lease, FOUND) };
  };
  const heard = [signer, bystander].map((sender) => ({ sender, ...hear(sender) }));
  node.feed({ kind: "blockObserved", height: OPENED + 6 });
  const lines = heard.flatMap(({ sender, seat, signature }) =>
    submitted(
      node.hear(sender, {
        kind: "Attestation",
        ...{ requestId, leaseEpoch: 0, holder, seat, result: FOUND, nonce: NONCE, signature },
      }),
    ),
  );
  assert.equal(lines, ["submit resolve 0"], "two accounts have four of eight seats, three have six");
  const submission = node.effects.findLast((effect) => effect.kind === "submit")?.submission;
  const named = submission?.purpose === "resolve" ? submission.attestations : [];
  const seats = [holder, signer, bystander].flatMap((accountId) => [0, 1].map((seat) => `${accountId}/${seat}`));
  assert.equal(named.map(({ accountId, seat }) => `${accountId}/${seat}`).sort(), seats.sort());
});

test.run();
