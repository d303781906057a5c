/**
 * Who replays. A request's committee is every seat whose replay ticket is eligible at its security level; of them
 * the best `replicas − 1` accounts beside the holder start at once, and one more for every few blocks without an
 * answer, so that a dead replayer costs time and not the answer.
 */
import { type Draw, drawAll, isEligible } from "../lease/sortition.ts";
import type { LeaseRecord, NodeRecord, RequestRecord } from "../wire/records.ts";

/** Blocks without an outcome after which the next eligible account replays too: a run, its exchange and its resolve fit. */
const REPLAY_PATIENCE_BLOCKS = 5;

/** Eligible accounts, best ticket first; the same for every lease of the request. */
export function replayCommittee(
  contractId: string,
  request: RequestRecord,
  nodes: Iterable<NodeRecord>,
): readonly Draw[] {
  return drawAll(contractId, request, { kind: "replay" }, nodes).filter((draw) =>
    isEligible(draw.ticket, request.level.replaySeats, request.seatsTotal),
  );
}

/** The replayers that should be at work under a lease at `height`: never the holder itself. */
export function activeReplayers(
  committee: readonly Draw[],
  request: RequestRecord,
  lease: LeaseRecord,
  height: number,
): readonly Draw[] {
  const waited = Math.max(0, height - lease.claimedHeight);
  const wanted = request.level.replicas - 1 + Math.floor(waited / REPLAY_PATIENCE_BLOCKS);
  return committee.filter((draw) => draw.accountId !== lease.holder).slice(0, wanted);
}
