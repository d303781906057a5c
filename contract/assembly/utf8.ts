/** Well-formed UTF-8 (Unicode 15, table 3-7): what goes into records as text must be read by everybody. */

// @ts-ignore: decorator
@inline function isBetween(p: usize, end: usize, low: u8, high: u8): bool {
  if (p >= end) return false;
  const c = load<u8>(p);
  return c >= low && c <= high;
}

/** The bytes of the character that begins at `p` with a byte of 0x80 or above; 0 where there is none. */
export function characterBytes(p: usize, end: usize): usize {
  const c = load<u8>(p);
  if (c < 0xc2 || c > 0xf4) return 0;
  if (c < 0xe0) return isBetween(p + 1, end, 0x80, 0xbf) ? 2 : 0;
  if (c < 0xf0) {
    const second = isBetween(p + 1, end, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf);
    return second && isBetween(p + 2, end, 0x80, 0xbf) ? 3 : 0;
  }
  const second = isBetween(p + 1, end, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf);
  return second && isBetween(p + 2, end, 0x80, 0xbf) && isBetween(p + 3, end, 0x80, 0xbf) ? 4 : 0;
}

/** Where the bytes stop being UTF-8; `end` where they never do. Eight ASCII bytes at a time. */
export function firstNotUtf8(from: usize, end: usize): usize {
  let p = from;
  while (p < end) {
    if (p + 8 <= end && (load<u64>(p) & 0x8080808080808080) == 0) {
      p += 8;
      continue;
    }
    if (load<u8>(p) < 0x80) {
      p++;
      continue;
    }
    const length = characterBytes(p, end);
    if (length == 0) return p;
    p += length;
  }
  return end;
}

/** Writes a code point as UTF-8 and returns where it ends: never further than its escape would have. */
export function writeCodePoint(to: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(to, code);
    return to + 1;
  }
  if (code < 0x800) store<u8>(to++, 0xc0 | (code >> 6));
  else {
    if (code < 0x10000) store<u8>(to++, 0xe0 | (code >> 12));
    else {
      store<u8>(to++, 0xf0 | (code >> 18));
      store<u8>(to++, 0x80 | ((code >> 12) & 63));
    }
    store<u8>(to++, 0x80 | ((code >> 6) & 63));
  }
  store<u8>(to, 0x80 | (code & 63));
  return to + 1;
}
