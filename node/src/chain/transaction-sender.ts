/**
 * Sends this node's transactions. Every access key is a lane with one transaction in flight, because nonces that
 * land out of order kill the lower ones; more keys make more lanes. A transaction is signed once and sent byte for
 * byte again until its end is known, so that a lost answer can never become two calls.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Account, actions, KeyPairSigner, type KeyPairString, type SignedTransaction } from "near-api-js";
import { z } from "zod";
import { OperatingError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { NearRpc } from "./near-rpc.ts";

const MAX_WAITING = 256;
/** With the pauses between them: two minutes of an endpoint that does not answer. */
const MAX_TRIES = 120;
const RETRY_MS = 1_000;
/** A signed transaction whose nonce is used up can never land; it is signed anew this often. */
const MAX_SIGNATURES = 5;

export interface ContractCall {
  readonly contractId: string;
  readonly method: string;
  /** The JSON (or Borsh) arguments as they are sent. */
  readonly args: Uint8Array;
  readonly gas: bigint;
  readonly depositYocto: bigint;
}

export interface CallEnd {
  readonly transactionHash: string;
  readonly accepted: boolean;
  /** Why it was refused: the contract's own panic where there is one. */
  readonly reason: string;
}

const outcomeAnswer = z.object({
  status: z.union([z.string(), z.record(z.string(), z.unknown())]),
  transaction: z.object({ hash: z.string() }),
});

export class TransactionSender {
  readonly #rpc: NearRpc;
  readonly #logger: Logger;
  readonly #free: Account[];
  readonly #waiting: ((lane: Account) => void)[] = [];
  readonly #stopped = new AbortController();

  constructor(rpc: NearRpc, accountId: string, secretKeys: readonly string[], logger: Logger) {
    this.#rpc = rpc;
    this.#logger = logger;
    this.#free = secretKeys.map(
      (secret) => new Account(accountId, rpc.provider, KeyPairSigner.fromSecretKey(secret as KeyPairString)),
    );
  }

  /** @throws {OperatingError} `transaction_queue_full`, `transaction_unsent`; a refusal by the contract is no error. */
  async call(call: ContractCall): Promise<CallEnd> {
    const lane = await this.#takeLane();
    try {
      return await this.#callOn(lane, call);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#free.push(lane);
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  #takeLane(): Promise<Account> {
    const lane = this.#free.pop();
    if (lane) return Promise.resolve(lane);
    if (this.#waiting.length >= MAX_WAITING)
      throw new OperatingError("transaction_queue_full", { waiting: MAX_WAITING });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #callOn(lane: Account, call: ContractCall): Promise<CallEnd> {
    const { contractId, method, args, gas, depositYocto } = call;
    const action = actions.functionCall(method, args, gas, depositYocto);
    let signed: SignedTransaction | undefined;
    let signatures = 0;
    let cause: unknown = new Error("the node is stopping");
    for (let tries = 0; tries < MAX_TRIES && !this.#stopped.signal.aborted; tries++) {
      try {
        if (!signed) {
          if (signatures++ >= MAX_SIGNATURES) break;
          signed = await lane.createSignedTransaction({ receiverId: contractId, actions: [action] });
        }
        return endOf(await this.#rpc.provider.sendTransactionUntil(signed, "EXECUTED_OPTIMISTIC"));
      } catch (error) {
        cause = error;
        const refused = transactionError(error);
        if (refused?.includes("InvalidNonce") || refused?.includes("Expired")) {
          signed = undefined;
          continue;
        }
        if (refused) throw new OperatingError("transaction_unsent", { method, refused }, error);
        this.#logger.warn("the transaction's end is not known, sending it again", { method, tries }, error);
        await sleep(RETRY_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      }
    }
    throw new OperatingError("transaction_unsent", { method }, cause);
  }
}

function endOf(answer: unknown): CallEnd {
  const parsed = outcomeAnswer.safeParse(answer);
  if (!parsed.success) throw new OperatingError("rpc_answer_malformed", { question: "send_tx" });
  const { status, transaction } = parsed.data;
  const failure = typeof status === "object" && "Failure" in status ? status.Failure : undefined;
  return {
    transactionHash: transaction.hash,
    accepted: failure === undefined,
    reason: failure === undefined ? "" : failureText(failure),
  };
}

/** The contract's panic message inside nearcore's nested ActionError, or the whole error where there is none. */
function failureText(failure: unknown): string {
  const text = JSON.stringify(failure);
  return /Smart contract panicked: ((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 512);
}

/** nearcore's name for why it did not take a transaction, or nothing where the endpoint did not answer that. */
function transactionError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const text = `${error.name} ${error.message} ${"type" in error ? String(error.type) : ""}`;
  return /InvalidNonce|Expired|InvalidSignature|NotEnoughBalance|AccessKeyNotFound|InvalidTx\w*|NotEnoughAllowance/.exec(
    text,
  )?.[0];
}
