/** Bounded reading and writing of the WebAssembly binary format. A module that ends early is `Deserialization`. */
import { prepareError } from "./vm-error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

export class WasmReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  position: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  byte(): number {
    if (this.position >= this.end) throw prepareError("Deserialization");
    return this.bytes[this.position++]!;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    throw prepareError("Deserialization");
  }

  /** A signed LEB128 number of 32 bits, as `i32.const` has it. */
  signed32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 25 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
    }
    throw prepareError("Deserialization");
  }

  /** Passes over a LEB128 number of up to 64 bits. */
  skipNumber(): void {
    for (let read = 0; read < 10; read++) if (this.byte() < 0x80) return;
    throw prepareError("Deserialization");
  }

  skip(count: number): void {
    if (count > this.end - this.position) throw prepareError("Deserialization");
    this.position += count;
  }

  name(): string {
    const length = this.u32();
    const start = this.position;
    this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(start, this.position));
    } catch {
      throw prepareError("Deserialization");
    }
  }
}

export class WasmWriter {
  #buffer: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity);
  }

  /** The bytes so far; valid until the next write. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  byte(...values: number[]): this {
    this.#reserve(values.length);
    for (const value of values) this.#buffer[this.length++] = value;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  u32(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest);
  }

  /** A signed LEB128 number, as `i64.const` takes it. */
  signed(value: bigint): this {
    let rest = value;
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const signBit = (low & 0x40) !== 0;
      if ((rest === 0n && !signBit) || (rest === -1n && signBit)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  name(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u32(bytes.length).raw(bytes);
  }

  section(id: number, content: Uint8Array): this {
    return this.byte(id).u32(content.length).raw(content);
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.view());
    this.#buffer = grown;
  }
}
