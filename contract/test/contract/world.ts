/** The compiled contract on the embedded chain, with the accounts that the tests need. Every signature is real. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Codec,
  type Decoded,
  decode,
  encode,
  fixed,
  list,
  struct,
  text,
  u8,
  u64,
  u128,
  union,
  bytes as vector,
} from "@outlayer/protocol/wire/borsh";
import {
  type GuestResponse,
  type LeaseRecord,
  leaseRecord,
  type NodeRecord,
  nodeRecord,
  type OutcomeRecord,
  outcomeRecord,
  type RequestRecord,
  requestDigest,
  requestRecord,
  responseHash,
} from "@outlayer/protocol/wire/records";
import { nodeKeyDigest } from "@outlayer/protocol/wire/registration";
import { REPLAY_CLASS_PURE, RESULT_DOMAIN, resultStatement, statementDigest } from "@outlayer/protocol/wire/statement";
import { buildContract } from "../../build.ts";
import {
  type Attestation,
  type ExecutionRequest,
  initializeArgs,
  type NetworkOptions,
  type PanicCode,
  panicCode,
  type Resolution,
  registerNodeArgs,
  requestExecutionArgs,
  resolveExecutionArgs,
  type SignedStatement,
  stateKeys,
} from "../../client/index.ts";
import { DevChain, DevChainError } from "../../devchain/chain/devchain.ts";
import type { ExecutionOutcome } from "../../devchain/chain/types.ts";
import { encodeBase58 } from "../../devchain/codec/base58.ts";
import { hashBytes } from "../../devchain/codec/hash.ts";

await buildContract();
const dist = join(import.meta.dirname, "../../dist");
export const outlayerWasm = new Uint8Array(readFileSync(join(dist, "outlayer.wasm")));
const callerWasm = new Uint8Array(readFileSync(join(dist, "caller.wasm")));

export const NEAR = 10n ** 24n;
export const TGAS = 1_000_000_000_000;
export const BASE_FEE = 10n ** 21n;
export const OUTLAYER = "outlayer.test";
export const CALLER = "caller.test";
export const CHAIN_ID = "test-chain";

/** Node names that the worlds know; each gets as many seats as a test registers. */
export const NODES: readonly string[] = Array.from({ length: 18 }, (_, i) => `n${i}.test`);
const PEOPLE = ["owner.test", "operator.test", "alice.test", "bob.test", ...NODES];

const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/** A key of its own for every name, the same in every run. */
export function keyOf(name: string): { privateKey: KeyObject; publicKey: Uint8Array; text: string } {
  const seed = createHash("sha256").update(`key of ${name}`).digest();
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: "der", type: "pkcs8" });
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const publicKey = new Uint8Array(der.subarray(-32));
  return { privateKey, publicKey, text: `ed25519:${encodeBase58(publicKey)}` };
}

const deployContract = struct({ code: vector(4 << 20) });
const functionCall = struct({ method: text(256), args: vector(4 << 20), gas: u64, deposit: u128 });
const transaction = struct({
  signerId: text(64),
  keyType: u8,
  publicKey: fixed(32),
  nonce: u64,
  receiverId: text(64),
  blockHash: fixed(32),
  actions: list(union({ CreateAccount: struct({}), DeployContract: deployContract, FunctionCall: functionCall }), 1),
});

export interface CallOptions {
  readonly depositYocto?: bigint;
  readonly tgas?: number;
  /** The height at which the contract runs; by default as soon as it can. */
  readonly atHeight?: number;
  readonly receiver?: string;
}

export interface CallResult {
  readonly hash: string;
  /** Of the contract's own receipt. */
  readonly outcome: ExecutionOutcome;
  readonly logs: readonly string[];
  readonly failure: string | undefined;
  readonly panic: PanicCode | undefined;
  readonly gas: number;
}

export class World {
  readonly chain: DevChain;
  readonly #nonces = new Map<string, bigint>();
  readonly #hashes: string[] = [];

  constructor(contractBalance = 1_000n * NEAR, code: Uint8Array = outlayerWasm) {
    this.chain = new DevChain({
      chainId: CHAIN_ID,
      seed: "contract tests",
      genesisTimestampNs: 1_800_000_000_000_000_000n,
      blockIntervalMs: 600,
      accounts: [
        { accountId: OUTLAYER, balanceYocto: contractBalance, code, publicKey: keyOf(OUTLAYER).text },
        { accountId: CALLER, balanceYocto: 10n * NEAR, code: callerWasm },
        ...PEOPLE.map((accountId) => ({ accountId, balanceYocto: 2_000n * NEAR, publicKey: keyOf(accountId).text })),
      ],
    });
  }

