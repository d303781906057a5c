/**
 * Runs a scenario: nodes, chain and network on one scheduler, faults at their time, invariants on every effect and
 * every block, and a hash over the whole trace, so that a seed replays bit for bit.
 */
import { createHash } from "node:crypto";
import { Random } from "@outlayer/protocol/random";
import { replayCommittee } from "@outlayer/protocol/replay/committee";
import type { PeerMessage } from "@outlayer/protocol/wire/messages";
import type { RequestRecord } from "@outlayer/protocol/wire/records";
import type { WorkerEffect, WorkerEvent } from "@outlayer/protocol/worker/events";
import { eventOf } from "@outlayer/protocol/worker/state-changes";
import { CONTRACT_ID, nodeId, type SimBlock, SimChain } from "./chain.ts";
import { Invariants, type RequestEnd } from "./invariants.ts";
import { SimKey } from "./keys.ts";
import type { Fault, Scenario } from "./scenario.ts";
import { Scheduler } from "./scheduler.ts";
import { SimNode, type World } from "./sim-node.ts";

const SHORT_INSTRUCTIONS = 1_000_000;
const LONG_INSTRUCTIONS = 10_000_000_000;
/** Long enough for an announcement to be on its way, too short for what follows from it. */
const CLAIMANT_LIVES_MS = 5;
/** NEAR ends a yield after 200 blocks; its callback and the refund take a few more. */
const OUTLAST_BLOCKS = 210;

export interface Report {
  readonly scenario: string;
  readonly seed: string;
  readonly events: number;
  readonly virtualMs: number;
  /** sha256 over every line of the trace. */
  readonly traceHash: string;
  readonly requests: readonly RequestEnd[];
  readonly messages: { readonly sent: number; readonly lost: number };
  readonly violations: readonly string[];
}

export interface SimulationOptions {
  readonly onTrace?: (line: string) => void;
}

export function simulate(scenario: Scenario, seed: string, options: SimulationOptions = {}): Report {
  return new Simulation(scenario, seed, options).run();
}

function eventsOf({ changes }: SimBlock): readonly WorkerEvent[] {
  return changes.flatMap((change) => eventOf(change) ?? []);
}

class Simulation implements World {
  readonly scheduler = new Scheduler();
  readonly chain: SimChain;
  readonly #scenario: Scenario;
  readonly #seed: string;
  readonly #onTrace: ((line: string) => void) | undefined;
  readonly #trace = createHash("sha256");
  readonly #delays: Random;
  readonly #losses: Random;
  readonly #drops: Random;
  readonly #nodes: readonly SimNode[];
  readonly #byKey = new Map<string, SimNode>();
  readonly #invariants: Invariants;
  readonly #crashedClaims = new Set<number>();
  /** The newest block, until its events were judged. */
  #newest: SimBlock | undefined;
  #sent = 0;
  #lost = 0;

