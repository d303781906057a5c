/**
 * `outlayer-node run`: one guest on this machine, in the same children and under the same limits as in a node. The
 * guest's own output goes to standard output, everything about the run to standard error; with --json standard output
 * carries one line about all of it.
 */
import { writeFileSync } from "node:fs";
import {
  type CallProfile,
  type ExecutionJob,
  type ExecutionOutcome,
  flameGraph,
  fuelReport,
  functionNames,
} from "@outlayer/protocol/execution/index";
import { chooseSandbox, EngineFault, EnginePool, FallbackEngine, profileRun, sameOutcome } from "../engine/index.ts";
import type { Sandbox } from "../engine/sandbox.ts";
import { type EngineName, enginesOf, type Flags, jobOf, parseFlags, UsageError } from "./run-flags.ts";
import { type Failure, jsonLine, type Report, type Runs, showReport, showRuns } from "./run-output.ts";

const EXIT_GUEST_FAILED = 1;
const EXIT_USAGE = 2;
/** The engine failed, or two runs of the same job differed: neither is the guest's doing. */
const EXIT_BROKEN = 70;
/** UTF-16 units of a function's name in a flame graph, so that its figures have room beside it. */
const MAX_GRAPH_NAME = 120;

/** Returns the exit code: 0 success, 1 the guest failed or was refused, 2 usage, 70 the engine failed or disagreed. */
export async function runGuest(
  file: string,
  rawFlags: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  try {
    const flags = parseFlags(rawFlags);
    const job = jobOf(file, flags);
    const engines = enginesOf(flags, environment);
    const sandbox = chooseSandbox("auto");
    const runs = await runAll(job, engines, flags, sandbox);
    if (!flags.json) showRuns(runs);
    const report = await reportOf(job, runs, flags, sandbox);
    if (flags.json) console.log(jsonLine(runs, report, [...engines.keys()]));
    else if (report !== undefined) showReport(report);
    return exitCodeOf(runs, report);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return EXIT_USAGE;
  }
}

function exitCodeOf({ first, different, failure }: Runs, report: Report | undefined): number {
  if (failure !== undefined || different !== undefined || report?.error !== undefined) {
    return EXIT_BROKEN;
  }
  return first?.kind === "exited" && first.exitCode === 0 ? 0 : EXIT_GUEST_FAILED;
}

/** What a failure of this machine comes to; anything else is a fault of ours. */
function failureOf(error: unknown): Failure {
  if (!(error instanceof EngineFault)) throw error;
  return { code: error.code, detail: error.message };
}

/** The first run, then as many replays as asked for on every engine, until one fails. */
async function runAll(
  job: ExecutionJob,
  engines: ReadonlyMap<EngineName, string | undefined>,
  flags: Flags,
  sandbox: Sandbox,
): Promise<Runs> {
  let first: ExecutionOutcome | undefined;
  let different: Runs["different"];
  let total = 0;
  let equal = 0;
  for (const [engine, wasmtimeLibrary] of engines) {
    const options = { children: 1, wallTimeMs: flags.wallTimeMs, wasmtimeLibrary, sandbox, replacesAhead: false };
    let pool: EnginePool | FallbackEngine | undefined;
    try {
      pool = wasmtimeLibrary === undefined ? new FallbackEngine(options) : new EnginePool(options);
      for (let run = 0; run <= flags.replays; run++) {
        const outcome = await pool.run(job);
        if (first === undefined) {
          first = outcome;
          continue;
        }
        total++;
        if (sameOutcome(first, outcome)) equal++;
        else different ??= { engine, outcome };
      }
    } catch (error) {
      const failure = { engine, ...failureOf(error) };
      return { first, replays: { total, equal }, different, failure };
    } finally {
      await pool?.stop();
    }
  }
  return { first, replays: { total, equal }, different, failure: undefined };
}

/** Undefined when none is asked for, or there is nothing to report about. */
async function reportOf(job: ExecutionJob, runs: Runs, flags: Flags, sandbox: Sandbox): Promise<Report | undefined> {
  const { flameGraph: file, fuelReport: wanted, wallTimeMs } = flags;
  if ((!wanted && file === undefined) || runs.first === undefined || runs.first.kind === "rejected") return undefined;
  try {
    const { profile } = await profileRun(job, { wallTimeMs, sandbox });
    if (profile === undefined) return undefined;
    const names = functionNames(job.code);
    const rows = fuelReport(profile, names);
    const fuel = rows.reduce((sum, row) => sum + row.fuel, 0n);
    const failure = file === undefined ? undefined : writeGraph(file, profile, names, fuel);
    return failure === undefined ? { rows, file } : { rows, file: undefined, error: failure };
  } catch (error) {
    return { rows: [], file: undefined, error: failureOf(error) };
  }
}

/** Returns what went wrong. */
function writeGraph(file: string, profile: CallProfile, names: readonly string[], fuel: bigint): Failure | undefined {
  try {
    writeFileSync(file, flameGraph(profile, names.map(shortName), `${fuel} fuel`));
    return undefined;
  } catch (error) {
    return { code: "unwritable", detail: error instanceof Error ? error.message : String(error) };
  }
}

/** The graph cuts a name together with its figures, which are what matters; no pair of surrogates is divided. */
function shortName(name: string): string {
  if (name.length <= MAX_GRAPH_NAME) return name;
  return `${name.slice(0, MAX_GRAPH_NAME - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
