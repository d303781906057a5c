/**
 * Watches the contract and tells the worker machine what happened, in the order in which it happened.
 *
 * At the start, and after a gap whose blocks the endpoint no longer has, it reads the paginated views of the
 * registry and of all pending requests, so that none is missed however long the outage was. After that it reads
 * the state changes of every block: no indexer, no log parsing. Heads are optimistic: everything the machine does
 * on them can be thrown away.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { decode, WireError } from "@outlayer/protocol/wire/borsh";
import { leaseRecord, nodeRecord, outcomeRecord, proposalRecord, requestRecord } from "@outlayer/protocol/wire/records";
import type { WorkerEvent } from "@outlayer/protocol/worker/events";
import { eventOf, type StateChange } from "@outlayer/protocol/worker/state-changes";
import { z } from "zod";
import { OperatingError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { NearRpc } from "./near-rpc.ts";

const PAGE = 50;
/** More blocks than this behind, reading the views is quicker than reading every block. */
const MAX_CATCH_UP_BLOCKS = 100;
const MAX_RETRY_MS = 5_000;
const FIRST_POLL_MS = 100;
const MAX_PAGES = 2_000;

const base64 = z.string().transform((text) => new Uint8Array(Buffer.from(text, "base64")));
const nodesPage = z.array(z.object({ record: base64 })).max(PAGE);
const pendingPage = z
  .array(
    z.object({
      request: base64,
      lease: base64.nullable(),
      outcome: base64.nullable(),
      proposal: base64.nullable(),
      objected: z.boolean(),
    }),
  )
  .max(PAGE);

export interface WatcherOptions {
  readonly rpc: NearRpc;
  readonly contractId: string;
  readonly logger: Logger;
  /** Called for every event, in order; the watcher waits for the promise before it goes on. */
  readonly deliver: (event: WorkerEvent) => Promise<void>;
  /** Called whenever contact to the chain was lost or came back. */
  readonly onContact?: (connected: boolean) => void;
}

export class ChainWatcher {
  readonly #options: WatcherOptions;
  readonly #stopped = new AbortController();
  #height = 0;
  readonly #pace = new BlockPace();
  #loop: Promise<void> | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  get height(): number {
    return this.#height;
  }

  /** Resolves after the first full reading of the contract's state. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#loop = this.#run(resolve);
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  async #run(synced: () => void): Promise<void> {
    const { rpc, logger, onContact } = this.#options;
    let failures = 0;
    while (!this.#stopped.signal.aborted) {
      try {
        const head = await rpc.head("optimistic");
        if (failures > 0) logger.info("the chain answers again", { height: head.height });
        failures = 0;
        onContact?.(true);
        await this.#advance(head.height);
        synced();
        await this.#pause(this.#pace.nextPollMs(head.height, performance.now()));
      } catch (error) {
        failures++;
        onContact?.(false);
        const waitMs = Math.min(MAX_RETRY_MS, 100 * 2 ** Math.min(failures, 10));
        logger.warn("no contact to the chain, trying again", { failures, waitMs }, error);
        await this.#pause(waitMs);
      }
    }
  }

  async #advance(head: number): Promise<void> {
    if (this.#height === 0 || head - this.#height > MAX_CATCH_UP_BLOCKS) return this.#readAll();
    for (let height = this.#height + 1; height <= head; height++) {
      const changes = await this.#options.rpc.stateChanges(this.#options.contractId, height);
      if (changes === undefined && height < head - 3) {
        // Skipped heights are normal; a block that is gone is a gap. The views answer for both.
        return this.#readAll();
      }
      for (const change of changes ?? []) await this.#deliverChange(change);
      await this.#observe(height);
    }
  }

  async #observe(height: number): Promise<void> {
    this.#height = height;
    await this.#options.deliver({ kind: "blockObserved", height });
  }

  async #deliverChange(change: StateChange): Promise<void> {
    let event: WorkerEvent | undefined;
    try {
      event = eventOf(change);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new OperatingError("contract_record_malformed", { key: Buffer.from(change.key).toString("hex") }, error);
    }
    if (event) await this.#options.deliver(event);
  }

  async #readAll(): Promise<void> {
    const { rpc, contractId, deliver } = this.#options;
    // Everything read below is at least as new as this block, so its successors' changes may repeat, never miss.
    const { height } = await rpc.head("optimistic");
    for (let from = 0, page = 0; page < MAX_PAGES; page++) {
      const args = { from_index: from, limit: PAGE };
      const { value } = await rpc.view(contractId, "get_nodes", args, nodesPage);
      if (value.length === 0) break;
      from += value.length;
      for (const { record } of value) await deliver({ kind: "nodeChanged", node: decode(nodeRecord, record) });
    }
    await this.#observe(height);
    const requestIds: number[] = [];
    // Pages are cut by their size, so only an empty one is the last; ids rise, so what settles meanwhile moves nothing.
    for (let from = 0, page = 0; page < MAX_PAGES; page++) {
      const args = { from_request_id: from, limit: PAGE };
      const { value } = await rpc.view(contractId, "get_pending_records", args, pendingPage);
      if (value.length === 0) break;
      for (const entry of value) {
        const record = decode(requestRecord, entry.request);
        from = record.requestId + 1;
        requestIds.push(record.requestId);
        const lease = entry.lease ? decode(leaseRecord, entry.lease) : undefined;
        const outcome = entry.outcome ? decode(outcomeRecord, entry.outcome) : undefined;
        const proposal = entry.proposal ? decode(proposalRecord, entry.proposal) : undefined;
        await deliver({ kind: "requestOpened", record, lease, outcome, proposal, objected: entry.objected });
      }
    }
    await deliver({ kind: "pendingListed", requestIds });
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}

/**
 * When to ask for the head again: shortly before the next block is due, then in small steps until it is there, so
 * that a node at rest asks two or three times a block and still sees it within a tenth of a block.
 */
export class BlockPace {
  #height = 0;
  #seenAtMs = 0;
  #blockMs: number | undefined;

  nextPollMs(height: number, nowMs: number): number {
    if (height === this.#height) return clamp((this.#blockMs ?? FIRST_POLL_MS) * 0.08, 20, 500);
    if (this.#height > 0 && height > this.#height) {
      const measured = clamp((nowMs - this.#seenAtMs) / (height - this.#height), 50, 5_000);
      this.#blockMs = this.#blockMs === undefined ? measured : this.#blockMs * 0.7 + measured * 0.3;
    }
    this.#height = height;
    this.#seenAtMs = nowMs;
    return this.#blockMs === undefined ? FIRST_POLL_MS : this.#blockMs * 0.85;
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
