/** Bounded reading of the WebAssembly binary format: every read is checked, every refusal carries its offset. */
import { MAX_NAME_BYTES } from "./limits.ts";
import { ModuleRejection, type ModuleRejectionCode } from "./rejection.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A cursor over `bytes` that never leaves [position, end). */
export class Reader {
  readonly bytes: Uint8Array;
  position: number;
  end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  reject(code: ModuleRejectionCode, message: string, offset = this.position): never {
    throw new ModuleRejection(code, offset, message);
  }

  /** Asserts that this section or body was read to its last byte. */
  expectEnd(what: string): void {
    if (this.position !== this.end) this.reject("malformed", `${what} has bytes left over`);
  }

  u8(): number {
    if (this.position >= this.end) this.reject("malformed", "unexpected end");
    return this.bytes[this.position++]!;
  }

  skip(count: number): void {
    if (count > this.end - this.position) this.reject("malformed", "unexpected end");
    this.position += count;
  }

  u32(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) this.reject("malformed", "integer too large");
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    this.reject("malformed", "integer representation too long");
  }

  s32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte >= 0x08 && byte < 0x78) this.reject("malformed", "integer too large");
      if (shift === 28 && byte >= 0x80) this.reject("malformed", "integer representation too long");
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 28 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
    }
    this.reject("malformed", "integer representation too long");
  }

  /** A 33-bit signed integer: the encoding of a block's type. Only its range matters, so a number holds it. */
  s33(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < 5; index++) {
      const byte = this.u8();
      if (index === 4 && byte >= 0x10 && byte < 0x70) this.reject("malformed", "integer too large");
      if (index === 4 && byte >= 0x80) this.reject("malformed", "integer representation too long");
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return (byte & 0x40) !== 0 ? value - scale : value;
    }
    this.reject("malformed", "integer representation too long");
  }

  /** Checks a 64-bit signed integer and steps over it; its value matters only to the engine. */
  skipS64(): void {
    for (let index = 0; index < 10; index++) {
      const byte = this.u8();
      if (index === 9 && byte !== 0x00 && byte !== 0x7f) this.reject("malformed", "integer too large");
      if (byte < 0x80) return;
    }
    this.reject("malformed", "integer representation too long");
  }

  /** A vector's length, refused above `limit` and where not even one byte an entry is left. */
  count(limit: number, what: string): number {
    const at = this.position;
    const count = this.u32();
    if (count > limit) this.reject("limit", `${count} ${what}, at most ${limit}`, at);
    if (count > this.end - this.position) this.reject("malformed", `unexpected end in ${what}`, at);
    return count;
  }

  name(): string {
    const at = this.position;
    const length = this.u32();
    if (length > MAX_NAME_BYTES) this.reject("limit", `a name of ${length} bytes, at most ${MAX_NAME_BYTES}`, at);
    const start = this.position;
    this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(start, this.position));
    } catch {
      return this.reject("malformed", "a name is not UTF-8", start);
    }
  }
}
