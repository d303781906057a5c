/**
 * Seeded randomness: a SHA-256 counter stream (as in NIST SP 800-90A's Hash_DRBG without reseeding). `fork` gives
 * an independent stream per label, so that one machine's draws do not move when another part draws more.
 * The node seeds it from the operating system, the simulator from its scenario's seed.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

export class Random {
  readonly #seed: Uint8Array;
  #counter = 0;

  constructor(seed: Uint8Array) {
    this.#seed = sha256(seed);
  }

  fork(label: string): Random {
    return new Random(concatBytes(this.#seed, utf8ToBytes(label)));
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 32) {
      const counter = new Uint8Array(8);
      new DataView(counter.buffer).setBigUint64(0, BigInt(this.#counter++));
      out.set(sha256(concatBytes(this.#seed, counter)).subarray(0, length - at), at);
    }
    return out;
  }

  /** An integer in [0, bound), without modulo bias. */
  below(bound: number): number {
    const limit = Math.floor(2 ** 32 / bound) * bound;
    for (;;) {
      const draw = new DataView(this.bytes(4).buffer).getUint32(0);
      if (draw < limit) return draw % bound;
    }
  }
}
