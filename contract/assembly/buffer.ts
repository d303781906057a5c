/** A growing run of bytes: what the Borsh and the JSON writer share. */
export class ByteBuffer {
  private storage: Uint8Array;
  length: i32 = 0;

  constructor(capacity: i32 = 256) {
    this.storage = new Uint8Array(capacity);
  }

  /** Room for `count` more bytes: where to write them. The caller then calls {@link advance}. */
  reserve(count: i32): usize {
    const needed = this.length + count;
    if (needed > this.storage.length) {
      const grown = new Uint8Array(max(this.storage.length * 2, needed));
      memory.copy(grown.dataStart, this.storage.dataStart, this.length);
      this.storage = grown;
    }
    return this.storage.dataStart + this.length;
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

  /** A string of the program itself, as UTF-8. */
  literal(text: string): void {
    const room = this.reserve(text.length * 3);
    this.length += <i32>String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, room);
  }

  /** What `literal` of a whole text becomes (`pack-texts.ts`). */
  literalAt(text: usize, length: i32): void {
    memory.copy(this.reserve(length), text, length);
    this.length += length;
  }

  done(): Uint8Array { return this.storage.subarray(0, this.length); }
}

export function same(a: Uint8Array, b: Uint8Array): bool {
  return a.length == b.length && memory.compare(a.dataStart, b.dataStart, a.length) == 0;
}

export function sameText(a: Uint8Array, text: string): bool {
  if (a.length != text.length) return false;
  for (let i = 0; i < text.length; i++) if (<i32>a[i] != text.charCodeAt(i)) return false;
  return true;
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
