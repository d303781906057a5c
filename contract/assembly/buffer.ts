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
 * Whether eight bytes can stand in a JSON string as they are: none is a quote, a backslash or a control character.
 * (The usual test for a byte below n in a word: borrow into a top bit that was not set.)
 */
// @ts-ignore: decorator
@inline export function isPlain(word: u64): bool {
  const quote = word ^ 0x2222222222222222, backslash = word ^ 0x5c5c5c5c5c5c5c5c;
  return (
    (((word - 0x2020202020202020) & ~word) |
      ((quote - 0x0101010101010101) & ~quote) |
      ((backslash - 0x0101010101010101) & ~backslash)) & 0x8080808080808080
  ) == 0;
}
