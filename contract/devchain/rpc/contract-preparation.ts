/**
 * Has contracts prepared in a thread of their own from the moment they are seen: at the start, in a transaction that
 * waits for its block, in a block's changes. A call that comes before its contract is ready prepares it itself, so
 * that blocks are the same with this and without it; only their time is not.
 */
import { Worker } from "node:worker_threads";
import type { DevChain } from "../chain/devchain.ts";
import type { Action } from "../codec/action.ts";
import { sha256 } from "../codec/hash.ts";
import type { SignedTransaction } from "../codec/transaction.ts";
import { isPrepared, keepPrepared } from "../vm/module-cache.ts";
import type { PreparationJob, PreparationResult } from "../vm/preparation-worker.ts";

/** Smaller ones are ready in a few milliseconds. */
const WORTH_PREPARING_BYTES = 16_384;
/** As many as the cache keeps; what comes beyond them waits for its call. */
const MAX_JOBS = 64;
/** In the source and, beside the bundle, in a build. */
const PROGRAM = new URL(
  import.meta.url.endsWith(".ts") ? "../vm/preparation-worker.ts" : "./preparation-worker.mjs",
  import.meta.url,
);

function* codesOf(actions: readonly Action[]): Generator<Uint8Array<ArrayBuffer>> {
  for (const action of actions) {
    if (action.kind === "DeployContract" || action.kind === "DeployGlobalContract") yield action.code;
    if (action.kind === "Delegate") yield* codesOf(action.actions);
  }
}

export class ContractPreparation {
  #worker: Worker | undefined;
  readonly #jobs = new Set<string>();
  readonly #stopListening: () => void;

  constructor(chain: DevChain) {
    const state = chain.stateAt("optimistic");
    for (const accountId of state.accounts("code")) this.#prepare(state.get("code", accountId, "")!);
    for (const [, { code }] of state.entries("globalCode", "")) this.#prepare(code);
    this.#stopListening = chain.onBlock((block) => {
      for (const { column, value } of chain.changes(block.height)) {
        if (column === "code" && value !== undefined) this.#prepare(value);
      }
    });
  }

  /** A transaction that was accepted. */
  see(transaction: SignedTransaction): void {
    for (const code of codesOf(transaction.actions)) this.#prepare(code);
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await this.#worker?.terminate();
  }

  #prepare(code: Uint8Array<ArrayBuffer>): void {
    if (code.length < WORTH_PREPARING_BYTES || this.#jobs.size >= MAX_JOBS) return;
    const codeHash = sha256(code);
    const key = Buffer.from(codeHash).toString("hex");
    if (isPrepared(codeHash) || this.#jobs.has(key)) return;
    this.#jobs.add(key);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ codeHash, code } satisfies PreparationJob);
  }

  #start(): Worker {
    const worker = new Worker(PROGRAM);
    worker.unref();
    worker.on("message", ({ codeHash, prepared }: PreparationResult) => {
      this.#jobs.delete(Buffer.from(codeHash).toString("hex"));
      keepPrepared(codeHash, prepared);
    });
    worker.on("error", (error) => console.error("devchain: contracts are not prepared ahead any more", error));
    return worker;
  }
}
