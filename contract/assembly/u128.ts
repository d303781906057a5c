/** Amounts of yocto: unsigned 128-bit integers whose arithmetic panics with a name instead of wrapping. */
import { ByteBuffer, fresh } from "./buffer";
import { check } from "./host";
import { Message } from "./message";
import { Text } from "./text";

export class U128 {
  constructor(public lo: u64 = 0, public hi: u64 = 0) {}

  /** From 16 little-endian bytes. */
  static read(pointer: usize): U128 {
    return new U128(load<u64>(pointer), load<u64>(pointer, 8));
  }

  /** From decimal digits. */
  static parse(digits: Uint8Array, what: Text): U128 {
    if (digits.length == 0 || digits.length > 39) new Message("BadAmount: ").literal(what).panic();
    let value = new U128();
    for (let i = 0; i < digits.length; i++) {
      const digit = digits[i] - 0x30;
      if (digit > 9) new Message("BadAmount: ").literal(what).panic();
      value = value.times(10).plus(new U128(digit));
    }
    return value;
  }

  toBytes(): Uint8Array {
    const bytes = fresh(16);
    store<u64>(bytes.dataStart, this.lo);
    store<u64>(bytes.dataStart, this.hi, 8);
    return bytes;
  }

  isZero(): bool { return (this.lo | this.hi) == 0; }
  lessThan(other: U128): bool { return this.hi < other.hi || (this.hi == other.hi && this.lo < other.lo); }

  plus(other: U128): U128 {
    const lo = this.lo + other.lo;
    const carry: u64 = lo < this.lo ? 1 : 0;
    const partial = this.hi + other.hi;
    const hi = partial + carry;
    check(partial >= this.hi && hi >= partial, "AmountOverflow: a sum above 2^128");
    return new U128(lo, hi);
  }

  minus(other: U128): U128 {
    check(!this.lessThan(other), "AmountUnderflow: a difference below 0");
    const borrow: u64 = this.lo < other.lo ? 1 : 0;
    return new U128(this.lo - other.lo, this.hi - other.hi - borrow);
  }

  /** The difference, or 0 where it would be negative. */
  minusOrZero(other: U128): U128 { return this.lessThan(other) ? new U128() : this.minus(other); }

  times(factor: u64): U128 {
    const low = wide(this.lo, factor);
    const high = wide(this.hi, factor);
    const hi = low.hi + high.lo;
    check(high.hi == 0 && hi >= low.hi, "AmountOverflow: a product above 2^128");
    return new U128(low.lo, hi);
  }

  /** The product, or the largest amount there is where the product is above it. */
  timesOrMost(factor: u64): U128 {
    const low = wide(this.lo, factor);
    const high = wide(this.hi, factor);
    const hi = low.hi + high.lo;
    return high.hi == 0 && hi >= low.hi ? new U128(low.lo, hi) : new U128(u64.MAX_VALUE, u64.MAX_VALUE);
  }

  /** Quotient; the remainder stays in {@link lastRemainder}. Division by parts of 32 bits. */
  dividedBy(divisor: u32): U128 {
    const d = <u64>divisor;
    const a = this.hi >> 32;
    const b = ((a % d) << 32) | (this.hi & 0xffffffff);
    const c = ((b % d) << 32) | (this.lo >> 32);
    const e = ((c % d) << 32) | (this.lo & 0xffffffff);
    lastRemainder = <u32>(e % d);
    return new U128(((c / d) << 32) | (e / d), ((a / d) << 32) | (b / d));
  }

  /** The part in basis points, rounded down; it cannot overflow. */
  part(bps: u32): U128 {
    const whole = this.dividedBy(10_000), rest = lastRemainder;
    return whole.times(bps).plus(new U128((<u64>rest * bps) / 10_000));
  }

  writeDecimal(out: ByteBuffer): void {
    const rest = this.dividedBy(1_000_000_000), part = lastRemainder;
    if (rest.isZero()) {
      out.number(part);
      return;
    }
    rest.writeDecimal(out);
    out.decimal(part, 9);
  }
}

export let lastRemainder: u32 = 0;

/** The whole product of two u64. */
export function wide(a: u64, b: u64): U128 {
  const a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const low = a0 * b0;
  const middle = a1 * b0 + (low >> 32);
  const other = a0 * b1 + (middle & 0xffffffff);
  return new U128((other << 32) | (low & 0xffffffff), a1 * b1 + (middle >> 32) + (other >> 32));
}
