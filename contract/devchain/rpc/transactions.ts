/** Sending transactions and waiting for them (nearcore's `wait_until`, chain/jsonrpc). */
import type { DevChain } from "../chain/devchain.ts";
import { DevChainError } from "../chain/devchain-types.ts";
import type { TransactionRecord } from "../chain/types.ts";
import { InvalidTransactionError } from "../chain/verifier.ts";
import { SYSTEM_ACCOUNT } from "../codec/account-id.ts";
import type { Hash } from "../codec/hash.ts";
import { decodeSignedTransaction, TransactionCodecError } from "../codec/transaction.ts";
import type { Params } from "./params.ts";
import { handlerError, parseError } from "./rpc-error.ts";
import { finalOutcomeView } from "./views.ts";

export const WAIT_LEVELS = ["NONE", "INCLUDED", "EXECUTED_OPTIMISTIC", "INCLUDED_FINAL", "EXECUTED", "FINAL"] as const;
export type WaitLevel = (typeof WAIT_LEVELS)[number];

const DEFAULT_LEVEL: WaitLevel = "EXECUTED_OPTIMISTIC";

/** Every level that the transaction has reached; later ones do not imply all earlier ones. */
function reachedLevels(chain: DevChain, record: TransactionRecord): Set<WaitLevel> {
  const finalHeight = chain.finalHead.height;
  const reached = new Set<WaitLevel>(["NONE", "INCLUDED"]);
  const includedFinal = record.outcome.blockHeight <= finalHeight;
  const executed = record.openReceipts === 0;
  if (includedFinal) reached.add("INCLUDED_FINAL");
  if (executed) reached.add("EXECUTED_OPTIMISTIC");
  if (executed && includedFinal) reached.add("EXECUTED");
  const isRefund = (id: Hash) => chain.transactions.receipt(id)?.predecessorId === SYSTEM_ACCOUNT;
  const isFinal = record.receiptOutcomes.every(({ id, blockHeight }) => blockHeight <= finalHeight || isRefund(id));
  if (executed && isFinal) reached.add("FINAL");
  return reached;
}

function highest(levels: ReadonlySet<WaitLevel>): WaitLevel {
  return WAIT_LEVELS.findLast((level) => levels.has(level)) ?? "NONE";
}

export class TransactionService {
  readonly #chain: DevChain;
  readonly #timeoutMs: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<() => void>();
  #accepted: (bytes: Uint8Array) => void = () => {};

  constructor(chain: DevChain, limits: { timeoutMs: number; maxWaiting: number }) {
    this.#chain = chain;
    this.#timeoutMs = limits.timeoutMs;
    this.#maxWaiting = limits.maxWaiting;
  }

  /** Called whenever a transaction was accepted. */
  onSubmit(listener: (bytes: Uint8Array) => void): void {
    this.#accepted = listener;
  }

  /** Accepts a transaction. @throws RpcError */
  submit(bytes: Uint8Array): Hash {
    try {
      const hash = this.#chain.submit(bytes);
      this.#accepted(bytes);
      return hash;
    } catch (error) {
      if (error instanceof TransactionCodecError) throw parseError(`Failed to decode transaction: ${error.message}`);
      if (error instanceof InvalidTransactionError) {
        throw handlerError("INVALID_TRANSACTION", {}, { TxExecutionError: { InvalidTxError: error.error } });
      }
      if (error instanceof DevChainError && error.code === "MEMPOOL_FULL") {
        const congested = { ShardCongested: { congestion_level: 1, shard_id: 0 } };
        throw handlerError("INVALID_TRANSACTION", {}, { TxExecutionError: { InvalidTxError: congested } });
      }
      throw error;
    }
  }

  async send(params: Params): Promise<object> {
    const bytes = params.base64("signed_tx_base64");
    const level = params.oneOf("wait_until", WAIT_LEVELS, DEFAULT_LEVEL);
    const hash = this.submit(bytes);
    if (level === "NONE") return { final_execution_status: "NONE" };
    return this.#waitFor(hash, level, false, bytes);
  }

  async commit(params: Params): Promise<object> {
    const bytes = params.base64("signed_tx_base64");
    return this.#waitFor(this.submit(bytes), DEFAULT_LEVEL, false, bytes);
  }

  /** `tx` and, with receipts, `EXPERIMENTAL_tx_status`: by hash, or by the transaction itself. */
  async status(params: Params, withReceipts: boolean): Promise<object> {
    const level = params.oneOf("wait_until", WAIT_LEVELS, DEFAULT_LEVEL);
    let hash: Hash;
    if (params.has("signed_tx_base64")) {
      try {
        hash = decodeSignedTransaction(params.base64("signed_tx_base64")).hash;
      } catch (error) {
        if (error instanceof TransactionCodecError) throw parseError(`Failed to decode transaction: ${error.message}`);
        throw error;
      }
    } else {
      hash = params.hash("tx_hash");
      params.accountId("sender_account_id");
    }
    if (level === "NONE" && this.#chain.isPending(hash)) return { final_execution_status: "NONE" };
    return this.#waitFor(hash, level, withReceipts);
  }

  /** Answers everybody who waits with a time-out. */
  stop(): void {
    for (const end of [...this.#waiting]) end();
  }

  /** The outcome once `level` is reached. `bytes` lets a dropped transaction say why. */
  async #waitFor(hash: Hash, level: WaitLevel, withReceipts: boolean, bytes?: Uint8Array): Promise<object> {
    const answer = () => {
      const record = this.#chain.transactions.transaction(hash);
      if (record === undefined) {
        if (this.#chain.isPending(hash)) return undefined;
        if (bytes !== undefined) {
          // It was accepted, then dropped when its block came: asking again names the reason.
          this.submit(bytes);
          return undefined;
        }
        throw handlerError(
          "UNKNOWN_TRANSACTION",
          { requested_transaction_hash: hash },
          `Transaction ${hash} doesn't exist`,
        );
      }
      const reached = reachedLevels(this.#chain, record);
      return reached.has(level) ? finalOutcomeView(this.#chain, record, highest(reached), withReceipts) : undefined;
    };
    const now = answer();
    if (now !== undefined) return now;
    const timeoutError = () => {
      const record = this.#chain.transactions.transaction(hash);
      if (record === undefined) return handlerError("TIMEOUT_ERROR", { cause: "NOT_OBSERVED" }, "Timeout");
      const level = highest(reachedLevels(this.#chain, record));
      const status = finalOutcomeView(this.#chain, record, level, withReceipts);
      return handlerError("TIMEOUT_ERROR", { cause: "PENDING", status }, "Timeout");
    };
    if (this.#waiting.size >= this.#maxWaiting) throw timeoutError();
    return new Promise<object>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        stopListening();
        this.#waiting.delete(end);
        reject(timeoutError());
      };
      const stopListening = this.#chain.onBlock(() => {
        try {
          const result = answer();
          if (result === undefined) return;
          resolve(result);
        } catch (error) {
          reject(error);
        }
        clearTimeout(timer);
        stopListening();
        this.#waiting.delete(end);
      });
      const timer = setTimeout(end, this.#timeoutMs);
      this.#waiting.add(end);
    });
  }
}
