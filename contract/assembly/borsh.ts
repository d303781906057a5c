/** Borsh (https://borsh.io), the form of everything that is stored or hashed. */
import { ByteBuffer, viewOf } from "./buffer";
import { check, panic } from "./host";
import { Text, utf8 } from "./text";
import { U128 } from "./u128";

export class BorshWriter extends ByteBuffer {
  constructor(capacity: i32 = 256) { super(capacity); }

  u8(value: u8): void { this.byte(value); }
  bool(value: bool): void { this.byte(value ? 1 : 0); }
  u16(value: u16): void { store<u16>(this.reserve(2), value); this.advance(2); }
  u32(value: u32): void { store<u32>(this.reserve(4), value); this.advance(4); }
  u64(value: u64): void { store<u64>(this.reserve(8), value); this.advance(8); }
  u128(value: U128): void { this.u64(value.lo); this.u64(value.hi); }
  bytes(value: Uint8Array): void { this.u32(value.length); this.raw(value); }
  text(value: Text): void { this.bytes(utf8(value)); }
  optionBytes(value: Uint8Array | null): void {
    this.bool(value != null);
    if (value) this.bytes(value);
  }
  list(values: Uint8Array[]): void {
    this.u32(values.length);
    for (let i = 0; i < values.length; i++) this.bytes(values[i]);
  }
}

/** Reads what the contract itself wrote, where too few bytes are a broken state, or arguments, where they are refused. */
export class BorshReader {
  private at: usize;
  private end: usize;
  /** `foreign`: the bytes are somebody's arguments. */
  constructor(private source: Uint8Array, private foreign: bool = false) {
    this.at = source.dataStart;
    this.end = source.dataStart + source.length;
  }

  /** Where the next bytes stand. In every method: a call of its own would cost more than what it does. */
  // @ts-ignore: decorator
  @inline private take(count: usize): usize {
    const from = this.at;
    if (this.end - from < count) this.short();
    this.at = from + count;
    return from;
  }

  private short(): void {
    if (this.foreign) panic("BadBorsh: the bytes end too early");
    panic("BadRecord: a stored record is too short");
  }

  get position(): i32 { return <i32>(this.at - this.source.dataStart); }

  u8(): u8 { return load<u8>(this.take(1)); }
  bool(): bool {
    const value = this.u8();
    if (value > 1 && this.foreign) panic("BadBorsh: a boolean is 0 or 1");
    return value != 0;
  }
  assertEnd(): void { check(this.at == this.end, "BadBorsh: bytes after the end"); }
  u16(): u16 { return load<u16>(this.take(2)); }
  u32(): u32 { return load<u32>(this.take(4)); }
  u64(): u64 { return load<u64>(this.take(8)); }
  u128(): U128 { return U128.read(this.take(16)); }
  raw(count: i32): Uint8Array { return viewOf(this.take(<usize>count), count); }
  bytes(): Uint8Array {
    const count = load<u32>(this.take(4));
    return viewOf(this.take(<usize>count), <i32>count);
  }
  optionBytes(): Uint8Array | null { return this.bool() ? this.bytes() : null; }
  list(): Uint8Array[] {
    const count = <i32>this.u32();
    const values: Uint8Array[] = [];
    for (let i = 0; i < count; i++) values.push(this.bytes());
    return values;
  }
}

/**
 * One direction of a record whose fields are listed once: given a reader it returns what stands there, given a writer
 * it writes the value and returns it.
 */
export class BorshField {
  constructor(private reader: BorshReader | null, private writer: BorshWriter | null) {}

  bool(value: bool): bool { return this.u8(value ? 1 : 0) != 0; }
  u8(value: u8): u8 {
    if (this.reader) return this.reader!.u8();
    this.writer!.u8(value);
    return value;
  }
  u16(value: u16): u16 {
    if (this.reader) return this.reader!.u16();
    this.writer!.u16(value);
    return value;
  }
  u32(value: u32): u32 {
    if (this.reader) return this.reader!.u32();
    this.writer!.u32(value);
    return value;
  }
  u64(value: u64): u64 {
    if (this.reader) return this.reader!.u64();
    this.writer!.u64(value);
    return value;
  }
  u128(value: U128): U128 {
    if (this.reader) return this.reader!.u128();
    this.writer!.u128(value);
    return value;
  }
  bytes(value: Uint8Array): Uint8Array {
    if (this.reader) return this.reader!.bytes();
    this.writer!.bytes(value);
    return value;
  }
  raw(value: Uint8Array, count: i32): Uint8Array {
    if (this.reader) return this.reader!.raw(count);
    this.writer!.raw(value);
    return value;
  }
  optionBytes(value: Uint8Array | null): Uint8Array | null {
    if (this.reader) return this.reader!.optionBytes();
    this.writer!.optionBytes(value);
    return value;
  }
}