  get height(): number {
    return this.chain.head.height;
  }

  advance(blocks: number): void {
    for (let i = 0; i < blocks; i++) this.chain.produceBlock();
  }

  advanceTo(height: number): void {
    if (height < this.height) throw new Error(`block ${height} is over, the head is ${this.height}`);
    this.advance(height - this.height);
  }

  settle(): void {
    while (!this.chain.isIdle) this.chain.produceBlock();
  }

  /** Sends a call and makes blocks until nothing is due. */
  call(signer: string, method: string, args: string | Uint8Array = "{}", options: CallOptions = {}): CallResult {
    // A transaction is included in one block and runs in the next.
    if (options.atHeight !== undefined) this.advanceTo(options.atHeight - 2);
    const hash = this.#submit(signer, method, args, options);
    if (options.atHeight !== undefined) this.advance(2);
    this.settle();
    return this.result(hash);
  }

  /** Calls that run at given heights, several in one block in an order of the chain's choosing. */
  schedule(
    calls: readonly (CallOptions & { signer: string; method: string; args: string; atHeight: number })[],
  ): CallResult[] {
    const hashes = new Map<(typeof calls)[number], string>();
    const last = Math.max(...calls.map((call) => call.atHeight));
    for (; this.height < last; this.advance(1)) {
      for (const call of calls) {
        if (call.atHeight !== this.height + 2) continue;
        hashes.set(call, this.#submit(call.signer, call.method, call.args, call));
      }
    }
    this.settle();
    return calls.map((call) => this.result(hashes.get(call)!));
  }

  registration(name: string): string {
    return registration(name);
  }

  result(hash: string): CallResult {
    const record = this.chain.transactions.transaction(hash);
    if (record?.outcome.status.kind !== "receipt") throw new Error(`${hash} is not on the chain`);
    const { id } = record.outcome.status;
    const outcome = record.receiptOutcomes.find((receipt) => receipt.id === id);
    if (!outcome) throw new Error(`${hash} has not run`);
    const failure = outcome.status.kind === "failure" ? JSON.stringify(outcome.status.error) : undefined;
    return {
      hash,
      outcome,
      logs: outcome.logs,
      failure,
      panic: failure === undefined ? undefined : panicCode(failure),
      gas: outcome.gasBurnt,
    };
  }

  /** What a transaction came to in the end, through all the receipts that it waited for. */
  finalValue(hash: string): string | undefined {
    const record = this.chain.transactions.transaction(hash)!;
    let status = record.outcome.status;
    while (status.kind === "receipt") {
      const { id } = status;
      const next = record.receiptOutcomes.find((receipt) => receipt.id === id);
      if (!next) return undefined;
      status = next.status;
    }
    return status.kind === "value" ? new TextDecoder().decode(status.value) : `failed: ${JSON.stringify(status.error)}`;
  }

  outcomes(hash: string): readonly ExecutionOutcome[] {
    return this.chain.transactions.transaction(hash)!.receiptOutcomes;
  }

  view(method: string, args: string | Uint8Array = "{}", account = OUTLAYER): string {
    const input = typeof args === "string" ? new TextEncoder().encode(args) : args;
    return new TextDecoder().decode(this.chain.view(account, method, input).result);
  }

  /** The code under which a view refuses; undefined where it answers. */
  viewPanic(method: string, args: string | Uint8Array): PanicCode | undefined {
    try {
      this.view(method, args);
      return undefined;
    } catch (error) {
      if (!(error instanceof DevChainError)) throw error;
      const code = panicCode(`${error.message} ${JSON.stringify(error.failure)}`);
      if (code === undefined) throw error;
      return code;
    }
  }

  balance(accountId: string): bigint {
    return this.chain.stateAt("optimistic").get("account", accountId, "")!.amount;
  }

  /** Everything that exists, with what was burnt: it never changes while nothing is on its way. */
  totalYocto(): bigint {
    const burnt = this.#hashes
      .map((hash) => this.chain.transactions.transaction(hash)!)
      .flatMap((record) => [record.outcome, ...record.receiptOutcomes])
      .reduce((sum, outcome) => sum + outcome.tokensBurnt, 0n);
    return [OUTLAYER, CALLER, ...PEOPLE].reduce((sum, id) => sum + this.balance(id), burnt);
  }

  stored(key: Uint8Array): Uint8Array | undefined {
    return this.chain.stateAt("optimistic").get("data", OUTLAYER, Buffer.from(key).toString("latin1"));
  }

  #record<T>(codec: Codec<T>, key: Uint8Array): T | undefined {
    const bytes = this.stored(key);
    return bytes === undefined ? undefined : decode(codec, bytes);
  }
  request(id: number): RequestRecord | undefined {
    return this.#record(requestRecord, stateKeys.request(id));
  }
  lease(id: number): LeaseRecord | undefined {
    return this.#record(leaseRecord, stateKeys.lease(id));
  }
  outcome(id: number): OutcomeRecord | undefined {
    return this.#record(outcomeRecord, stateKeys.outcome(id));
  }
  node(accountId: string): NodeRecord | undefined {
    return this.#record(nodeRecord, stateKeys.node(accountId));
  }

