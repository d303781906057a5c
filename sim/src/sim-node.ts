/**
 * One simulated process: the product's worker machine, a log that survives crashes, and drivers whose every action
 * takes virtual time. It is to the machine what `node/src/worker/worker-driver.ts` is in the product.
 */
import {
  claimAndResolveArgs,
  claimLeaseArgs,
  finalizeExecutionArgs,
  objectArgs,
  resolveExecutionArgs,
} from "@outlayer/contract/client";
import type { ExecutionOutcome } from "@outlayer/protocol/execution/index";
import { InvariantError } from "@outlayer/protocol/invariant";
import type { Random } from "@outlayer/protocol/random";
import { asVerified, type PeerMessage } from "@outlayer/protocol/wire/messages";
import type { RequestOnChain, Submission, WorkerEffect, WorkerEvent } from "@outlayer/protocol/worker/events";
import { eventOf } from "@outlayer/protocol/worker/state-changes";
import { WorkerMachine } from "@outlayer/protocol/worker/worker-machine";
import { CHAIN_ID, CONTRACT_ID, type SimBlock, type SimChain } from "./chain.ts";
import { guestOutcome, inventedOutcome } from "./guest.ts";
import { type SimKey, verifyEd25519 } from "./keys.ts";
import type { Scheduler } from "./scheduler.ts";

/** The contract's default. */
const OBJECTION_BOND_YOCTO = 10n ** 24n;

type EffectOf<K extends WorkerEffect["kind"]> = Extract<WorkerEffect, { kind: K }>;

/** What a process meets outside itself. */
export interface World {
  readonly scheduler: Scheduler;
  readonly chain: SimChain;
  /** Hands a message to one node, or to all others, with the network's delays and faults. */
  transmit(from: SimNode, to: Uint8Array | undefined, message: PeerMessage): void;
  /** Milliseconds for a call to the node's RPC endpoint. */
  rpcDelayMs(): number;
  /** Milliseconds for a run of a guest or a transfer of its code. */
  workDelayMs(): number;
  /** Everything that a node does, in order: the trace. */
  record(node: SimNode, what: string): void;
  /** Before an effect is carried out: where invariants look. */
  observe(node: SimNode, effect: WorkerEffect): void;
}

export class SimNode {
  readonly accountId: string;
  readonly key: SimKey;
  readonly index: number;
  readonly log = new Map<string, Uint8Array>();
  readonly #world: World;
  readonly #random: Random;
  readonly #lies: boolean;
  #machine: WorkerMachine | undefined;
  /** Counts starts: what an earlier process set going must not reach a later one. */
  #generation = 0;
  #crashAfterPersist = false;
  /** Block news arrive in order, however the endpoint's answers overtake each other. */
  #newsAtMs = 0;
  /** The last block that was told to the machine. */
  #tip: Pick<SimBlock, "height" | "hash"> = { height: 0, hash: "" };

  /** A node that `lies` makes up its results, the same ones as everybody else who does. */
  constructor(index: number, accountId: string, key: SimKey, random: Random, world: World, lies: boolean) {
    this.index = index;
    this.accountId = accountId;
    this.key = key;
    this.#random = random;
    this.#lies = lies;
    this.#world = world;
  }

  get running(): boolean {
    return this.#machine !== undefined;
  }

  /** Whether this process runs and is not silent because it lost its log. */
  get mayAttest(): boolean {
    if (!this.#machine) return false;
    const { height, abstainUntilHeight } = this.#machine.view();
    return height >= abstainUntilHeight;
  }

  start(): void {
    if (this.#machine) throw new InvariantError(`${this.accountId} is started twice`);
    this.#generation++;
    this.#machine = new WorkerMachine({
      accountId: this.accountId,
      publicKey: this.key.publicKey,
      network: { chainId: CHAIN_ID, contractId: CONTRACT_ID },
      random: this.#random.fork(`process/${this.#generation}`),
      verify: verifyEd25519,
    });
    this.#world.record(this, "start");
    this.#step({ kind: "restored", records: [...this.log].map(([key, value]) => ({ key, value })) });
    this.#readAll();
  }

  crash(): void {
    if (!this.#machine) return;
    this.#machine = undefined;
    this.#crashAfterPersist = false;
    this.#generation++;
    this.#world.record(this, "crash");
  }

  crashAfterNextPersist(): void {
    this.#crashAfterPersist = true;
  }

  loseDisk(): void {
    this.log.clear();
  }

  /** A block was made: the node hears of it after its endpoint's delay, never before an earlier block. */
  hearOfBlock(block: SimBlock): void {
    const { scheduler } = this.#world;
    this.#newsAtMs = Math.max(this.#newsAtMs, scheduler.nowMs + this.#world.rpcDelayMs());
    this.#later(this.#newsAtMs - scheduler.nowMs, () => {
      // A block beside the one that was seen: if the chain goes on from it, the next one will say so.
      if (block.height <= this.#tip.height) return;
      if (block.previousHash !== this.#tip.hash) return this.#readAll();
      this.#tip = block;
      for (const change of block.changes) {
        const event = eventOf(change);
        if (event) this.#step(event);
      }
      this.#step({ kind: "blockObserved", height: block.height });
    });
  }

  hear(sender: SimNode, message: PeerMessage): void {
    this.#step({ kind: "messageReceived", from: asVerified(sender.accountId, sender.key.publicKey, message) });
  }

  #readAll(): void {
    const { chain } = this.#world;
    this.#tip = chain.head;
    const events = chain.storage().flatMap((change) => eventOf(change) ?? []);
    const nodes = events.flatMap((event) => (event.kind === "nodeChanged" ? [event.node] : []));
    const requests = events.flatMap((opened): RequestOnChain[] => {
      if (opened.kind !== "requestOpened") return [];
      const { record } = opened;
      const beside = events.filter((event) => "requestId" in event && event.requestId === record.requestId);
      return [
        {
          record,
          lease: beside.find((event) => event.kind === "leaseChanged")?.lease,
          outcome: beside.find((event) => event.kind === "outcomeStored")?.outcome,
          proposal: beside.find((event) => event.kind === "proposalChanged")?.proposal,
          objected: beside.some((event) => event.kind === "objectionStored"),
        },
      ];
    });
    this.#step({ kind: "contractRead", height: this.#tip.height, nodes, requests });
  }

