/** Hex, base58 and base64 of the surface: hashes, public keys, signatures and byte strings. */
import { panic } from "./host";
import { ByteBuffer, fresh, viewOf } from "./buffer";
import { Message } from "./message";
import { Text } from "./text";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * Four bytes from eight hex digits of either case, looked at together; -1 where one is none. A digit's bit 6 tells
 * letters, whose low half is 1 to 6; digits' upper half is 3, that of letters 4 or 6.
 */
function fourBytes(digits: u64): i64 {
  const letters = (digits >> 6) & 0x0101010101010101;
  const nibbles = (digits & 0x0f0f0f0f0f0f0f0f) + letters * 9;
  const upper = ((digits & 0xf0f0f0f0f0f0f0f0) | (letters << 5)) ^ (0x3030303030303030 + letters * 0x30);
  const isLetter = ((nibbles + 0x0606060606060606) >> 4) & 0x0101010101010101;
  if ((upper | (nibbles & 0xf0f0f0f0f0f0f0f0) | (isLetter ^ letters)) != 0) return -1;
  const pairs = ((nibbles << 4) | (nibbles >> 8)) & 0x00ff00ff00ff00ff;
  const halves = (pairs | (pairs >> 8)) & 0x0000ffff0000ffff;
  return <i64>((halves | (halves >> 16)) & 0xffffffff);
}

/** 32 bytes from 64 hex digits of either case. */
export function parseHash(digits: Uint8Array, what: Text): Uint8Array {
  const out = fresh(32), to = out.dataStart, from = digits.dataStart;
  let bad: i64 = digits.length != 64 ? -1 : 0;
  for (let i: usize = 0; i < 32 && bad >= 0; i += 4) {
    bad = fourBytes(load<u64>(from + 2 * i));
    store<u32>(to + i, <u32>bad);
  }
  if (bad < 0) new Message("BadHash: ").literal(what).literal(" is not 64 hex digits").panic();
  return out;
}

export function writeHex(out: ByteBuffer, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) {
    const high = bytes[i] >> 4, low = bytes[i] & 15;
    out.byte(high + (high < 10 ? 0x30 : 0x57));
    out.byte(low + (low < 10 ? 0x30 : 0x57));
  }
}

const KEY_PREFIX = "ed25519:";

/** The 32 bytes of "ed25519:<base58>". */
export function parsePublicKey(text: Uint8Array): Uint8Array {
  const digits = text.length - KEY_PREFIX.length;
  if (digits < 32 || digits > 44) panic("BadPublicKey: not ed25519:<base58 of 32 bytes>");
  for (let i = 0; i < KEY_PREFIX.length; i++) {
    if (text[i] != KEY_PREFIX.at(i)) panic("BadPublicKey: not an ed25519 key");
  }
  const out = fresh(32), at = out.dataStart;
  for (let i = KEY_PREFIX.length; i < text.length; i++) {
    const digit = BASE58.indexOf(text[i]);
    if (digit < 0) panic("BadPublicKey: not base58");
    // Eight digits to the base of 2^32, the last one first.
    let carry = <u64>digit;
    for (let place = at + 28; place >= at; place -= 4) {
      carry += <u64>bswap<u32>(load<u32>(place)) * 58;
      store<u32>(place, bswap<u32>(<u32>carry));
      carry >>= 32;
    }
    if (carry != 0) panic("BadPublicKey: more than 32 bytes");
  }
  // Every leading "1" is a zero byte; more or fewer of them is another key's spelling.
  let ones = 0, zeros = 0;
  while (KEY_PREFIX.length + ones < text.length && text[KEY_PREFIX.length + ones] == 0x31) ones++;
  while (zeros < 32 && out[zeros] == 0) zeros++;
  if (ones != zeros) panic("BadPublicKey: not 32 bytes");
  return out;
}

export function writePublicKey(out: ByteBuffer, key: Uint8Array): void {
  out.literal(KEY_PREFIX);
  // 58^5 fits 32 bits, so every division of the whole gives five digits, the last ones first.
  const rest = fresh(32), digits = fresh(KEY_DIGITS), at = rest.dataStart;
  memory.copy(at, key.dataStart, 32);
  let first = KEY_DIGITS;
  while (first > 0) {
    let remainder: u64 = 0;
    for (let place = at; place < at + 32; place += 4) {
      const part = (remainder << 32) | bswap<u32>(load<u32>(place));
      store<u32>(place, bswap<u32>(<u32>(part / POWER_OF_58)));
      remainder = part % POWER_OF_58;
    }
    for (let i = 0; i < 5; i++) {
      store<u8>(digits.dataStart + --first, <u8>(remainder % 58));
      remainder /= 58;
    }
  }
  while (first < KEY_DIGITS && load<u8>(digits.dataStart + first) == 0) first++;
  for (let i = 0; i < 32 && key[i] == 0; i++) out.byte(0x31);
  for (let i = first; i < KEY_DIGITS; i++) out.byte(BASE58.at(load<u8>(digits.dataStart + i)));
}

const POWER_OF_58: u64 = 656_356_768;
/** At least the 44 digits of 32 bytes, in fives. */
const KEY_DIGITS: i32 = 45;

const HIGHEST_BITS: u64 = 0x8080808080808080;
const ONES: u64 = 0x0101010101010101;
const EVEN_BYTES: u64 = 0x00ff00ff00ff00ff;
const EVEN_PAIRS: u64 = 0x0000ffff0000ffff;

