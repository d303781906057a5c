/** Transactions that were accepted and wait for a block. */
import { type Hash, hashBytes, sha256, u64le } from "../codec/hash.ts";
import type { SignedTransaction } from "../codec/transaction.ts";

export interface PendingTransaction {
  readonly transaction: SignedTransaction;
  readonly bytes: Uint8Array;
}

export const MAX_PENDING_TRANSACTIONS = 10_000;
export const MAX_PENDING_BYTES = 64 * 1024 * 1024;

export class Mempool {
  #pending = new Map<Hash, PendingTransaction>();
  #bytes = 0;

  has(hash: Hash): boolean {
    return this.#pending.has(hash);
  }

  get size(): number {
    return this.#pending.size;
  }

  get bytes(): Uint8Array[] {
    return [...this.#pending.values()].map(({ bytes }) => bytes);
  }

  clear(): void {
    this.#pending.clear();
    this.#bytes = 0;
  }

  /** False when there is no room. */
  add(entry: PendingTransaction): boolean {
    if (this.#pending.size >= MAX_PENDING_TRANSACTIONS) return false;
    if (this.#bytes + entry.bytes.length > MAX_PENDING_BYTES) return false;
    this.#pending.set(entry.transaction.hash, entry);
    this.#bytes += entry.bytes.length;
    return true;
  }

  /** Takes up to `count`, in the order they came; the transactions of one key among themselves by nonce. */
  take(count: number): PendingTransaction[] {
    const taken = [...this.#pending.values()].slice(0, count);
    for (const { transaction, bytes } of taken) {
      this.#pending.delete(transaction.hash);
      this.#bytes -= bytes.length;
    }
    const lanes = new Map<string, PendingTransaction[]>();
    const laneOf = ({ transaction }: PendingTransaction) => `${transaction.signerId} ${transaction.publicKey}`;
    for (const entry of taken) {
      const lane = lanes.get(laneOf(entry)) ?? [];
      lane.push(entry);
      lanes.set(laneOf(entry), lane);
    }
    for (const lane of lanes.values()) {
      lane.sort((a, b) => (a.transaction.nonce < b.transaction.nonce ? -1 : 1));
    }
    return taken.map((entry) => lanes.get(laneOf(entry))!.shift()!);
  }
}

/** What several nodes that take transactions do to their order; it follows from the seed. */
export function inOrderOfChance(
  taken: readonly PendingTransaction[],
  seed: Uint8Array,
  height: number,
): PendingTransaction[] {
  const place = ({ transaction }: PendingTransaction) =>
    Buffer.from(sha256(seed, "order", u64le(height), hashBytes(transaction.hash))).toString("latin1");
  return taken
    .map((entry) => ({ entry, place: place(entry) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ entry }) => entry);
}
