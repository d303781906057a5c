/**
 * JSON as callers send it (RFC 8259), scanned in place: values are ranges of the call's input, decoded where they
 * are used. Fields that nobody asked for are ignored, as serde does; a field that comes twice, a wrong type, a bad
 * escape or bytes that are not UTF-8 end the call with a name.
 */
import { EMPTY, fresh, same, skipPlain } from "./buffer";
import { callInput, panic } from "./host";
import { MAX_JSON_DEPTH, MAX_JSON_FIELDS } from "./limits";
import { Message } from "./message";
import { sameText, Text } from "./text";
import { U128 } from "./u128";
import { firstNotUtf8, writeCodePoint } from "./utf8";

/** Field names that nobody asked for are compared too (duplicates are refused), so they are bounded. */
const MAX_JSON_KEY_BYTES: i32 = 256;

let source: Uint8Array = EMPTY;
let cursor: usize = 0;
let end: usize = 0;

function bad(what: Text): void {
  new Message("BadJson: ").literal(what).literal(" at byte ").number(cursor - source.dataStart).panic();
}

// @ts-ignore: decorator
@inline function peek(): u8 {
  if (cursor >= end) bad("unexpected end");
  return load<u8>(cursor);
}

// @ts-ignore: decorator
@inline function space(): void {
  while (cursor < end) {
    const c = load<u8>(cursor);
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) break;
    cursor++;
  }
}

function expect(character: u8): void {
  if (peek() != character) bad("unexpected character");
  cursor++;
}

function word(text: Text): void {
  for (let i = 0; i < text.length; i++) expect(text.at(i));
}

function hex4(): u32 {
  let value: u32 = 0;
  for (let i = 0; i < 4; i++) {
    const c = peek();
    const lower = c | 0x20;
    if (c >= 0x30 && c <= 0x39) value = (value << 4) | (c - 0x30);
    else if (lower >= 0x61 && lower <= 0x66) value = (value << 4) | (lower - 0x57);
    else bad("bad \\u escape");
    cursor++;
  }
  return value;
}

