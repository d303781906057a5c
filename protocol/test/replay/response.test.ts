import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ExecutionOutcome } from "../../src/execution/index.ts";
import { MAX_ERROR_BYTES, MAX_GUEST_MEMORY_PAGES } from "../../src/limits.ts";
import { jobOf, responseOf } from "../../src/replay/response.ts";
import { RESPONSE_FORMATS } from "../../src/wire/records.ts";
import { requestRecordOf } from "../worker/harness.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const remains = { stdout: utf8(""), stderr: utf8(""), fuel: 7n, memoryPages: 1, memoryDigest: new Uint8Array(32) };

function answer(format: (typeof RESPONSE_FORMATS)[number], stdout: Uint8Array) {
  const record = requestRecordOf({ responseFormat: RESPONSE_FORMATS.indexOf(format) });
  return responseOf(record, { kind: "exited", exitCode: 0, ...remains, stdout });
}

test("each format answers what the guest printed, in the caller's form", () => {
  assert.equal(answer("Bytes", new Uint8Array([0, 255])).output, { kind: "Bytes", bytes: new Uint8Array([0, 255]) });
  assert.equal(answer("Text", utf8("hällo\n")).output, { kind: "Text", text: "hällo\n" });
  assert.equal(answer("Json", utf8(' {"b":1.0, "a":12345678901234567890}\n')).output, {
    kind: "Json",
    json: '{"b":1.0, "a":12345678901234567890}',
  });
});

test("output that is not what was asked for is a failure that says so", () => {
  assert.match(answer("Text", new Uint8Array([0xc3, 0x28])).error ?? "", "not UTF-8");
  assert.match(answer("Json", utf8("{oops")).error ?? "", "not JSON");
  assert.is(answer("Json", utf8("")).success, false);
});

test("failures name their reason, never an engine's own words, and are cut at whole characters", () => {
  const record = requestRecordOf({ maxInstructions: 1_000n });
  const ends: [ExecutionOutcome, RegExp][] = [
    [{ kind: "exited", exitCode: 3, ...remains, stderr: utf8("no\n") }, /^the guest exited with code 3: no$/],
    [{ kind: "exited", exitCode: 1, ...remains }, /^the guest exited with code 1$/],
    [{ kind: "trapped", trap: "outOfFuel", detail: "", ...remains }, /out of fuel.*1000 instructions/],
    [{ kind: "trapped", trap: "stackExhausted", detail: "", ...remains }, /stack/],
    [{ kind: "trapped", trap: "outputLimit", detail: "", ...remains }, /printed more/],
  ];
  for (const [outcome, reason] of ends) {
    const { success, error, output, timeMs } = responseOf(record, outcome);
    assert.equal([success, output, timeMs], [false, undefined, 0n]);
    assert.match(error ?? "", reason);
  }
  const long = responseOf(record, { kind: "exited", exitCode: 1, ...remains, stderr: utf8("€".repeat(1_000)) });
  const bytes = utf8(long.error ?? "");
  assert.ok(bytes.length <= MAX_ERROR_BYTES && bytes.length > MAX_ERROR_BYTES - 3);
  assert.not.ok((long.error ?? "").includes("\ufffd"));
});

test("a compile-only request answers success without an output", () => {
  const record = requestRecordOf({ compileOnly: true, responseFormat: 2 });
  const { success, output, instructions } = responseOf(record, { kind: "exited", exitCode: 0, ...remains, fuel: 0n });
  assert.equal([success, output, instructions], [true, undefined, 0n]);
});

test("a job is bounded whatever the caller asks for, and differs with every input of the request", () => {
  const network = { chainId: "test", contractId: "outlayer.test" };
  const job = jobOf(requestRecordOf({ maxMemoryMb: 4_294_967_295 }), network);
  assert.is(job.limits.maxMemoryPages, MAX_GUEST_MEMORY_PAGES);
  const seeds = [
    requestRecordOf(),
    requestRecordOf({ seed: new Uint8Array(32).fill(8) }),
    requestRecordOf({ inputHash: new Uint8Array(32).fill(8) }),
  ].map((record) => Buffer.from(jobOf(record, network).seed).toString("hex"));
  assert.is(new Set(seeds).size, 3);
  const environ = new Map(job.environ);
  assert.is(environ.get("NEAR_SENDER_ID"), "user.test");
  assert.is(environ.get("NEAR_PREDECESSOR_ID"), "app.test");
  assert.is(environ.get("OUTLAYER_EXECUTION_TYPE"), "NEAR");
});

test.run();
