// Makes a JSON document canonical (no white space, object keys sorted by UTF-16 code unit, strings with the fewest
// escapes) and adds up its numbers: {"canonical": document, "numbers": how many, "sum": their sum}. Equal documents
// give equal bytes, so a contract can hash or compare them.
import { fail, print, readInput } from "../../wasi/assembly/index";

const MAX_DEPTH: i32 = 64;

class Canonicaliser {
  private at: i32 = 0;
  private depth: i32 = 0;
  numbers: i32 = 0;
  sum: f64 = 0;

  constructor(private text: string) {}

  document(): string {
    const value = this.value();
    this.skipSpace();
    if (this.at != this.text.length) this.refuse("text after the document");
    return value;
  }

  private value(): string {
    this.skipSpace();
    const code = this.peek();
    if (code == 0x7b) return this.object();
    if (code == 0x5b) return this.array();
    if (code == 0x22) return quote(this.string());
    if (code == 0x74) return this.word("true");
    if (code == 0x66) return this.word("false");
    if (code == 0x6e) return this.word("null");
    return this.number();
  }

  private object(): string {
    this.enter();
    const members = new Map<string, string>();
    if (!this.take(0x7d)) {
      do {
        this.skipSpace();
        const key = this.string();
        if (members.has(key)) this.refuse("the key " + quote(key) + " stands twice");
        if (!this.take(0x3a)) this.refuse("expected ':'");
        members.set(key, this.value());
      } while (this.take(0x2c));
      if (!this.take(0x7d)) this.refuse("expected ',' or '}'");
    }
    this.depth--;
    const keys = members.keys().sort();
    const parts = new Array<string>(keys.length);
    for (let i = 0; i < keys.length; i++) parts[i] = quote(keys[i]) + ":" + members.get(keys[i]);
    return "{" + parts.join(",") + "}";
  }

  private array(): string {
    this.enter();
    const parts: string[] = [];
    if (!this.take(0x5d)) {
      do parts.push(this.value());
      while (this.take(0x2c));
      if (!this.take(0x5d)) this.refuse("expected ',' or ']'");
    }
    this.depth--;
    return "[" + parts.join(",") + "]";
  }

  /** Steps over an opening bracket. */
  private enter(): void {
    this.at++;
    if (++this.depth > MAX_DEPTH) this.refuse("nested deeper than " + MAX_DEPTH.toString());
  }

  private word(expected: string): string {
    if (this.text.substr(this.at, expected.length) != expected) this.refuse("expected a value");
    this.at += expected.length;
    return expected;
  }

  /** A number keeps its spelling; the grammar is JSON's. */
  private number(): string {
    const start = this.at;
    if (this.peek() == 0x2d) this.at++;
    if (this.peek() == 0x30) this.at++;
    else this.digits();
    if (this.peek() == 0x2e) {
      this.at++;
      this.digits();
    }
    if ((this.peek() | 0x20) == 0x65) {
      this.at++;
      if (this.peek() == 0x2b || this.peek() == 0x2d) this.at++;
      this.digits();
    }
    const spelling = this.text.substring(start, this.at);
    this.numbers++;
    this.sum += parseFloat(spelling);
    return spelling;
  }

  private digits(): void {
    if (!isDigit(this.peek())) this.refuse("expected a value");
    while (isDigit(this.peek())) this.at++;
  }

  /** The string's content with its escapes resolved. */
  private string(): string {
    if (this.peek() != 0x22) this.refuse("expected a string");
    this.at++;
    let content = "";
    let start = this.at;
    while (this.peek() != 0x22) {
      const code = this.peek();
      if (code < 0x20) this.refuse("a string does not end");
      if (code != 0x5c) {
        this.at++;
        continue;
      }
      content += this.text.substring(start, this.at) + this.escape();
      start = this.at;
    }
    content += this.text.substring(start, this.at++);
    return content;
  }

  private escape(): string {
    const code = this.text.charCodeAt(this.at + 1);
    this.at += 2;
    if (code == 0x22 || code == 0x5c || code == 0x2f) return String.fromCharCode(code);
    if (code == 0x62) return "\b";
    if (code == 0x66) return "\f";
    if (code == 0x6e) return "\n";
    if (code == 0x72) return "\r";
    if (code == 0x74) return "\t";
    if (code != 0x75) this.refuse("unknown escape");
    let unit = 0;
    for (let i = 0; i < 4; i++) {
      const digit = hexDigit(this.peek());
      if (digit < 0) this.refuse("unknown escape");
      unit = unit * 16 + digit;
      this.at++;
    }
    return String.fromCharCode(unit);
  }

  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private take(code: i32): bool {
    this.skipSpace();
    if (this.peek() != code) return false;
    this.at++;
    return true;
  }

  private skipSpace(): void {
    while (this.peek() == 0x20 || this.peek() == 0x09 || this.peek() == 0x0a || this.peek() == 0x0d) this.at++;
  }

  private refuse(reason: string): void {
    fail("not a JSON document: " + reason + " at character " + this.at.toString());
  }
}

function isDigit(code: i32): bool {
  return code >= 0x30 && code <= 0x39;
}

function hexDigit(code: i32): i32 {
  if (isDigit(code)) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function quote(content: string): string {
  let quoted = '"';
  let start = 0;
  for (let i = 0; i < content.length; i++) {
    const code = content.charCodeAt(i);
    if (code >= 0x20 && code != 0x22 && code != 0x5c) continue;
    quoted += content.substring(start, i);
    if (code >= 0x20) quoted += "\\" + String.fromCharCode(code);
    else quoted += "\\u" + code.toString(16).padStart(4, "0");
    start = i + 1;
  }
  return quoted + content.substring(start) + '"';
}

const canonicaliser = new Canonicaliser(String.UTF8.decode(readInput()));
const canonical = canonicaliser.document();
const sum = canonicaliser.sum;
if (!isFinite(sum)) fail("the sum is not finite");
print('{"canonical":' + canonical + ',"numbers":' + canonicaliser.numbers.toString() + ',"sum":' + sum.toString() + "}");
