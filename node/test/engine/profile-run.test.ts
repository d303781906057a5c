/** A profile's ticks are the run's: the same outcome as in the pool, and rows that sum to its fuel to the unit. */
import { readFileSync } from "node:fs";
import { type ExecutionJob, fuelReport, functionNames } from "@outlayer/protocol/execution/index";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { buildGuests, guestNames, guestPath } from "../../../wasi-examples/build.ts";
import { EXAMPLE_LIMITS, EXAMPLE_SEED, expectedCases } from "../../../wasi-examples/expected.ts";
import { EnginePool, profileRun } from "../../src/engine/index.ts";
import { ENDLESS, INVALID, jobOf, RECURSIVE, TRAPPING, textOf } from "./guests.ts";

await buildGuests();
const WALL_TIME_MS = 60_000;
const pool = new EnginePool({ children: 1, wallTimeMs: WALL_TIME_MS });

async function check(job: ExecutionJob): Promise<void> {
  const { outcome, profile } = await profileRun(job, { wallTimeMs: WALL_TIME_MS });
  assert.is(textOf(outcome), textOf(await pool.run(job)));
  if (outcome.kind === "rejected") throw new Error(outcome.detail);
  const rows = fuelReport(profile!, functionNames(job.code));
  assert.is(
    rows.reduce((sum, { fuel }) => sum + fuel, 0n),
    outcome.fuel,
  );
}

for (const guest of guestNames) {
  test(`${guest}: whole, and cut by its budget`, async () => {
    const { input, fuel } = expectedCases(guest)[0]!;
    for (const maxFuel of [EXAMPLE_LIMITS.maxFuel, Math.floor(fuel / 2), 0]) {
      await check(
        jobOf(new Uint8Array(readFileSync(guestPath(guest))), {
          input: new TextEncoder().encode(input),
          seed: EXAMPLE_SEED,
          limits: { ...EXAMPLE_LIMITS, maxFuel: BigInt(maxFuel) },
        }),
      );
    }
  });
}

test("guests that trap, recurse and never end", async () => {
  for (const code of [TRAPPING, RECURSIVE, ENDLESS]) await check(jobOf(code));
});

test("a refused guest has no profile", async () => {
  const { outcome, profile } = await profileRun(jobOf(INVALID), { wallTimeMs: WALL_TIME_MS });
  assert.is(outcome.kind, "rejected");
  assert.is(profile, undefined);
});

test.after(() => pool.stop());
test.run();
