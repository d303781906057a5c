/**
 * V8 and wasmtime on the same guests. Needs wasmtime's C library (OUTLAYER_WASMTIME_LIB); without it only what
 * happens when it is missing is tested, and the run says so.
 */
import { readFileSync } from "node:fs";
import type { ExecutionJob } from "@outlayer/protocol/execution/index";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { buildGuests, type GuestName, guestNames, guestPath } from "../../../wasi-examples/build.ts";
import { EXAMPLE_LIMITS, EXAMPLE_SEED, expectedCases } from "../../../wasi-examples/expected.ts";
import { EngineFault, EnginePool } from "../../src/engine/index.ts";
import { ENDLESS, jobOf, QUIET, RECURSIVE, TRAPPING, textOf } from "./guests.ts";

await buildGuests();
const wasmtimeLibrary = process.env.OUTLAYER_WASMTIME_LIB;
const v8 = new EnginePool({ children: 1, wallTimeMs: 60_000 });
const pools = [v8];

test("a library that is none is a fault of the node, not an outcome", async () => {
  const pool = new EnginePool({ children: 1, wallTimeMs: 60_000, wasmtimeLibrary: "/nonexistent/libwasmtime.so" });
  pools.push(pool);
  try {
    await pool.run(jobOf(QUIET));
    assert.unreachable();
  } catch (error) {
    assert.is((error as EngineFault).code, "childExited");
    assert.instance(error, EngineFault);
  }
});

if (wasmtimeLibrary === undefined) {
  console.log("OUTLAYER_WASMTIME_LIB is not set: the comparison with wasmtime is not run");
} else {
  const wasmtime = new EnginePool({ children: 1, wallTimeMs: 60_000, wasmtimeLibrary });
  pools.push(wasmtime);
  const same = async (job: ExecutionJob, what: string) => {
    assert.is(textOf(await wasmtime.run(job)), textOf(await v8.run(job)), what);
  };
  const jobFor = (guest: GuestName, input: string, maxFuel = EXAMPLE_LIMITS.maxFuel) =>
    jobOf(new Uint8Array(readFileSync(guestPath(guest))), {
      input: new TextEncoder().encode(input),
      seed: EXAMPLE_SEED,
      environ: [["NAME", "value"]],
      limits: { ...EXAMPLE_LIMITS, maxFuel: BigInt(maxFuel) },
    });

  for (const guest of guestNames) {
    test(`${guest}: one outcome on V8 and wasmtime, wherever the budget cuts it`, async () => {
      for (const { name, input } of expectedCases(guest)) await same(jobFor(guest, input), name);
      const { input, fuel } = expectedCases(guest)[0]!;
      for (const part of [0, 0.1, 0.5, 0.9, 0.99]) await same(jobFor(guest, input, Math.floor(fuel * part)), `${part}`);
    });
  }

  test("guests that trap, recurse and never end do so alike", async () => {
    for (const code of [QUIET, TRAPPING, RECURSIVE, ENDLESS]) await same(jobOf(code), "");
  });
}

test.after(async () => {
  await Promise.all(pools.map((pool) => pool.stop()));
});
test.run();
