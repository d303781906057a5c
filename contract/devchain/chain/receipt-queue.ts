/** Receipts between their making and their running: what is due, what waits for data, what has yielded. */
import type { Hash } from "../codec/hash.ts";
import type { YieldTimeout } from "./receipt-execution.ts";
import type { ActionReceipt, DataReceipt, Receipt } from "./types.ts";

export interface ReadyReceipt {
  readonly receipt: ActionReceipt;
  readonly results: readonly (Uint8Array | null)[];
}

/** Everything that a queue holds. */
export interface QueueContents {
  readonly outgoing: readonly Receipt[];
  readonly delayed: readonly Receipt[];
  /** Each once, whatever it misses. */
  readonly waiting: readonly ActionReceipt[];
  readonly received: readonly { readonly dataId: Hash; readonly data: Uint8Array | null }[];
  readonly yielded: readonly ActionReceipt[];
  readonly timeouts: readonly YieldTimeout[];
}

export class ReceiptQueue {
  /** Due in the next block. */
  #outgoing: Receipt[] = [];
  /** Left over by full blocks. */
  #delayed: Receipt[] = [];
  /** Action receipts by each data id they still miss. */
  #waiting = new Map<Hash, ActionReceipt>();
  #received = new Map<Hash, Uint8Array | null>();
  #yielded = new Map<Hash, ActionReceipt>();
  /** In the order of expiry. */
  #timeouts: YieldTimeout[] = [];

  push(receipts: readonly Receipt[]): void {
    this.#outgoing.push(...receipts);
  }

  pushTimeouts(timeouts: readonly YieldTimeout[]): void {
    this.#timeouts.push(...timeouts);
  }

  get isIdle(): boolean {
    return this.#outgoing.length === 0 && this.#delayed.length === 0;
  }

  /** Everything due: what earlier blocks left over first. */
  takeDue(): Receipt[] {
    const due = [...this.#delayed, ...this.#outgoing];
    this.#delayed = [];
    this.#outgoing = [];
    return due;
  }

  delay(receipts: readonly Receipt[]): void {
    this.#delayed.push(...receipts);
  }

  /** The receipt that can run now that `receipt` has arrived, if any. */
  arrive(receipt: ActionReceipt | DataReceipt): ReadyReceipt | undefined {
    if (receipt.kind === "action") return this.#arriveAction(receipt);
    return receipt.isResume ? this.#resume(receipt) : this.#arriveData(receipt);
  }

  takeTimeouts(height: number): YieldTimeout[] {
    const pending = this.#timeouts.findIndex((timeout) => timeout.expiresAtHeight > height);
    return this.#timeouts.splice(0, pending === -1 ? this.#timeouts.length : pending);
  }

  get contents(): QueueContents {
    return {
      outgoing: [...this.#outgoing],
      delayed: [...this.#delayed],
      waiting: [...new Set(this.#waiting.values())],
      received: [...this.#received].map(([dataId, data]) => ({ dataId, data })),
      yielded: [...this.#yielded.values()],
      timeouts: [...this.#timeouts],
    };
  }

  restart(contents: QueueContents): void {
    this.#outgoing = [...contents.outgoing];
    this.#delayed = [...contents.delayed];
    this.#timeouts = [...contents.timeouts];
    this.#received = new Map(contents.received.map(({ dataId, data }) => [dataId, data]));
    this.#yielded = new Map(contents.yielded.map((receipt) => [receipt.inputDataIds[0]!, receipt]));
    this.#waiting = new Map();
    for (const receipt of contents.waiting) this.#arriveAction(receipt);
  }

  #arriveAction(receipt: ActionReceipt): ReadyReceipt | undefined {
    if (receipt.isYield) {
      this.#yielded.set(receipt.inputDataIds[0]!, receipt);
      return undefined;
    }
    let missing = false;
    for (const dataId of receipt.inputDataIds) {
      if (this.#received.has(dataId)) continue;
      this.#waiting.set(dataId, receipt);
      missing = true;
    }
    return missing ? undefined : this.#ready(receipt);
  }

  #arriveData(data: DataReceipt): ReadyReceipt | undefined {
    this.#received.set(data.dataId, data.data);
    const receipt = this.#waiting.get(data.dataId);
    this.#waiting.delete(data.dataId);
    if (receipt === undefined || receipt.inputDataIds.some((dataId) => this.#waiting.has(dataId))) return undefined;
    return this.#ready(receipt);
  }

  #resume(data: DataReceipt): ReadyReceipt | undefined {
    const receipt = this.#yielded.get(data.dataId);
    this.#yielded.delete(data.dataId);
    return receipt && { receipt, results: [data.data] };
  }

  #ready(receipt: ActionReceipt): ReadyReceipt {
    const results = receipt.inputDataIds.map((dataId) => this.#received.get(dataId) ?? null);
    for (const dataId of receipt.inputDataIds) this.#received.delete(dataId);
    return { receipt, results };
  }
}
