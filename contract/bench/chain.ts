/**
 * `npm run bench -- chain [--json] [--full] [--trie-nodes]`: how fast the embedded chain runs contract calls, what the main methods
 * cost as the registry of nodes grows (10 and 1,000 nodes; 100,000 with `--full`, which takes minutes), and how large
 * the contract is. Speed is per second of CPU time, so that a busy machine does not count as a slow chain.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519.js";
import { drawTicket, isEligible } from "@outlayer/protocol/lease/sortition";
import { decode } from "@outlayer/protocol/wire/borsh";
import { leaseRecord, requestDigest, requestRecord, responseHash } from "@outlayer/protocol/wire/records";
import { nodeKeyDigest } from "@outlayer/protocol/wire/registration";
import { REPLAY_CLASS_PURE, RESULT_DOMAIN, statementDigest } from "@outlayer/protocol/wire/statement";
import { actions, baseDecode, createTransaction, encodeTransaction, PublicKey } from "near-api-js";
import { buildContract } from "../build.ts";
import {
  claimLeaseArgs,
  initializeArgs,
  type Resolution,
  registerNodeArgs,
  requestExecutionArgs,
  resolveExecutionArgs,
  resolveExecutionBorsh,
  stateKeys,
} from "../client/index.ts";
import { encodeBase58 } from "../devchain/codec/base58.ts";
import { DevChain } from "../devchain/index.ts";

interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
  readonly ok: boolean;
}

const CALLS = 3_000;
/** What 500 calls a second come to in a block of 600 ms. */
const CALLS_PER_BLOCK = 300;
const VIEWS = 1_000;
const BLOCK_MS = 600;
/** Blocks after which every node may claim, however large the registry. */
const WIDENED_BLOCKS = 120;
/** Protocol 88 `max_transaction_size`. */
const MAX_TRANSACTION_BYTES = 1_572_864;
const NEAR = 10n ** 24n;
const TGAS = 1_000_000_000_000;
const OUTLAYER = "outlayer.test";
const CHAIN_ID = "bench";

await buildContract();
const wasm = new Uint8Array(readFileSync(new URL("../dist/outlayer.wasm", import.meta.url)));

const secretOf = (accountId: string) => createHash("sha256").update(accountId).digest();
const publicKeyOf = (accountId: string) => `ed25519:${encodeBase58(ed25519.getPublicKey(secretOf(accountId)))}`;
const registrationOf = (accountId: string) => {
  const digest = nodeKeyDigest({ chainId: CHAIN_ID, contractId: OUTLAYER, accountId });
  return registerNodeArgs(publicKeyOf(accountId), ed25519.sign(digest, secretOf(accountId)));
};
const nodeId = (index: number) => `n${index}.test`;

interface Call {
  readonly signer: string;
  readonly method: string;
  readonly args?: string | Uint8Array;
  readonly deposit?: bigint;
}

interface Shape {
  readonly quorum?: number;
  readonly seatsEach?: number;
  readonly replaySeats?: number;
}

/** A chain with the contract, some people, and `nodes` registered nodes of one seat each. */
class BenchChain {
  readonly chain: DevChain;
  readonly #nonces = new Map<string, bigint>();

  constructor(nodes: number, { quorum = 3, seatsEach = 1, replaySeats = 144 }: Shape = {}) {
    const nodeIds = Array.from({ length: nodes }, (_, index) => nodeId(index));
    const people = ["owner.test", "alice.test", ...nodeIds];
    this.chain = new DevChain({
      chainId: CHAIN_ID,
      seed: "bench",
      genesisTimestampNs: 1_800_000_000_000_000_000n,
      blockIntervalMs: BLOCK_MS,
      trieNodes: process.argv.includes("--trie-nodes"),
      accounts: [
        { accountId: OUTLAYER, balanceYocto: 10_000n * NEAR, code: wasm },
        ...people.map((accountId) => ({
          accountId,
          balanceYocto: 10_000n * NEAR,
          publicKey: publicKeyOf(accountId),
        })),
      ],
    });
    const network = { chainId: CHAIN_ID, seatStakeYocto: NEAR, bootstrapBlocks: 1_000_000, replaySeats, quorum };
    this.call({ signer: "owner.test", method: "new", args: initializeArgs("owner.test", "owner.test", network) });
    for (const signer of nodeIds) {
      this.call({ signer, method: "register_node", args: registrationOf(signer), deposit: NEAR * BigInt(seatsEach) });
    }
  }

