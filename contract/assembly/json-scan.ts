/**
 * One pass over a JSON text (RFC 8259): is it JSON and UTF-8, and where does every value end. What it finds stands in a
 * table of four bytes for each byte of the text, so that values are read later without scanning anything twice.
 * Behind the text stand {@link SPARE_BYTES} zeros: no loop needs to ask for the text's end, since none goes past a zero.
 */
import { fresh } from "./buffer";
import { MAX_JSON_DEPTH } from "./limits";
import { Message } from "./message";
import { Text } from "./text";
import { characterBytes, writeCodePoint } from "./utf8";

/** As many as are looked at together. */
export const SPARE_BYTES: i32 = 8;
/** Of a string with escapes, beside its end. */
const ESCAPED: u32 = 0x80000000;

let base: usize = 0;
let end: usize = 0;
/** The table, less four times the text's place. */
let slots: usize = 0;
/** Where escapes are read. */
let cursor: usize = 0;

function bad(p: usize, what: Text): void {
  new Message("BadJson: ").literal(p < end ? what : "unexpected end").literal(" at byte ").number(p - base).panic();
}

// @ts-ignore: decorator
@inline function slot(p: usize): usize { return slots + (p << 2); }

/** Behind the value that begins at `p`. */
// @ts-ignore: decorator
@inline export function endOf(p: usize): usize { return load<u32>(slot(p)) & ~ESCAPED; }

// @ts-ignore: decorator
@inline export function isEscaped(p: usize): bool { return load<u32>(slot(p)) >= ESCAPED; }

function spaces(p: usize): usize {
  let c = load<u8>(p);
  while (c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09) c = load<u8>(++p);
  return p;
}

/** Most texts have none. */
// @ts-ignore: decorator
@inline export function afterSpace(p: usize): usize { return load<u8>(p) <= 0x20 ? spaces(p) : p; }

function word(p: usize, text: Text): usize {
  for (let i = 0; i < text.length; i++, p++) if (load<u8>(p) != text.at(i)) bad(p, "unexpected character");
  return p;
}

function digits(from: usize): usize {
  let p = from;
  while (<u8>(load<u8>(p) - 0x30) <= 9) p++;
  if (p == from) bad(p, "bad number");
  return p;
}

function number(p: usize): usize {
  if (load<u8>(p) == 0x2d) p++;
  p = load<u8>(p) == 0x30 ? p + 1 : digits(p);
  if (load<u8>(p) == 0x2e) p = digits(p + 1);
  if ((load<u8>(p) | 0x20) != 0x65) return p;
  const sign = load<u8>(++p);
  return digits(sign == 0x2b || sign == 0x2d ? p + 1 : p);
}

/**
 * Eight bytes at a time: the lowest byte that is a quote, a backslash, below 0x20 or above 0x7f has its highest bit set
 * in one of four words; a false hit needs a borrow from a true one below it.
 */
function string(from: usize): usize {
  let p = from + 1, escaped: u32 = 0;
  while (true) {
    const eight = load<u64>(p);
    const special = (
      eight | (eight - 0x2020202020202020) | ((eight ^ 0x2222222222222222) - 0x0101010101010101) |
      ((eight ^ 0x5c5c5c5c5c5c5c5c) - 0x0101010101010101)
    ) & 0x8080808080808080;
    if (special == 0) {
      p += 8;
      continue;
    }
    p += <usize>(ctz<u64>(special) >> 3);
    const c = load<u8>(p);
    if (c == 0x22) break;
    if (c >= 0x80) {
      const bytes = characterBytes(p, end);
      if (bytes == 0) bad(p, "not UTF-8");
      p += bytes;
    } else if (c == 0x5c) {
      cursor = p + 1;
      escape();
      p = cursor;
      escaped = ESCAPED;
    } else bad(p, "control character in a string");
  }
  store<u32>(slot(from), <u32>++p | escaped);
  return p;
}

/** `{` and `[` are two below what closes them. */
function container(from: usize, open: u8, depth: i32): usize {
  if (depth > MAX_JSON_DEPTH) bad(from, "nested too deep");
  let p = afterSpace(from + 1);
  let c = load<u8>(p);
  if (c != open + 2) {
    while (true) {
      if (open == 0x7b) {
        if (c != 0x22) bad(p, "unexpected character");
        p = afterSpace(string(p));
        if (load<u8>(p) != 0x3a) bad(p, "unexpected character");
        p = afterSpace(p + 1);
      }
      p = afterSpace(value(p, depth + 1));
      c = load<u8>(p);
      if (c == open + 2) break;
      if (c != 0x2c) bad(p, "unexpected character");
      p = afterSpace(p + 1);
      c = load<u8>(p);
    }
  }
  store<u32>(slot(from), <u32>++p);
  return p;
}

function value(from: usize, depth: i32): usize {
  const c = load<u8>(from);
  if (c == 0x22) return string(from);
  if (c == 0x7b || c == 0x5b) return container(from, c, depth);
  const p = c == 0x74 ? word(from, "true") : c == 0x66 ? word(from, "false") : c == 0x6e ? word(from, "null") : number(from);
  store<u32>(slot(from), <u32>p);
  return p;
}

/** Where the text's value begins. */
export function scan(text: Uint8Array): usize {
  base = text.dataStart;
  end = base + text.length;
  slots = fresh((text.length + 1) << 2).dataStart - (base << 2);
  const from = afterSpace(base), last = afterSpace(value(from, 0));
  if (last != end) bad(last, "something after the arguments");
  return from;
}

function hex4(): u32 {
  let code: u32 = 0;
  for (let i = 0; i < 4; i++, cursor++) {
    const c = load<u8>(cursor), lower = c | 0x20;
    if (c >= 0x30 && c <= 0x39) code = (code << 4) | (c - 0x30);
    else if (lower >= 0x61 && lower <= 0x66) code = (code << 4) | (lower - 0x57);
    else bad(cursor, "bad \\u escape");
  }
  return code;
}

/** After `\u`: one code point, from a pair of escapes where it is above U+FFFF. */
function codePoint(): u32 {
  const first = hex4();
  if (first < 0xd800 || first > 0xdfff) return first;
  // "\u" of the second half, the way the machine stores it.
  if (first > 0xdbff || load<u16>(cursor) != 0x755c) bad(cursor, "lone surrogate");
  cursor += 2;
  const second = hex4();
  if (second < 0xdc00 || second > 0xdfff) bad(cursor, "lone surrogate");
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/** After a backslash: the code point that the escape stands for. */
function escape(): u32 {
  const c = load<u8>(cursor++);
  switch (c) {
    case 0x22: case 0x5c: case 0x2f: return c;
    case 0x62: return 8;
    case 0x66: return 12;
    case 0x6e: return 10;
    case 0x72: return 13;
    case 0x74: return 9;
    case 0x75: return codePoint();
  }
  bad(cursor - 1, "bad escape");
  return 0;
}

/** The bytes between two places of a string with escapes, which the scan has found to be right. */
export function unescaped(from: usize, last: usize): Uint8Array {
  const out = fresh(<i32>(last - from));
  let to = out.dataStart;
  cursor = from;
  while (cursor < last) {
    const c = load<u8>(cursor++);
    if (c == 0x5c) to = writeCodePoint(to, escape());
    else store<u8>(to++, c);
  }
  return out.subarray(0, <i32>(to - out.dataStart));
}
