/** The host's own judgement of UTF-8, with the platform's fatal decoder as the referee. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isUtf8 } from "../../../src/execution/wasi/utf8.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodes(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

test("every sequence of one or two bytes, and every lead with the bytes around each limit, is judged alike", () => {
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  const judge = (...values: number[]) => {
    const bytes = Uint8Array.from(values);
    if (isUtf8(bytes) !== decodes(bytes)) throw new Error(`[${values}] is judged ${isUtf8(bytes)}`);
  };
  for (let first = 0; first < 256; first++) {
    judge(first);
    for (let second = 0; second < 256; second++) judge(first, second);
    for (const second of edges) {
      for (const third of edges) {
        if (first >= 0xe0) judge(first, second, third);
        if (first >= 0xf0) for (const fourth of edges) judge(first, second, third, fourth);
      }
    }
  }
});

test("text is UTF-8, and random bytes are judged alike", () => {
  const text = fc.string({ unit: "binary" }).map((value) => new TextEncoder().encode(value));
  fc.assert(fc.property(text, (bytes) => isUtf8(bytes)));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => isUtf8(bytes) === decodes(bytes)));
  const cut = fc.tuple(text, fc.nat(60)).map(([bytes, length]) => bytes.subarray(0, length));
  fc.assert(fc.property(cut, (bytes) => isUtf8(bytes) === decodes(bytes)));
  assert.ok(isUtf8(new Uint8Array(0)));
});

test.run();
