/**
 * Drives the worker machine: events in, effects out. No rule of the protocol stands here. Events are handled one at
 * a time and their effects in order; a `persist` is on disk before the next effect starts; everything that takes
 * time runs beside the loop and comes back as an event.
 */

import {
  claimAndResolveBorsh,
  claimLeaseBorsh,
  finalizeExecutionArgs,
  objectArgs,
  resolveExecutionBorsh,
} from "@outlayer/contract/client";
import { InvariantError } from "@outlayer/protocol/invariant";
import { MAX_CODE_BYTES } from "@outlayer/protocol/limits";
import { REJECTIONS } from "@outlayer/protocol/reject";
import type { Receipt } from "@outlayer/protocol/wire/records";
import type { Stage, Submission, WorkerEffect, WorkerEvent } from "@outlayer/protocol/worker/events";
import type { WorkerView } from "@outlayer/protocol/worker/view";
import { WorkerMachine } from "@outlayer/protocol/worker/worker-machine";
import type { ContractCall, TransactionSender } from "../chain/transaction-sender.ts";
import type { Engine } from "../engine/index.ts";
import type { Logger } from "../logger.ts";
import type { ContentExchange, GossipVerdict, P2pHost } from "../p2p/index.ts";
import type { NodeStore } from "../store/index.ts";
import { type EnvelopeIdentity, seal, unseal } from "./envelopes.ts";

type WorkerConfig = ConstructorParameters<typeof WorkerMachine>[0];
type EffectOf<K extends WorkerEffect["kind"]> = Extract<WorkerEffect, { kind: K }>;

const CLAIM_GAS = 30_000_000_000_000n;
const RESOLVE_GAS = 300_000_000_000_000n;
/** The exchange gives up a search and a stalled provider by itself; this bounds a transfer that only crawls. */
const MAX_TRANSFER_MS = 60_000;
/** Timers and finished work can pile up while the disk is slow; more than this is a fault of ours. */
const MAX_QUEUED_EVENTS = 100_000;

export interface Progress {
  readonly requestId: number;
  readonly stage: Stage;
  readonly detail: string;
  readonly atMs: number;
}

export interface WorkerDriverOptions {
  readonly config: WorkerConfig;
  readonly identity: EnvelopeIdentity;
  readonly host: P2pHost;
  readonly content: ContentExchange;
  readonly store: NodeStore;
  readonly engine: Engine;
  readonly sender: TransactionSender;
  readonly contractId: string;
  /** What the contract asks for with an objection. */
  readonly objectionBondYocto: bigint;
  readonly logger: Logger;
  readonly onProgress: (progress: Progress) => void;
  readonly onReceipt: (receipt: Receipt) => Promise<void>;
  readonly onTransaction: (requestId: number, transactionHash: string) => void;
  /** The machine or its log broke: nothing can be promised any more, and the process must end. */
  readonly onFatal: (error: unknown) => void;
}

export class WorkerDriver {
  readonly #options: WorkerDriverOptions;
  readonly #machine: WorkerMachine;
  /** The event that is being handled. */
  #handling: readonly { done: (effects: readonly WorkerEffect[]) => void }[] = [];
  readonly #queue: { event: WorkerEvent; done: (effects: readonly WorkerEffect[]) => void }[] = [];
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #running = false;
  #stopped = false;

  private constructor(options: WorkerDriverOptions) {
    this.#options = options;
    this.#machine = new WorkerMachine(options.config);
  }

