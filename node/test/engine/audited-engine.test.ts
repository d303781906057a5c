/** The auditor beside V8, with faults injected into one of the two: pools whose answers are changed on the way. */
import type { ExecutionJob, ExecutionOutcome } from "@outlayer/protocol/execution/index";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { AuditedEngine, type Engine, EngineFault, EnginePool } from "../../src/engine/index.ts";
import { createLogger } from "../../src/logger.ts";
import { jobOf, QUIET, TRAPPING } from "./guests.ts";

const logger = createLogger({ level: "silent" });
const pool = new EnginePool({ children: 1, wallTimeMs: 60_000 });
/** Another V8, so that the test needs no library: what is tested is the comparison, and what follows from it. */
const second = new EnginePool({ children: 1, wallTimeMs: 60_000 });

class Counting implements Engine {
  runs = 0;
  readonly #change: (outcome: ExecutionOutcome) => ExecutionOutcome;
  constructor(change: (outcome: ExecutionOutcome) => ExecutionOutcome = (outcome) => outcome) {
    this.#change = change;
  }
  async run(job: ExecutionJob): Promise<ExecutionOutcome> {
    this.runs++;
    return this.#change(await second.run(job));
  }
}

const oneFuelMore = (outcome: ExecutionOutcome): ExecutionOutcome =>
  outcome.kind === "rejected" ? outcome : { ...outcome, fuel: outcome.fuel + 1n };

function audited(auditor: Engine, perMille = 1_000, draw = 0): AuditedEngine {
  return new AuditedEngine({ engine: pool, auditor, perMille, drawBelow: () => draw, logger });
}

test("equal outcomes pass and are counted", async () => {
  const engine = audited(new Counting());
  assert.is((await engine.run(jobOf(QUIET))).kind, "exited");
  assert.is((await engine.run(jobOf(TRAPPING))).kind, "trapped");
  assert.equal(engine.counts(), { equal: 2, different: 0, failed: 0 });
});

test("one unit of fuel between the engines, and the node can tell no outcome", async () => {
  const engine = audited(new Counting(oneFuelMore));
  await engine.run(jobOf(QUIET)).then(
    () => assert.unreachable("an outcome that the engines disagree about"),
    (fault: EngineFault) => assert.is(fault.code, "enginesDisagree"),
  );
  assert.equal(engine.counts(), { equal: 0, different: 1, failed: 0 });
});

test("an auditor that fails has judged nothing", async () => {
  const broken: Engine = { run: () => Promise.reject(new EngineFault("childExited", "the auditor's child ended")) };
  const engine = audited(broken);
  assert.is((await engine.run(jobOf(QUIET))).kind, "exited");
  assert.equal(engine.counts(), { equal: 0, different: 0, failed: 1 });
});

test("what V8 cannot run fails as without an auditor", async () => {
  const auditor = new Counting();
  const failing: Engine = { run: () => Promise.reject(new EngineFault("wallTime", "no answer")) };
  const engine = new AuditedEngine({ engine: failing, auditor, perMille: 1_000, drawBelow: () => 0, logger });
  await engine.run(jobOf(QUIET)).then(
    () => assert.unreachable("an outcome of nothing"),
    (fault: EngineFault) => assert.is(fault.code, "wallTime"),
  );
});

test("the share decides by the draw: the last one below it is audited, the next one is not", async () => {
  const auditor = new Counting();
  await audited(auditor, 100, 99).run(jobOf(QUIET));
  assert.is(auditor.runs, 1);
  await audited(auditor, 100, 100).run(jobOf(QUIET));
  assert.is(auditor.runs, 1);
  await audited(auditor, 0, 0).run(jobOf(QUIET));
  assert.is(auditor.runs, 1);
});

test.after(async () => {
  await Promise.all([pool.stop(), second.stop()]);
});
test.run();
