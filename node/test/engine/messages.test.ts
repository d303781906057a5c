import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAX_REJECTION_CHARACTERS } from "../../src/engine/engine-limits.ts";
import { readMessage, readOutcome, readPrepared } from "../../src/engine/messages.ts";
import { jobOf, QUIET } from "./guests.ts";

const job = jobOf(QUIET);
const honest = {
  kind: "exited",
  exitCode: 0,
  stdout: new Uint8Array(4),
  stderr: new Uint8Array(0),
  fuel: 5n,
  memoryPages: 1,
  memoryDigest: new Uint8Array(32),
};
const trapped = { ...honest, kind: "trapped", trap: "trap", detail: "the guest trapped" };

test("an honest outcome passes", () => {
  assert.equal(readOutcome(honest, job), honest);
  assert.is(readOutcome(trapped, job)?.kind, "trapped");
});

test("an outcome that no honest child can send is refused", () => {
  const { limits } = job;
  const lies: unknown[] = [
    undefined,
    null,
    "exited",
    { ...honest, kind: "rejected" },
    { ...honest, exitCode: -1 },
    { ...honest, exitCode: 0.5 },
    { ...honest, fuel: 5 },
    { ...honest, fuel: -1n },
    { ...honest, fuel: limits.maxFuel + 1n },
    { ...honest, memoryPages: limits.maxMemoryPages + 1 },
    { ...honest, memoryDigest: new Uint8Array(31) },
    { ...honest, stdout: "text" },
    { ...honest, stdout: new Uint8Array(limits.maxOutputBytes + 1) },
    { ...honest, stderr: new Uint8Array(65_537) },
    { ...trapped, trap: "boredom" },
    { ...trapped, detail: "x".repeat(1001) },
  ];
  for (const [index, lie] of lies.entries()) assert.is(readOutcome(lie, job), undefined, `lie ${index}`);
});

test("fields that do not belong to an outcome are left behind", () => {
  const outcome = readOutcome({ ...honest, trap: "trap", extra: 1 }, job)!;
  assert.not.ok("extra" in outcome || "trap" in outcome);
});

const module = {
  bytes: Uint8Array.of(0),
  initialMemoryPages: 1,
  instantiationTicks: 7,
  hasStart: false,
  memories: 1,
  hostMemory: 0,
};
const refused = { kind: "rejected", outcome: { kind: "rejected", code: "limit", detail: "too large" } };

test("an honest preparation passes, and what does not belong to it is left behind", () => {
  assert.equal(readPrepared({ kind: "module", module: { ...module, extra: 1 }, extra: 1 }, 16), {
    kind: "module",
    module,
  });
  assert.ok(readPrepared({ kind: "module", module: { ...module, memories: 0, initialMemoryPages: 0 } }, 0));
  assert.equal(readPrepared({ ...refused, outcome: { ...refused.outcome, stdout: "" } }, 16), refused);
});

test("a preparation that no honest child makes is refused", () => {
  const lies: unknown[] = [
    undefined,
    "module",
    { kind: "exited" },
    { kind: "module" },
    { kind: "module", module: null },
    ...[
      { bytes: [0] },
      { bytes: new Uint8Array(0) },
      { initialMemoryPages: 17 },
      { initialMemoryPages: -1 },
      { instantiationTicks: -1 },
      { instantiationTicks: 0.5 },
      { instantiationTicks: 7n },
      { hasStart: 1 },
      { memories: 17 },
      { memories: "1" },
      { hostMemory: 1 },
      { hostMemory: -1 },
    ].map((lie) => ({ kind: "module", module: { ...module, ...lie } })),
    { kind: "rejected" },
    { kind: "rejected", outcome: honest },
    ...[
      { code: "boredom" },
      { code: "toString" },
      { detail: 7 },
      { detail: "x".repeat(MAX_REJECTION_CHARACTERS + 1) },
    ].map((lie) => ({ kind: "rejected", outcome: { ...refused.outcome, ...lie } })),
  ];
  for (const [index, lie] of lies.entries()) assert.is(readPrepared(lie, 16), undefined, `lie ${index}`);
});

test("the longest refusal that there is passes", () => {
  const long = "\u0001".repeat(10_000);
  const detail = `two exports are called ${JSON.stringify(long)} and ${JSON.stringify(long)}`;
  assert.ok(readPrepared({ ...refused, outcome: { ...refused.outcome, detail } }, 16));
});

test("unknown messages are refused", () => {
  for (const value of [undefined, 1, {}, { type: "run" }, { type: 3 }]) assert.is(readMessage(value), undefined);
  assert.equal(readMessage({ type: "failed", message: 7 }), { type: "failed", message: "no reason given" });
});

test.run();