  static async start(options: WorkerDriverOptions): Promise<WorkerDriver> {
    const driver = new WorkerDriver(options);
    const records = (await options.store.log.load()).map(({ key, value }) => ({ key, value }));
    await driver.deliver({ kind: "restored", records });
    options.host.onGossip((from, bytes) => driver.#onGossip(from, bytes));
    options.host.onDirect((from, bytes) => driver.#onDirect(from, bytes));
    return driver;
  }

  view(): WorkerView {
    return this.#machine.view();
  }

  /** Hands an event to the machine; resolves with its effects when they were carried out, or at least begun. */
  deliver(event: WorkerEvent): Promise<readonly WorkerEffect[]> {
    return new Promise((resolve) => {
      if (this.#stopped) return resolve([]);
      if (this.#queue.length >= MAX_QUEUED_EVENTS) {
        return this.#options.onFatal(new InvariantError(`${MAX_QUEUED_EVENTS} events wait for the worker machine`));
      }
      this.#queue.push({ event, done: resolve });
      if (!this.#running) void this.#drain();
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #drain(): Promise<void> {
    this.#running = true;
    try {
      for (let next = this.#queue.shift(); next && !this.#stopped; next = this.#queue.shift()) {
        this.#handling = [next];
        const effects = this.#machine.step(Date.now(), next.event);
        for (const effect of effects) {
          if (effect.kind === "persist") await this.#options.store.log.append(effect.records);
          else this.#perform(effect);
        }
        next.done(effects);
      }
    } catch (error) {
      this.#stopped = true;
      this.#options.onFatal(error);
    } finally {
      this.#running = false;
      // Whoever waits for an event that is handled no more waits for nothing.
      if (this.#stopped) for (const { done } of [...this.#handling, ...this.#queue.splice(0)]) done([]);
    }
  }

  #perform(effect: Exclude<WorkerEffect, { kind: "persist" }>): void {
    const { identity, host, logger } = this.#options;
    switch (effect.kind) {
      case "publish":
        return this.#beside("publish", host.publish(seal(identity, effect.message)));
      case "send":
        return this.#beside("send", host.send(effect.to, seal(identity, effect.message)));
      case "setTimer":
        return this.#setTimer(effect);
      case "fetchCode":
        return this.#beside("fetch", this.#fetchCode(effect));
      case "execute":
        return this.#beside("execute", this.#execute(effect));
      case "sign": {
        const { requestId, leaseEpoch, digest } = effect;
        return this.#enqueue({ kind: "signed", requestId, leaseEpoch, signature: identity.nodeKey.sign(digest) });
      }
      case "submit":
        return this.#beside("submit", this.#submit(effect.submission));
      case "reject":
        return logger.debug("message refused", { code: effect.rejection.code, detail: effect.rejection.detail });
      case "progress": {
        const { requestId, stage, detail } = effect;
        logger.info("request", { requestId, stage, detail });
        return this.#options.onProgress({ requestId, stage, detail, atMs: Date.now() });
      }
      case "keepReceipt":
        return this.#beside("keep receipt", this.#options.onReceipt(effect.receipt));
    }
  }

  #enqueue(event: WorkerEvent): void {
    void this.deliver(event);
  }

  /** Work beside the loop: messages may be lost and are said again by the machine, so a failure is only noted. */
  #beside(what: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.#stopped) this.#options.logger.warn(`${what} failed`, {}, error);
    });
  }

  #setTimer({ timer, delayMs }: EffectOf<"setTimer">): void {
    clearTimeout(this.#timers.get(timer));
    const handle = setTimeout(() => {
      this.#timers.delete(timer);
      this.#enqueue({ kind: "timerFired", timer });
    }, delayMs);
    this.#timers.set(timer, handle);
  }

  async #fetchCode({ requestId, requestDigest, codeHash }: EffectOf<"fetchCode">): Promise<void> {
    const { store, content, logger } = this.#options;
    try {
      if (!(await store.content.get(codeHash))) {
        const signal = AbortSignal.timeout(MAX_TRANSFER_MS);
        const code = await content.fetch(codeHash, { maxBytes: MAX_CODE_BYTES, signal });
        await store.content.put(code, codeHash);
        content.announce(codeHash);
      }
      this.#enqueue({ kind: "codeFetched", requestId, requestDigest });
    } catch (error) {
      logger.info("code not found", { requestId, codeHash }, error);
      this.#enqueue({ kind: "codeUnavailable", requestId, requestDigest });
    }
  }

  async #execute({ requestId, requestDigest, codeHash, compileOnly, job }: EffectOf<"execute">): Promise<void> {
    const { store, engine } = this.#options;
    try {
      const code = await store.content.get(codeHash);
      if (!code) return this.#enqueue({ kind: "codeUnavailable", requestId, requestDigest });
      const outcome = await engine.run({ codeHash, code, compileOnly, ...job });
      this.#enqueue({ kind: "executed", requestId, requestDigest, outcome });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#enqueue({ kind: "executionFaulted", requestId, requestDigest, reason });
    }
  }

  async #submit(submission: Submission): Promise<void> {
    const { sender, logger } = this.#options;
    const { purpose, requestId } = submission;
    const leaseEpoch = "leaseEpoch" in submission ? submission.leaseEpoch : undefined;
    const { accepted, reason, transactionHash } = await sender.call(contractCallOf(this.#options, submission));
    if (accepted) this.#options.onTransaction(requestId, transactionHash);
    // The machine learns what came of it from the chain's records, as everybody does.
    logger.info("transaction ended", { purpose, requestId, leaseEpoch, accepted, reason });
  }

  async #onGossip(_from: Uint8Array, bytes: Uint8Array): Promise<GossipVerdict> {
    const message = unseal(this.#options.identity.networkId, bytes);
    if (!message) return "reject";
    const effects = await this.deliver({ kind: "messageReceived", from: message });
    const refusal = refusalIn(effects);
    if (!refusal) return "accept";
    return REJECTIONS[refusal.rejection.code] === "penalise" ? "reject" : "ignore";
  }

  #onDirect(from: Uint8Array, bytes: Uint8Array): void {
    const message = unseal(this.#options.identity.networkId, bytes);
    if (!message) return this.#options.host.penalise(from, "malformed_frame");
    void this.deliver({ kind: "messageReceived", from: message }).then((effects) => {
      const refusal = refusalIn(effects);
      if (refusal && REJECTIONS[refusal.rejection.code] === "penalise") {
        this.#options.host.penalise(from, "refused_message");
      }
    });
  }
}

function refusalIn(effects: readonly WorkerEffect[]): EffectOf<"reject"> | undefined {
  return effects.find((effect) => effect.kind === "reject");
}

const METHODS = {
  claim: { method: "claim_lease", gas: CLAIM_GAS },
  resolve: { method: "resolve_execution", gas: RESOLVE_GAS },
  claimAndResolve: { method: "claim_and_resolve", gas: RESOLVE_GAS },
  object: { method: "object", gas: CLAIM_GAS },
  finalize: { method: "finalize_execution", gas: RESOLVE_GAS },
} as const;

function contractCallOf({ contractId, objectionBondYocto }: WorkerDriverOptions, submission: Submission): ContractCall {
  const depositYocto = submission.purpose === "object" ? objectionBondYocto : 0n;
  return { contractId, ...METHODS[submission.purpose], args: argumentsOf(submission), depositYocto };
}

function argumentsOf(submission: Submission): Uint8Array {
  switch (submission.purpose) {
    case "claim":
      return claimLeaseBorsh(submission);
    case "resolve":
      return resolveExecutionBorsh(submission);
    case "claimAndResolve":
      return claimAndResolveBorsh(submission);
    case "object":
      return new TextEncoder().encode(objectArgs(submission));
    case "finalize":
      return new TextEncoder().encode(finalizeExecutionArgs(submission.requestId));
  }
}
