/** Texts of the contract become bytes in memory; what only looks like one stays. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { declareTexts, packTexts, TextError } from "../../pack-texts.ts";

test("equal texts of several files are one constant, whose bytes have their number before them", () => {
  const texts = new Set<string>();
  const first = packTexts('check(ok, "No: why");', texts);
  const second = packTexts("panic('No: why');", texts);
  const name = /TEXT_[0-9a-f]{16}/.exec(first)![0];
  assert.is(first, `check(ok, ${name});`);
  assert.is(second, `panic(${name});`);
  assert.match(
    declareTexts(texts),
    `const ${name}: Text = changetype<Text>(memory.data<u8>([7,78,111,58,32,119,104,121]))`,
  );
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