  constructor(scenario: Scenario, seed: string, options: SimulationOptions) {
    const random = new Random(new TextEncoder().encode(`${scenario.name}/${seed}`));
    const { liars } = scenario;
    this.#scenario = scenario;
    this.#seed = seed;
    this.#onTrace = options.onTrace;
    this.#delays = random.fork("delays");
    this.#losses = random.fork("losses");
    this.#drops = random.fork("drops");
    const droppableHead = scenario.droppedPerMille > 0;
    this.chain = new SimChain({ ...scenario, droppableHead, random: random.fork("chain") });
    this.#nodes = Array.from({ length: scenario.nodes }, (_, index) => {
      const accountId = nodeId(index);
      const key = new SimKey(random.fork(`node-key/${index}`));
      return new SimNode(index, accountId, key, random.fork(`node/${index}`), this, liars.includes(index));
    });
    this.#invariants = new Invariants((key) => liars.some((index) => this.#byKey.get(keyOf(key))?.index === index));
    for (const node of this.#nodes) this.#byKey.set(keyOf(node.key.publicKey), node);
  }

  run(): Report {
    const { blocks, blockMs, requests, faults } = this.#scenario;
    // A node starts before it is known to the chain; the other way round it would count as one that lost its disk.
    for (const node of this.#nodes) node.start();
    for (const node of this.#nodes) this.chain.registerNode(node.accountId, node.key);
    for (const node of this.#nodes) {
      node.crash();
      node.start();
    }
    const codeHash = createHash("sha256").update("guest").digest();
    requests.forEach(({ atMs, run }, i) => {
      const maxInstructions = run === "short" ? SHORT_INSTRUCTIONS : LONG_INSTRUCTIONS;
      this.scheduler.after(atMs, () => this.chain.request({ codeHash, input: `input ${i}`, maxInstructions }));
    });
    for (const fault of faults) this.#arm(fault);
    for (let block = 1; block <= blocks; block++) this.scheduler.after(block * blockMs, () => this.#makeBlock());
    this.scheduler.runUntil((blocks + 1) * blockMs);
    this.#judgeNewest();
    this.#invariants.atEnd(requests.length, (record) => this.#attesters(record));
    this.#outlastYields();
    return {
      scenario: this.#scenario.name,
      seed: this.#seed,
      events: this.scheduler.events,
      virtualMs: this.scheduler.nowMs,
      traceHash: this.#trace.digest("hex"),
      requests: this.#invariants.ends(),
      messages: { sent: this.#sent, lost: this.#lost },
      violations: this.#invariants.violations,
    };
  }

  transmit(from: SimNode, to: Uint8Array | undefined, message: PeerMessage): void {
    if (message.kind === "LeaseIntent" && message.leaseEpoch === 0) this.#crashClaimant(from, message.requestId);
    const receivers = to ? [this.#byKey.get(keyOf(to))] : this.#nodes.filter((node) => node !== from);
    for (const receiver of receivers) {
      if (!receiver) continue;
      this.#sent++;
      if (this.#isCut(from, receiver) || this.#losses.below(1_000) < this.#scenario.lossPerMille) {
        this.#lost++;
        continue;
      }
      const copies = this.#losses.below(1_000) < this.#scenario.duplicatePerMille ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        this.scheduler.after(this.#latencyMs(), () => receiver.hear(from, message));
      }
    }
  }

  rpcDelayMs(): number {
    return this.#latencyMs();
  }

  workDelayMs(): number {
    return 5 + this.#delays.below(60);
  }

  record(node: SimNode, what: string): void {
    const line = `${this.scheduler.nowMs} ${node.accountId} ${what}`;
    this.#trace.update(`${line}\n`);
    this.#onTrace?.(line);
  }

  observe(node: SimNode, effect: WorkerEffect): void {
    this.#invariants.onEffect(node, effect);
  }

  /** Members of a request's committee that run and may sign. */
  #attesters(record: RequestRecord): number {
    const registered = this.chain.storage().flatMap((change) => {
      const event = eventOf(change);
      return event?.kind === "nodeChanged" ? [event.node] : [];
    });
    const committee = new Set(replayCommittee(CONTRACT_ID, record, registered).map(({ accountId }) => accountId));
    return this.#nodes.filter((node) => committee.has(node.accountId) && node.mayAttest).length;
  }

  /** Goes on, if need be, until the chain has refunded what nobody answered. */
  #outlastYields(): void {
    const { blockMs } = this.#scenario;
    for (let block = 0; block < OUTLAST_BLOCKS && this.#invariants.anyOpen; block++) {
      this.scheduler.after(0, () => this.#makeBlock());
      this.scheduler.runUntil(this.scheduler.nowMs + blockMs);
    }
    this.#judgeNewest();
    this.#invariants.afterYields();
  }

  #latencyMs(): number {
    const { least, most } = this.#scenario.latencyMs;
    return least + this.#delays.below(most - least + 1);
  }

  #isCut(a: SimNode, b: SimNode): boolean {
    const now = this.scheduler.nowMs;
    return this.#scenario.faults.some(
      (fault) =>
        fault.kind === "partition" &&
        now >= fault.atMs &&
        now < fault.untilMs &&
        fault.side.includes(a.index) !== fault.side.includes(b.index),
    );
  }

  #arm(fault: Fault): void {
    if (fault.kind === "partition" || fault.kind === "crashHolder" || fault.kind === "crashClaimant") return;
    const node = this.#nodes[fault.node];
    if (!node) throw new Error(`the scenario has no node ${fault.node}`);
    this.scheduler.after(fault.atMs, () => {
      if (fault.kind === "crash") return node.crash();
      if (fault.kind === "crashAfterPersist") return node.crashAfterNextPersist();
      if (node.running) node.crash();
      if (fault.diskLost) node.loseDisk();
      node.start();
    });
  }

  #makeBlock(): void {
    const { droppedPerMille } = this.#scenario;
    if (this.chain.canDropHead && this.#drops.below(1_000) < droppedPerMille) {
      this.#trace.update(`${this.scheduler.nowMs} chain drops ${this.chain.height}\n`);
      this.chain.dropHead();
      this.#newest = undefined;
    }
    this.#judgeNewest();
    this.chain.produceBlock();
    const block = this.chain.head;
    this.#trace.update(`${this.scheduler.nowMs} chain ${block.height}\n`);
    this.#newest = block;
    for (const event of eventsOf(block)) {
      if (event.kind === "leaseChanged") this.#crashHolder(event.requestId, event.lease.leaseEpoch, event.lease.holder);
    }
    for (const node of this.#nodes) node.hearOfBlock(block);
  }

  /** What happened in the newest block counts once no other one can take its place. */
  #judgeNewest(): void {
    const block = this.#newest;
    if (!block) return;
    this.#newest = undefined;
    for (const event of eventsOf(block)) this.#invariants.onChainEvent(block.height, event);
    this.#invariants.atBlock(this.chain.balance(), this.chain.storage());
  }

  #crashClaimant(claimant: SimNode, requestId: number): void {
    const wanted = this.#scenario.faults.some((fault) => fault.kind === "crashClaimant" && fault.request === requestId);
    if (!wanted || this.#crashedClaims.has(requestId)) return;
    this.#crashedClaims.add(requestId);
    this.scheduler.after(CLAIMANT_LIVES_MS, () => claimant.crash());
  }

  #crashHolder(requestId: number, leaseEpoch: number, holder: string): void {
    const wanted = this.#scenario.faults.some((fault) => fault.kind === "crashHolder" && fault.request === requestId);
    if (wanted && leaseEpoch === 0) this.#nodes.find((node) => node.accountId === holder)?.crash();
  }
}

function keyOf(publicKey: Uint8Array): string {
  return Buffer.from(publicKey).toString("hex");
}
