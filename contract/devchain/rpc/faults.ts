/**
 * What a public RPC node does to its clients, on request: refusals, time-outs, heads that lag, blocks that are gone.
 * Which request is hit follows from a seed and the number of requests before it, so a failing run can be repeated.
 */
import { createHash } from "node:crypto";
import type { DevChain } from "../chain/devchain.ts";
import type { BlockReference } from "../chain/devchain-types.ts";
import { RpcError } from "./rpc-error.ts";

export interface RpcFaults {
  readonly seed: string;
  /** Shares of requests, 0 to 1: answered with HTTP 429. */
  readonly tooManyRequests?: number;
  /** Answered with `TIMEOUT_ERROR`, after the request was carried out: a transaction may land all the same. */
  readonly timeouts?: number;
  /** Answered by a node whose head is behind. */
  readonly staleHeads?: number;
  /** How many blocks that node is behind. Default 3. */
  readonly staleBlocks?: number;
  /** Questions about a block by its height or hash, answered with `UNKNOWN_BLOCK`. */
  readonly unknownBlocks?: number;
  /** Shares of blocks, 0 to 1, that are dropped when the next one is made, which takes their height. */
  readonly droppedBlocks?: number;
}

export type FaultKind = "tooManyRequests" | "timeouts" | "staleHeads" | "unknownBlocks";
const KINDS: readonly FaultKind[] = ["tooManyRequests", "timeouts", "staleHeads", "unknownBlocks"];
const DEFAULT_STALE_BLOCKS = 3;

export class FaultInjector {
  readonly #faults: RpcFaults | undefined;
  #requests = 0;
  #blocks = 0;

  /** @throws RangeError for a share outside of 0 to 1 */
  constructor(faults: RpcFaults | undefined) {
    for (const kind of [...KINDS, "droppedBlocks"] as const) {
      const share = faults?.[kind] ?? 0;
      if (!(share >= 0 && share <= 1)) throw new RangeError(`faults.${kind} is ${share}: 0 to 1 is taken`);
    }
    this.#faults = faults;
  }

  get staleBlocks(): number {
    return this.#faults?.staleBlocks ?? DEFAULT_STALE_BLOCKS;
  }

  /** Whether the present head is dropped before the next block is made. */
  dropsHead(): boolean {
    const { seed, droppedBlocks = 0 } = this.#faults ?? { seed: "" };
    if (droppedBlocks === 0) return false;
    const digest = createHash("sha256")
      .update(`${seed}\0block ${this.#blocks++}`)
      .digest();
    return digest.readUInt32LE() / 2 ** 32 < droppedBlocks;
  }

  /** What happens to the next request. */
  next(): ReadonlySet<FaultKind> {
    const faults = this.#faults;
    if (faults === undefined) return new Set();
    const digest = createHash("sha256")
      .update(`${faults.seed}\0${this.#requests++}`)
      .digest();
    return new Set(KINDS.filter((kind, index) => digest.readUInt32LE(4 * index) / 2 ** 32 < (faults[kind] ?? 0)));
  }
}

export function tooManyRequests(): RpcError {
  return new RpcError(
    {
      name: "REQUEST_VALIDATION_ERROR",
      cause: { info: {}, name: "TOO_MANY_REQUESTS" },
      code: -429,
      message: "Too many requests",
      data: "Too many requests",
    },
    429,
  );
}

/** The block that a request names by its height or hash. */
export function namedBlock(params: unknown): unknown {
  if (typeof params !== "object" || params === null) return undefined;
  return Array.isArray(params) ? undefined : (params as Record<string, unknown>).block_id;
}

/** The chain as a node sees it whose head is `blocks` behind. What is sent to it reaches the real one. */
export function behind(chain: DevChain, blocks: number): DevChain {
  const lag = (height: number) => Math.max(chain.oldestBlock.height, height - blocks);
  const shifted = (reference: BlockReference = "optimistic"): BlockReference =>
    typeof reference === "string" && ["optimistic", "near-final", "final"].includes(reference)
      ? lag(chain.block(reference).height)
      : reference;
  const overrides: Partial<Record<keyof DevChain, () => unknown>> = {
    head: () => chain.block(shifted("optimistic")),
    finalHead: () => chain.block(shifted("final")),
    block: () => (reference: BlockReference) => chain.block(shifted(reference)),
    stateAt: () => (reference: BlockReference) => chain.stateAt(shifted(reference)),
    view: () => (accountId: string, methodName: string, args: Uint8Array, at?: BlockReference) =>
      chain.view(accountId, methodName, args, shifted(at)),
  };
  return new Proxy(chain, {
    get: (target, name) => {
      const override = overrides[name as keyof DevChain];
      if (override !== undefined) return override();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
