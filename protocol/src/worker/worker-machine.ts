/**
 * The worker machine: one node's whole part in the life of requests, from the block that opens one to its receipt.
 *
 * It composes the rooms of the protocol (leasing, working, agreeing) and routes events to them; the rules are
 * theirs. Both drivers, `node/` and `sim/`, run this class and nothing else of the protocol. What is said here in
 * MUST language stands in `docs/spec/worker.md`.
 */
import { bytesToHex } from "@noble/hashes/utils.js";
import { DISPLACEMENT_BLOCKS, Intents } from "../lease/claiming.ts";
import { MAX_EARLY_MESSAGES, MAX_EARLY_MESSAGES_OF_SENDER, MAX_OPEN_REQUESTS, MAX_REGISTRY_NODES } from "../limits.ts";
import type { Machine, Millis } from "../machine.ts";
import { highestCommittee, type Member, replayCommittee } from "../replay/committee.ts";
import { type Codec, decode, encode, height, struct, WireError } from "../wire/borsh.ts";
import type { PeerMessage, Verified } from "../wire/messages.ts";
import {
  type LeaseRecord,
  type NodeRecord,
  type OutcomeRecord,
  type ProposalRecord,
  type RequestRecord,
  requestDigest,
} from "../wire/records.ts";
import { considerExchange, onAttestation, onCommitment, onReveal, onSigned } from "./agreeing.ts";
import { EarlyIntents } from "./early-intents.ts";
import type { LogRecord, RequestOnChain, WorkerEffect, WorkerEvent } from "./events.ts";
import { considerFinal } from "./finalizing.ts";
import { considerLease, onIntent, onLeaseChanged, onLeaseRead, onTurnTimer } from "./leasing.ts";
import { considerObjection } from "./objecting.ts";
import { equalBytes, freshExchange, leaseInForce, type OpenRequest, type OwnResult, ownResult } from "./request.ts";
import { Scope, type WorkerConfig } from "./scope.ts";
import { viewOf, type WorkerView } from "./view.ts";
import {
  considerWork,
  onCodeFetched,
  onCodeUnavailable,
  onExecuted,
  onExecutionFaulted,
  RESULT_KEY,
} from "./working.ts";

/** Blocks after which no other block takes the place of one that ended a request; NEAR's final block lags by two or three. */
const REPLACEABLE_BLOCKS = 10;
/** A node that lost its log signs nothing for as long as a request can live. */
const ABSTAIN_BLOCKS = 200;
const IDENTITY_KEY = "identity";
const identityRecord = struct({ abstainUntilHeight: height });

type ReadEvent = Extract<WorkerEvent, { kind: "contractRead" }>;

/** A result whose request is not open here. */
interface KeptResult {
  readonly result: OwnResult;
  /** Where its request ended; not known of a result from the log until the contract was read. */
  readonly endedHeight: number | undefined;
}

export class WorkerMachine implements Machine<WorkerEvent, WorkerEffect, WorkerView> {
  readonly #scope: Scope;
  /**
   * Results of requests that were under way when the process ended, until the contract was read, and of requests that
   * ended, until nothing can open them again: a node that forgot what it signed could sign something else.
   */
  readonly #kept = new Map<string, KeptResult>();
  readonly #earlyIntents = new EarlyIntents();
  #hasIdentity = false;

  constructor(config: WorkerConfig) {
    this.#scope = new Scope(config);
  }

  step(_now: Millis, event: WorkerEvent): readonly WorkerEffect[] {
    this.#handle(event);
    return this.#scope.takeEffects();
  }

  view(): WorkerView {
    const scope = this.#scope;
    return {
      height: scope.height,
      accountId: scope.config.accountId,
      registered: scope.self !== undefined,
      abstainUntilHeight: scope.abstainUntilHeight,
      nodes: [...scope.nodes.values()].map((node) => ({
        accountId: node.accountId,
        publicKey: node.publicKey,
        seats: node.seatsNext,
        draining: node.draining,
      })),
      requests: [...scope.requests.values()].map(viewOf),
    };
  }

