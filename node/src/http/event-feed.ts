/**
 * The node's news as server-sent events (WHATWG HTML, section 9.2): `progress` and `receipt` as they happen, `status`
 * at the beginning and every second. News carry an id; who comes back with the last one it saw gets what it missed,
 * everybody else what is kept. Snapshots have no id, are never repeated and serve as the heartbeat.
 */
import type { Stage } from "@outlayer/protocol/worker/events";
import { ApiError } from "./api-error.ts";
import type { NodeFacade } from "./facade.ts";
import {
  MAX_EVENT_LISTENERS,
  MAX_KEPT_EVENT_BYTES,
  MAX_KEPT_EVENTS,
  MAX_LISTENER_BACKLOG_BYTES,
  STATUS_INTERVAL_MS,
} from "./limits.ts";
import { progressJson, statusJson } from "./status.ts";

type Listener = ReadableStreamDefaultController<Uint8Array>;

interface KeptEvent {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

const RECONNECT_MS = 1_000;

export class EventFeed {
  /** Steps of requests since the feed began, for `/metrics`. */
  readonly stageCounts = new Map<Stage, number>();
  receiptCount = 0;
  readonly #facade: NodeFacade;
  /** Ids of another start of the node are not ours: their sequence means nothing here. */
  readonly #era: string;
  readonly #kept: KeptEvent[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #unsubscribe: readonly (() => void)[];
  #keptBytes = 0;
  #sequence = 0;
  #ticker: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(facade: NodeFacade) {
    this.#facade = facade;
    this.#era = facade.info().startedAtMs.toString(36);
    for (const progress of facade.recentProgress()) this.#announce("progress", progressJson(progress));
    this.#unsubscribe = [
      facade.onProgress((progress) => {
        this.stageCounts.set(progress.stage, (this.stageCounts.get(progress.stage) ?? 0) + 1);
        this.#announce("progress", progressJson(progress));
      }),
      facade.onReceipt((receipt) => {
        this.receiptCount++;
        this.#announce("receipt", receipt);
      }),
    ];
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** @throws ApiError too_many_listeners */
  open(lastEventId: string | undefined): ReadableStream<Uint8Array> {
    if (this.#closed || this.#listeners.size >= MAX_EVENT_LISTENERS) {
      throw new ApiError(
        "too_many_listeners",
        `At most ${MAX_EVENT_LISTENERS} listeners at a time; close another page.`,
        {
          "retry-after": "5",
        },
      );
    }
    const after = this.#sequenceOf(lastEventId);
    let own: Listener;
    return new ReadableStream<Uint8Array>(
      {
        start: (listener) => {
          own = listener;
          listener.enqueue(encode(`retry: ${RECONNECT_MS}\n\n`));
          listener.enqueue(this.#snapshot());
          for (const { sequence, bytes } of this.#kept) if (sequence > after) listener.enqueue(bytes);
          this.#listeners.add(listener);
          this.#ticker ??= setInterval(() => this.#tick(), STATUS_INTERVAL_MS);
        },
        cancel: () => this.#forget(own),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MAX_LISTENER_BACKLOG_BYTES }),
    );
  }

  close(): void {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const listener of this.#listeners) {
      this.#forget(listener);
      listener.close();
    }
  }

  #forget(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #tick(): void {
    this.#send(this.#snapshot());
  }

  #snapshot(): Uint8Array {
    return encode(`event: status\ndata: ${JSON.stringify(statusJson(this.#facade, Date.now()))}\n\n`);
  }

  #announce(event: "progress" | "receipt", data: unknown): void {
    const sequence = ++this.#sequence;
    const bytes = encode(`id: ${this.#era}-${sequence}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    this.#kept.push({ sequence, bytes });
    this.#keptBytes += bytes.length;
    while (this.#kept.length > MAX_KEPT_EVENTS || this.#keptBytes > MAX_KEPT_EVENT_BYTES) {
      this.#keptBytes -= this.#kept.shift()!.bytes.length;
    }
    this.#send(bytes);
  }

  #send(bytes: Uint8Array): void {
    for (const listener of this.#listeners) {
      if ((listener.desiredSize ?? 0) >= bytes.length) listener.enqueue(bytes);
      else {
        this.#forget(listener);
        listener.error(new Error("the listener takes events more slowly than they are made"));
      }
    }
  }

  /** Where to go on; from the beginning when the id is missing, malformed, of another start or of the future. */
  #sequenceOf(lastEventId: string | undefined): number {
    const match = /^([0-9a-z]{1,16})-(\d{1,15})$/.exec(lastEventId ?? "");
    if (!match || match[1] !== this.#era || Number(match[2]) > this.#sequence) return 0;
    return Number(match[2]);
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
