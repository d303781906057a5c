import { PassThrough } from "node:stream";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAX_REASON_CHARACTERS } from "../../src/engine/engine-limits.ts";
import { LastWords } from "../../src/engine/last-words.ts";

async function reasonOf(text: string): Promise<string> {
  const stream = new PassThrough();
  const words = new LastWords(stream);
  stream.end(text);
  await words.complete;
  return words.reason();
}

test("of a stack trace the line with the error, else the last line", async () => {
  const trace =
    "file:///a.mjs:3\n  throw x;\n  ^\n\nError: cannot load: /bin/ls\n    at a (b.js:1:2)\n\nNode.js v24.21.0\n";
  assert.is(await reasonOf(trace), "Error: cannot load: /bin/ls");
  assert.is(
    await reasonOf("bwrap: setting up uid map: Permission denied\n"),
    "bwrap: setting up uid map: Permission denied",
  );
  const v8 =
    "\n\n#\n# Fatal error in , line 0\n# Fatal JavaScript invalid size error 184549376\n#\n#\n#FailureMessage Object: 0x7ffd\n";
  assert.is(await reasonOf(v8), "# Fatal JavaScript invalid size error 184549376");
  assert.is(await reasonOf("one\ntwo\n\n"), "two");
  assert.is(await reasonOf(""), "");
});

test("what is kept is bounded and moves no cursor", async () => {
  assert.is((await reasonOf("x".repeat(1_000_000))).length, MAX_REASON_CHARACTERS);
  assert.is(await reasonOf("\u001b[2Jall is well\u009b"), "?[2Jall is well?");
});

test("a child without standard error has said nothing", async () => {
  const words = new LastWords(null);
  await words.complete;
  assert.is(words.reason(), "");
});

test.run();