  sign({ signer, method, args = "{}", deposit = 0n }: Call): Uint8Array {
    const nonce = (this.#nonces.get(signer) ?? 0n) + 1n;
    this.#nonces.set(signer, nonce);
    const call = actions.functionCall(
      method,
      typeof args === "string" ? new TextEncoder().encode(args) : args,
      BigInt(300 * TGAS),
      deposit,
    );
    const key = PublicKey.from(publicKeyOf(signer));
    const block = baseDecode(this.chain.head.hash);
    const message = encodeTransaction(createTransaction(signer, key, OUTLAYER, nonce, [call], block));
    const signature = ed25519.sign(createHash("sha256").update(message).digest(), secretOf(signer));
    return Buffer.concat([message, Uint8Array.from([0]), signature]);
  }

  settle(): void {
    while (!this.chain.isIdle) this.chain.produceBlock();
  }

  /** Gas that the contract's own receipt burnt. */
  call(call: Call): number {
    const hash = this.chain.submit(this.sign(call));
    this.settle();
    const { outcome, receiptOutcomes } = this.chain.transactions.transaction(hash)!;
    const receipt = receiptOutcomes.find(({ id }) => id === outcome.receiptIds[0])!;
    if (receipt.status.kind === "failure") throw new Error(JSON.stringify(receipt.status.error));
    return receipt.gasBurnt;
  }

  stored(key: Uint8Array): Uint8Array {
    return this.chain.stateAt("optimistic").get("data", OUTLAYER, Buffer.from(key).toString("latin1"))!;
  }
}

/** An answer to request 0, signed by the first nodes as their own code would. */
function answerOf(world: BenchChain, signers: number): Resolution {
  const request = decode(requestRecord, world.stored(stateKeys.request(0)));
  const { leaseEpoch, holder } = decode(leaseRecord, world.stored(stateKeys.lease(0)));
  const response = {
    success: true,
    output: { kind: "Text", text: "output" },
    error: undefined,
    instructions: 6_999_999n,
    timeMs: 7n,
    compileTimeMs: undefined,
    compilationNote: undefined,
    refundUsd: undefined,
  } as const;
  const [codeHash, tapeHash] = [new Uint8Array(32).fill(0xc0), new Uint8Array(32)];
  const digest = statementDigest({
    domain: RESULT_DOMAIN,
    chainId: CHAIN_ID,
    contractId: OUTLAYER,
    requestId: 0,
    requestDigest: requestDigest(request),
    leaseEpoch,
    holder,
    codeHash,
    replayClass: REPLAY_CLASS_PURE,
    costVersion: request.costVersion,
    inputHash: request.inputHash,
    seed: request.seed,
    responseHash: responseHash(response),
    tapeHash,
  });
  const drawn = (accountId: string) => {
    for (let seat = 0; ; seat++) {
      const ticket = drawTicket(OUTLAYER, request.seed, { kind: "replay" }, accountId, seat);
      if (isEligible(ticket, request.level.replaySeats, request.seatsTotal)) return seat;
    }
  };
  const attestations = Array.from({ length: signers }, (_, index) => ({
    accountId: nodeId(index),
    seat: drawn(nodeId(index)),
    signature: ed25519.sign(digest, secretOf(nodeId(index))),
  }));
  return { requestId: 0, leaseEpoch, codeHash, tapeHash, response, attestations };
}

const figures: Record<string, Figure> = {};

function atMost(name: string, value: number, unit: string, goal: number, digits = 2): void {
  const rounded = Math.round(value * 10 ** digits) / 10 ** digits;
  figures[name] = { value: rounded, unit, goal: `<= ${goal}`, ok: rounded <= goal };
}

function atLeast(name: string, value: number, unit: string, goal: number): void {
  const rounded = Math.round(value);
  figures[name] = { value: rounded, unit, goal: `>= ${goal}`, ok: rounded >= goal };
}

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** A change call that reads the contract's state and answers in JSON; the module is warm. */
function measureSpeed(): void {
  const world = new BenchChain(10);
  const { chain } = world;
  const call = { signer: "alice.test", method: "get_stats" };
  world.call(call);
  const signed = Array.from({ length: CALLS }, () => world.sign(call));
  const blockMs: number[] = [];
  let runMs = 0;
  for (let first = 0; first < CALLS; first += CALLS_PER_BLOCK) {
    for (const transaction of signed.slice(first, first + CALLS_PER_BLOCK)) chain.submit(transaction);
    runMs += cpuMs(() => {
      while (!chain.isIdle) {
        const startedAt = performance.now();
        chain.produceBlock();
        blockMs.push(performance.now() - startedAt);
      }
    });
  }
  atLeast("contractCallsPerSecond", (CALLS * 1000) / runMs, "calls/s", 500);
  atMost(`blockOf${CALLS_PER_BLOCK}CallsMaxMs`, Math.max(...blockMs), "ms", BLOCK_MS);
  const viewMs = cpuMs(() => {
    for (let i = 0; i < VIEWS; i++) chain.view(OUTLAYER, "get_stats", new Uint8Array([0x7b, 0x7d]));
  });
  atMost("viewMs", viewMs / VIEWS, "ms", 3);
}

/** One request until it is claimed; gas of the request and of the claim. */
function claimedRequest(world: BenchChain): { requestGas: number; claimGas: number } {
  const request = requestExecutionArgs({
    source: { WasmUrl: { url: "https://example.org/guest.wasm", hash: "c0".repeat(32) } },
    resource_limits: { max_instructions: 1_000_000_000, max_memory_mb: 64, max_execution_seconds: 10 },
    input_data: "input",
  });
  const asked = { signer: "alice.test", method: "request_execution", args: request, deposit: NEAR };
  const requestGas = world.call(asked);
  for (let i = 0; i < WIDENED_BLOCKS; i++) world.chain.produceBlock();
  const args = claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 });
  return { requestGas, claimGas: world.call({ signer: nodeId(0), method: "claim_lease", args }) };
}

