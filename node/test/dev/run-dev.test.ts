/** `outlayer-node dev` as a person meets it: exit codes, the receipt on the last line, Ctrl-C once and twice. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const BIN = join(import.meta.dirname, "../../bin/outlayer-node.mjs");
const SMALL = ["--nodes", "2", "--block-interval-ms", "200", "--http-port", "0"];

interface Run {
  readonly child: ChildProcess;
  stdout: string;
  stderr: string;
  /** The exit status as a shell shows it: a process that a signal ended has 128 and the signal's number. */
  readonly ended: Promise<number>;
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", BIN, ...args]);
  const run: Run = {
    child,
    stdout: "",
    stderr: "",
    ended: new Promise((resolve) => {
      child.once("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    }),
  };
  child.stdout.on("data", (chunk: Buffer) => {
    run.stdout += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    run.stderr += chunk;
  });
  return run;
}

/** Waits for a text on standard error; the test file's own time limit bounds it. */
async function said(run: Run, text: string): Promise<void> {
  while (!run.stderr.includes(text)) {
    if (run.child.exitCode !== null) throw new Error(`ended without saying "${text}":\n${run.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** All processes below one, from /proc; elsewhere the test could not tell whether any was left. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // The process ended between the two readings.
    }
  }
  const found: number[] = [];
  for (let frontier = [pid]; frontier.length > 0; ) {
    frontier = [...parents].filter(([, parent]) => frontier.includes(parent)).map(([child]) => child);
    found.push(...frontier);
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function allGone(pids: readonly number[]): Promise<boolean> {
  for (let tries = 0; tries < 250; tries++) {
    if (!pids.some(isAlive)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

test("--once --json prints the receipt as the last line and exits with 0", async () => {
  const run = start("dev", "--once", "--json", ...SMALL);
  assert.is(await run.ended, 0, run.stderr);
  const receipt = JSON.parse(run.stdout.trimEnd().split("\n").at(-1)!);
  assert.is(receipt.status, "resolved");
  const fields =
    "request_id status output fuel code_cid input_hash output_hash holder lease_epoch attestations blocks transactions";
  for (const field of fields.split(" ")) assert.ok(field in receipt, field);
});

test("a request that fails prints its receipt and exits with 1", async () => {
  const run = start("dev", "--once", "--json", "--request", "failing", "--input", "trap", ...SMALL);
  assert.is(await run.ended, 1, run.stderr);
  const receipt = JSON.parse(run.stdout.trimEnd().split("\n").at(-1)!);
  assert.is(receipt.status, "failed");
  assert.match(receipt.error, /trapped/);
});

test("with challenge blocks the others look at the answer while it waits, and the holder makes it final", async () => {
  const more = ["--nodes", "5", "--challenge-blocks", "3", "--block-interval-ms", "200", "--http-port", "0"];
  const run = start("dev", "--once", "--json", ...more);
  assert.is(await run.ended, 0, run.stderr);
  const { status, holder } = JSON.parse(run.stdout.trimEnd().split("\n").at(-1)!);
  assert.is(status, "resolved");
  assert.match(run.stderr, /proposed .*open to objections until block/);
  assert.match(run.stderr, new RegExp(`finalizeSent +${holder}`));
  assert.not.match(run.stderr, /objectionSent/);
});

test("a chain that takes heads back and an endpoint that lags lose no request", async () => {
  const faults = JSON.stringify({ droppedBlocks: 0.3, unknownBlocks: 0.05, staleHeads: 0.1 });
  const more = ["--nodes", "4", "--block-interval-ms", "300", "--http-port", "0", "--faults", faults];
  const run = start("dev", "--once", "--json", ...more);
  assert.is(await run.ended, 0, run.stderr);
  assert.is(JSON.parse(run.stdout.trimEnd().split("\n").at(-1)!).status, "resolved");
});

test("Ctrl-C stops everything that was started", async () => {
  const run = start("dev", ...SMALL);
  await said(run, "Ctrl-C stops everything");
  const pids = descendants(run.child.pid!);
  assert.ok(pids.length >= 3, `${pids.length} processes`);
  run.child.kill("SIGINT");
  assert.is(await run.ended, 0, run.stderr);
  assert.ok(await allGone(pids));
});

test("Ctrl-C twice stops at once, in the middle of the start too", async () => {
  const run = start("dev", ...SMALL);
  await said(run, "deployed");
  const pids = descendants(run.child.pid!);
  assert.ok(pids.length > 0);
  run.child.kill("SIGINT");
  await said(run, "Ctrl-C again");
  pids.push(...descendants(run.child.pid!));
  run.child.kill("SIGINT");
  // The first one may just have done its work: then the second meets a process that takes no signals any more.
  assert.is(await run.ended, 130, run.stderr);
  assert.ok(await allGone(pids));
});

test("a wrong value is refused in one sentence that names it", async () => {
  const run = start("dev", "--nodes", "99");
  assert.is(await run.ended, 1);
  assert.match(run.stderr, "--nodes");
  assert.not.match(run.stderr, /\n\s+at /);
});

test.run();
