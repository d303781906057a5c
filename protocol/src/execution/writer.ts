/** A growing byte buffer with the encodings of the WebAssembly binary format. */

const encoder = new TextEncoder();

export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(Math.max(capacity, 16));
  }

  get length(): number {
    return this.#length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  u8(byte: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  u32(value: number): void {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Signed LEB128 of a safe integer: covers i32 constants, block types and every i64 constant we emit. */
  signed(value: number): void {
    this.#reserve(10);
    let rest = value;
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = (rest - low) / 128;
      if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) {
        this.#bytes[this.#length++] = low;
        return;
      }
      this.#bytes[this.#length++] = low | 0x80;
    }
  }

  raw(bytes: Uint8Array | readonly number[]): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Copies source[start, end): short runs byte by byte, which is faster than making a view for them. */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.#reserve(count);
    if (count < 48) {
      const target = this.#bytes;
      let at = this.#length;
      for (let index = start; index < end; index++) target[at++] = source[index]!;
      this.#length = at;
    } else {
      this.#bytes.set(source.subarray(start, end), this.#length);
      this.#length += count;
    }
  }

  name(text: string): void {
    const bytes = encoder.encode(text);
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** Length-prefixed contents of another writer. */
  sized(inner: Writer): void {
    this.u32(inner.length);
    this.raw(inner.view());
  }

  reset(): void {
    this.#length = 0;
  }

  /** The bytes so far, shared with this writer. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The bytes so far, a copy of their own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
