/** How children end: with real processes, at any moment of their start, and with what they said last. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ChildHandle } from "../../src/engine/child-handle.ts";
import { EngineFault, EnginePool } from "../../src/engine/index.ts";
import { probeSandbox } from "../../src/engine/sandbox.ts";
import { ENDLESS, HOURS, jobOf, QUIET } from "./guests.ts";

const sandbox = probeSandbox();
/** A process that was going to end has done so long before; one that hangs never does. */
const HANGS_MS = 60_000;
const STOPPED_EARLY = new URL("./fixtures/stopped-early.ts", import.meta.url);

/** Whether a process that has not ended is one of these, or in a process group that one of these led. */
function anyLeft(pids: readonly number[]): boolean {
  return readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const [, state, , group] = /\) (\S) (\d+) (\d+)/.exec(readText(`/proc/${name}/stat`)) ?? [];
    return state !== undefined && state !== "Z" && (pids.includes(Number(name)) || pids.includes(Number(group)));
  });
}

/** Killed is not yet gone; what nobody killed would never be, and the test with it. */
async function untilNoneLeft(pids: readonly number[]): Promise<void> {
  while (anyLeft(pids)) await new Promise((done) => setTimeout(done, 10));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** Runs a fixture to its end; the text of its standard output, or undefined when it had to be killed. */
async function outputOf(fixture: URL, ...args: readonly string[]): Promise<string | undefined> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", fixture.pathname, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), HANGS_MS);
  const signal = await new Promise((resolve) => child.once("exit", (_, by) => resolve(by)));
  clearTimeout(timer);
  return signal === null ? output : undefined;
}

async function faultOf(run: Promise<unknown>): Promise<EngineFault> {
  try {
    await run;
  } catch (error) {
    assert.instance(error, EngineFault);
    return error as EngineFault;
  }
  throw new Error("no fault");
}

if (process.platform === "linux") {
  for (const mode of sandbox.kind === "none" ? ["bare"] : ["sandbox", "bare"]) {
    test(`${mode}: a pool that is stopped while its children start leaves nothing behind`, async () => {
      for (const delayMs of [0, 1, 2, 4, 8]) {
        const output = await outputOf(STOPPED_EARLY, String(delayMs), mode);
        assert.ok(output !== undefined, `stopped after ${delayMs} ms the process does not end`);
        const pids = output.trim().split(" ").map(Number);
        assert.is(pids.length, 3);
        await untilNoneLeft(pids);
      }
    });
  }
} else {
  console.log("what a stopped pool leaves behind is looked for in /proc, which is Linux's: not tested here");
}

if (sandbox.kind === "bubblewrap") {
  /** Starts a child and returns at the moment at which bubblewrap has its inner process, far from being set up. */
  function halfStarted(): { readonly child: ChildHandle; readonly pid: number } {
    const child = new ChildHandle({ v8Flags: [], sandbox });
    const pid = child.pid!;
    while (readText(`/proc/${pid}/task/${pid}/children`) === "") if (readText(`/proc/${pid}/stat`) === "") break;
    return { child, pid };
  }

  test("a child that is killed half started leaves no inner process", async () => {
    for (let time = 0; time < 10; time++) {
      const { child, pid } = halfStarted();
      child.kill(new EngineFault("stopped", "enough"));
      await child.exited;
      await untilNoneLeft([pid]);
    }
  });

  test("nor does one whose outer process is killed by somebody else", async () => {
    for (let time = 0; time < 10; time++) {
      const { child, pid } = halfStarted();
      process.kill(pid, "SIGKILL");
      assert.is((await faultOf(child.ready)).code, "childExited");
      await untilNoneLeft([pid]);
    }
  });
}

test("a child that cannot start says why in one line", async () => {
  const child = new ChildHandle({ v8Flags: ["--no-such-flag-of-v8"] });
  const fault = await faultOf(child.ready);
  assert.is(fault.code, "childExited");
  assert.match(fault.message, /^the engine child ended \(code 9\): .*--no-such-flag-of-v8/);
});

test("a pool that does not replace ahead starts a child again when a job needs one, and none before", async () => {
  const pool = new EnginePool({ children: 1, wallTimeMs: 300, replacesAhead: false });
  try {
    assert.is((await faultOf(pool.run(jobOf(ENDLESS, { limits: HOURS })))).code, "wallTime");
    assert.equal(pool.childPids(), []);
    assert.is((await pool.run(jobOf(QUIET))).kind, "exited");
    assert.is(pool.childPids().length, 1);
  } finally {
    await pool.stop();
  }
});

test.run();
