/** A part of the WebAssembly specification's test suite on rewritten modules; conformance runs the whole. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Directive } from "../../conformance/engine/spec-directive.ts";
import { SpecRunner } from "../../conformance/engine/spec-runner.ts";

const packed = readFileSync(new URL("./vectors/spec-suite.jsonl.gz", import.meta.url));
const directives = gunzipSync(packed)
  .toString("utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Directive);

test("rewritten modules do what the specification's own tests say", () => {
  const runner = new SpecRunner();
  for (const directive of directives) runner.run(directive);
  const { passed, failures, notRun } = runner.result;
  assert.equal(failures, []);
  const unrun = Object.values(notRun).reduce((sum, count) => sum + count, 0);
  assert.is(passed + unrun, directives.length);
  assert.ok(passed > 15_000 && unrun < 80, `${passed} passed, not run: ${JSON.stringify(notRun)}`);
});

test("a wrong expectation is noticed, to the bit of a NaN", () => {
  const index = directives.findIndex(({ expected }) => expected?.[0] === "f32:canonical");
  const start = directives.findLastIndex(({ kind }, at) => kind === "module" && at < index);
  const runner = new SpecRunner();
  runner.run(directives[start]!);
  runner.run({ ...directives[index]!, expected: ["f32:7fc00001"] });
  runner.run({ ...directives[index]!, expected: ["f32:canonical"] });
  assert.is(runner.result.failures.length, 1);
  assert.is(runner.result.passed, 2);
});

test.run();
