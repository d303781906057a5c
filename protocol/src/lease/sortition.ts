/**
 * Sortition: who may lease a request and who may replay it, checked in O(1) by the contract and by every peer.
 *
 * A seat is a unit of stake. Seat j of an account draws a ticket, the first 64 bits of a hash over the request's
 * seed; the lowest tickets win. Splitting stake over accounts draws no more tickets, and neither an account name
 * nor stake can be chosen after the seed is known, since a request pins the stake epoch of its block.
 * Lease tickets include the lease epoch, so a squatter does not stay best; replay tickets do not, so an abandoned
 * lease cannot draw the committee anew. The contract computes the same in `contract/assembly/sortition.ts`.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { MAX_NAME_BYTES } from "../limits.ts";
import { encode, fixed, struct, text, u8, u32 } from "../wire/borsh.ts";
import { accountId, type NodeRecord, type RequestRecord, seatsForRequest } from "../wire/records.ts";

const TICKET_DOMAIN = "outlayer/ticket/v1";
const ROLE_LEASE = 0;
const ROLE_REPLAY = 1;

/** Seats that may claim a lease in its first block. */
export const FIRST_LEASE_SEATS = 3;
/** After the first block without a claim eligibility doubles, and then once every this many blocks. */
export const WIDENING_BLOCKS = 3;

const ticketInput = struct({
  domain: text(MAX_NAME_BYTES),
  contractId: accountId,
  seed: fixed(32),
  role: u8,
  /** 0 for replay tickets. */
  leaseEpoch: u32,
  accountId,
  seat: u32,
});

export type TicketRole = { readonly kind: "lease"; readonly leaseEpoch: number } | { readonly kind: "replay" };

/** The ticket of one seat: 64 bits, lower is better. */
export function drawTicket(
  contractId: string,
  seed: Uint8Array,
  role: TicketRole,
  account: string,
  seat: number,
): bigint {
  const digest = sha256(
    encode(ticketInput, {
      domain: TICKET_DOMAIN,
      contractId,
      seed,
      role: role.kind === "lease" ? ROLE_LEASE : ROLE_REPLAY,
      leaseEpoch: role.kind === "lease" ? role.leaseEpoch : 0,
      accountId: account,
      seat,
    }),
  );
  return new DataView(digest.buffer, digest.byteOffset).getBigUint64(0);
}

/** Whether a ticket is among the `seats` expected best of `seatsTotal`: ticket · seatsTotal ≤ seats · 2^64. */
export function isEligible(ticket: bigint, seats: number, seatsTotal: number): boolean {
  return ticket * BigInt(seatsTotal) <= BigInt(seats) << 64n;
}

/**
 * Seats that may claim at `height`, when the lease has been free since `freeSinceHeight` (the request's block, or
 * the last block of the lease that ran out): 3, doubled after one block without a claim and then every 3 blocks.
 */
export function leaseSeats(freeSinceHeight: number, height: number, seatsTotal: number): number {
  const waited = height - freeSinceHeight;
  const doublings = waited <= 1 ? 0 : 1 + Math.floor((waited - 2) / WIDENING_BLOCKS);
  return doublings >= 31 ? seatsTotal : Math.min(seatsTotal, FIRST_LEASE_SEATS * 2 ** doublings);
}

export interface Draw {
  readonly accountId: string;
  readonly seat: number;
  readonly ticket: bigint;
}

/** The best ticket of every account that has seats for this request, best first; ties go to the lesser name. */
export function drawAll(
  contractId: string,
  request: RequestRecord,
  role: TicketRole,
  nodes: Iterable<NodeRecord>,
): readonly Draw[] {
  const draws: Draw[] = [];
  for (const node of nodes) {
    const best = bestSeat(contractId, request, role, node);
    if (best) draws.push(best);
  }
  return draws.sort((a, b) => (a.ticket < b.ticket || (a.ticket === b.ticket && a.accountId < b.accountId) ? -1 : 1));
}

/** An account's best ticket, or nothing where it has no seat for the request. */
export function bestSeat(
  contractId: string,
  request: RequestRecord,
  role: TicketRole,
  node: NodeRecord,
): Draw | undefined {
  let best: Draw | undefined;
  const seats = seatsForRequest(node, request);
  for (let seat = 0; seat < seats; seat++) {
    const ticket = drawTicket(contractId, request.seed, role, node.accountId, seat);
    if (!best || ticket < best.ticket) best = { accountId: node.accountId, seat, ticket };
  }
  return best;
}
