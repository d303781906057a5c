/** JSON as the contract answers and logs it: compact, UTF-8, escaped only where RFC 8259 demands it. */
import { ByteBuffer, skipPlain } from "./buffer";
import { writeBase64, writeHex, writePublicKey } from "./encoding";
import { Text } from "./text";
import { U128 } from "./u128";

export class JsonWriter extends ByteBuffer {
  constructor(capacity: i32 = 256) { super(capacity); }

  bool(value: bool): void { this.literal(value ? "true" : "false"); }

  /** An object's beginning, with a comma before it where another one has just ended. */
  open(): void {
    if (load<u8>(this.reserve(2) - 1) == 0x7d) this.byte(0x2c);
    this.byte(0x7b);
  }

  close(): void { this.byte(0x7d); }

  /** A field's name, with a comma before it unless it is its object's first. */
  key(name: Text): void {
    const to = this.reserve(name.length + 4);
    let at = to;
    if (load<u8>(to - 1) != 0x7b) store<u8>(at++, 0x2c);
    store<u8>(at++, 0x22);
    memory.copy(at, name.start, name.length);
    at += name.length;
    store<u16>(at, 0x3a22);
    this.advance(<i32>(at - to) + 2);
  }

  numberField(name: Text, value: u64): void { this.key(name); this.number(value); }
  amountField(name: Text, value: U128): void { this.key(name); this.amount(value); }
  textField(name: Text, value: Uint8Array): void { this.key(name); this.text(value); }
  textOrNullField(name: Text, value: Uint8Array | null): void { this.key(name); this.textOrNull(value); }
  boolField(name: Text, value: bool): void { this.key(name); this.bool(value); }
  hexField(name: Text, value: Uint8Array): void { this.key(name); this.hex(value); }
  base64OrNullField(name: Text, value: Uint8Array | null): void { this.key(name); this.base64OrNull(value); }
  objectField(name: Text): void { this.key(name); this.open(); }
  listField(name: Text): void { this.key(name); this.byte(0x5b); }

  /** An amount in quotes: JSON readers lose digits above 2^53. */
  amount(value: U128): void {
    this.byte(0x22);
    value.writeDecimal(this);
    this.byte(0x22);
  }

  text(value: Uint8Array): void {
    // One byte becomes at most six (\u00XX).
    let to = this.reserve(value.length * 6 + 2);
    const start = to;
    store<u8>(to++, 0x22);
    let from = value.dataStart;
    const end = from + value.length;
    while (from < end) {
      const c = load<u8>(from);
      if (c < 0x20 || c == 0x22 || c == 0x5c) {
        to = writeEscape(to, c);
        from++;
        continue;
      }
      const special = skipPlain(from, end);
      memory.copy(to, from, special - from);
      to += special - from;
      from = special;
    }
    store<u8>(to++, 0x22);
    this.advance(<i32>(to - start));
  }

  /** A text of the program itself that needs no escape. */
  quoted(value: Text): void {
    this.byte(0x22);
    this.literal(value);
    this.byte(0x22);
  }

  textOrNull(value: Uint8Array | null): void {
    if (value) this.text(value);
    else this.literal("null");
  }

  /** An array of strings: at most `limit` of them, from `from` on. */
  textPage(values: Uint8Array[], from: u64, limit: u64): void {
    this.byte(0x5b);
    const first = min<u64>(from, values.length), end = min<u64>(values.length, first + limit);
    for (let i = first; i < end; i++) {
      if (i > first) this.byte(0x2c);
      this.text(values[<i32>i]);
    }
    this.byte(0x5d);
  }

  hex(value: Uint8Array): void {
    this.byte(0x22);
    writeHex(this, value);
    this.byte(0x22);
  }

  base64(value: Uint8Array): void {
    this.byte(0x22);
    writeBase64(this, value);
    this.byte(0x22);
  }

  base64OrNull(value: Uint8Array | null): void {
    if (value) this.base64(value);
    else this.literal("null");
  }

  publicKey(value: Uint8Array): void {
    this.byte(0x22);
    writePublicKey(this, value);
    this.byte(0x22);
  }

  /** Bytes as an array of numbers, as serde writes them. */
  byteArray(value: Uint8Array): void {
    this.byte(0x5b);
    for (let i = 0; i < value.length; i++) {
      if (i > 0) this.byte(0x2c);
      this.number(value[i]);
    }
    this.byte(0x5d);
  }
}

/** `{"request_id":N}`: what a callback is called and a yield is resumed with. */
export function requestIdArguments(id: u64): Uint8Array {
  const out = new JsonWriter(40);
  out.open();
  out.numberField("request_id", id);
  out.close();
  return out.done();
}

function writeEscape(to: usize, c: u8): usize {
  store<u8>(to, 0x5c);
  const short = shortEscape(c);
  if (short != 0) {
    store<u8>(to, short, 1);
    return to + 2;
  }
  store<u8>(to, 0x75, 1);
  store<u16>(to, 0x3030, 2);
  store<u8>(to, 0x30 + (c >> 4), 4);
  store<u8>(to, (c & 15) + ((c & 15) < 10 ? 0x30 : 0x57), 5);
  return to + 6;
}

function shortEscape(c: u8): u8 {
  switch (c) {
    case 0x22: case 0x5c: return c;
    case 8: return 0x62;
    case 9: return 0x74;
    case 10: return 0x6e;
    case 12: return 0x66;
    case 13: return 0x72;
  }
  return 0;
}
