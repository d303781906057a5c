/** What a node keeps of one open request, and the questions that the rules ask of it. */
import type { Intents } from "../lease/claiming.ts";
import { MAX_ERROR_BYTES } from "../limits.ts";
import { activeReplayers, highestNeed, type Member } from "../replay/committee.ts";
import type { Decoded } from "../wire/borsh.ts";
import { fixed, height, struct } from "../wire/borsh.ts";
import { type PeerMessage, type ResultClaim, resultClaim, type Verified } from "../wire/messages.ts";
import {
  guestResponse,
  type LeaseRecord,
  type OutcomeRecord,
  type ProposalRecord,
  type RequestRecord,
} from "../wire/records.ts";
import { REPLAY_CLASS_PURE, RESULT_DOMAIN, statementDigest } from "../wire/statement.ts";

/** The one result a node ever signs for a request: persisted before the first signature, restored after a crash. */
export const ownResult = struct({
  requestId: height,
  requestDigest: fixed(32),
  response: guestResponse,
  claim: resultClaim,
  /** Opens this node's commitments. */
  nonce: fixed(32),
});
export type OwnResult = Decoded<typeof ownResult>;

export type Work =
  | { readonly kind: "idle" }
  | { readonly kind: "fetching" }
  /** No peer had the code at the last try; the next block tries again. */
  | { readonly kind: "waiting" }
  | { readonly kind: "running" }
  | { readonly kind: "done"; readonly result: OwnResult }
  /** This node cannot run it and abstains. */
  | { readonly kind: "faulted" };

export interface PeerAttestation {
  readonly seat: number;
  readonly claim: ResultClaim;
  /** The commitment that this attestation opens; nothing for a holder, which shows its result first. */
  readonly opening: Uint8Array | undefined;
  readonly signature: Uint8Array;
}

/** The exchange of one lease: commitments, the holder's reveal, attestations. A new lease starts a new one. */
export interface Exchange {
  ownSignature: Uint8Array | undefined;
  /** Made before the reveal: a holder has them from the replayers themselves, a replayer from the holder's reveal. */
  readonly commitments: Map<string, Uint8Array>;
  /** What the holder claims, once it is out; a holder's own reveal stands here too. */
  revealed: { readonly claim: ResultClaim; readonly height: number } | undefined;
  readonly attestations: Map<string, PeerAttestation>;
  /** The block after which the last message of each kind was sent, to repeat it when nothing came of it. */
  lastSentHeight: number;
  resolveSentHeight: number | undefined;
  resolvesSent: number;
}

export interface OpenRequest {
  readonly record: RequestRecord;
  readonly digest: Uint8Array;
  readonly intents: Intents;
  lease: LeaseRecord | undefined;
  /**
   * Of a fused request: the lease that the best announced claim will make. Statements name a lease's epoch and holder
   * only, so what is signed under it holds under the real one; its heights are this node's own.
   */
  announced: LeaseRecord | undefined;
  outcome: OutcomeRecord | undefined;
  /** An answer that waits for objections: nobody may give another one meanwhile. */
  proposal: ProposalRecord | undefined;
  /** Whether there ever was one. */
  waited: boolean;
  /** Somebody objected: from then on only an answer of the highest level counts. */
  objected: boolean;
  finalizeSentHeight: number | undefined;
  objectionSentHeight: number | undefined;
  /** This node's own claim in flight. */
  claim:
    | {
        readonly leaseEpoch: number;
        readonly sentHeight: number;
        /** Whether a transaction carries it by itself; a fused claim waits for its answer. */
        readonly onChain: boolean;
      }
    | undefined;
  /** The timer that waits for better intents. */
  waitingTurn: number | undefined;
  work: Work;
  exchange: Exchange;
  /** Messages about a lease that this node has not seen on the chain yet; heard again when it has. */
  readonly early: Verified<PeerMessage>[];
  /** Everybody whose seats may replay, best ticket first. */
  committee: readonly Member[];
}

export interface NetworkIdentity {
  readonly chainId: string;
  readonly contractId: string;
}

/** The lease under which to work: the one on the chain, or the next one where a fused claim was announced. */
export function leaseInForce(open: OpenRequest): LeaseRecord | undefined {
  const { lease, announced } = open;
  return announced && announced.leaseEpoch > (lease?.leaseEpoch ?? -1) ? announced : lease;
}

/** Whether an answer stands on the chain, final or waiting for objections, so that no other one is taken. */
export function isAnswered({ outcome, proposal }: OpenRequest): boolean {
  return outcome !== undefined || proposal !== undefined;
}

/** Whether these accounts, all different, are enough for an answer: by seats after an objection. */
export function suffices(open: OpenRequest, accountIds: readonly string[]): boolean {
  if (!open.objected) return accountIds.length >= open.record.level.quorum;
  const { accounts, seats } = highestNeed(open.record, open.committee);
  return accountIds.length >= accounts && accountIds.flatMap((accountId) => seatsOf(open, accountId)).length >= seats;
}

/** The seats of an account that were drawn for this request. */
export function seatsOf(open: OpenRequest, accountId: string): readonly number[] {
  return open.committee.find((member) => member.accountId === accountId)?.seats ?? [];
}

export function freshExchange(): Exchange {
  return {
    ownSignature: undefined,
    commitments: new Map(),
    revealed: undefined,
    attestations: new Map(),
    lastSentHeight: 0,
    resolveSentHeight: undefined,
    resolvesSent: 0,
  };
}

/** What everybody who agrees on `claim` signs under the request's lease. */
export function digestOf(
  network: NetworkIdentity,
  open: OpenRequest,
  lease: LeaseRecord,
  claim: ResultClaim,
): Uint8Array {
  return statementDigest({
    domain: RESULT_DOMAIN,
    chainId: network.chainId,
    contractId: network.contractId,
    requestId: open.record.requestId,
    requestDigest: open.digest,
    leaseEpoch: lease.leaseEpoch,
    holder: lease.holder,
    codeHash: claim.codeHash,
    replayClass: REPLAY_CLASS_PURE,
    costVersion: open.record.costVersion,
    inputHash: open.record.inputHash,
    seed: open.record.seed,
    responseHash: claim.responseHash,
    tapeHash: claim.tapeHash,
  });
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function equalClaims(a: ResultClaim, b: ResultClaim): boolean {
  return (
    equalBytes(a.codeHash, b.codeHash) &&
    equalBytes(a.responseHash, b.responseHash) &&
    equalBytes(a.tapeHash, b.tapeHash)
  );
}

/** The seat with which an account may attest under this lease, or nothing. */
export function attestingSeat(open: OpenRequest, lease: LeaseRecord, accountId: string): number | undefined {
  if (accountId === lease.holder) return lease.seat;
  return open.committee.find((draw) => draw.accountId === accountId)?.seat;
}

export function isActiveReplayer(open: OpenRequest, accountId: string, atHeight: number): boolean {
  const lease = leaseInForce(open);
  if (!lease) return false;
  // An answer that was objected to takes two thirds of all seats, so nobody waits for a turn.
  if (open.objected) return accountId !== lease.holder && seatsOf(open, accountId).length > 0;
  return activeReplayers(open.committee, open.record, lease, atHeight).some((draw) => draw.accountId === accountId);
}

/** Shortens what is shown to people; the machine's own texts are short, a peer's or an engine's may not be. */
export function shown(detail: string): string {
  return detail.length <= MAX_ERROR_BYTES ? detail : `${detail.slice(0, MAX_ERROR_BYTES)}…`;
}
