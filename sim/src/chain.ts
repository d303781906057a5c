/**
 * The simulator's chain: the embedded NEAR chain's core and the real contract, driven by virtual time. Nothing of
 * the contract is modelled here; a request that resolves in a scenario was resolved by the contract's own bytes.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { initializeArgs, registerNodeArgs, requestExecutionArgs } from "@outlayer/contract/client";
import { DevChain, type ExecutionOutcome } from "@outlayer/contract/devchain";
import type { Random } from "@outlayer/protocol/random";
import { bytes, encode, fixed, list, struct, text, u8, u64, u128, union } from "@outlayer/protocol/wire/borsh";
import { nodeKeyDigest } from "@outlayer/protocol/wire/registration";
import type { StateChange } from "@outlayer/protocol/worker/state-changes";
import { base58 } from "@scure/base";
import { SimKey } from "./keys.ts";

export const CONTRACT_ID = "outlayer.sim";
export const CHAIN_ID = "outlayer-sim";
const USER_ID = "user.sim";
const GENESIS_NS = 1_700_000_000_000_000_000n;
const YOCTO_PER_NEAR = 10n ** 24n;
const NS_PER_MS = 1_000_000n;
const STAKE_YOCTO = 100n * YOCTO_PER_NEAR;
const SEAT_STAKE_YOCTO = 50n * YOCTO_PER_NEAR;
const GAS = 100_000_000_000_000n;
const REQUEST_GAS = 300_000_000_000_000n;
const MAX_ARGS_BYTES = 1 << 20;

/** nearcore's `SignedTransaction` with the actions that are used here (core/primitives/src/transaction.rs, version 0). */
const transactionCodec = struct({
  signerId: text(64),
  keyType: u8,
  publicKey: fixed(32),
  nonce: u64,
  receiverId: text(64),
  blockHash: fixed(32),
  actions: list(
    union({
      CreateAccount: struct({}),
      DeployContract: struct({ code: bytes(4 << 20) }),
      FunctionCall: struct({ method: text(256), args: bytes(MAX_ARGS_BYTES), gas: u64, deposit: u128 }),
    }),
    1,
  ),
});

export interface CallEnd {
  readonly accepted: boolean;
  readonly reason: string;
}

export interface SimRequest {
  readonly codeHash: Uint8Array;
  readonly input: string;
  /** Fuel that it may use: above the fused limit it is claimed and answered in two transactions. */
  readonly maxInstructions: number;
}

export interface ChainOptions {
  readonly random: Random;
  readonly nodes: number;
  readonly blockMs: number;
  readonly replaySeats: number;
  readonly replicas: number;
  readonly quorum: number;
  readonly challengeBlocks: number;
  /** Whether the head may be taken back, which costs some time in each block. */
  readonly droppableHead: boolean;
}

export interface SimBlock {
  readonly height: number;
  readonly hash: string;
  readonly previousHash: string;
  /** Changes of the contract's storage, in order. */
  readonly changes: readonly StateChange[];
}

interface Signer {
  readonly accountId: string;
  readonly key: SimKey;
  nonce: bigint;
}

export class SimChain {
  readonly #chain: DevChain;
  readonly #signers = new Map<string, Signer>();
  readonly #waiting = new Map<string, (end: CallEnd) => void>();
  /** The time of a dropped block, until another one has its place. */
  #afterNs: bigint | undefined;