measureSpeed();
for (const nodes of process.argv.includes("--full") ? [10, 1_000, 100_000] : [10, 1_000]) {
  const { requestGas, claimGas } = claimedRequest(new BenchChain(nodes));
  atMost(`requestTgasAt${nodes}Nodes`, requestGas / TGAS, "Tgas", 3);
  atMost(`claimTgasAt${nodes}Nodes`, claimGas / TGAS, "Tgas", 2);
}
for (const [signers, goal] of [
  [3, 3.5],
  [18, 10],
] as const) {
  for (const [form, spell] of [
    ["Json", resolveExecutionArgs],
    ["Borsh", resolveExecutionBorsh],
  ] as const) {
    // All seats may replay; and, where there are more, a ticket is drawn for every signer but the holder.
    for (const [name, seatsEach] of [
      ["", 1],
      ["Drawn", 8],
    ] as const) {
      const world = new BenchChain(signers, {
        quorum: signers,
        seatsEach,
        replaySeats: seatsEach > 1 ? 7 * signers : 144,
      });
      claimedRequest(world);
      const args = spell(answerOf(world, signers));
      const gas = world.call({ signer: "alice.test", method: "resolve_execution", args });
      atMost(`resolveTgasWith${signers}${name}AttestationsIn${form}`, gas / TGAS, "Tgas", goal, 3);
      if (name === "") {
        atMost(`resolveBytesWith${signers}AttestationsIn${form}`, args.length, "bytes", MAX_TRANSACTION_BYTES);
      }
    }
  }
}
atMost("contractKilobytes", wasm.length / 1000, "kB", 80);

if (!process.argv.includes("--json")) {
  for (const [name, { value, unit, goal, ok }] of Object.entries(figures)) {
    console.log(
      `${name.padEnd(42)} ${String(value).padStart(8)} ${unit.padEnd(8)} goal ${goal}  ${ok ? "ok" : "missed"}`,
    );
  }
}
console.log(JSON.stringify({ topic: "chain", figures }));
