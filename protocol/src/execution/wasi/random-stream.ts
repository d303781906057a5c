/**
 * The bytes of `random_get`: block i is sha256(domain ‖ seed ‖ i as u64 little-endian), blocks in order, each byte
 * handed out once.
 */
import { sha256 } from "@noble/hashes/sha2.js";

const DOMAIN = new TextEncoder().encode("outlayer:wasi-random:1");
const BLOCK_BYTES = 32;

export class RandomStream {
  readonly #message: Uint8Array;
  #counter = 0n;
  #block = new Uint8Array(0);

  constructor(seed: Uint8Array) {
    this.#message = new Uint8Array(DOMAIN.length + seed.length + 8);
    this.#message.set(DOMAIN);
    this.#message.set(seed, DOMAIN.length);
  }

  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length; ) {
      if (this.#block.length === 0) this.#next();
      const taken = this.#block.subarray(0, target.length - at);
      target.set(taken, at);
      this.#block = this.#block.subarray(taken.length);
      at += taken.length;
    }
  }

  #next(): void {
    const view = new DataView(this.#message.buffer);
    view.setBigUint64(this.#message.length - 8, this.#counter++, true);
    this.#block = sha256(this.#message).slice(0, BLOCK_BYTES);
  }
}