  #step(event: WorkerEvent): void {
    if (!this.#machine) return;
    const generation = this.#generation;
    this.#world.record(this, describe(event));
    for (const effect of this.#machine.step(this.#world.scheduler.nowMs, event)) {
      this.#world.observe(this, effect);
      this.#perform(effect);
      if (this.#generation !== generation) return;
    }
  }

  /** Runs after virtual time, unless the process has ended by then. */
  #later(delayMs: number, run: () => void): void {
    const generation = this.#generation;
    this.#world.scheduler.after(delayMs, () => {
      if (this.#generation === generation) run();
    });
  }

  #perform(effect: WorkerEffect): void {
    switch (effect.kind) {
      case "persist":
        return this.#persist(effect);
      case "publish":
        return this.#world.transmit(this, undefined, effect.message);
      case "send":
        return this.#world.transmit(this, effect.to, effect.message);
      case "setTimer":
        return this.#later(effect.delayMs, () => this.#step({ kind: "timerFired", timer: effect.timer }));
      case "fetchCode":
        return this.#later(this.#world.workDelayMs(), () =>
          this.#step({ kind: "codeFetched", requestId: effect.requestId, requestDigest: effect.requestDigest }),
        );
      case "execute": {
        const { requestId, requestDigest, codeHash, job } = effect;
        const outcome: ExecutionOutcome = this.#lies ? inventedOutcome(job) : guestOutcome(codeHash, job);
        return this.#later(this.#world.workDelayMs(), () =>
          this.#step({ kind: "executed", requestId, requestDigest, outcome }),
        );
      }
      case "sign": {
        const { requestId, leaseEpoch, digest } = effect;
        return this.#later(0, () =>
          this.#step({ kind: "signed", requestId, leaseEpoch, signature: this.key.sign(digest) }),
        );
      }
      case "submit":
        return this.#submit(effect);
      case "reject":
        return this.#world.record(this, `reject ${effect.rejection.code}`);
      case "progress":
        return this.#world.record(this, `progress ${effect.requestId} ${effect.stage} ${effect.detail}`);
      case "keepReceipt":
        return this.#world.record(this, `receipt ${effect.receipt.request.requestId}`);
    }
  }

  #persist({ records }: EffectOf<"persist">): void {
    for (const { key, value } of records) {
      if (value === undefined) this.log.delete(key);
      else this.log.set(key, value);
    }
    if (this.#crashAfterPersist) this.crash();
  }

  #submit({ submission }: EffectOf<"submit">): void {
    const { method, args, depositYocto } = contractCallOf(submission);
    // A transaction that is on its way lands even when its sender dies.
    this.#world.scheduler.after(this.#world.rpcDelayMs(), () => {
      this.#world.chain.call(this.accountId, method, args, depositYocto, ({ accepted, reason }) => {
        this.#world.record(this, `${method} ${submission.requestId} ${accepted ? "accepted" : reason}`);
      });
    });
  }
}

function contractCallOf(submission: Submission): { method: string; args: string; depositYocto: bigint } {
  switch (submission.purpose) {
    case "claim":
      return { method: "claim_lease", args: claimLeaseArgs(submission), depositYocto: 0n };
    case "resolve":
      return { method: "resolve_execution", args: resolveExecutionArgs(submission), depositYocto: 0n };
    case "claimAndResolve":
      return { method: "claim_and_resolve", args: claimAndResolveArgs(submission), depositYocto: 0n };
    case "object":
      return { method: "object", args: objectArgs(submission), depositYocto: OBJECTION_BOND_YOCTO };
    case "finalize":
      return { method: "finalize_execution", args: finalizeExecutionArgs(submission.requestId), depositYocto: 0n };
  }
}

function describe(event: WorkerEvent): string {
  switch (event.kind) {
    case "blockObserved":
      return `block ${event.height}`;
    case "messageReceived":
      return `message ${event.from.message.kind} ${event.from.message.requestId} from ${event.from.sender}`;
    case "timerFired":
      return `timer ${event.timer}`;
    default:
      return "requestId" in event ? `${event.kind} ${event.requestId}` : event.kind;
  }
}
