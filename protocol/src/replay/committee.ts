/**
 * Who replays. A request's committee is every seat whose replay ticket is eligible at its security level; of them
 * the best `replicas − 1` accounts beside the holder start at once, and one more for every few blocks without an
 * answer, so that a dead replayer costs time and not the answer. After an objection the level is the highest: all
 * seats, at most 144, are drawn, and seats are counted instead of accounts (`docs/spec/contract.md`).
 */
import { type Draw, drawTicket, isEligible } from "../lease/sortition.ts";
import { type LeaseRecord, type NodeRecord, type RequestRecord, seatsForRequest } from "../wire/records.ts";

/** Blocks without an outcome after which the next eligible account replays too: a run, its exchange and its resolve fit. */
const REPLAY_PATIENCE_BLOCKS = 5;
/** Seats of the highest level, and how many of them an answer takes where not all seats of the network are drawn. */
const HIGHEST_SEATS = 144;
const HIGHEST_QUORUM_SEATS = 72;

/** An account of the committee with its best ticket and all seats of its own that were drawn. */
export interface Member extends Draw {
  readonly seats: readonly number[];
}

/** What equal attestations must have together. */
export interface Need {
  readonly accounts: number;
  readonly seats: number;
}

/** Eligible accounts, best ticket first, ties to the lesser name; the same for every lease of the request. */
export function replayCommittee(
  contractId: string,
  request: RequestRecord,
  nodes: Iterable<NodeRecord>,
  replaySeats = request.level.replaySeats,
): readonly Member[] {
  const members: Member[] = [];
  for (const node of nodes) {
    const member = memberOf(contractId, request, node, replaySeats);
    if (member) members.push(member);
  }
  return members.sort((a, b) => (a.ticket < b.ticket || (a.ticket === b.ticket && a.accountId < b.accountId) ? -1 : 1));
}

function memberOf(
  contractId: string,
  request: RequestRecord,
  node: NodeRecord,
  replaySeats: number,
): Member | undefined {
  const { accountId } = node;
  const seats: number[] = [];
  let best: { readonly seat: number; readonly ticket: bigint } | undefined;
  const owned = seatsForRequest(node, request);
  for (let seat = 0; seat < owned; seat++) {
    const ticket = drawTicket(contractId, request.seed, { kind: "replay" }, accountId, seat);
    if (!isEligible(ticket, replaySeats, request.seatsTotal)) continue;
    seats.push(seat);
    if (!best || ticket < best.ticket) best = { seat, ticket };
  }
  return best && { accountId, ...best, seats };
}

/** The committee that judges an answer that somebody objected to. */
export function highestCommittee(
  contractId: string,
  request: RequestRecord,
  nodes: Iterable<NodeRecord>,
): readonly Member[] {
  return replayCommittee(contractId, request, nodes, Math.min(HIGHEST_SEATS, request.seatsTotal));
}

/** What the highest level asks for, of a committee that `highestCommittee` drew. */
export function highestNeed(request: RequestRecord, committee: readonly Member[]): Need {
  const { seatsTotal } = request;
  const seats = seatsTotal > HIGHEST_SEATS ? HIGHEST_QUORUM_SEATS : Math.ceil((2 * seatsTotal) / 3);
  return { accounts: Math.min(2, committee.length), seats };
}

/** The replayers that should be at work under a lease at `height`: never the holder itself. */
export function activeReplayers(
  committee: readonly Member[],
  request: RequestRecord,
  lease: LeaseRecord,
  height: number,
): readonly Member[] {
  const { replicas } = request.level;
  const waited = Math.max(0, height - lease.claimedHeight);
  // Every lease before this one found no quorum: who was asked then may be gone, and a lease is too short to ask all.
  const wanted = replicas - 1 + lease.leaseEpoch * replicas + Math.floor(waited / REPLAY_PATIENCE_BLOCKS);
  return committee.filter((draw) => draw.accountId !== lease.holder).slice(0, wanted);
}