/**
 * Eight characters at once, as twice 24 bits; all ones where one is no digit. A byte plus (0x80 - n) has its highest bit
 * where it is n or more; bytes within one of the four ranges of digits are those with an odd number of such limits
 * below them. What a digit stands for is itself plus a number that changes at five of the limits.
 */
function eightDigits(eight: u64): u64 {
  const slash = eight + (0x80 - 0x2f) * ONES, zero = eight + (0x80 - 0x30) * ONES;
  const upper = eight + (0x80 - 0x41) * ONES, lower = eight + (0x80 - 0x61) * ONES;
  const within = slash ^ upper ^ lower ^ (eight + (0x80 - 0x2b) * ONES) ^ (eight + (0x80 - 0x2c) * ONES) ^
    (eight + (0x80 - 0x3a) * ONES) ^ (eight + (0x80 - 0x5b) * ONES) ^ (eight + (0x80 - 0x7b) * ONES);
  if ((within & ~eight & HIGHEST_BITS) != HIGHEST_BITS) return u64.MAX_VALUE;
  const sextets = eight + (62 - 0x2b) * ONES - 3 * ((slash >> 7) & ONES) - 12 * ((zero >> 7) & ONES) -
    69 * ((upper >> 7) & ONES) - 6 * ((lower >> 7) & ONES);
  const pairs = ((sextets & EVEN_BYTES) << 6) | ((sextets >> 8) & EVEN_BYTES);
  return ((pairs & EVEN_PAIRS) << 12) | ((pairs >> 16) & EVEN_PAIRS);
}

// @ts-ignore: decorator
@inline function storeThree(at: usize, bits: u32): void {
  store<u8>(at, bits >> 16);
  store<u8>(at, bits >> 8, 1);
  store<u8>(at, bits, 2);
}

/** RFC 4648, section 4, with padding: one spelling for every run of bytes. */
export function parseBase64(text: Uint8Array): Uint8Array {
  const length = text.length;
  if ((length & 3) != 0) panic("BadEncoding: the length is not a multiple of 4");
  if (length == 0) return text;
  const last = text.dataStart + length - 4;
  const padding = load<u8>(last, 2) == 0x3d ? 2 : load<u8>(last, 3) == 0x3d ? 1 : 0;
  if (padding == 2 && load<u8>(last, 3) != 0x3d) panic("BadEncoding: bad padding");
  const size = (length >> 2) * 3, to = fresh(size).dataStart;
  let at = to, from = text.dataStart;
  for (; from < last; from += 8, at += 6) {
    // The last four are looked at once more: they can have padding.
    const bits = eightDigits(from + 4 == last ? <u64>load<u32>(from) | 0x4141414100000000 : load<u64>(from));
    if (bits == u64.MAX_VALUE) panic("BadEncoding: not a digit");
    storeThree(at, <u32>bits);
    if (from + 4 < last) storeThree(at + 3, <u32>(bits >> 32));
  }
  // Padding reads as "A", zeros.
  const four = <u64>load<u32>(last), rest = <u32>eightDigits(
    0x4141414100000000 | (padding == 2 ? (four & 0xffff) | 0x41410000 : padding == 1 ? (four & 0xffffff) | 0x41000000 : four),
  );
  if (rest == u32.MAX_VALUE) panic("BadEncoding: not a digit");
  storeThree(to + size - 3, rest);
  if ((padding == 2 && (rest & 0xffff) != 0) || (padding == 1 && (rest & 0xff) != 0)) {
    panic("BadEncoding: bits after the last byte");
  }
  return viewOf(to, size - padding);
}

/** The 64 bytes of a signature from base64 with padding (RFC 4648, section 4): 88 characters, the last two "=". */
export function parseSignature(text: Uint8Array): Uint8Array {
  if (text.length != 88) panic("BadSignatureEncoding: not base64 of 64 bytes");
  const bytes = parseBase64(text);
  if (bytes.length != 64) panic("BadSignatureEncoding: not base64 of 64 bytes");
  return bytes;
}

export function writeBase64(out: ByteBuffer, bytes: Uint8Array): void {
  const length = bytes.length;
  const alphabet = BASE64.start;
  const size = ((length + 2) / 3) * 4;
  let to = out.reserve(size);
  let from = bytes.dataStart;
  const end = from + length;
  for (; from + 2 < end; from += 3, to += 4) {
    const word = (<u32>load<u8>(from) << 16) | (<u32>load<u8>(from, 1) << 8) | <u32>load<u8>(from, 2);
    store<u8>(to, load<u8>(alphabet + (word >> 18)));
    store<u8>(to, load<u8>(alphabet + ((word >> 12) & 63)), 1);
    store<u8>(to, load<u8>(alphabet + ((word >> 6) & 63)), 2);
    store<u8>(to, load<u8>(alphabet + (word & 63)), 3);
  }
  if (from < end) {
    const two = from + 1 < end;
    const word = (<u32>load<u8>(from) << 16) | (two ? <u32>load<u8>(from, 1) << 8 : 0);
    store<u8>(to, load<u8>(alphabet + (word >> 18)));
    store<u8>(to, load<u8>(alphabet + ((word >> 12) & 63)), 1);
    store<u8>(to, two ? load<u8>(alphabet + ((word >> 6) & 63)) : 0x3d, 2);
    store<u8>(to, 0x3d, 3);
  }
  out.advance(size);
}
