/** Transactions, their receipts and outcomes, kept for as many blocks as the chain's history. */

import { SYSTEM_ACCOUNT } from "../codec/account-id.ts";
import { deriveHash, type Hash } from "../codec/hash.ts";
import type { SignedTransaction } from "../codec/transaction.ts";
import type { ActionReceipt, ExecutionOutcome, Receipt, TransactionRecord } from "./types.ts";
import type { TransactionCost } from "./verifier.ts";

interface Entry {
  readonly record: TransactionRecord;
  readonly root: ActionReceipt;
  readonly receipts: Map<Hash, ActionReceipt>;
}

/** A transaction that is not over. */
export interface OpenTransaction {
  readonly record: TransactionRecord;
  readonly root: ActionReceipt;
  /** All that were made so far, the first among them. */
  readonly receipts: readonly ActionReceipt[];
}

const copyOf = (record: TransactionRecord): TransactionRecord => ({
  ...record,
  receiptOutcomes: [...record.receiptOutcomes],
});

export class TransactionLedger {
  #entries = new Map<Hash, Entry>();
  #transactionOf = new Map<Hash, Hash>();
  /** Transactions that are over, by when they were. */
  #finished: { hash: Hash; height: number }[] = [];
  readonly #keptBlocks: number;

  constructor(keptBlocks: number) {
    this.#keptBlocks = keptBlocks;
  }

  transaction(hash: Hash): TransactionRecord | undefined {
    return this.#entries.get(hash)?.record;
  }

  receipt(id: Hash): ActionReceipt | undefined {
    const hash = this.#transactionOf.get(id);
    return hash === undefined ? undefined : this.#entries.get(hash)?.receipts.get(id);
  }

  get open(): OpenTransaction[] {
    return [...this.#entries.values()]
      .filter(({ record }) => record.openReceipts + record.openRefunds > 0)
      .map(({ record, root, receipts }) => ({ record: copyOf(record), root, receipts: [...receipts.values()] }));
  }

  /** Forgets everything but these. */
  restart(open: readonly OpenTransaction[]): void {
    this.#entries = new Map();
    this.#transactionOf = new Map();
    this.#finished = [];
    this.#take(open);
  }

  #take(open: readonly OpenTransaction[]): void {
    for (const { record, root, receipts } of open) {
      const { hash } = record.transaction;
      const byId = new Map(receipts.map((receipt) => [receipt.id, receipt]));
      this.#entries.set(hash, { record: copyOf(record), root, receipts: byId });
      for (const id of byId.keys()) this.#transactionOf.set(id, hash);
    }
  }

  /** Undoes the block at `height`, before which these transactions were open. */
  dropBlock(height: number, open: readonly OpenTransaction[]): void {
    const before = new Set(open.map(({ record }) => record.transaction.hash));
    for (const [hash, { record, receipts }] of this.#entries) {
      if (record.outcome.blockHeight !== height && !before.has(hash)) continue;
      for (const id of receipts.keys()) this.#transactionOf.delete(id);
      this.#entries.delete(hash);
    }
    this.#finished = this.#finished.filter((finished) => finished.height !== height);
    this.#take(open);
  }

  /** Takes in a transaction that was charged, with the receipt it becomes. */
  include(transaction: SignedTransaction, cost: TransactionCost, height: number): void {
    const { hash, signerId, receiverId } = transaction;
    const root: ActionReceipt = {
      kind: "action",
      id: deriveHash(hash, height, 0),
      predecessorId: signerId,
      receiverId,
      transactionHash: hash,
      signerId,
      signerPublicKey: transaction.publicKey,
      gasPrice: cost.receiptGasPrice,
      actions: transaction.actions,
      inputDataIds: [],
      outputReceivers: [],
      refundTo: signerId,
      isYield: false,
    };
    const outcome: ExecutionOutcome = {
      id: hash,
      blockHeight: height,
      executorId: signerId,
      logs: [],
      receiptIds: [root.id],
      gasBurnt: cost.burntGas,
      tokensBurnt: cost.burntTokens,
      status: { kind: "receipt", id: root.id },
    };
    const record = { transaction, outcome, receiptOutcomes: [], openReceipts: 1, openRefunds: 0 };
    this.#entries.set(hash, { record, root, receipts: new Map([[root.id, root]]) });
    this.#transactionOf.set(root.id, hash);
  }

  /** The outcome and receipt of an included transaction. */
  convert(transaction: SignedTransaction): { outcome: ExecutionOutcome; receipt: ActionReceipt } {
    const { record, root } = this.#entries.get(transaction.hash)!;
    return { outcome: record.outcome, receipt: root };
  }

  executed(receipt: ActionReceipt, outcome: ExecutionOutcome, outgoing: readonly Receipt[]): void {
    const entry = this.#entries.get(receipt.transactionHash);
    if (entry === undefined) return;
    const { record } = entry;
    record.receiptOutcomes.push(outcome);
    this.#count(record, receipt, -1);
    for (const made of outgoing) {
      if (made.kind !== "action") continue;
      entry.receipts.set(made.id, made);
      this.#transactionOf.set(made.id, made.transactionHash);
      this.#count(record, made, 1);
    }
    if (record.openReceipts + record.openRefunds === 0) {
      this.#finished.push({ hash: receipt.transactionHash, height: outcome.blockHeight });
    }
  }

  /** Forgets transactions that were over before the history begins. */
  prune(height: number): void {
    const kept = this.#finished.findIndex((finished) => finished.height > height - this.#keptBlocks);
    for (const { hash } of this.#finished.splice(0, kept === -1 ? this.#finished.length : kept)) {
      for (const id of this.#entries.get(hash)?.receipts.keys() ?? []) this.#transactionOf.delete(id);
      this.#entries.delete(hash);
    }
  }

  #count(record: TransactionRecord, receipt: ActionReceipt, change: 1 | -1): void {
    if (receipt.predecessorId === SYSTEM_ACCOUNT) record.openRefunds += change;
    else record.openReceipts += change;
  }
}
