/**
 * JSON as callers send it: values are ranges of the call's input, decoded where they are used (`json-scan.ts` has found
 * them). Fields that nobody asked for are ignored, as serde does; a field that comes twice, a wrong type, a bad escape
 * or bytes that are not UTF-8 end the call with a name.
 */
import { equalBytes, fresh, viewOf } from "./buffer";
import { callInput, panic } from "./host";
import { afterSpace, endOf, isEscaped, scan, SPARE_BYTES, unescaped } from "./json-scan";
import { MAX_JSON_FIELDS } from "./limits";
import { Message } from "./message";
import { Text } from "./text";
import { U128 } from "./u128";

/** Field names that nobody asked for are compared too (duplicates are refused), so they are bounded. */
const MAX_JSON_KEY_BYTES: i32 = 256;

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
  raw(): Uint8Array { return viewOf(this.from, <i32>(this.to - this.from)); }

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
    const decoded = isEscaped(this.from) ? unescaped(from, last) : viewOf(from, <i32>(last - from));
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
    let p = afterSpace(this.from + 1);
    if (load<u8>(p) == 0x5d) return out.subarray(0, 0);
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
        p = afterSpace(p);
        const c = load<u8>(p);
        if (c == 0x5d) return out.subarray(0, <i32>(to - out.dataStart));
        if (c != 0x2c) this.wrong("an array of bytes");
      }
      p = afterSpace(p + 1);
    }
  }

  /** The elements of an array. */
  elements(most: i32): Json[] {
    if (this.first() != 0x5b) this.wrong("an array");
    const found: Json[] = [];
    let p = afterSpace(this.from + 1);
    while (load<u8>(p) != 0x5d) {
      const to = endOf(p);
      if (found.length == most) this.tooLong(most, " elements");
      found.push(new Json(p, to, this.name));
      p = afterSpace(to);
      if (load<u8>(p) == 0x2c) p = afterSpace(p + 1);
    }
    return found;
  }

  object(): JsonObject {
    if (this.first() != 0x7b) this.wrong("an object");
    const found = new JsonObject(this.name);
    let p = afterSpace(this.from + 1);
    while (load<u8>(p) != 0x7d) {
      const keyEnd = endOf(p), value = afterSpace(afterSpace(keyEnd) + 1);
      if (isEscaped(p)) {
        const key = unescaped(p + 1, keyEnd - 1);
        found.add(key.dataStart, key.length, value);
      } else found.add(p + 1, <i32>(keyEnd - p) - 2, value);
      p = afterSpace(endOf(value));
      if (load<u8>(p) == 0x2c) p = afterSpace(p + 1);
    }
    return found;
  }
}

/** A field of an object: its name's first eight bytes, where it stands, how long it is, and where its value stands. */
const FIELD_BYTES: i32 = 20;
/** 2^64 over the golden ratio: the product's upper bits depend on all bytes of a name. */
const SPREAD: u64 = 0x9e3779b97f4a7c15;

/** The first eight bytes, zeros where there are fewer: most names differ in them. */
// @ts-ignore: decorator
@inline function headOf(key: usize, length: i32): u64 {
  const head = load<u64>(key);
  return length < 8 ? head & ((<u64>1 << <u64>(length << 3)) - 1) : head;
}

export class JsonObject {
  private fields: usize = 0;
  private last: usize = 0;
  /** A bit for each name that is there; equal names have the same. */
  private seen: u64 = 0;
  constructor(readonly name: Text) {}

  add(key: usize, length: i32, value: usize): void {
    if (length > MAX_JSON_KEY_BYTES) {
      new Message("TooLong: ").literal("a field's name has at most ").number(MAX_JSON_KEY_BYTES).literal(" bytes").panic();
    }
    if (this.fields == 0) {
      this.fields = fresh(FIELD_BYTES * MAX_JSON_FIELDS).dataStart;
      this.last = this.fields;
    }
    const last = this.last, head = headOf(key, length);
    const bit = <u64>1 << ((head * SPREAD) >> 58), seen = this.seen;
    this.seen = seen | bit;
    if ((seen & bit) != 0 && this.find(head, key, length) != 0) new Message("DuplicateField: ").bytes(viewOf(key, length)).panic();
    if (this.count == MAX_JSON_FIELDS) panic("BadJson: an object has too many fields");
    store<u64>(last, head);
    store<u32>(last, <u32>key, 8);
    store<u32>(last, <u32>length, 12);
    store<u32>(last, <u32>value, 16);
    this.last = last + FIELD_BYTES;
  }

  /** Where the value of a name stands; 0 where there is none. */
  private find(head: u64, key: usize, length: i32): usize {
    const last = this.last;
    for (let field = this.fields; field < last; field += FIELD_BYTES) {
      if (load<u64>(field) != head || load<i32>(field, 12) != length) continue;
      if (length <= 8 || equalBytes(load<u32>(field, 8) + 8, key + 8, length - 8)) return load<u32>(field, 16);
    }
    return 0;
  }

  private placeOf(field: Text): usize { return this.find(headOf(field.start, field.length), field.start, field.length); }

  /** The field's value; null where it is absent or JSON null. */
  optional(field: Text): Json | null {
    const value = this.placeOf(field);
    return value == 0 || load<u8>(value) == 0x6e ? null : new Json(value, endOf(value), field);
  }

  /** The field's value, which may be JSON null; null only where the field is absent. */
  present(field: Text): Json | null {
    const value = this.placeOf(field);
    return value == 0 ? null : new Json(value, endOf(value), field);
  }

  required(field: Text): Json {
    const value = this.optional(field);
    if (!value) new Message("MissingField: ").literal(field).panic();
    return value!;
  }

  get count(): i32 { return <i32>(this.last - this.fields) / FIELD_BYTES; }

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

/** A JSON text of its own. Values that were read before keep their bytes, but no more can be read from them. */
export function parseJson(text: Uint8Array): Json {
  const copy = fresh(text.length + SPARE_BYTES);
  memory.copy(copy.dataStart, text.dataStart, text.length);
  return parseTerminated(viewOf(copy.dataStart, text.length));
}

function parseTerminated(text: Uint8Array): Json {
  const from = scan(text);
  return new Json(from, endOf(from), "the arguments");
}

/** The call's arguments; an empty input is an empty object. */
export function callArguments(): JsonObject {
  return argumentsFrom(callInput());
}

/** `input` is what {@link callInput} gave. */
export function argumentsFrom(input: Uint8Array): JsonObject {
  return input.length == 0 ? new JsonObject("the arguments") : parseTerminated(input).object();
}
