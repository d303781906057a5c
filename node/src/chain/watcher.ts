/**
 * Watches the contract and tells the worker machine what happened, in the order in which it happened.
 *
 * Blocks are followed by their hashes: each one's state changes are read once the block before it was seen, no indexer,
 * no log parsing. Heads are optimistic, so one may give way to another; then, as at the start and after a gap, the
 * paginated views of the registry and of all pending requests are read, all of them at one block, and following goes
 * on from there. An endpoint that lags, or lacks a block that it named, is asked again: nothing is skipped.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_OPEN_REQUESTS, MAX_REGISTRY_NODES } from "@outlayer/protocol/limits";
import { decode, WireError } from "@outlayer/protocol/wire/borsh";
import { leaseRecord, nodeRecord, outcomeRecord, proposalRecord, requestRecord } from "@outlayer/protocol/wire/records";
import type { RequestOnChain, WorkerEvent } from "@outlayer/protocol/worker/events";
import { eventOf, type StateChange } from "@outlayer/protocol/worker/state-changes";
import { z } from "zod";
import { OperatingError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Block, NearRpc } from "./near-rpc.ts";

const PAGE = 50;
/** More blocks than this behind, reading the views is quicker than reading every block. */
const MAX_CATCH_UP_BLOCKS = 100;
/** Tries to follow from block to block, after which the views are read instead. */
const MAX_FOLLOW_TRIES = 4;
const MAX_RETRY_MS = 5_000;
const FIRST_POLL_MS = 100;
/** Pages are cut at 3 MiB too, so that requests with large inputs can come one by one. */
const MAX_PAGES = 20_000;

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

type PendingEntry = z.infer<typeof pendingPage>[number];

/** @throws {OperatingError} `contract_record_malformed` where `read` meets a record that is not one of this version */
function ofThisVersion<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new OperatingError("contract_record_malformed", { key }, error);
  }
}

function requestOf({ request, lease, outcome, proposal, objected }: PendingEntry): RequestOnChain {
  return {
    record: decode(requestRecord, request),
    lease: lease ? decode(leaseRecord, lease) : undefined,
    outcome: outcome ? decode(outcomeRecord, outcome) : undefined,
    proposal: proposal ? decode(proposalRecord, proposal) : undefined,
    objected,
  };
}

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
  /** The last block whose changes were told. */
  #tip: Block | undefined;
  /** Hashes of the last tips: an endpoint that is behind names one of them as its head. */
  readonly #seen = new Set<string>();
  /** Tries in a row that did not get any further; an old head in between is no progress. */
  #failedSteps = 0;
  readonly #pace = new BlockPace();
  #loop: Promise<void> | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  get height(): number {
    return this.#tip?.height ?? 0;
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
        await this.#advance(head);
        if (failures > 0) logger.info("the chain answers again", { height: head.height });
        failures = 0;
        onContact?.(true);
        synced();
        await this.#pause(this.#pace.nextPollMs(head.height, performance.now()));
      } catch (error) {
        failures++;
        this.#failedSteps++;
        onContact?.(false);
        if (this.#stopped.signal.aborted) break;
        const waitMs = Math.min(MAX_RETRY_MS, 100 * 2 ** Math.min(failures, 10));
        logger.warn("no contact to the chain, trying again", { failures, waitMs }, error);
        await this.#pause(waitMs);
      }
    }
    synced();
  }

  async #advance(head: Block): Promise<void> {
    const tip = this.#tip;
    if (tip === undefined || head.height - tip.height > MAX_CATCH_UP_BLOCKS) return this.#readAll(head);
    if (this.#seen.has(head.hash)) return;
    if (head.height <= tip.height) {
      // A block beside the one that was seen: if the chain goes on from it, a higher head will say so.
      if (tip.height - head.height <= MAX_CATCH_UP_BLOCKS) return;
      if (this.#failedSteps < MAX_FOLLOW_TRIES) {
        throw new OperatingError("chain_went_back", { seen: tip.height, head: head.height });
      }
      // It says so again and again: then what was seen before is what was wrong.
      return this.#readAll(head);
    }
    if (this.#failedSteps >= MAX_FOLLOW_TRIES) return this.#readAll(head);
    const blocks = await this.#blocksBetween(tip, head);
    if (blocks === undefined) {
      this.#options.logger.info("blocks gave way to others, reading the contract anew", { height: head.height });
      return this.#readAll(head);
    }
    const { rpc, contractId, deliver } = this.#options;
    for (const block of blocks) {
      for (const change of await rpc.stateChanges(contractId, block.hash)) await this.#deliverChange(change);
      this.#follow(block);
      await deliver({ kind: "blockObserved", height: block.height });
    }
  }

  /** The blocks from `tip`, without it, to `head`; nothing where `head` does not descend from it. */
  async #blocksBetween(tip: Block, head: Block): Promise<readonly Block[] | undefined> {
    const blocks = [head];
    for (let first = head; first.previousHash !== tip.hash; ) {
      if (blocks.length > MAX_CATCH_UP_BLOCKS) return undefined;
      first = await this.#options.rpc.block(first.previousHash);
      if (first.height <= tip.height) return undefined;
      blocks.unshift(first);
    }
    return blocks;
  }

  #follow(block: Block): void {
    this.#tip = block;
    this.#failedSteps = 0;
    this.#seen.add(block.hash);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= MAX_CATCH_UP_BLOCKS) break;
      this.#seen.delete(oldest);
    }
  }

  async #deliverChange(change: StateChange): Promise<void> {
    const event = ofThisVersion(Buffer.from(change.key).toString("hex"), () => eventOf(change));
    if (event) await this.#options.deliver(event);
  }

  async #readAll(block: Block): Promise<void> {
    const nodes = await this.#pages("get_nodes", "from_index", nodesPage, block, {
      of: ({ record }) => decode(nodeRecord, record),
      next: (_, from) => from + 1,
      most: MAX_REGISTRY_NODES,
    });
    const requests = await this.#pages("get_pending_records", "from_request_id", pendingPage, block, {
      of: requestOf,
      next: ({ record }) => record.requestId + 1,
      most: MAX_OPEN_REQUESTS,
    });
    this.#follow(block);
    await this.#options.deliver({ kind: "contractRead", height: block.height, nodes, requests });
  }

  /** All that a paginated view has at a block. Pages are cut by their size too, so only an empty one is the last. */
  async #pages<Entry, Item>(
    method: string,
    start: string,
    page: z.ZodType<Entry[]>,
    { hash }: Block,
    read: { of: (entry: Entry) => Item; next: (item: Item, from: number) => number; most: number },
  ): Promise<Item[]> {
    const { rpc, contractId } = this.#options;
    const items: Item[] = [];
    for (let from = 0, pages = 0; pages < MAX_PAGES; pages++) {
      const { value } = await rpc.view(contractId, method, { [start]: from, limit: PAGE }, page, { hash });
      // More than the machine takes is not asked for.
      if (value.length === 0 || items.length >= read.most) return items;
      for (const entry of value) {
        const item = ofThisVersion(`${method} from ${from}`, () => read.of(entry));
        const next = read.next(item, from);
        if (next <= from)
          throw new OperatingError("rpc_answer_malformed", { question: method, problem: "pages repeat" });
        from = next;
        items.push(item);
      }
    }
    throw new OperatingError("rpc_answer_malformed", { question: method, problem: `more than ${MAX_PAGES} pages` });
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
