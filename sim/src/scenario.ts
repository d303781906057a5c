/** Scenarios are data: what the network is, what is asked of it, and what goes wrong when. */

export type Fault =
  /** The process ends at once; whatever it had not persisted is gone. */
  | { readonly kind: "crash"; readonly atMs: number; readonly node: number }
  /** The process ends between its next `persist` and the effect after it. */
  | { readonly kind: "crashAfterPersist"; readonly atMs: number; readonly node: number }
  /** The process of whoever holds the lease of a request ends, as soon as the lease stands on the chain. */
  | { readonly kind: "crashHolder"; readonly request: number }
  /** The process of whoever first announces a claim of a request ends a moment later. */
  | { readonly kind: "crashClaimant"; readonly request: number }
  /** A crashed node starts again from its log, or from an empty disk. */
  | { readonly kind: "restart"; readonly atMs: number; readonly node: number; readonly diskLost: boolean }
  /** Messages between the two sides are lost; the chain stays in reach of both. */
  | { readonly kind: "partition"; readonly atMs: number; readonly untilMs: number; readonly side: readonly number[] };

export interface ScenarioRequest {
  readonly atMs: number;
  /** Long runs are claimed first and answered later; short ones in one transaction. */
  readonly run: "short" | "long";
}

export interface Scenario {
  readonly name: string;
  readonly nodes: number;
  readonly blocks: number;
  readonly blockMs: number;
  readonly replaySeats: number;
  readonly replicas: number;
  readonly quorum: number;
  /** Blocks that an answer waits for objections. */
  readonly challengeBlocks: number;
  readonly latencyMs: { readonly least: number; readonly most: number };
  /** Of peer messages that never arrive, in thousandths. */
  readonly lossPerMille: number;
  readonly duplicatePerMille: number;
  /** Of blocks that give way to another one of the same height before the next, in thousandths. */
  readonly droppedPerMille: number;
  readonly requests: readonly ScenarioRequest[];
  readonly faults: readonly Fault[];
  /** Nodes that agreed to answer every request with the same invention. */
  readonly liars: readonly number[];
}

const BLOCK_MS = 600;

const short = (atMs: number): ScenarioRequest => ({ atMs, run: "short" });
const long = (atMs: number): ScenarioRequest => ({ atMs, run: "long" });

const calm: Scenario = {
  name: "calm",
  nodes: 20,
  blocks: 20,
  blockMs: BLOCK_MS,
  replaySeats: 9,
  replicas: 3,
  quorum: 2,
  challengeBlocks: 0,
  latencyMs: { least: 10, most: 120 },
  lossPerMille: 0,
  duplicatePerMille: 0,
  droppedPerMille: 0,
  requests: [short(700), long(1_000), short(2_000), long(4_000)],
  faults: [],
  liars: [],
};

/** Crashed holders, a crash between persist and send, restarts with and without a disk, loss and repetition. */
const crashes: Scenario = {
  ...calm,
  name: "crashes",
  blocks: 60,
  lossPerMille: 50,
  duplicatePerMille: 50,
  requests: [long(700), short(2_000), short(4_000), long(6_000), short(9_000), long(12_000)],
  faults: [
    { kind: "crashHolder", request: 0 },
    { kind: "crashHolder", request: 3 },
    { kind: "crashClaimant", request: 2 },
    { kind: "crashAfterPersist", atMs: 3_000, node: 4 },
    { kind: "restart", atMs: 7_000, node: 4, diskLost: false },
    { kind: "crash", atMs: 5_000, node: 7 },
    { kind: "restart", atMs: 9_000, node: 7, diskLost: true },
    { kind: "crash", atMs: 6_500, node: 11 },
  ],
};

const partition: Scenario = {
  ...calm,
  name: "partition",
  blocks: 70,
  requests: [short(700), long(3_000), short(5_000), long(8_000), short(15_000)],
  faults: [{ kind: "partition", atMs: 2_500, untilMs: 14_000, side: [0, 1, 2, 3, 4, 5, 6, 7] }],
};

/** A small network on a fast chain: news of a block take several blocks, and many requests are open at once. */
const hurried: Scenario = {
  ...calm,
  name: "hurried",
  nodes: 5,
  blocks: 150,
  blockMs: 100,
  latencyMs: { least: 5, most: 250 },
  lossPerMille: 20,
  requests: Array.from({ length: 30 }, (_, i) => (i % 5 === 4 ? long(500 + i * 100) : short(500 + i * 100))),
};

/** Every fifth block gives way to another one, with crashes besides. */
const replaced: Scenario = {
  ...crashes,
  name: "replaced",
  blocks: 90,
  droppedPerMille: 200,
};

/** Answers wait for objections, and some of those who should make them final are gone by then. */
const challenged: Scenario = {
  ...crashes,
  name: "challenged",
  blocks: 80,
  challengeBlocks: 3,
};

/**
 * A quarter of the stake lies together. With a quorum of two and nobody to object, one answer in ten would be theirs;
 * here each of them is objected to, and the highest level finds the right one.
 */
const liars: Scenario = {
  ...calm,
  name: "liars",
  blocks: 90,
  challengeBlocks: 4,
  requests: [
    short(700),
    long(1_000),
    short(2_000),
    long(4_000),
    short(6_000),
    long(8_000),
    short(9_000),
    short(11_000),
  ],
  liars: [0, 4, 8, 12, 16],
};

export const SCENARIOS: readonly Scenario[] = [calm, crashes, partition, hurried, replaced, challenged, liars];
