/** Answers that wait for objections: who makes them final and when, and what nobody does meanwhile. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { FOUND, Harness, leaseOf, leaseOrder, OPENED, proposalOf, replayOrder, requestRecordOf } from "./harness.ts";

const record = requestRecordOf();
const { requestId } = record;
const [holder] = leaseOrder(record) as [string];
const [signer, bystander] = replayOrder(record, holder) as [string, string];
const lease = leaseOf(record, holder);
const FINAL = OPENED + 8;

const proposal = proposalOf([holder, signer], FINAL, FOUND.responseHash);

function withProposal(accountId: string): Harness {
  const node = new Harness(accountId);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.feed({ kind: "leaseChanged", requestId, lease });
  node.feed({ kind: "proposalChanged", requestId, proposal });
  return node;
}

/** What a node submits until a block, by block. */
function submissions(node: Harness, until: number): string[] {
  const lines: string[] = [];
  for (let height = OPENED + 6; height <= until; height++) {
    const submitted = node.feed({ kind: "blockObserved", height }).filter((line) => line.startsWith("submit"));
    lines.push(...submitted.map((line) => `${height - FINAL}: ${line}`));
  }
  return lines;
}

test("the holder makes it final when the objections are over, and again when that does not land", () => {
  assert.equal(submissions(withProposal(holder), FINAL + 5), ["0: submit finalize", "4: submit finalize"]);
});

test("another signer follows in its turn, and who did not sign never does", () => {
  assert.equal(submissions(withProposal(signer), FINAL + 4), ["3: submit finalize"]);
  assert.equal(submissions(withProposal(bystander), FINAL + 20), []);
});

test("an answer that is stored, or an objection, ends it", () => {
  const stored = withProposal(holder);
  stored.feed({ kind: "outcomeStored", requestId, outcome: proposal.outcome });
  assert.equal(submissions(stored, FINAL + 9), []);
  const objected = withProposal(holder);
  objected.feed({ kind: "objectionStored", requestId });
  objected.feed({ kind: "proposalChanged", requestId, proposal: undefined });
  assert.equal(submissions(objected, FINAL + 30), []);
});

test("while an answer waits, nobody commits or takes over the lease that runs out meanwhile", () => {
  for (const accountId of [holder, signer, bystander]) {
    const node = new Harness(accountId);
    node.sync();
    node.read(OPENED - 1, { record, lease, proposal });
    for (let height = OPENED; height < lease.untilHeight + 10; height++) {
      const lines = node.feed({ kind: "blockObserved", height });
      assert.equal(
        lines.filter((line) => !line.endsWith("finalize") && !line.startsWith("progress")),
        [],
      );
    }
  }
});

test("a proposal that goes for its outcome in one block leaves no time to resolve once more", () => {
  const node = withProposal(signer);
  node.runGuest(requestId, "42");
  assert.equal(node.feed({ kind: "proposalChanged", requestId, proposal: undefined }), []);
  assert.equal(node.feed({ kind: "outcomeStored", requestId, outcome: proposal.outcome }), ["keepReceipt"]);
  assert.equal(submissions(node, FINAL + 9), []);
});

test("after a start the waiting answer is known from the full reading", () => {
  const node = new Harness(holder);
  node.sync();
  node.read(OPENED - 1, { record, lease, proposal });
  assert.equal(submissions(node, FINAL + 1), ["0: submit finalize"]);
});

test.run();