  #handle(event: WorkerEvent): void {
    const scope = this.#scope;
    switch (event.kind) {
      case "restored":
        return this.#restore(event.records);
      case "blockObserved":
        this.#observe(event.height);
        for (const open of scope.requests.values()) this.#consider(open);
        return;
      case "nodeChanged":
        return this.#learnNode(event.node);
      case "requestOpened": {
        const open = this.#open(event.record);
        if (!open) return;
        this.#consider(open);
        return this.#hearEarly(open);
      }
      case "requestClosed":
        return this.#close(event.requestId);
      case "contractRead":
        return this.#read(event);
      case "messageReceived":
        return this.#receive(event.from);
      case "timerFired":
        onTurnTimer(scope, event.timer);
        for (const open of scope.requests.values()) considerWork(scope, open);
        return;
      default:
        return this.#onRequestEvent(event);
    }
  }

  #onRequestEvent(event: Extract<WorkerEvent, { requestId: number }>): void {
    const scope = this.#scope;
    const open = scope.requests.get(event.requestId);
    if (!open || ("requestDigest" in event && !equalBytes(event.requestDigest, open.digest))) return;
    switch (event.kind) {
      case "leaseChanged":
        onLeaseChanged(scope, open, event.lease);
        this.#consider(open);
        return this.#hearEarly(open);
      case "outcomeStored":
        return this.#resolve(open, event.outcome);
      case "proposalChanged":
        this.#propose(open, event.proposal);
        // It goes for an outcome or an objection, which the same block brings: until then nothing follows.
        if (!event.proposal) return;
        break;
      case "objectionStored":
        this.#object(open);
        break;
      case "codeFetched":
        onCodeFetched(scope, open);
        return;
      case "codeUnavailable":
        onCodeUnavailable(scope, open);
        break;
      case "executed":
        onExecuted(scope, open, event.outcome);
        break;
      case "executionFaulted":
        onExecutionFaulted(scope, open, event.reason);
        return;
      case "signed":
        onSigned(scope, open, event.leaseEpoch, event.signature);
        return;
    }
    this.#consider(open);
  }

  #hearEarly(open: OpenRequest): void {
    for (const early of open.early.splice(0)) this.#receive(early);
  }

  #consider(open: OpenRequest): void {
    considerLease(this.#scope, open);
    considerWork(this.#scope, open);
    considerExchange(this.#scope, open);
    considerObjection(this.#scope, open);
    considerFinal(this.#scope, open);
  }

  #learnNode(node: NodeRecord): void {
    const { nodes, requests } = this.#scope;
    if (nodes.size >= MAX_REGISTRY_NODES && !nodes.has(node.accountId)) return;
    nodes.set(node.accountId, node);
    // Whoever lost or gained seats for an open request is judged by the contract as it is now, and so here.
    for (const open of requests.values()) {
      open.committee = this.#committeeOf(open);
    }
  }

  #committeeOf({ record, objected }: Pick<OpenRequest, "record" | "objected">): readonly Member[] {
    const { config, nodes } = this.#scope;
    return (objected ? highestCommittee : replayCommittee)(config.network.contractId, record, nodes.values());
  }

  #propose(open: OpenRequest, proposal: ProposalRecord | undefined): void {
    const isNew = proposal !== undefined && open.proposal === undefined;
    open.proposal = proposal;
    if (!isNew) return;
    open.waited = true;
    open.finalizeSentHeight = undefined;
    this.#scope.progress(open, "proposed", `open to objections until block ${proposal.finalHeight}`);
  }

  #object(open: OpenRequest): void {
    if (open.objected) return;
    open.objected = true;
    open.committee = this.#committeeOf(open);
    this.#scope.progress(open, "objected", "the highest level decides: every seat that was drawn");
  }

  #resolve(open: OpenRequest, outcome: OutcomeRecord): void {
    if (open.outcome || !open.lease) return;
    open.outcome = outcome;
    const { success, error } = outcome.response;
    this.#scope.emit({ kind: "keepReceipt", receipt: { request: open.record, lease: open.lease, outcome } });
    this.#scope.progress(open, "resolved", success ? "success" : (error ?? ""));
  }

  /** The request as it is known here; nothing where it is one too many. */
  #open(record: RequestRecord): OpenRequest | undefined {
    const scope = this.#scope;
    const { requestId } = record;
    const digest = requestDigest(record);
    const known = scope.requests.get(requestId);
    if (known && equalBytes(known.digest, digest)) return known;
    // Another request has its number: the block that opened the one known here was replaced.
    if (known) this.#setAside(known);
    const heardBefore = this.#earlyIntents.opened(requestId);
    if (scope.requests.size >= MAX_OPEN_REQUESTS) return undefined;
    const kept = this.#kept.get(keptKey(requestId, digest));
    this.#kept.delete(keptKey(requestId, digest));
    const open: OpenRequest = {
      record,
      digest,
      intents: new Intents(),
      lease: undefined,
      announced: undefined,
      outcome: undefined,
      proposal: undefined,
      waited: false,
      objected: false,
      finalizeSentHeight: undefined,
      objectionSentHeight: undefined,
      claim: undefined,
      waitingTurn: undefined,
      work: kept ? { kind: "done", result: kept.result } : { kind: "idle" },
      exchange: freshExchange(),
      early: [...heardBefore],
      committee: this.#committeeOf({ record, objected: false }),
    };
    scope.requests.set(requestId, open);
    scope.progress(open, "seen", `from ${record.predecessorId}, to be answered by block ${record.deadlineHeight}`);
    return open;
  }

  #close(requestId: number): void {
    const open = this.#scope.requests.get(requestId);
    if (!open) return;
    this.#setAside(open);
    this.#scope.progress(open, "closed", endOf(open));
  }

  /** No request any more; its result is kept for as long as a block can bring it back. */
  #setAside({ record, digest, work }: OpenRequest): void {
    this.#scope.requests.delete(record.requestId);
    if (work.kind !== "done") return;
    this.#kept.set(keptKey(record.requestId, digest), { result: work.result, endedHeight: this.#scope.height });
  }

  #read({ height, nodes, requests }: ReadEvent): void {
    const scope = this.#scope;
    // Also a lower one: what an endpoint once made up must not stay.
    scope.height = height;
    scope.abstainUntilHeight = Math.min(scope.abstainUntilHeight, height + ABSTAIN_BLOCKS);
    scope.nodes.clear();
    for (const node of nodes.slice(0, MAX_REGISTRY_NODES)) scope.nodes.set(node.accountId, node);
    this.#establishIdentity();
    const listed = new Set(requests.map(({ record }) => record.requestId));
    for (const requestId of [...scope.requests.keys()]) if (!listed.has(requestId)) this.#close(requestId);
    for (const request of requests) this.#readRequest(request);
    // From here on it counts: what ended in a gap ended at a height that nobody here has seen.
    for (const [key, { result }] of this.#kept) this.#kept.set(key, { result, endedHeight: scope.height });
  }

  /** What stands on the chain holds, also where it takes back what replaced blocks said. */
  #readRequest({ record, lease, outcome, proposal, objected }: RequestOnChain): void {
    const open = this.#open(record);
    if (!open) return;
    if (objected) this.#object(open);
    else open.objected = false;
    open.committee = this.#committeeOf(open);
    onLeaseRead(this.#scope, open, lease);
    this.#propose(open, proposal);
    if (outcome) this.#resolve(open, outcome);
    else open.outcome = undefined;
    this.#consider(open);
    this.#hearEarly(open);
  }

  #observe(height: number): void {
    const scope = this.#scope;
    scope.height = Math.max(scope.height, height);
    this.#earlyIntents.observed(scope.height);
    const over = [...this.#kept].filter(
      ([, { endedHeight }]) => endedHeight !== undefined && scope.height >= endedHeight + REPLACEABLE_BLOCKS,
    );
    if (over.length > 0) this.#forget(over);
  }

  /** From memory, and from the log where nothing newer stands under the request's number. */
  #forget(results: readonly (readonly [key: string, kept: KeptResult])[]): void {
    for (const [key] of results) this.#kept.delete(key);
    const needed = new Set([...this.#kept.values()].map(({ result }) => result.requestId));
    for (const { record, work } of this.#scope.requests.values())
      if (work.kind === "done") needed.add(record.requestId);
    const ids = results.map(([, { result }]) => result.requestId).filter((requestId) => !needed.has(requestId));
    if (ids.length === 0) return;
    const records = ids.map((requestId) => ({ key: `${RESULT_KEY}${requestId}`, value: undefined }));
    this.#scope.emit({ kind: "persist", records });
  }

  /** An empty log is a first start, unless the chain already knows this node: then the log was lost. */
  #establishIdentity(): void {
    if (this.#hasIdentity) return;
    this.#hasIdentity = true;
    const scope = this.#scope;
    if (scope.self) scope.abstainUntilHeight = scope.height + ABSTAIN_BLOCKS;
    const value = encode(identityRecord, { abstainUntilHeight: scope.abstainUntilHeight });
    scope.emit({ kind: "persist", records: [{ key: IDENTITY_KEY, value }] });
  }

  #restore(records: readonly LogRecord[]): void {
    this.#hasIdentity = records.some(({ key, value }) => key === IDENTITY_KEY && value !== undefined);
    for (const { key, value } of records) {
      if (value === undefined) continue;
      if (key === IDENTITY_KEY) {
        const identity = decodeOr(identityRecord, value);
        if (!identity) return this.#loseLog();
        this.#scope.abstainUntilHeight = identity.abstainUntilHeight;
      } else if (key.startsWith(RESULT_KEY)) {
        const result = decodeOr(ownResult, value);
        if (!result) return this.#loseLog();
        this.#kept.set(keptKey(result.requestId, result.requestDigest), { result, endedHeight: undefined });
      }
    }
  }

  /** A log that cannot be read is a log that was lost: what this node signed is no longer known. */
  #loseLog(): void {
    this.#hasIdentity = false;
    this.#kept.clear();
  }

  #receive(from: Verified<PeerMessage>): void {
    const scope = this.#scope;
    const { message } = from;
    const open = scope.requests.get(message.requestId);
    if (open?.outcome) return scope.reject(from, "unknownRequest", `request ${message.requestId} is resolved`);
    const node = scope.nodes.get(from.sender);
    if (!node) return scope.reject(from, "unknownNode", `${from.sender} is not registered`);
    if (!equalBytes(node.publicKey, from.publicKey)) {
      return scope.reject(from, "foreignKey", `the envelope's key is not that of ${from.sender}`);
    }
    if (!open) {
      if (this.#earlyIntents.hold(from, scope.height)) return;
      return scope.reject(from, "unknownRequest", `request ${message.requestId} is not open here`);
    }
    if (!equalBytes(message.requestDigest, open.digest)) {
      return scope.reject(from, "unknownRequest", `another request has the number ${message.requestId} here`);
    }
    const lease = leaseInForce(open);
    if (message.kind !== "LeaseIntent" && isEarly(from, open, scope.height)) {
      const ofSender = open.early.filter(({ sender }) => sender === from.sender).length;
      if (open.early.length < MAX_EARLY_MESSAGES && ofSender < MAX_EARLY_MESSAGES_OF_SENDER) open.early.push(from);
      else scope.reject(from, "staleLease", `about lease epoch ${message.leaseEpoch}, which does not stand here yet`);
      return;
    }
    switch (message.kind) {
      case "LeaseIntent":
        onIntent(scope, { ...from, message }, node, open);
        considerWork(scope, open);
        considerExchange(scope, open);
        return this.#hearEarly(open);
      case "Commitment":
        if (lease?.leaseEpoch !== message.leaseEpoch) break;
        return onCommitment(scope, { ...from, message }, open, lease);
      case "Reveal":
        if (!isAbout(from, lease)) break;
        return onReveal(scope, { ...from, message }, open, lease);
      case "Attestation":
        if (!isAbout(from, lease)) break;
        return onAttestation(scope, { ...from, message }, open, lease, node);
    }
    const here = lease ? `${lease.leaseEpoch} of ${lease.holder}` : "free";
    scope.reject(from, "staleLease", `about lease epoch ${message.leaseEpoch}, here it is ${here}`);
  }
}

