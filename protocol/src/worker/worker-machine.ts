/**
 * The worker machine: one node's whole part in the life of requests, from the block that opens one to its receipt.
 *
 * It composes the rooms of the protocol (leasing, working, agreeing) and routes events to them; the rules are
 * theirs. Both drivers, `node/` and `sim/`, run this class and nothing else of the protocol. What is said here in
 * MUST language stands in `docs/spec/worker.md`.
 */
import { DISPLACEMENT_BLOCKS, Intents } from "../lease/claiming.ts";
import { MAX_EARLY_MESSAGES, MAX_OPEN_REQUESTS, MAX_REGISTRY_NODES } from "../limits.ts";
import type { Machine, Millis } from "../machine.ts";
import { highestCommittee, type Member, replayCommittee } from "../replay/committee.ts";
import { decode, encode, height, struct, WireError } from "../wire/borsh.ts";
import type { PeerMessage, Verified } from "../wire/messages.ts";
import {
  type LeaseRecord,
  type NodeRecord,
  type OutcomeRecord,
  type ProposalRecord,
  requestDigest,
} from "../wire/records.ts";
import { considerExchange, onAttestation, onCommitment, onReveal, onSigned } from "./agreeing.ts";
import { EarlyIntents } from "./early-intents.ts";
import type { LogRecord, WorkerEffect, WorkerEvent } from "./events.ts";
import { considerFinal } from "./finalizing.ts";
import { considerLease, onIntent, onLeaseChanged, onTurnTimer } from "./leasing.ts";
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

/** A node that lost its log signs nothing for as long as a request can live. */
const ABSTAIN_BLOCKS = 200;
const IDENTITY_KEY = "identity";
const identityRecord = struct({ abstainUntilHeight: height });

type OpenedEvent = Extract<WorkerEvent, { kind: "requestOpened" }>;

export class WorkerMachine implements Machine<WorkerEvent, WorkerEffect, WorkerView> {
  readonly #scope: Scope;
  /** Results of requests that were under way when the process ended, until their requests are listed again. */
  readonly #restored = new Map<number, OwnResult>();
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
        scope.height = Math.max(scope.height, event.height);
        this.#earlyIntents.observed(scope.height);
        for (const open of scope.requests.values()) this.#consider(open);
        return;
      case "nodeChanged":
        return this.#learnNode(event.node);
      case "requestOpened":
        return this.#open(event);
      case "requestClosed":
        return this.#close(event.requestId);
      case "pendingListed":
        return this.#reconcile(event.requestIds);
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
    if (!open) return;
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

  #open(opened: OpenedEvent): void {
    const { record } = opened;
    const scope = this.#scope;
    const known = scope.requests.get(record.requestId);
    if (known) return this.#catchUp(known, opened);
    const heardBefore = this.#earlyIntents.opened(record.requestId);
    if (scope.requests.size >= MAX_OPEN_REQUESTS) return;
    const digest = requestDigest(record);
    const restored = this.#restored.get(record.requestId);
    this.#restored.delete(record.requestId);
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
      work:
        restored && equalBytes(restored.requestDigest, digest) ? { kind: "done", result: restored } : { kind: "idle" },
      exchange: freshExchange(),
      early: [],
      committee: this.#committeeOf({ record, objected: false }),
    };
    scope.requests.set(record.requestId, open);
    scope.progress(open, "seen", `from ${record.predecessorId}, to be answered by block ${record.deadlineHeight}`);
    this.#catchUp(open, opened);
    for (const early of heardBefore) this.#receive(early);
  }

  #catchUp(open: OpenRequest, { lease, outcome, proposal, objected }: OpenedEvent): void {
    if (lease) onLeaseChanged(this.#scope, open, lease);
    this.#propose(open, proposal);
    if (objected) this.#object(open);
    if (outcome) this.#resolve(open, outcome);
    this.#consider(open);
  }

  #close(requestId: number): void {
    const open = this.#scope.requests.get(requestId);
    if (!open) return;
    this.#scope.requests.delete(requestId);
    if (open.work.kind === "done") this.#forget([requestId]);
    this.#scope.progress(open, "closed", endOf(open));
  }

  #reconcile(requestIds: readonly number[]): void {
    const listed = new Set(requestIds);
    for (const requestId of [...this.#scope.requests.keys()]) if (!listed.has(requestId)) this.#close(requestId);
    const ended = [...this.#restored.keys()].filter((requestId) => !listed.has(requestId));
    for (const requestId of ended) this.#restored.delete(requestId);
    if (ended.length > 0) this.#forget(ended);
    this.#establishIdentity();
  }

  #forget(requestIds: readonly number[]): void {
    const records = requestIds.map((requestId) => ({ key: `${RESULT_KEY}${requestId}`, value: undefined }));
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
        this.#scope.abstainUntilHeight = decode(identityRecord, value).abstainUntilHeight;
      } else if (key.startsWith(RESULT_KEY) && this.#restored.size < MAX_OPEN_REQUESTS) {
        const result = decodeResult(value);
        if (!result) return this.#loseLog();
        this.#restored.set(result.requestId, result);
      }
    }
  }

  /** A log that cannot be read is a log that was lost: what this node signed is no longer known. */
  #loseLog(): void {
    this.#hasIdentity = false;
    this.#restored.clear();
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
    const lease = leaseInForce(open);
    if (message.kind !== "LeaseIntent" && isEarly(from, open, scope.height)) {
      if (open.early.length < MAX_EARLY_MESSAGES) open.early.push(from);
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

function decodeResult(value: Uint8Array): OwnResult | undefined {
  try {
    return decode(ownResult, value);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
