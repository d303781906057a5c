/**
 * The worker's part in agreement: replayers commit, the holder reveals, replayers attest, a quorum resolves.
 *
 * Every message may be lost, so whoever waits repeats what it said every few blocks, and every receiver takes
 * repetition as nothing new. When the holder does not send a resolve that it could send, a replayer does.
 */
import { MAX_ATTESTATIONS } from "../limits.ts";
import { highestCommittee } from "../replay/committee.ts";
import { commitmentOf, type MessageOf, type PeerMessage, type ResultClaim, type Verified } from "../wire/messages.ts";
import type { LeaseRecord, NodeRecord } from "../wire/records.ts";
import type { SignedResult } from "./events.ts";
import {
  attestingSeat,
  digestOf,
  equalBytes,
  equalClaims,
  isActiveReplayer,
  isAnswered,
  leaseInForce,
  type OpenRequest,
  type OwnResult,
  seatsOf,
  suffices,
} from "./request.ts";
import type { Scope } from "./scope.ts";

/** Blocks after which an unanswered message is said again. */
const REPEAT_BLOCKS = 2;
/** Blocks that the holder waits for more commitments than the quorum needs. */
const REVEAL_PATIENCE_BLOCKS = 1;
/** A transaction lands in the second or third block after it was sent; before that nobody can say that it is lost. */
const RESOLVE_REPEAT_BLOCKS = 4;
/** Blocks that replayers give the holder's resolve to land; after that one of them sends it, in turn. */
const RESOLVE_PATIENCE_BLOCKS = 4;

/** What the contract takes beyond two quorums: more would only cost gas. */
const SPARE_ATTESTATIONS = 6;

interface Ready {
  readonly lease: LeaseRecord;
  readonly result: OwnResult;
  readonly signature: Uint8Array;
}

/** Moves the exchange on as far as what is known allows; called after every event about the request and every block. */
export function considerExchange(scope: Scope, open: OpenRequest): void {
  const ready = readiness(scope, open);
  if (!ready) return;
  if (ready.lease.holder === scope.config.accountId) considerReveal(scope, open, ready);
  else considerCommitment(scope, open, ready);
  considerResolve(scope, open, ready);
}

function readiness(scope: Scope, open: OpenRequest): Ready | undefined {
  const { work, exchange } = open;
  const lease = leaseInForce(open);
  if (!lease || work.kind !== "done" || isAnswered(open) || scope.abstains) return undefined;
  // After an objection the highest level has until the yield ends.
  if (scope.height > open.record.deadlineHeight && !open.objected) return undefined;
  const self = scope.config.accountId;
  if (attestingSeat(open, lease, self) === undefined) return undefined;
  if (lease.holder !== self && !isActiveReplayer(open, self, scope.height)) return undefined;
  if (exchange.ownSignature) return { lease, result: work.result, signature: exchange.ownSignature };
  const digest = digestOf(scope.config.network, open, lease, work.result.claim);
  scope.emit({ kind: "sign", requestId: open.record.requestId, leaseEpoch: lease.leaseEpoch, digest });
  return undefined;
}

export function onSigned(scope: Scope, open: OpenRequest, leaseEpoch: number, signature: Uint8Array): void {
  const lease = leaseInForce(open);
  if (lease?.leaseEpoch !== leaseEpoch || open.work.kind !== "done") return;
  const digest = digestOf(scope.config.network, open, lease, open.work.result.claim);
  // The lease can have changed hands while the signature was made: then it speaks of the old one.
  if (!scope.config.verify(scope.config.publicKey, digest, signature)) return;
  open.exchange.ownSignature = signature;
  considerExchange(scope, open);
}

/** What a message about a lease of a request is about. */
function subjectOf({ record, digest }: OpenRequest, { leaseEpoch }: LeaseRecord) {
  return { requestId: record.requestId, requestDigest: digest, leaseEpoch };
}

function sendTo(scope: Scope, accountId: string, message: PeerMessage): void {
  const node = scope.nodes.get(accountId);
  if (node) scope.emit({ kind: "send", to: node.publicKey, message });
}

// --- the replayer's side -------------------------------------------------------------------------------------