function keptKey(requestId: number, requestDigest: Uint8Array): string {
  return `${requestId}/${bytesToHex(requestDigest)}`;
}

function endOf({ outcome, waited, objected }: OpenRequest): string {
  if (outcome) return "settled";
  if (waited && !objected) return "ended while an answer waited, which counts unless the request was cancelled";
  return "ended without an answer: refunded";
}

/** The holder that a message speaks of, where it names one. */
function holderIn({ sender, message }: Verified<PeerMessage>): string | undefined {
  if (message.kind === "Reveal") return sender;
  return message.kind === "Attestation" ? message.holder : undefined;
}

function isAbout(from: Verified<PeerMessage>, lease: LeaseRecord | undefined): lease is LeaseRecord {
  return lease?.leaseEpoch === from.message.leaseEpoch && lease.holder === holderIn(from);
}

/**
 * Whether the sender may be ahead of this node: it has seen a block with a later lease, or it heard of a better claim
 * of this one while the claim can still change hands.
 */
function isEarly(from: Verified<PeerMessage>, open: OpenRequest, height: number): boolean {
  const lease = leaseInForce(open);
  const { leaseEpoch } = from.message;
  if (!lease || leaseEpoch !== lease.leaseEpoch) return leaseEpoch > (lease?.leaseEpoch ?? -1);
  const settled = lease === open.lease && height > lease.claimedHeight + DISPLACEMENT_BLOCKS;
  const holder = holderIn(from);
  return holder !== undefined && holder !== lease.holder && !settled;
}

function decodeOr<T>(codec: Codec<T>, value: Uint8Array): T | undefined {
  try {
    return decode(codec, value);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
