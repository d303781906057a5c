/**
 * `npm run conformance`: what is too long for `npm test`, within a time box (OUTLAYER_CONFORMANCE_MINUTES, 15 by
 * default). Every file `conformance/*.ts` of a workspace is a run of its own that prints `N passed, N failed` last;
 * what the box does not reach is named, and is neither passed nor failed. A run that needs something built has a
 * `<name>.prepare.ts` beside it, which starts at once, in the background; such runs come last.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { globSync } from "node:fs";

const MINUTES = Number(process.env.OUTLAYER_CONFORMANCE_MINUTES ?? 15);
if (!(MINUTES > 0)) throw new RangeError("OUTLAYER_CONFORMANCE_MINUTES must be a positive number");
const endAtMs = performance.now() + MINUTES * 60_000;

const PREPARE = ".prepare.ts";

const found = globSync("{protocol,contract,node,sim,wasi-examples}/conformance/*.ts").sort();
const preparations = found.filter((file) => file.endsWith(PREPARE));
const prepared = new Set(preparations.map((file) => `${file.slice(0, -PREPARE.length)}.ts`));
const runs = found.filter((file) => !file.endsWith(PREPARE));
const files = [...runs.filter((file) => !prepared.has(file)), ...runs.filter((file) => prepared.has(file))];
const builds = preparations.map(prepare);
let passed = 0;
let failed = 0;
const unreached: string[] = [];
for (const [index, file] of files.entries()) {
  const leftMs = endAtMs - performance.now();
  if (leftMs < 1_000) {
    unreached.push(file);
    continue;
  }
  // What is left is shared evenly, so that one slow run does not take the time of all after it.
  const shareMs = Math.floor(leftMs / (files.length - index));
  console.log(`conformance ${file}: up to ${Math.round(shareMs / 1000)} s`);
  const result = await run(file, shareMs);
  passed += result.passed;
  failed += result.failed;
}
for (const build of builds) endGroup(build);
for (const file of unreached) console.log(`not reached in ${MINUTES} minutes: ${file}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

/** Starts what a run needs built, in a process group of its own, so that a compiler does not outlive the box. */
function prepare(file: string): ChildProcess {
  console.log(`conformance ${file}: in the background`);
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], { stdio: "ignore", detached: true });
}

function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(-pid, "SIGKILL");
}

/** The run is told how long it has; one that overstays by a minute is ended and has failed. */
function run(file: string, shareMs: number): Promise<{ passed: number; failed: number }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, OUTLAYER_CONFORMANCE_MS: String(shareMs) },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-100_000);
      // The counts of a part would be counted twice: here they are indented.
      process.stdout.write(chunk.toString("utf8").replace(/^(\d+ passed, \d+ failed)$/gm, "  $1"));
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), shareMs + 60_000);
    child.on("close", (code) => {
      clearTimeout(timer);
      const counts = /^(\d+) passed, (\d+) failed$/m.exec(output);
      const result = { passed: Number(counts?.[1] ?? 0), failed: Number(counts?.[2] ?? 0) };
      if (!counts || (code !== 0 && result.failed === 0)) {
        console.error(`${file} ended with ${code} and ${counts ? "no failure counted" : "without its counts"}`);
        result.failed++;
      }
      resolve(result);
    });
  });
}
