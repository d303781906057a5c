/**
 * The example guests through the pool: what expected.json says, to the unit of fuel; the same on V8's baseline and
 * optimising compilers, also when the budget cuts a run short; and judged by independent implementations.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ExecutionJob, ExecutionOutcome } from "@outlayer/protocol/execution/index";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { buildGuests, type GuestName, guestNames, guestPath } from "../../../wasi-examples/build.ts";
import { EXAMPLE_LIMITS, EXAMPLE_SEED, type ExpectedCase, expectedCases } from "../../../wasi-examples/expected.ts";
import { EnginePool } from "../../src/engine/index.ts";
import { jobOf, textOf } from "./guests.ts";

await buildGuests();
const optimising = new EnginePool({ children: 1, wallTimeMs: 60_000 });
const baseline = new EnginePool({ children: 1, wallTimeMs: 60_000, v8Flags: ["--liftoff-only"] });
const decoder = new TextDecoder();
const REPLAYS = 100;

function jobFor(guest: GuestName, input: string, limits: ExpectedCase["limits"] = {}): ExecutionJob {
  const { maxFuel, ...rest } = { ...EXAMPLE_LIMITS, ...limits };
  return jobOf(new Uint8Array(readFileSync(guestPath(guest))), {
    input: new TextEncoder().encode(input),
    seed: EXAMPLE_SEED,
    limits: { maxFuel: BigInt(maxFuel), ...rest },
  });
}

type Ran = Exclude<ExecutionOutcome, { kind: "rejected" }>;

async function ran(pool: EnginePool, job: ExecutionJob): Promise<Ran> {
  const outcome = await pool.run(job);
  if (outcome.kind === "rejected") throw new Error(`${outcome.code}: ${outcome.detail}`);
  return outcome;
}

for (const guest of guestNames) {
  test(`${guest} does what its expected.json says`, async () => {
    const cases = expectedCases(guest);
    assert.ok(cases.length >= 3);
    for (const expected of cases) {
      const outcome = await ran(optimising, jobFor(guest, expected.input, expected.limits));
      assert.is(outcome.kind === "exited" ? outcome.exitCode : outcome.trap, expected.ends, expected.name);
      if (expected.stdout !== undefined) assert.is(decoder.decode(outcome.stdout), expected.stdout, expected.name);
      assert.is(decoder.decode(outcome.stderr), expected.stderr ?? "", expected.name);
      assert.is(outcome.fuel, BigInt(expected.fuel), `fuel: ${expected.name}`);
    }
  });

  test(`${guest}: 100 of 100 replays are equal in fuel, output and memory`, async () => {
    for (const { input, limits, name } of expectedCases(guest)) {
      const job = jobFor(guest, input, limits);
      const first = textOf(await optimising.run(job));
      for (let replay = 0; replay < REPLAYS; replay++) assert.is(textOf(await optimising.run(job)), first, name);
    }
  });

  test(`${guest} ends alike on both of V8's compilers, wherever the budget cuts it`, async () => {
    const [first] = expectedCases(guest);
    const whole = first!.fuel;
    const budgets = [0, 1, 333, 700, 1000, 1300, ...[0.3, 0.5, 0.7, 0.9, 1].map((part) => Math.floor(whole * part))];
    const kinds = new Set<string>();
    for (const maxFuel of [...budgets, whole - 1, whole + 1]) {
      const job = jobFor(guest, first!.input, { maxFuel });
      const [left, right] = await Promise.all([optimising.run(job), baseline.run(job)]);
      assert.is(textOf(left), textOf(right), `budget ${maxFuel}`);
      kinds.add(left.kind);
    }
    assert.equal([...kinds].sort(), ["exited", "trapped"]);
  });
}

test("every way to fail is the same on both compilers", async () => {
  for (const { input, limits } of expectedCases("failing")) {
    const job = jobFor("failing", input, limits);
    assert.is(textOf(await optimising.run(job)), textOf(await baseline.run(job)), input);
  }
});

test("a budget of exactly the expected fuel suffices, one less does not", async () => {
  const [first] = expectedCases("random-ark");
  const exact = await ran(optimising, jobFor("random-ark", first!.input, { maxFuel: first!.fuel }));
  assert.is(exact.kind, "exited");
  const less = await ran(optimising, jobFor("random-ark", first!.input, { maxFuel: first!.fuel - 1 }));
  assert.is(less.kind === "trapped" && less.trap, "outOfFuel");
});

test("cpu-heavy computes SHA-256 chains", async () => {
  for (const rounds of [1, 2, 57]) {
    let hash: Uint8Array = new TextEncoder().encode("outlayer");
    for (let round = 0; round < rounds; round++) hash = createHash("sha256").update(hash).digest();
    const outcome = await ran(optimising, jobFor("cpu-heavy", String(rounds)));
    assert.is(decoder.decode(outcome.stdout), Buffer.from(hash).toString("hex"));
  }
});

test("json-transform keeps the value of every document that it takes", async () => {
  const documents: unknown[] = [
    { z: [1, -2.5, 1e21, { y: '\u2028\u0007"\\/', x: null }], a: "", é: [[], {}], "": true },
    ["\ud83c\udf0d", "ab", 0, -0.25],
    "text",
  ];
  for (const document of documents) {
    const outcome = await ran(optimising, jobFor("json-transform", JSON.stringify(document, null, 2)));
    const { canonical, sum } = JSON.parse(decoder.decode(outcome.stdout));
    assert.equal(canonical, document);
    assert.type(sum, "number");
  }
});

test("random-ark reaches every number of a small range and nothing else", async () => {
  const seen = new Set<number>();
  for (let draw = 0; draw < 60; draw++) {
    const seed = new Uint8Array(createHash("sha256").update(`draw ${draw}`).digest());
    const outcome = await ran(optimising, { ...jobFor("random-ark", '{"min":-1,"max":1}'), seed });
    seen.add(Number(decoder.decode(outcome.stdout)));
  }
  assert.equal([...seen].sort(), [-1, 0, 1]);
});

test.after(async () => {
  await Promise.all([optimising.stop(), baseline.stop()]);
});
test.run();
