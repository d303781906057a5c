/**
 * While an answer waits for objections every seat of the committee looks at it: who has not signed it runs the guest,
 * and who finds another result objects, with a bond. One honest seat that lives is enough to have the highest level
 * decide.
 */
import { equalClaims, type OpenRequest, seatsOf } from "./request.ts";
import type { Scope } from "./scope.ts";

/** Blocks after which an objection that does not stand on the chain is sent again. */
const REPEAT_BLOCKS = 3;

/** Whether this node has to find out what the waiting answer should be. */
export function mustCheck(scope: Scope, open: OpenRequest): boolean {
  const { proposal } = open;
  const { accountId } = scope.config;
  if (!proposal || scope.height >= proposal.finalHeight || seatsOf(open, accountId).length === 0) return false;
  return !proposal.outcome.attestations.some((signer) => signer.accountId === accountId);
}

/** Called after every event about the request and every block. */
export function considerObjection(scope: Scope, open: OpenRequest): void {
  const { proposal, work, objectionSentHeight } = open;
  if (!proposal || open.outcome || scope.abstains || work.kind !== "done" || !mustCheck(scope, open)) return;
  const { codeHash, tapeHash } = proposal.outcome;
  if (equalClaims(work.result.claim, { codeHash, responseHash: proposal.responseHash, tapeHash })) return;
  if (objectionSentHeight !== undefined && scope.height < objectionSentHeight + REPEAT_BLOCKS) return;
  open.objectionSentHeight = scope.height;
  const seat = open.committee.find(({ accountId }) => accountId === scope.config.accountId)!.seat;
  scope.emit({ kind: "submit", submission: { purpose: "object", requestId: open.record.requestId, seat } });
  scope.progress(open, "objectionSent", "this node's result differs from the answer that waits");
}