function ownCommitment(scope: Scope, open: OpenRequest, lease: LeaseRecord): Uint8Array | undefined {
  if (open.work.kind !== "done") return undefined;
  const { claim, nonce } = open.work.result;
  return commitmentOf(open.digest, lease.leaseEpoch, scope.config.accountId, claim, nonce);
}

function considerCommitment(scope: Scope, open: OpenRequest, { lease }: Ready): void {
  const { exchange } = open;
  if (exchange.revealed) return considerAttestation(scope, open);
  if (exchange.lastSentHeight > 0 && scope.height < exchange.lastSentHeight + REPEAT_BLOCKS) return;
  const first = exchange.lastSentHeight === 0;
  exchange.lastSentHeight = scope.height;
  const seat = attestingSeat(open, lease, scope.config.accountId)!;
  const commitment = ownCommitment(scope, open, lease)!;
  sendTo(scope, lease.holder, { kind: "Commitment", ...subjectOf(open, lease), seat, commitment });
  if (first) scope.progress(open, "committed", `to ${lease.holder}`);
}

export function onReveal(
  scope: Scope,
  from: Verified<MessageOf<"Reveal">>,
  open: OpenRequest,
  lease: LeaseRecord,
): void {
  const { result, signature } = from.message;
  if (!scope.config.verify(from.publicKey, digestOf(scope.config.network, open, lease, result), signature)) {
    return scope.reject(from, "badAttestation", "the reveal's signature does not hold");
  }
  const { exchange } = open;
  const named = from.message.commitments.find(({ accountId }) => accountId === scope.config.accountId);
  const own = ownCommitment(scope, open, lease);
  if (named && own && !equalBytes(named.commitment, own)) {
    return scope.reject(from, "brokenCommitment", "the reveal names a commitment that this node did not make");
  }
  if (exchange.revealed) {
    // A repeated reveal means that our attestation did not arrive.
    exchange.lastSentHeight = 0;
  } else {
    exchange.revealed = { claim: result, height: scope.height };
    exchange.lastSentHeight = 0;
    for (const { accountId, commitment } of from.message.commitments) exchange.commitments.set(accountId, commitment);
    exchange.attestations.set(from.sender, { seat: lease.seat, claim: result, opening: undefined, signature });
  }
  considerExchange(scope, open);
}

function considerAttestation(scope: Scope, open: OpenRequest): void {
  const { exchange, work } = open;
  const lease = leaseInForce(open);
  if (!lease || work.kind !== "done" || !exchange.ownSignature || !exchange.revealed) return;
  if (exchange.lastSentHeight > 0 && scope.height < exchange.lastSentHeight + REPEAT_BLOCKS) return;
  const first = !exchange.attestations.has(scope.config.accountId);
  exchange.lastSentHeight = scope.height;
  const self = scope.config.accountId;
  const seat = attestingSeat(open, lease, self)!;
  const { claim, nonce } = work.result;
  const signature = exchange.ownSignature;
  exchange.attestations.set(self, { seat, claim, opening: ownCommitment(scope, open, lease), signature });
  const message: PeerMessage = {
    kind: "Attestation",
    ...subjectOf(open, lease),
    holder: lease.holder,
    seat,
    result: claim,
    nonce,
    signature,
  };
  sendTo(scope, lease.holder, message);
  for (const { accountId } of open.committee) {
    if (accountId !== self && accountId !== lease.holder && isActiveReplayer(open, accountId, scope.height)) {
      sendTo(scope, accountId, message);
    }
  }
  if (!first) return;
  if (equalClaims(claim, exchange.revealed.claim)) scope.progress(open, "attested", `to ${lease.holder}`);
  else scope.progress(open, "disagreement", `this node's result differs from that of ${lease.holder}`);
}

// --- the holder's side ---------------------------------------------------------------------------------------

