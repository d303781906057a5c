/** A growing run of bytes: what the Borsh and the JSON writer share. */
import { Text } from "./text";

/**
 * So many zeros. Every call is an instance of its own and frees nothing, so memory that was never handed out is zero
 * already, and filling it again would be paid for byte by byte.
 */
export function fresh(length: i32): Uint8Array {
  // The bytes stand behind their own view: one object instead of two.
  const view = __new(offsetof<Uint8Array>() + <usize>length, idof<Uint8Array>());
  store<usize>(view, view + offsetof<Uint8Array>(), offsetof<Uint8Array>("dataStart"));
  store<i32>(view, length, offsetof<Uint8Array>("byteLength"));
  return changetype<Uint8Array>(view);
}

export const EMPTY: Uint8Array = fresh(0);

/** Bytes that stand somewhere already. */
export function viewOf(start: usize, length: i32): Uint8Array {
  const view = __new(offsetof<Uint8Array>(), idof<Uint8Array>());
  store<usize>(view, start, offsetof<Uint8Array>("dataStart"));
  store<i32>(view, length, offsetof<Uint8Array>("byteLength"));
  return changetype<Uint8Array>(view);
}

export class ByteBuffer {
  private start: usize;
  private capacity: i32;
  length: i32 = 0;

  constructor(capacity: i32 = 256) {
    this.capacity = capacity;
    this.start = fresh(capacity).dataStart;
  }

  /** Room for `count` more bytes: where to write them. The caller then calls {@link advance}. */
  // @ts-ignore: decorator
  @inline reserve(count: i32): usize {
    if (count > this.capacity - this.length) this.grow(count);
    return this.start + this.length;
  }

  private grow(count: i32): void {
    const capacity = max(this.capacity * 2, this.length + count), start = fresh(capacity).dataStart;
    memory.copy(start, this.start, this.length);
    this.start = start;
    this.capacity = capacity;
  }

  advance(count: i32): void { this.length += count; }

  byte(value: u8): void {
    store<u8>(this.reserve(1), value);
    this.length++;
  }

  raw(source: Uint8Array): void {
    memory.copy(this.reserve(source.length), source.dataStart, source.length);
    this.length += source.length;
  }

  literal(text: Text): void {
    memory.copy(this.reserve(text.length), text.start, text.length);
    this.length += text.length;
  }

  number(value: u64): void { this.decimal(value, 1); }

  /** Decimal digits, with zeros before them up to `least`. */
  decimal(value: u64, least: i32): void {
    let digits = 1;
    for (let rest = value / 10; rest > 0; rest /= 10) digits++;
    digits = max(digits, least);
    let to = this.reserve(digits) + digits;
    for (let i = 0; i < digits; i++) {
      store<u8>(--to, 0x30 + <u8>(value % 10));
      value /= 10;
    }
    this.length += digits;
  }

  done(): Uint8Array { return viewOf(this.start, this.length); }
}

/** A number as its decimal digits. */
export function decimal(value: u64): Uint8Array {
  const out = new ByteBuffer(20);
  out.number(value);
  return out.done();
}

/** Eight bytes at a time: most of what is compared are names and hashes. */
export function equalBytes(a: usize, b: usize, length: i32): bool {
  const end = a + length;
  while (a + 8 <= end) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
  }
  while (a < end) if (load<u8>(a++) != load<u8>(b++)) return false;
  return true;
}

export function same(a: Uint8Array, b: Uint8Array): bool {
  return a.length == b.length && equalBytes(a.dataStart, b.dataStart, a.length);
}

/**
 * The first byte from `p` on that cannot stand in a JSON string as it is (a quote, a backslash, a control character),
 * or `end`. Eight bytes at a time, by the usual test for a byte below n in a word: its lowest hit is exact, since a
 * false one needs a borrow from a true one below it.
 */
export function skipPlain(p: usize, end: usize): usize {
  while (p + 8 <= end) {
    const word = load<u64>(p);
    const quote = word ^ 0x2222222222222222, backslash = word ^ 0x5c5c5c5c5c5c5c5c;
    const special = (
      ((word - 0x2020202020202020) & ~word) |
      ((quote - 0x0101010101010101) & ~quote) |
      ((backslash - 0x0101010101010101) & ~backslash)
    ) & 0x8080808080808080;
    if (special != 0) return p + <usize>(ctz<u64>(special) >> 3);
    p += 8;
  }
  while (p < end) {
    const c = load<u8>(p);
    if (c < 0x20 || c == 0x22 || c == 0x5c) return p;
    p++;
  }
  return end;
}
