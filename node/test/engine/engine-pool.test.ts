import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { InvalidJobError, MAX_MODULE_BYTES } from "@outlayer/protocol/execution/index";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { childOptions, DEFAULT_V8_FLAGS, ENDS_WITH_PARENT } from "../../src/engine/child-options.ts";
import { EngineFault, type EngineFaultCode, EnginePool } from "../../src/engine/index.ts";
import { ENDLESS, guest, HOURS, INVALID, jobOf, QUIET, RECURSIVE, TRAPPING, textOf } from "./guests.ts";

const WALL_TIME_MS = 60_000;
const pool = new EnginePool({ children: 1, wallTimeMs: WALL_TIME_MS });

async function faultOf(run: Promise<unknown>): Promise<EngineFaultCode> {
  try {
    await run;
  } catch (error) {
    assert.instance(error, EngineFault);
    return (error as EngineFault).code;
  }
  throw new Error("no fault");
}

/** Waits until the only child works while `queued` jobs wait behind; returns the child's process id. */
async function untilQueued(target: EnginePool, queued: number): Promise<number> {
  while (target.stats().queued !== queued || target.stats().busy !== 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return target.childPids()[0]!;
}

test("a guest exits, traps, recurses, runs out of fuel, is rejected: each is an outcome", async () => {
  const quiet = await pool.run(jobOf(QUIET));
  assert.is(quiet.kind === "exited" && quiet.exitCode, 0);
  const trapped = await pool.run(jobOf(TRAPPING));
  assert.is(trapped.kind === "trapped" && trapped.trap, "trap");
  const recursive = await pool.run(jobOf(RECURSIVE));
  assert.is(recursive.kind === "trapped" && recursive.trap, "stackExhausted");
  const endless = await pool.run(jobOf(ENDLESS));
  assert.is(endless.kind === "trapped" && endless.trap, "outOfFuel");
  assert.is(endless.kind === "trapped" && endless.fuel, 1_000_000n);
  const invalid = await pool.run(jobOf(INVALID));
  assert.is(invalid.kind === "rejected" && invalid.code, "invalid");
  const noEntry = await pool.run(jobOf(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])));
  assert.is(noEntry.kind === "rejected" && noEntry.code, "entryPoint");
  assert.is(pool.stats().faults, 0);
});

test("a module is rewritten once, also when many ask at the same time", async () => {
  const before = pool.stats().cache;
  const code = guest(0x41, 5, 0x1a);
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => pool.run(jobOf(code))));
  assert.is(new Set(outcomes.map(textOf)).size, 1);
  assert.is(pool.stats().cache.entries, before.entries + 1);
  await pool.run(jobOf(code));
  assert.is(pool.stats().cache.hits, before.hits + 1);
});

test("compile-only judges the code and runs nothing", async () => {
  const accepted = await pool.run(jobOf(TRAPPING, { compileOnly: true }));
  assert.is(accepted.kind === "exited" && accepted.fuel, 0n);
  assert.is((await pool.run(jobOf(INVALID, { compileOnly: true }))).kind, "rejected");
});

test("jobs that break a bound are the caller's mistake", async () => {
  const code = async (run: Promise<unknown>) => run.catch((error) => error instanceof InvalidJobError && error.code);
  assert.is(await code(pool.run(jobOf(QUIET, { seed: new Uint8Array(31) }))), "seed");
  assert.is(await code(pool.run(jobOf(guest(0x01), { codeHash: new Uint8Array(32) }))), "hash");
  assert.is(await code(pool.run(jobOf(QUIET, { environ: [["A=B", ""]] }))), "environ");
});

test("code under another code's hash is never judged, however large, and says nothing about that code", async () => {
  const honest = guest(0x41, 9, 0x1a);
  const { codeHash } = jobOf(honest);
  const large = pool.run(jobOf(new Uint8Array(MAX_MODULE_BYTES + 1), { codeHash }));
  assert.is(await large.catch((error) => error instanceof InvalidJobError && error.code), "hash");
  assert.is((await pool.run(jobOf(honest))).kind, "exited");
  const itself = await pool.run(jobOf(new Uint8Array(MAX_MODULE_BYTES + 1)));
  assert.is(itself.kind === "rejected" && itself.code, "limit");
});

