import { test } from "uvu";
import * as assert from "uvu/assert";
import { readMessage, readOutcome } from "../../src/engine/messages.ts";
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

test("unknown messages are refused", () => {
  for (const value of [undefined, 1, {}, { type: "run" }, { type: 3 }]) assert.is(readMessage(value), undefined);
  assert.equal(readMessage({ type: "failed", message: 7 }), { type: "failed", message: "no reason given" });
});

test.run();
