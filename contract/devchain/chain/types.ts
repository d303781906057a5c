/** Receipts, outcomes, blocks: what moves through the chain and what it leaves behind. */
import type { Action, GlobalContractId } from "../codec/action.ts";
import type { Hash } from "../codec/hash.ts";
import type { PublicKey } from "../codec/public-key.ts";
import type { SignedTransaction } from "../codec/transaction.ts";

export interface OutputReceiver {
  readonly dataId: Hash;
  readonly receiverId: string;
}

interface ReceiptBase {
  readonly id: Hash;
  readonly predecessorId: string;
  readonly receiverId: string;
  /** The transaction this receipt descends from. */
  readonly transactionHash: Hash;
}

export interface ActionReceipt extends ReceiptBase {
  readonly kind: "action";
  readonly signerId: string;
  readonly signerPublicKey: PublicKey;
  /** What its gas was bought at, yocto per gas. */
  readonly gasPrice: bigint;
  readonly actions: readonly Action[];
  readonly inputDataIds: readonly Hash[];
  readonly outputReceivers: readonly OutputReceiver[];
  /** Who gets deposits back; the predecessor, unless the contract named another. */
  readonly refundTo: string;
  /** A yield: waits for the data that `yield_resume` or the timeout sends. */
  readonly isYield: boolean;
}

export interface DataReceipt extends ReceiptBase {
  readonly kind: "data";
  readonly dataId: Hash;
  /** Null when what was waited for failed, or a yield timed out. */
  readonly data: Uint8Array | null;
  readonly isResume: boolean;
}

/** Shared code, deployed or replaced. */
export interface CodeDistribution {
  readonly contract: GlobalContractId;
  readonly code: Uint8Array<ArrayBuffer>;
}

/** Takes code to everybody who uses it. */
export interface DistributionReceipt extends ReceiptBase, CodeDistribution {
  readonly kind: "distribution";
}

export type Receipt = ActionReceipt | DataReceipt | DistributionReceipt;

/** JSON of nearcore's `TxExecutionError` without its outermost name. */
export type ErrorJson = Readonly<Record<string, unknown>> | string;

export type OutcomeStatus =
  | { readonly kind: "value"; readonly value: Uint8Array }
  | { readonly kind: "receipt"; readonly id: Hash }
  | { readonly kind: "failure"; readonly error: ErrorJson };

/** Of a transaction's conversion or of one receipt. */
export interface ExecutionOutcome {
  readonly id: Hash;
  readonly blockHeight: number;
  readonly executorId: string;
  readonly logs: readonly string[];
  /** Action receipts that came out of it. */
  readonly receiptIds: readonly Hash[];
  readonly gasBurnt: number;
  readonly tokensBurnt: bigint;
  readonly status: OutcomeStatus;
}

export interface TransactionRecord {
  readonly transaction: SignedTransaction;
  readonly outcome: ExecutionOutcome;
  /** In the order of execution. */
  readonly receiptOutcomes: ExecutionOutcome[];
  /** Action receipts that were made and did not run yet, refunds among them. */
  openReceipts: number;
  openRefunds: number;
}

export interface Block {
  readonly height: number;
  readonly hash: Hash;
  readonly previousHash: Hash;
  readonly timestampNs: bigint;
  /** A chain of hashes over every state change since genesis; not a Merkle root. */
  readonly stateRoot: Hash;
  readonly outcomeRoot: Hash;
  /** From which every receipt's `random_seed` derives. */
  readonly randomValue: Hash;
  readonly transactions: readonly Hash[];
  /** Ids of the receipts that ran in this block. */
  readonly receipts: readonly Hash[];
  readonly gasUsed: number;
}