  /** New code for an account, by its own key. */
  deploy(accountId: string, code: Uint8Array): void {
    this.#send(accountId, accountId, { kind: "DeployContract", code });
    this.settle();
  }

  #submit(signer: string, method: string, args: string | Uint8Array, options: CallOptions): string {
    return this.#send(signer, options.receiver ?? OUTLAYER, {
      kind: "FunctionCall",
      method,
      args: typeof args === "string" ? new TextEncoder().encode(args) : args,
      gas: BigInt((options.tgas ?? 300) * TGAS),
      deposit: options.depositYocto ?? 0n,
    });
  }

  #send(signer: string, receiverId: string, action: Decoded<typeof transaction>["actions"][number]): string {
    const { privateKey, publicKey } = keyOf(signer);
    const nonce = (this.#nonces.get(signer) ?? 0n) + 1n;
    this.#nonces.set(signer, nonce);
    const body = encode(transaction, {
      signerId: signer,
      keyType: 0,
      publicKey,
      nonce,
      receiverId,
      blockHash: hashBytes(this.chain.head.hash),
      actions: [action],
    });
    const signature = sign(null, createHash("sha256").update(body).digest(), privateKey);
    const hash = this.chain.submit(new Uint8Array(Buffer.concat([body, Buffer.from([0]), signature])));
    this.#hashes.push(hash);
    return hash;
  }

  /** A network with this many seats for each of the first nodes, acting at once. */
  static started(seats: readonly number[] = [1, 1, 1], network: NetworkOptions = {}, contractBalance?: bigint): World {
    const world = new World(contractBalance);
    const options = { chainId: CHAIN_ID, seatStakeYocto: NEAR, ...network };
    expectOk(world.call("owner.test", "new", initializeArgs("owner.test", "operator.test", options)));
    seats.forEach((count, i) => {
      if (count === 0) return;
      const depositYocto = BigInt(count) * NEAR;
      expectOk(world.call(NODES[i]!, "register_node", registration(NODES[i]!), { depositYocto }));
    });
    return world;
  }

  ask(request: Partial<ExecutionRequest> = {}, depositYocto = NEAR / 10n, signer = "alice.test"): CallResult {
    const full = { source: CODE, resource_limits: LIMITS, ...request };
    return expectOk(this.call(signer, "request_execution", requestExecutionArgs(full), { depositYocto }));
  }
}

export const GITHUB = { GitHub: { repo: "https://github.com/near/guest", commit: "main" } } as const;
export const LIMITS = { max_instructions: 1_000_000_000, max_memory_mb: 64, max_execution_seconds: 10 } as const;
export const CODE_HASH = new Uint8Array(32).fill(0xc0);
/** Code that the request names by its hash, so that an answer about it needs no build. */
export const CODE = { WasmUrl: { url: "https://example.org/guest.wasm", hash: "c0".repeat(32) } } as const;
export const TAPE_HASH = new Uint8Array(32);

export function expectOk(result: CallResult): CallResult {
  if (result.failure !== undefined) throw new Error(result.failure);
  return result;
}

export function textResponse(output: string): GuestResponse {
  return {
    success: true,
    output: { kind: "Text", text: output },
    error: undefined,
    instructions: 6_999_999n,
    timeMs: 7n,
    compileTimeMs: undefined,
    compilationNote: undefined,
    refundUsd: undefined,
  };
}

