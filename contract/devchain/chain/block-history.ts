/** The newest blocks, and the heights of all that a transaction may still name. */
import type { Hash } from "../codec/hash.ts";
import { type BlockReference, DevChainError } from "./devchain-types.ts";
import type { Block } from "./types.ts";

export const TRANSACTION_VALIDITY_BLOCKS = 86_400;

export class BlockHistory {
  readonly #finalityLagBlocks: number;
  readonly #keptBlocks: number;
  #blocks: Block[] = [];
  /** Far more than the blocks that are kept. */
  #heights = new Map<Hash, number>();

  constructor(finalityLagBlocks: number, keptBlocks: number) {
    this.#finalityLagBlocks = finalityLagBlocks;
    this.#keptBlocks = keptBlocks;
  }

  get head(): Block {
    return this.#blocks.at(-1)!;
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  get oldest(): Block {
    return this.#blocks[0]!;
  }

  /** Hashes up to the head's, one for each height. */
  get hashes(): Hash[] {
    return [...this.#heights.keys()];
  }

  /** May a transaction name this block? */
  isRecent(hash: Hash): boolean {
    return this.#heights.has(hash);
  }

  push(block: Block): void {
    this.#blocks.push(block);
    this.#heights.set(block.hash, block.height);
    if (this.#blocks.length > this.#keptBlocks) this.#blocks.shift();
    // Insertion order: the first is the oldest.
    if (this.#heights.size > TRANSACTION_VALIDITY_BLOCKS) this.#heights.delete(this.#heights.keys().next().value!);
  }

  /** Takes the head away. */
  drop(): void {
    const block = this.#blocks.pop();
    if (block !== undefined) this.#heights.delete(block.hash);
  }

  /** Begins anew with `head`, whose hash is the last of `hashes`. */
  restart(head: Block, hashes: readonly Hash[]): void {
    this.#blocks = [head];
    const first = head.height - hashes.length + 1;
    this.#heights = new Map(hashes.map((hash, index) => [hash, first + index]));
  }

  /** @throws DevChainError `UNKNOWN_BLOCK` when it never was, or is not kept any more */
  block(reference: BlockReference): Block {
    const height = this.#resolve(reference);
    const block = height === undefined ? undefined : this.#blocks[height - this.oldest.height];
    if (block === undefined) throw new DevChainError("UNKNOWN_BLOCK", `DB Not Found Error: block ${reference}`);
    return block;
  }

  #resolve(reference: BlockReference): number | undefined {
    const lag = (blocks: number) => Math.max(this.oldest.height, this.head.height - blocks);
    if (reference === "optimistic") return this.head.height;
    if (reference === "near-final") return lag(Math.ceil(this.#finalityLagBlocks / 2));
    if (reference === "final") return lag(this.#finalityLagBlocks);
    if (reference === "earliest") return this.oldest.height;
    return typeof reference === "number" ? reference : this.#heights.get(reference);
  }
}