  constructor(options: ChainOptions) {
    const accountIds = [CONTRACT_ID, USER_ID, ...Array.from({ length: options.nodes }, (_, i) => nodeId(i))];
    for (const accountId of accountIds) {
      const key = new SimKey(options.random.fork(`account/${accountId}`));
      this.#signers.set(accountId, { accountId, key, nonce: 0n });
    }
    const code = new Uint8Array(
      readFileSync(fileURLToPath(import.meta.resolve("@outlayer/contract/wasm/outlayer.wasm"))),
    );
    this.#chain = new DevChain({
      chainId: CHAIN_ID,
      seed: Buffer.from(options.random.fork("chain").bytes(16)).toString("hex"),
      genesisTimestampNs: GENESIS_NS,
      blockIntervalMs: options.blockMs,
      droppableHead: options.droppableHead,
      accounts: accountIds.map((accountId) => ({
        accountId,
        balanceYocto: 100_000n * YOCTO_PER_NEAR,
        publicKey: `ed25519:${base58.encode(this.#signer(accountId).key.publicKey)}`,
        ...(accountId === CONTRACT_ID ? { code } : {}),
      })),
    });
    const { replaySeats, replicas, quorum, challengeBlocks } = options;
    this.#mustSucceed(
      CONTRACT_ID,
      "new",
      initializeArgs(CONTRACT_ID, undefined, {
        chainId: CHAIN_ID,
        seatStakeYocto: SEAT_STAKE_YOCTO,
        bootstrapBlocks: 1_000_000,
        replaySeats,
        replicas,
        quorum,
        challengeBlocks,
      }),
      0n,
    );
  }

  get height(): number {
    return this.#chain.head.height;
  }

  /** Puts a node's key and stake into the registry. */
  registerNode(accountId: string, key: SimKey): void {
    const proof = key.sign(nodeKeyDigest({ chainId: CHAIN_ID, contractId: CONTRACT_ID, accountId }));
    const args = registerNodeArgs(`ed25519:${base58.encode(key.publicKey)}`, proof);
    this.#mustSucceed(accountId, "register_node", args, STAKE_YOCTO);
  }

  /** The user's call of `request_execution`, with the deposit that the contract estimates. */
  request({ codeHash, input, maxInstructions }: SimRequest): void {
    const resource_limits = { max_instructions: maxInstructions, max_memory_mb: 16, max_execution_seconds: 1 };
    const estimate = this.#view("estimate_execution_cost", { resource_limits });
    const hash = Buffer.from(codeHash).toString("hex");
    const args = requestExecutionArgs({
      source: { WasmUrl: { url: `ipfs://${hash}`, hash } },
      resource_limits,
      input_data: input,
      response_format: "Text",
    });
    this.#send(USER_ID, "request_execution", args, BigInt(estimate as string), REQUEST_GAS);
  }

  /** A node's own transaction; `ended` is called in the block in which its receipt ran. */
  call(accountId: string, method: string, args: string, deposit: bigint, ended: (end: CallEnd) => void): void {
    this.#waiting.set(this.#send(accountId, method, args, deposit, GAS), ended);
  }

  produceBlock(): void {
    // What takes a block's place was made later than it, so it is another block even with the same transactions.
    this.#chain.produceBlock(this.#afterNs && this.#afterNs + NS_PER_MS);
    this.#afterNs = undefined;
    for (const [hash, ended] of this.#waiting) {
      const record = this.#chain.transactions.transaction(hash);
      const outcome = record?.receiptOutcomes[0];
      if (!outcome) continue;
      this.#waiting.delete(hash);
      ended(endOf(outcome));
    }
  }

  get head(): SimBlock {
    const { height, hash, previousHash } = this.#chain.head;
    const changes = this.#chain.changes(height).flatMap((change) => {
      if (change.column !== "data" || change.accountId !== CONTRACT_ID) return [];
      return [{ key: rawKey(change.key), value: change.value }];
    });
    return { height, hash, previousHash, changes };
  }

  get canDropHead(): boolean {
    return this.#chain.canDropHead;
  }

  /** Takes the newest block back, as a network does with an optimistic head that loses; its transactions wait again. */
  dropHead(): void {
    const { timestampNs } = this.#chain.dropHead();
    this.#afterNs = timestampNs;
  }

  /** Everything in the contract's storage at the head: what a node reads after a start. */
  storage(): readonly StateChange[] {
    const entries = this.#chain.stateAt("optimistic").entries("data", CONTRACT_ID);
    return entries.map(([key, value]) => ({ key: rawKey(key), value }));
  }

  /** What the contract account has, in yocto. */
  balance(): bigint {
    return this.#chain.stateAt("optimistic").get("account", CONTRACT_ID, "")?.amount ?? 0n;
  }

  #view(method: string, args: object): unknown {
    const { result } = this.#chain.view(CONTRACT_ID, method, new TextEncoder().encode(JSON.stringify(args)));
    return JSON.parse(new TextDecoder().decode(result));
  }

  #signer(accountId: string): Signer {
    const signer = this.#signers.get(accountId);
    if (!signer) throw new Error(`no account ${accountId} in this scenario`);
    return signer;
  }

  /** Set-up calls run before the scenario begins, in blocks of their own. */
  #mustSucceed(accountId: string, method: string, args: string, deposit: bigint): void {
    let end: CallEnd | undefined;
    this.#waiting.set(this.#send(accountId, method, args, deposit, GAS), (ended) => {
      end = ended;
    });
    for (let blocks = 0; blocks < 4 && !end; blocks++) this.produceBlock();
    if (!end?.accepted) throw new Error(`${method} by ${accountId} failed: ${end?.reason ?? "it did not run"}`);
  }

  #send(accountId: string, method: string, args: string, deposit: bigint, gas: bigint): string {
    const signer = this.#signer(accountId);
    signer.nonce += 1n;
    const transaction = encode(transactionCodec, {
      signerId: accountId,
      keyType: 0,
      publicKey: signer.key.publicKey,
      nonce: signer.nonce,
      receiverId: CONTRACT_ID,
      blockHash: base58.decode(this.#chain.head.hash),
      actions: [{ kind: "FunctionCall", method, args: new TextEncoder().encode(args), gas, deposit }],
    });
    const digest = createHash("sha256").update(transaction).digest();
    return this.#chain.submit(new Uint8Array(Buffer.concat([transaction, Buffer.of(0), signer.key.sign(digest)])));
  }
}

export function nodeId(index: number): string {
  return `node-${String(index).padStart(3, "0")}.sim`;
}

function endOf({ status }: ExecutionOutcome): CallEnd {
  const failed = status.kind === "failure";
  return { accepted: !failed, reason: failed ? JSON.stringify(status.error) : "" };
}

/** The chain keeps storage keys as text with one character a byte. */
function rawKey(key: string): Uint8Array {
  return new Uint8Array(Buffer.from(key, "latin1"));
}