export function onCommitment(
  scope: Scope,
  from: Verified<MessageOf<"Commitment">>,
  open: OpenRequest,
  lease: LeaseRecord,
): void {
  const { seat, commitment } = from.message;
  if (lease.holder !== scope.config.accountId) return scope.reject(from, "notHolder", `the holder is ${lease.holder}`);
  if (from.sender === lease.holder || attestingSeat(open, lease, from.sender) !== seat) {
    return refuseSeat(scope, from, open, seat);
  }
  const { exchange } = open;
  if (exchange.revealed) {
    // Too late for the set, not for the answer; and a replayer that repeats itself has not seen the reveal.
    sendReveal(scope, open, lease, from.sender);
    return;
  }
  const known = exchange.commitments.get(from.sender);
  if (known) {
    if (!equalBytes(known, commitment)) scope.reject(from, "brokenCommitment", "a second, different commitment");
    return;
  }
  exchange.commitments.set(from.sender, commitment);
  considerExchange(scope, open);
}

function considerReveal(scope: Scope, open: OpenRequest, { lease, result, signature }: Ready): void {
  const { exchange, record } = open;
  if (exchange.revealed) {
    if (scope.height < exchange.lastSentHeight + REPEAT_BLOCKS) return;
    exchange.lastSentHeight = scope.height;
    for (const accountId of exchange.commitments.keys()) {
      if (!exchange.attestations.has(accountId)) sendReveal(scope, open, lease, accountId);
    }
    return;
  }
  const others = open.committee.filter((draw) => draw.accountId !== lease.holder).length;
  const wanted = open.objected ? others : Math.min(record.level.replicas - 1, others);
  const patient = scope.height < lease.claimedHeight + REVEAL_PATIENCE_BLOCKS;
  const have = exchange.commitments.size;
  if (!suffices(open, [lease.holder, ...exchange.commitments.keys()]) || (have < wanted && patient)) return;

  exchange.revealed = { claim: result.claim, height: scope.height };
  exchange.lastSentHeight = scope.height;
  exchange.attestations.set(lease.holder, { seat: lease.seat, claim: result.claim, opening: undefined, signature });
  for (const accountId of exchange.commitments.keys()) sendReveal(scope, open, lease, accountId);
  scope.progress(open, "revealed", `${have} commitments`);
}

function sendReveal(scope: Scope, open: OpenRequest, lease: LeaseRecord, to: string): void {
  const { exchange } = open;
  if (!exchange.revealed || !exchange.ownSignature) return;
  sendTo(scope, to, {
    kind: "Reveal",
    ...subjectOf(open, lease),
    result: exchange.revealed.claim,
    signature: exchange.ownSignature,
    commitments: [...exchange.commitments].map(([accountId, commitment]) => ({ accountId, commitment })),
  });
}

/** The sender may have seen an objection, after which more seats count, a block before this node. */
function refuseSeat(scope: Scope, from: Verified<PeerMessage>, open: OpenRequest, seat: number): void {
  const node = scope.nodes.get(from.sender);
  const drawn = node && highestCommittee(scope.config.network.contractId, open.record, [node]);
  const mayCount = from.sender !== leaseInForce(open)?.holder && drawn?.some(({ seats }) => seats.includes(seat));
  const detail = `seat ${seat} of ${from.sender} may not replay this request`;
  scope.reject(from, mayCount ? "staleLease" : "notEligible", detail);
}

// --- both sides ----------------------------------------------------------------------------------------------

export function onAttestation(
  scope: Scope,
  from: Verified<MessageOf<"Attestation">>,
  open: OpenRequest,
  lease: LeaseRecord,
  node: NodeRecord,
): void {
  const { seat, result, nonce, signature } = from.message;
  if (from.sender === lease.holder || attestingSeat(open, lease, from.sender) !== seat) {
    return refuseSeat(scope, from, open, seat);
  }
  const { exchange } = open;
  if (exchange.attestations.has(from.sender)) return scope.reject(from, "duplicate", "the attestation is known");
  const opening = commitmentOf(open.digest, lease.leaseEpoch, from.sender, result, nonce);
  const commitment = exchange.commitments.get(from.sender);
  // A replayer knows others' commitments by the holder's word alone, which is no ground for blame.
  const firstHand = lease.holder === scope.config.accountId;
  if (firstHand && commitment && !equalBytes(commitment, opening)) {
    return scope.reject(from, "brokenCommitment", "the attestation does not open the commitment");
  }
  if (!scope.config.verify(node.publicKey, digestOf(scope.config.network, open, lease, result), signature)) {
    return scope.reject(from, "badAttestation", "the attestation's signature does not hold");
  }
  exchange.attestations.set(from.sender, { seat, claim: result, opening, signature });
  noteDisagreement(scope, open, from.sender, result);
  considerExchange(scope, open);
}