export interface Answer {
  readonly requestId?: number;
  readonly response?: GuestResponse;
  readonly codeHash?: Uint8Array;
  readonly tapeHash?: Uint8Array;
  readonly leaseEpoch?: number;
  readonly signers?: readonly string[];
  readonly seat?: number;
  /** Seats that every signer names, from its first on. */
  readonly seats?: number;
  /** Signs something else than what is sent. */
  readonly signedResponse?: GuestResponse;
  readonly chainId?: string;
  /** Of a lease that is not claimed yet. */
  readonly lease?: { readonly leaseEpoch: number; readonly holder: string };
}

/** A node's signature over the answer, as its own code would make it from the chain's records. */
export function attest(world: World, signer: string, answer: Answer = {}): Attestation {
  const requestId = answer.requestId ?? 0;
  const request = world.request(requestId)!;
  const lease = answer.lease ?? world.lease(requestId)!;
  const digest = statementDigest({
    domain: RESULT_DOMAIN,
    chainId: answer.chainId ?? CHAIN_ID,
    contractId: OUTLAYER,
    requestId,
    requestDigest: requestDigest(request),
    leaseEpoch: lease.leaseEpoch,
    holder: lease.holder,
    codeHash: answer.codeHash ?? CODE_HASH,
    replayClass: REPLAY_CLASS_PURE,
    costVersion: request.costVersion,
    inputHash: request.inputHash,
    seed: request.seed,
    responseHash: responseHash(answer.signedResponse ?? answer.response ?? textResponse("hello")),
    tapeHash: answer.tapeHash ?? TAPE_HASH,
  });
  const signature = new Uint8Array(sign(null, digest, keyOf(signer).privateKey));
  return { accountId: signer, seat: answer.seat ?? 0, signature };
}

/** Of every signer, by as many of its seats as the answer says: the highest level counts seats. */
export function attestAll(world: World, signers: readonly string[], answer: Answer = {}): Attestation[] {
  return signers.flatMap((signer) =>
    Array.from({ length: answer.seats ?? 1 }, (_, i) =>
      attest(world, signer, answer.seats === undefined ? answer : { ...answer, seat: i }),
    ),
  );
}

/** `resolve_execution` arguments signed by `signers`, by the first three nodes if none are named. */
/** A node's statement about an open request, with what `change` says else. */
export function signedStatement(
  world: World,
  signer: string,
  requestId: number,
  response: GuestResponse,
  change: Partial<Decoded<typeof resultStatement>> = {},
): SignedStatement {
  const request = world.request(requestId)!;
  const statement = encode(resultStatement, {
    domain: RESULT_DOMAIN,
    chainId: CHAIN_ID,
    contractId: OUTLAYER,
    requestId,
    requestDigest: requestDigest(request),
    leaseEpoch: 0,
    holder: "n0.test",
    codeHash: CODE_HASH,
    replayClass: REPLAY_CLASS_PURE,
    costVersion: request.costVersion,
    inputHash: request.inputHash,
    seed: request.seed,
    responseHash: responseHash(response),
    tapeHash: TAPE_HASH,
    ...change,
  });
  const digest = createHash("sha256").update(statement).digest();
  return { statement, signature: new Uint8Array(sign(null, digest, keyOf(signer).privateKey)) };
}

export function answerArgs(world: World, answer: Answer = {}): string {
  return resolveExecutionArgs(resolutionOf(world, answer));
}

export function resolutionOf(world: World, answer: Answer = {}): Resolution {
  const requestId = answer.requestId ?? 0;
  return {
    requestId,
    leaseEpoch: answer.leaseEpoch ?? (answer.lease ?? world.lease(requestId)!).leaseEpoch,
    codeHash: answer.codeHash ?? CODE_HASH,
    tapeHash: answer.tapeHash ?? TAPE_HASH,
    response: answer.response ?? textResponse("hello"),
    attestations: attestAll(world, answer.signers ?? NODES.slice(0, 3), answer),
  };
}

/** `register_node` arguments of an account with the key of a name, by default its own. */
export function registration(accountId: string, keyName = accountId): string {
  const { privateKey, text: publicKey } = keyOf(keyName);
  const digest = nodeKeyDigest({ chainId: CHAIN_ID, contractId: OUTLAYER, accountId });
  return registerNodeArgs(publicKey, new Uint8Array(sign(null, digest, privateKey)));
}

/** The NEP-297 events among some logs. */
export function eventsIn(logs: readonly string[]): { event: string; data: Record<string, unknown>; raw: string }[] {
  return logs
    .filter((line) => line.startsWith("EVENT_JSON:"))
    .map((raw) => {
      const parsed = JSON.parse(raw.slice("EVENT_JSON:".length));
      return { event: parsed.event, data: parsed.data[0], raw };
    });
}
