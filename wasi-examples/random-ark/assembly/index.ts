// One random integer of a closed range, as a JSON number. The randomness is the request's, so that every node that
// replays the request prints the same number.
import { fail, print, randomU64, readInput } from "../../wasi/assembly/index";

/** Integers that every JSON reader represents exactly. */
const MAX_SAFE: i64 = 9007199254740991;

/** Reads exactly {"min": integer, "max": integer}, in any order, with any JSON white space. */
class RangeReader {
  private at: i32 = 0;
  min: i64 = 0;
  max: i64 = 0;
  private hasMin: bool = false;
  private hasMax: bool = false;

  constructor(private text: string) {}

  read(): void {
    this.expect(0x7b);
    this.member();
    this.expect(0x2c);
    this.member();
    this.expect(0x7d);
    this.skipSpace();
    if (this.at != this.text.length) fail("unexpected text after the object");
    if (this.min > this.max) fail("min is greater than max");
  }

  private member(): void {
    this.skipSpace();
    const name = this.text.substr(this.at, 5);
    const isMin = name == '"min"';
    if (!isMin && name != '"max"') fail('expected {"min": integer, "max": integer}');
    if (isMin ? this.hasMin : this.hasMax) fail(name + " stands twice");
    this.at += 5;
    this.expect(0x3a);
    const value = this.integer();
    if (isMin) {
      this.min = value;
      this.hasMin = true;
    } else {
      this.max = value;
      this.hasMax = true;
    }
  }

  private integer(): i64 {
    this.skipSpace();
    const negative = this.peek() == 0x2d;
    if (negative) this.at++;
    const start = this.at;
    let value: i64 = 0;
    while (this.peek() >= 0x30 && this.peek() <= 0x39) {
      value = value * 10 + (this.peek() - 0x30);
      if (value > MAX_SAFE) fail("a bound is beyond 2^53 - 1");
      this.at++;
    }
    const digits = this.at - start;
    if (digits == 0 || (digits > 1 && this.text.charCodeAt(start) == 0x30)) fail("a bound is not an integer");
    return negative ? -value : value;
  }

  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private expect(code: i32): void {
    this.skipSpace();
    if (this.peek() != code) fail('expected {"min": integer, "max": integer}');
    this.at++;
  }

  private skipSpace(): void {
    while (this.peek() == 0x20 || this.peek() == 0x09 || this.peek() == 0x0a || this.peek() == 0x0d) this.at++;
  }
}

/** Uniform in [0, count): draws above the largest multiple of count are thrown away. */
function below(count: u64): u64 {
  const excess = (u64.MAX_VALUE % count + 1) % count;
  while (true) {
    const draw = randomU64();
    if (draw <= u64.MAX_VALUE - excess) return draw % count;
  }
}

const range = new RangeReader(String.UTF8.decode(readInput()));
range.read();
print((range.min + <i64>below(<u64>(range.max - range.min) + 1)).toString());
