/** Texts of the contract become bytes in memory; what only looks like one stays. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { declareTexts, packTexts, pairTexts, TextError } from "../../pack-texts.ts";

test("equal texts of several files are one constant, whose bytes have their number before them", () => {
  const texts = new Set<string>();
  const first = packTexts('out.literal("seat");', texts);
  const second = packTexts("required('seat');", texts);
  const name = /TEXT_[0-9a-f]{16}/.exec(first)![0];
  assert.is(first, `out.literal(${name});`);
  assert.is(second, `required(${name});`);
  assert.match(declareTexts(texts), `const ${name}: Text = changetype<Text>(memory.data<u8>([4,115,101,97,116]))`);
});

test("what a call is refused with is of a type of its own, and pairs of its bytes are one byte", () => {
  const texts = new Set<string>();
  packTexts('check(ok, "NoSeat: no seat"); panic("NoSeats: no seats");', texts);
  assert.match(declareTexts(texts), /const TEXT_[0-9a-f]{16}: Refusal = changetype<Refusal>/);
  assert.match(declareTexts(texts), /const REFUSAL_PAIRS: usize = changetype<usize>\(memory.data<u8>\(\[\d+,\d+/);
});

test("pairs unfold to the very texts, and make them shorter", () => {
  const sources = ["NoSeat: not a seat of this account", "NoStake: this account has no stake", "Aaaa: aaaaaaaaaa"];
  const { pairs, texts } = pairTexts(sources);
  const unfold = (code: number): number[] => {
    const place = (code + 0x80) & 0xff;
    return place >= 160 ? [code] : [pairs[2 * place]!, pairs[2 * place + 1]!].flatMap(unfold);
  };
  for (const text of sources) {
    const bytes = texts.get(text)!;
    assert.is(Buffer.from(bytes.flatMap(unfold)).toString(), text);
    assert.ok(bytes.length < text.length);
  }
});

test("comments, modules, host functions and fields keep their strings", () => {
  const texts = new Set<string>();
  const source = [
    'import { a } from "./a";',
    '@external("env", "input") declare function input(register: u64): void;',
    "// it's a comment",
    '/* "so is this" */',
    'offsetof<Uint8Array>("buffer");',
  ].join("\n");
  assert.is(packTexts(source, texts), source);
  assert.is(texts.size, 0);
});

test("a text that is not ASCII, or longer than its length can say, does not build", () => {
  for (const text of ["é", "x".repeat(256)]) {
    assert.throws(
      () => packTexts(`panic("${text}");`, new Set()),
      (error: unknown) => error instanceof TextError && error.code === "badText",
    );
  }
});

test.run();