test("a child killed in the middle is a fault, and the next job runs", async () => {
  const running = pool.run(jobOf(ENDLESS, { limits: HOURS }));
  const next = pool.run(jobOf(QUIET));
  const pid = await untilQueued(pool, 1);
  process.kill(pid, "SIGKILL");
  assert.is(await faultOf(running), "childExited");
  assert.is((await next).kind, "exited");
  assert.is(pool.stats().replaced, 1);
});

test("a child that dies while idle is replaced", async () => {
  const [pid] = pool.childPids();
  process.kill(pid!, "SIGKILL");
  while (pool.childPids()[0] === pid) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.is((await pool.run(jobOf(QUIET))).kind, "exited");
});

test("a run beyond the wall time is a fault, never a result", async () => {
  const hasty = new EnginePool({ children: 1, wallTimeMs: 300 });
  try {
    assert.is(await faultOf(hasty.run(jobOf(ENDLESS, { limits: HOURS }))), "wallTime");
    assert.is(hasty.stats().faults, 1);
  } finally {
    await hasty.stop();
  }
});

test("the queue is bounded, and stopping rejects what runs and what waits", async () => {
  const full = new EnginePool({ children: 1, wallTimeMs: WALL_TIME_MS });
  const runs = Array.from({ length: 256 }, () => faultOf(full.run(jobOf(ENDLESS, { limits: HOURS }))));
  assert.is(await faultOf(full.run(jobOf(QUIET))), "queueFull");
  const pid = await untilQueued(full, 255);
  await full.stop();
  assert.equal([...new Set(await Promise.all(runs))], ["stopped"]);
  assert.throws(() => process.kill(pid, 0), /ESRCH/);
  assert.is(await faultOf(full.run(jobOf(QUIET))), "stopped");
});

test("a program started like a child cannot read, write, or start anything", () => {
  const probe = `
    const attempts = {
      read: () => require("node:fs").readFileSync("/etc/hosts"),
      list: () => require("node:fs").readdirSync("/"),
      write: () => require("node:fs").writeFileSync("outlayer-probe", ""),
      spawn: () => require("node:child_process").spawnSync("true"),
      worker: () => new (require("node:worker_threads").Worker)("0", { eval: true }),
    };
    const codes = {};
    for (const [name, attempt] of Object.entries(attempts)) {
      try { attempt(); codes[name] = "done"; } catch (error) { codes[name] = error.code; }
    }
    console.log(JSON.stringify({ codes, environment: Object.keys(process.env) }));
  `;
  const { execPath = "", execArgv = [], env = {} } = childOptions({ v8Flags: DEFAULT_V8_FLAGS });
  const { stdout } = spawnSync(execPath, [...execArgv, "--eval", probe], { env, encoding: "utf8" });
  const denied = "ERR_ACCESS_DENIED";
  assert.equal(JSON.parse(stdout), {
    codes: { read: denied, list: denied, write: denied, spawn: denied, worker: denied },
    environment: [],
  });
});

if (ENDS_WITH_PARENT) {
  test("a child deep in a guest ends when its parent is killed", async () => {
    const parent = fork(new URL("./fixtures/busy-parent.ts", import.meta.url), {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    const [pid] = (await once(parent, "message")) as [number];
    assert.ok(isAlive(pid));
    parent.kill("SIGKILL");
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  });
} else {
  console.log("setpriv is missing here: a busy child outlives a killed parent until its fuel ends; not tested");
}

/** A process that has ended but was not waited for is gone too. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

test("options outside their range are refused", () => {
  assert.throws(() => new EnginePool({ children: 0, wallTimeMs: 1 }), /children/);
  assert.throws(() => new EnginePool({ children: 1, wallTimeMs: 0 }), /wallTimeMs/);
});

test.after(() => pool.stop());
test.run();