function noteDisagreement(scope: Scope, open: OpenRequest, sender: string, claim: ResultClaim): void {
  if (open.work.kind === "done" && !equalClaims(open.work.result.claim, claim)) {
    scope.progress(open, "disagreement", `${sender} found another result`);
  }
}

function considerResolve(scope: Scope, open: OpenRequest, { lease, result }: Ready): void {
  const { exchange, record } = open;
  if (!exchange.revealed) return;
  if (exchange.resolveSentHeight !== undefined && scope.height < exchange.resolveSentHeight + RESOLVE_REPEAT_BLOCKS)
    return;
  const equal = equalResults(open, result.claim);
  if (!suffices(open, accountsOf(equal))) return;
  const claimed = lease === open.lease;
  const turn = resolveTurn(scope, open, lease);
  // A claim that is only announced is its holder's to make, and one that travels by itself must land first.
  if (!claimed && (turn > 0 || open.claim?.onChain)) return;
  if (turn > 0 && scope.height < exchange.revealed.height + RESOLVE_PATIENCE_BLOCKS + turn) return;

  const tries = exchange.resolvesSent++;
  const attestations = open.objected ? everySeatOf(open, equal) : attestationsToName(equal, record.level.quorum, tries);
  exchange.resolveSentHeight = scope.height;
  const answer = {
    requestId: record.requestId,
    leaseEpoch: lease.leaseEpoch,
    codeHash: result.claim.codeHash,
    tapeHash: result.claim.tapeHash,
    response: result.response,
    attestations,
  };
  scope.emit({
    kind: "submit",
    submission: claimed
      ? { purpose: "resolve", ...answer }
      : { purpose: "claimAndResolve", seat: lease.seat, ...answer },
  });
  scope.progress(open, "resolveSent", `${attestations.length} equal attestations`);
}

/**
 * Who found `claim`: those whose commitment was made before the reveal, and the holder. What came later may have been
 * copied from the reveal, so it counts, and is paid, only where the others do not make a quorum.
 */
function equalResults(open: OpenRequest, claim: ResultClaim): readonly SignedResult[] {
  const { exchange } = open;
  const timely: SignedResult[] = [];
  const late: SignedResult[] = [];
  for (const [accountId, { seat, claim: found, opening, signature }] of exchange.attestations) {
    if (!equalClaims(found, claim)) continue;
    const commitment = exchange.commitments.get(accountId);
    const committed = opening === undefined || (commitment !== undefined && equalBytes(commitment, opening));
    (committed ? timely : late).push({ accountId, seat, signature });
  }
  return suffices(open, accountsOf(timely)) ? timely : [...timely, ...late];
}

const accountsOf = (results: readonly SignedResult[]): readonly string[] => results.map(({ accountId }) => accountId);

/** After an objection seats are counted: an account names each one of its own that was drawn, with one signature. */
function everySeatOf(open: OpenRequest, equal: readonly SignedResult[]): readonly SignedResult[] {
  return equal
    .flatMap((result) => seatsOf(open, result.accountId).map((seat) => ({ ...result, seat })))
    .slice(0, MAX_ATTESTATIONS);
}

/**
 * The first try names everybody who found the same, since everybody who worked is to be paid. One signer whom the
 * contract no longer accepts makes the whole transaction fail, so each later try names another quorum of them.
 */
function attestationsToName(
  equal: readonly SignedResult[],
  quorum: number,
  triesBefore: number,
): readonly SignedResult[] {
  const sorted = equal.toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1));
  if (triesBefore === 0) return sorted.slice(0, 2 * quorum + SPARE_ATTESTATIONS);
  return sorted.map((_, i) => sorted[(i + triesBefore - 1) % sorted.length]!).slice(0, quorum);
}

/** 0 for the holder, then the replayers in the order of their tickets. */
function resolveTurn(scope: Scope, open: OpenRequest, lease: LeaseRecord): number {
  if (lease.holder === scope.config.accountId) return 0;
  const others = open.committee.filter((draw) => draw.accountId !== lease.holder);
  return 1 + others.findIndex((draw) => draw.accountId === scope.config.accountId);
}
