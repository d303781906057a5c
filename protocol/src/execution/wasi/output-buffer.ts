/** Bytes that a guest has written to a stream, up to a bound. */
export class OutputBuffer {
  readonly limit: number;
  #bytes = new Uint8Array(0);
  #length = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get room(): number {
    return this.limit - this.#length;
  }

  /** Appends what fits. */
  append(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.room);
    const needed = this.#length + kept.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.limit, Math.max(needed, this.#bytes.length * 2, 1024)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(kept, this.#length);
    this.#length = needed;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
