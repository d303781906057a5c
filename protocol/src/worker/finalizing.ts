/**
 * Makes an answer final that waited for objections. The holder does it, out of its share of the charge; where it does
 * not, the other signers follow in turn, since all of them are paid only then.
 */
import type { OpenRequest } from "./request.ts";
import type { Scope } from "./scope.ts";

/** Blocks between the turns of those who may send the transaction. */
const TURN_BLOCKS = 3;
/** A transaction lands in the second or third block after it was sent; before that nobody can say that it is lost. */
const REPEAT_BLOCKS = 4;

/** Called after every event about the request and every block. */
export function considerFinal(scope: Scope, open: OpenRequest): void {
  const { proposal, finalizeSentHeight } = open;
  if (!proposal || open.outcome) return;
  const { holder, attestations } = proposal.outcome;
  const signers = attestations.map(({ accountId }) => accountId).filter((accountId) => accountId !== holder);
  const turn = [holder, ...signers].indexOf(scope.config.accountId);
  if (turn < 0 || scope.height < proposal.finalHeight + turn * TURN_BLOCKS) return;
  if (finalizeSentHeight !== undefined && scope.height < finalizeSentHeight + REPEAT_BLOCKS) return;
  open.finalizeSentHeight = scope.height;
  scope.emit({ kind: "submit", submission: { purpose: "finalize", requestId: open.record.requestId } });
  scope.progress(open, "finalizeSent");
}
