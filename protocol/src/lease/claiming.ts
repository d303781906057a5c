/**
 * When a node goes for a lease. Everybody can compute everybody's ticket, so most learn at once that it is not
 * their turn; what they cannot know is who is alive. Hence a short order of precedence: the best eligible ticket
 * claims at once, the next one waits a moment for a better intent, and so on.
 */
import { MAX_INTENTS } from "../limits.ts";
import type { LeaseRecord, NodeRecord, RequestRecord } from "../wire/records.ts";
import { bestSeat, type Draw, drawAll, isEligible, leaseSeats } from "./sortition.ts";

/** How long a claimant waits for each better ticket: an intent crosses the gossip mesh in a fraction of it. */
export const INTENT_STAGGER_MS = 150;
/** A claim that has not landed after this many blocks, one's own or an announced one, no longer counts. */
const CLAIM_PATIENCE_BLOCKS = 3;
/**
 * Requests of at most this much fuel are run, replayed and resolved before anybody claims on the chain: the claim and
 * the answer go in one transaction. Running them takes less time than a claim takes to land.
 */
export const FUSED_MAX_INSTRUCTIONS = 2_000_000_000n;
/** Blocks in which a fused answer is agreed upon; after that its holder claims by itself and answers later. */
export const FUSED_AGREEMENT_BLOCKS = 2;
/** Blocks after which an announced fused answer that did not land no longer counts. */
const FUSED_PATIENCE_BLOCKS = 6;
/** Blocks after a claim in which a strictly better ticket still takes the lease; the contract has the same. */
export const DISPLACEMENT_BLOCKS = 1;
/** No claim this close to the deadline: running, replaying and resolving take at least as many blocks. */
const LAST_CLAIM_BLOCKS = 3;

/** Whether the claim of a request travels with its answer. */
export function isFused(request: RequestRecord): boolean {
  return request.maxInstructions <= FUSED_MAX_INSTRUCTIONS;
}

/** Blocks for which an announced claim keeps others back. */
export function claimPatienceBlocks(request: RequestRecord): number {
  return isFused(request) ? FUSED_PATIENCE_BLOCKS : CLAIM_PATIENCE_BLOCKS;
}

export interface Turn {
  readonly leaseEpoch: number;
  readonly draw: Draw;
  /** Eligible accounts with a better ticket. */
  readonly better: number;
}

export interface LeaseQuestion {
  readonly contractId: string;
  readonly request: RequestRecord;
  readonly lease: LeaseRecord | undefined;
  readonly self: NodeRecord;
  readonly nodes: Iterable<NodeRecord>;
  /** The last block seen; a claim sent now lands in the next one at the earliest. */
  readonly height: number;
}

/** The turn of `self` to claim now, or nothing where the lease is taken or somebody else's. */
export function turnToClaim(question: LeaseQuestion): Turn | undefined {
  const { contractId, request, lease, self, height } = question;
  if (self.draining || height + LAST_CLAIM_BLOCKS > request.deadlineHeight) return undefined;
  if (lease && height < lease.untilHeight) return undefined;
  const leaseEpoch = lease ? lease.leaseEpoch + 1 : 0;
  const barred = new Set(lease ? [...lease.former, lease.holder] : []);
  if (barred.has(self.accountId)) return undefined;

  const role = { kind: "lease", leaseEpoch } as const;
  const draw = bestSeat(contractId, request, role, self);
  const freeSince = lease ? lease.untilHeight : request.height;
  const seats = leaseSeats(freeSince, height + 1, request.seatsTotal);
  if (!draw || !isEligible(draw.ticket, seats, request.seatsTotal)) return undefined;

  const rivals = drawAll(contractId, request, role, question.nodes);
  const better = rivals.findIndex((rival) => rival.accountId === self.accountId);
  return { leaseEpoch, draw, better: rivals.slice(0, better).filter((rival) => !barred.has(rival.accountId)).length };
}

interface Intent {
  readonly ticket: bigint;
  readonly seenHeight: number;
}

/** The announced claims of one lease epoch. */
export class Intents {
  readonly #seen = new Map<string, Intent>();
  leaseEpoch = 0;

  /** Returns false where the intent adds nothing: known, or one too many. */
  add(leaseEpoch: number, accountId: string, ticket: bigint, height: number): boolean {
    if (leaseEpoch > this.leaseEpoch) {
      this.#seen.clear();
      this.leaseEpoch = leaseEpoch;
    }
    if (leaseEpoch < this.leaseEpoch || this.#seen.has(accountId) || this.#seen.size >= MAX_INTENTS) return false;
    this.#seen.set(accountId, { ticket, seenHeight: height });
    return true;
  }

  /** Whether somebody with a better ticket has announced a claim that may still land. */
  hasBetter(leaseEpoch: number, ticket: bigint, height: number, patienceBlocks: number): boolean {
    if (leaseEpoch !== this.leaseEpoch) return false;
    for (const intent of this.#seen.values()) {
      if (intent.ticket < ticket && height < intent.seenHeight + patienceBlocks) return true;
    }
    return false;
  }
}
