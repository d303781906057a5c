/** Guests that V8's optimising compiler fails on: its baseline compiler ends them, with the outcome that they have. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  assemble,
  type Code,
  call,
  drop,
  get,
  I32,
  i32,
  ret,
  sub,
  when,
} from "../../../protocol/test/execution/assembler.ts";
import { EngineFault, EnginePool, FallbackEngine, profileRun } from "../../src/engine/index.ts";
import { createLogger, type Logger } from "../../src/logger.ts";
import { ENDLESS, HOURS, jobOf, QUIET, RECURSIVE } from "./guests.ts";

const TRIES_AGAIN = "V8's optimising compiler failed, its baseline compiler tries";

const wallTimeMs = 60_000;
const SHARED_VALUES = 60;
const DEPTH = 100_000;

/** Distinct values of the parameter, stored: before and after a call they are the same, so a compiler may keep them. */
const values: Code = Array.from({ length: SHARED_VALUES }, (_, index): Code => {
  const product: Code = [get(0), i32(1_000_003 * (index + 1)), 0x6c];
  const sum: Code = [get(0), i32(index + 7), 0x6a];
  return [i32(4 * index), product, sum, 0x73, [0x36, 2, 0]];
});

/** A recursion whose native frames are several times what its locals and operands take. */
const KEEPS_VALUES = assemble({
  memory: [1],
  functions: [
    { export: "_start", body: [i32(DEPTH), call(1)] },
    { params: [I32], body: [get(0), 0x45, when(ret), values, get(0), i32(1), sub, call(1), values] },
  ],
});

const job = jobOf(KEEPS_VALUES, {
  limits: { maxFuel: 100_000_000n, maxMemoryPages: 16, maxOutputBytes: 16 },
});

test("a recursion that overflows the optimised code's stack ends as the metered stack says", async () => {
  const optimising = new EnginePool({ children: 1, wallTimeMs });
  const engine = new FallbackEngine({ children: 1, wallTimeMs });
  try {
    try {
      await optimising.run(job);
      assert.unreachable("V8 no longer keeps the values: this test needs another guest");
    } catch (error) {
      assert.is(error instanceof EngineFault && error.code, "engineFailure");
    }
    const outcome = await engine.run(job);
    assert.is(outcome.kind === "trapped" && outcome.trap, "stackExhausted");
  } finally {
    await Promise.all([optimising.stop(), engine.stop()]);
  }
});

test("the same recursion has a profile too", async () => {
  const { outcome, profile } = await profileRun(job, { wallTimeMs });
  assert.is(outcome.kind === "trapped" && outcome.trap, "stackExhausted");
  assert.ok(profile !== undefined);
});

test("what the optimising compiler can do it does alone", async () => {
  const engine = new FallbackEngine({ children: 1, wallTimeMs });
  try {
    assert.is((await engine.run(jobOf(QUIET))).kind, "exited");
    const recursive = await engine.run(jobOf(RECURSIVE));
    assert.is(recursive.kind === "trapped" && recursive.trap, "stackExhausted");
    assert.is(engine.stats().runs, 2);
    assert.is(engine.stats().faults, 0);
  } finally {
    await engine.stop();
  }
});

/** One body of a megabyte: the optimising compiler takes seconds for it, the baseline compiler a hundredth of that. */
const SLOW_TO_COMPILE = assemble({
  memory: [1],
  functions: [{ export: "_start", body: [i32(0), Array.from({ length: 330_000 }, (): Code => [0x28, 2, 0]), drop] }],
});

/** A logger that keeps what it is warned of. */
function warnings(): { readonly logger: Logger; readonly said: string[] } {
  const said: string[] = [];
  return { logger: { ...createLogger({ level: "silent" }), warn: (message) => said.push(message) }, said };
}

test("a guest that takes long to compile is compiled before it runs, and by the baseline compiler in the end", async () => {
  const { logger, said } = warnings();
  const engine = new FallbackEngine({ children: 1, wallTimeMs, compileTimeMs: 500, logger });
  const limits = { maxFuel: 1_000_000_000n, maxMemoryPages: 16, maxOutputBytes: 16 };
  try {
    for (let run = 0; run < 2; run++) {
      const outcome = await engine.run(jobOf(SLOW_TO_COMPILE, { limits }));
      assert.is(outcome.kind === "exited" && outcome.exitCode, 0);
    }
    assert.is(engine.stats().runs, 0);
    assert.equal(said, ["engine fault", TRIES_AGAIN], "the second run asks the baseline compiler at once");
  } finally {
    await engine.stop();
  }
});

test("a run that takes too long once it is compiled is not tried again", async () => {
  const { logger, said } = warnings();
  const engine = new FallbackEngine({ children: 1, wallTimeMs: 300, logger });
  try {
    await engine.run(jobOf(ENDLESS, { limits: HOURS })).then(
      () => assert.unreachable("it cannot end by itself"),
      (fault: EngineFault) => assert.is(fault.code, "wallTime"),
    );
    assert.equal(said, ["engine fault"]);
  } finally {
    await engine.stop();
  }
});

test.run();