/** After `\u`: one code point, from a pair of escapes where it is above U+FFFF. */
function codePoint(): u32 {
  const first = hex4();
  if (first >= 0xdc00 && first <= 0xdfff) bad("lone surrogate");
  if (first < 0xd800 || first > 0xdbff) return first;
  if (peek() != 0x5c) bad("lone surrogate");
  cursor++;
  if (peek() != 0x75) bad("lone surrogate");
  cursor++;
  const second = hex4();
  if (second < 0xdc00 || second > 0xdfff) bad("lone surrogate");
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/** After a backslash: the code point that the escape stands for. */
function escape(): u32 {
  const c = peek();
  cursor++;
  switch (c) {
    case 0x22: case 0x5c: case 0x2f: return c;
    case 0x62: return 8;
    case 0x66: return 12;
    case 0x6e: return 10;
    case 0x72: return 13;
    case 0x74: return 9;
    case 0x75: return codePoint();
  }
  bad("bad escape");
  return 0;
}

/**
 * Where the string, object or array that begins at a byte ends, of those that were scanned: everything is scanned once
 * and not once a level. A place of four bytes for each byte of the input; 0 where nothing is known.
 */
let ends: usize = 0;
/** Of a string with escapes. */
const ESCAPED: u32 = 0x80000000;

// @ts-ignore: decorator
@inline function endAt(place: usize): usize { return ends + ((place - source.dataStart) << 2); }

/** Moves past a value that was scanned before; false where it was not. */
// @ts-ignore: decorator
@inline function skipKnown(): bool {
  if (cursor >= end) return false;
  const known = load<u32>(endAt(cursor));
  if (known != 0) cursor = source.dataStart + (known & ~ESCAPED);
  return known != 0;
}

function skipString(): void {
  if (skipKnown()) return;
  const from = cursor;
  let escaped: u32 = 0;
  expect(0x22);
  while (true) {
    cursor = skipPlain(cursor, end);
    const c = peek();
    cursor++;
    if (c == 0x22) break;
    if (c == 0x5c) {
      escape();
      escaped = ESCAPED;
    } else if (c < 0x20) bad("control character in a string");
  }
  store<u32>(endAt(from), <u32>(cursor - source.dataStart) | escaped);
}

function digits(): void {
  let p = cursor;
  while (p < end && <u8>(load<u8>(p) - 0x30) <= 9) p++;
  if (p == cursor) bad("bad number");
  cursor = p;
}

function skipNumber(): void {
  if (peek() == 0x2d) cursor++;
  if (peek() == 0x30) cursor++;
  else digits();
  if (cursor < end && load<u8>(cursor) == 0x2e) {
    cursor++;
    digits();
  }
  if (cursor < end && (load<u8>(cursor) | 0x20) == 0x65) {
    cursor++;
    const sign = peek();
    if (sign == 0x2b || sign == 0x2d) cursor++;
    digits();
  }
}

function skipValue(depth: i32): void {
  if (skipKnown()) return;
  if (depth > MAX_JSON_DEPTH) bad("nested too deep");
  const c = peek();
  if (c == 0x22) skipString();
  else if (c == 0x7b) skipMembers(0x7d, depth);
  else if (c == 0x5b) skipMembers(0x5d, depth);
  else if (c == 0x74) word("true");
  else if (c == 0x66) word("false");
  else if (c == 0x6e) word("null");
  else skipNumber();
}

function skipMembers(close: u8, depth: i32): void {
  const from = cursor++;
  space();
  let c = peek();
  if (c == close) cursor++;
  while (c != close) {
    space();
    if (close == 0x7d) {
      skipString();
      space();
      expect(0x3a);
      space();
    }
    skipValue(depth + 1);
    space();
    c = peek();
    if (c != close && c != 0x2c) bad("unexpected character");
    cursor++;
  }
  store<u32>(endAt(from), <u32>(cursor - source.dataStart));
}

/** The bytes of a string with escapes, which the scan has found to be right. */
function unescaped(from: usize, last: usize): Uint8Array {
  const out = fresh(<i32>(last - from));
  let to = out.dataStart;
  cursor = from;
  while (cursor < last) {
    if (load<u8>(cursor) == 0x5c) {
      cursor++;
      to = writeCodePoint(to, escape());
      continue;
    }
    const special = skipPlain(cursor, last);
    memory.copy(to, cursor, special - cursor);
    to += special - cursor;
    cursor = special;
  }
  return out.subarray(0, <i32>(to - out.dataStart));
}

/** One value of the input; `name` is what error messages call it. */
export class Json {
  constructor(private from: usize, private to: usize, readonly name: Text) {}

  private wrong(type: Text): void { new Message("BadType: ").literal(this.name).literal(" is not ").literal(type).panic(); }
  private tooLong(most: i32, unit: Text): void {
    new Message("TooLong: ").literal(this.name).literal(" has at most ").number(most).literal(unit).panic();
  }
  private first(): u8 { return load<u8>(this.from); }

  isNull(): bool { return this.first() == 0x6e; }
  isText(): bool { return this.first() == 0x22; }

  /** The value's own bytes, spelled as in the input. */
  raw(): Uint8Array { return slice(this.from, this.to); }

  bool(): bool {
    const c = this.first();
    if (c != 0x74 && c != 0x66) this.wrong("a boolean");
    return c == 0x74;
  }

  u64(): u64 {
    let value: u64 = 0;
    for (let p = this.from; p < this.to; p++) {
      const digit = <u64>load<u8>(p) - 0x30;
      if (digit > 9) this.wrong("a whole number");
      if (value > (u64.MAX_VALUE - digit) / 10) new Message("TooLarge: ").literal(this.name).panic();
      value = value * 10 + digit;
    }
    return value;
  }

  /** A whole number of at most `most`. */
  upTo(most: u64): u64 {
    const value = this.u64();
    if (value > most) new Message("TooLarge: ").literal(this.name).literal(" is at most ").number(most).panic();
    return value;
  }

  /** A string's bytes, with its escapes undone. */
  text(most: i32): Uint8Array {
    if (this.first() != 0x22) this.wrong("a string");
    const from = this.from + 1, last = this.to - 1;
    const decoded = load<u32>(endAt(this.from)) < ESCAPED ? slice(from, last) : unescaped(from, last);
    if (decoded.length > most) this.tooLong(most, " bytes");
    return decoded;
  }

  /** A decimal amount in a string (near-sdk's U128). */
  amount(): U128 { return U128.parse(this.text(64), this.name); }

  /** An array of numbers below 256. */
  bytes(most: i32): Uint8Array {
    if (this.first() != 0x5b) this.wrong("an array of bytes");
    const out = fresh(<i32>min<usize>(<usize>most, (this.to - this.from) >> 1));
    const limit = out.dataStart + out.length;
    let to = out.dataStart;
    cursor = this.from + 1;
    space();
    if (peek() == 0x5d) return out.subarray(0, 0);
    let p = cursor;
    // The scan has found an array, so a bracket stands at its end and no bound is needed before.
    while (true) {
      let value: u32 = 0;
      const start = p;
      let digit = <u32>load<u8>(p) - 0x30;
      while (digit <= 9) {
        value = value * 10 + digit;
        digit = <u32>load<u8>(++p) - 0x30;
      }
      if (p == start || p - start > 3 || value > 255) this.wrong("an array of bytes");
      if (to == limit) this.tooLong(most, " bytes");
      store<u8>(to++, value);
      if (digit != 0x2c - 0x30) {
        cursor = p;
        space();
        p = cursor;
        const c = load<u8>(p);
        if (c == 0x5d) return out.subarray(0, <i32>(to - out.dataStart));
        if (c != 0x2c) this.wrong("an array of bytes");
      }
      p++;
      if (<u32>load<u8>(p) - 0x30 > 9) {
        cursor = p;
        space();
        p = cursor;
      }
    }
  }

  /** The elements of an array. */
  elements(most: i32): Json[] {
    if (this.first() != 0x5b) this.wrong("an array");
    const found: Json[] = [];
    cursor = this.from + 1;
    space();
    if (peek() == 0x5d) return found;
    while (true) {
      space();
      const from = cursor;
      skipValue(1);
      if (found.length == most) this.tooLong(most, " elements");
      found.push(new Json(from, cursor, this.name));
      space();
      if (peek() == 0x5d) return found;
      cursor++;
    }
  }

  object(): JsonObject {
    if (this.first() != 0x7b) this.wrong("an object");
    const found = new JsonObject(this.name);
    cursor = this.from + 1;
    space();
    if (peek() == 0x7d) return found;
    while (true) {
      space();
      const keyFrom = cursor;
      skipString();
      const key = new Json(keyFrom, cursor, "a field's name");
      space();
      cursor++;
      space();
      const from = cursor;
      skipValue(1);
      const to = cursor;
      found.add(key.text(MAX_JSON_KEY_BYTES), from, to);
      cursor = to;
      space();
      if (peek() == 0x7d) return found;
      cursor++;
    }
  }
}

export class JsonObject {
  private keys: Uint8Array[] = [];
  private from: usize[] = [];
  private to: usize[] = [];
  constructor(readonly name: Text) {}

  add(key: Uint8Array, from: usize, to: usize): void {
    for (let i = 0; i < this.keys.length; i++) {
      const known = this.keys[i];
      if (same(known, key)) {
        new Message("DuplicateField: ").bytes(key).panic();
      }
    }
    if (this.keys.length == MAX_JSON_FIELDS) panic("BadJson: an object has too many fields");
    this.keys.push(key);
    this.from.push(from);
    this.to.push(to);
  }

  /** The field's value; null where it is absent or JSON null. */
  optional(field: Text): Json | null {
    for (let i = 0; i < this.keys.length; i++) {
      if (!sameText(this.keys[i], field)) continue;
      const value = new Json(this.from[i], this.to[i], field);
      return value.isNull() ? null : value;
    }
    return null;
  }

  /** The field's value, which may be JSON null; null only where the field is absent. */
  present(field: Text): Json | null {
    for (let i = 0; i < this.keys.length; i++) {
      if (sameText(this.keys[i], field)) return new Json(this.from[i], this.to[i], field);
    }
    return null;
  }

  required(field: Text): Json {
    const value = this.optional(field);
    if (!value) new Message("MissingField: ").literal(field).panic();
    return value!;
  }

  get count(): i32 { return this.keys.length; }

  /** An optional boolean, false where it is absent. */
  flag(field: Text): bool {
    const value = this.optional(field);
    return value ? value.bool() : false;
  }

  /** An optional whole number. */
  u64Or(field: Text, otherwise: u64): u64 {
    const value = this.optional(field);
    return value ? value.u64() : otherwise;
  }
}

/** A parameter of the network: a whole number within bounds, or what it is where nobody says. */
export function bounded(fields: JsonObject | null, field: Text, otherwise: u64, least: u64, most: u64): u64 {
  const value = fields ? fields.u64Or(field, otherwise) : otherwise;
  if (value < least || value > most) {
    new Message("BadNetwork: ").literal(field).literal(" is between ").number(least).literal(" and ").number(most).panic();
  }
  return value;
}

function slice(from: usize, to: usize): Uint8Array {
  return source.subarray(<i32>(from - source.dataStart), <i32>(to - source.dataStart));
}

/** A JSON text of its own. Values that were read before keep their bytes, but no more can be read from them. */
export function parseJson(text: Uint8Array): Json {
  source = text;
  cursor = source.dataStart;
  end = cursor + source.length;
  ends = fresh(text.length << 2).dataStart;
  cursor = firstNotUtf8(cursor, end);
  if (cursor != end) bad("not UTF-8");
  cursor = source.dataStart;
  space();
  const from = cursor;
  skipValue(0);
  const to = cursor;
  space();
  if (cursor != end) bad("something after the arguments");
  return new Json(from, to, "the arguments");
}

/** The call's arguments; an empty input is an empty object. */
export function callArguments(): JsonObject {
  return argumentsFrom(callInput());
}

export function argumentsFrom(input: Uint8Array): JsonObject {
  return input.length == 0 ? new JsonObject("the arguments") : parseJson(input).object();
}
