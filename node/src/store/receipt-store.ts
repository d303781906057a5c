/** Receipts by request, listed newest first; beyond the bound the oldest go. */
import { OperatingError } from "../errors.ts";
import { type Database, plain, storeError, type Table, table } from "./database.ts";
import { MAX_RECEIPT_BYTES, MAX_RECEIPT_PAGE, MAX_RECEIPTS } from "./limits.ts";

export interface StoredReceipt {
  requestId: number;
  /** Encoded by the caller. */
  receipt: Uint8Array;
}

export interface ReceiptPage {
  receipts: StoredReceipt[];
  /** Give it as `before` for the next page; absent on the last. */
  next?: number;
}

/** Request ids rise with time, so their order is the order of age. */
const KEY_DIGITS = 16;

export class ReceiptStore {
  readonly #database: Database;
  readonly #table: Table;
  readonly #maxReceipts: number;
  #count = 0;
  #changes: Promise<unknown> = Promise.resolve();

  static async open(database: Database, maxReceipts = MAX_RECEIPTS): Promise<ReceiptStore> {
    const store = new ReceiptStore(database, maxReceipts);
    for await (const _ of store.#table.keys()) store.#count++;
    return store;
  }

  private constructor(database: Database, maxReceipts: number) {
    this.#database = database;
    this.#table = table(database, "receipts");
    this.#maxReceipts = maxReceipts;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Keeps or replaces a request's receipt. Durable when it resolves.
   * @throws OperatingError store_record_invalid, store_unreadable
   */
  put(requestId: number, receipt: Uint8Array): Promise<void> {
    const result = this.#changes.then(() => this.#put(keyOf(requestId), receipt));
    this.#changes = result.catch(() => undefined);
    return result;
  }

  async get(requestId: number): Promise<Uint8Array | undefined> {
    try {
      const receipt = await this.#table.get(keyOf(requestId));
      return receipt && plain(receipt);
    } catch (error) {
      throw storeError(error);
    }
  }

  /**
   * @param limit at most {@link MAX_RECEIPT_PAGE}
   * @param before only requests older than this one
   */
  async list(limit: number, before?: number): Promise<ReceiptPage> {
    const size = Math.max(1, Math.min(Math.floor(limit) || 1, MAX_RECEIPT_PAGE));
    const range = before === undefined ? {} : { lt: keyOf(before) };
    const receipts: StoredReceipt[] = [];
    try {
      for await (const [key, receipt] of this.#table.iterator({ reverse: true, limit: size + 1, ...range })) {
        receipts.push({ requestId: Number(key), receipt: plain(receipt) });
      }
    } catch (error) {
      throw storeError(error);
    }
    if (receipts.length <= size) return { receipts };
    receipts.pop();
    return { receipts, next: (receipts.at(-1) as StoredReceipt).requestId };
  }

  async #put(key: string, receipt: Uint8Array): Promise<void> {
    if (receipt.length > MAX_RECEIPT_BYTES) {
      throw new OperatingError("store_record_invalid", { table: "receipts", sizeBytes: receipt.length });
    }
    try {
      const isNew = (await this.#table.get(key)) === undefined;
      const batch = this.#database.batch().put(key, receipt, { sublevel: this.#table });
      let evicted = 0;
      if (isNew && this.#count >= this.#maxReceipts) {
        for await (const oldest of this.#table.keys({ limit: this.#count - this.#maxReceipts + 1 })) {
          batch.del(oldest, { sublevel: this.#table });
          evicted++;
        }
      }
      await batch.write({ sync: true });
      this.#count += (isNew ? 1 : 0) - evicted;
    } catch (error) {
      throw storeError(error);
    }
  }
}

function keyOf(requestId: number): string {
  if (!Number.isSafeInteger(requestId) || requestId < 0) {
    throw new OperatingError("store_record_invalid", { table: "receipts", requestId });
  }
  return requestId.toString().padStart(KEY_DIGITS, "0");
}
