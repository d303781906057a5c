/** What `outlayer-node run` says about its runs: sentences and a table for a person, or one JSON line for a program. */
import type { ExecutionOutcome, FuelRow } from "@outlayer/protocol/execution/index";
import { type EngineName, PAGES_PER_MB } from "./run-flags.ts";

const REPORT_ROWS = 25;
const MAX_NAME_SHOWN = 200;
const MAX_DETAIL_SHOWN = 400;
const MAX_OUTCOME_SHOWN = 4_000;

/** Why this machine could not do its part, which says nothing about the guest. */
export interface Failure {
  readonly code: string;
  readonly detail: string;
}

export interface Runs {
  /** Undefined when the first run failed. */
  readonly first: ExecutionOutcome | undefined;
  readonly replays: { readonly total: number; readonly equal: number };
  /** A run that differed from the first, with the engine that made it. */
  readonly different: { readonly engine: EngineName; readonly outcome: ExecutionOutcome } | undefined;
  /** What ended the runs before all were done. */
  readonly failure: (Failure & { readonly engine: EngineName }) | undefined;
}

export interface Report {
  readonly rows: readonly FuelRow[];
  /** Where the flame graph was written. */
  readonly file: string | undefined;
  /** Why there is no report, or no graph. */
  readonly error?: Failure;
}

export function showRuns(runs: Runs): void {
  const { first } = runs;
  if (first !== undefined && first.kind !== "rejected") {
    process.stdout.write(first.stdout);
    process.stderr.write(first.stderr);
    if (first.stdout.length > 0 && first.stdout.at(-1) !== 0x0a) console.error();
  }
  for (const line of sentences(runs)) console.error(line);
}

export function showReport({ rows, file, error }: Report): void {
  if (rows.length > 0) showRows(rows);
  if (file !== undefined) console.error(`flame graph: ${file}`);
  if (error === undefined) return;
  const what = rows.length > 0 ? "the flame graph could not be written" : "there is no report of the fuel";
  console.error(`${what}: ${error.code}: ${printable(error.detail, MAX_DETAIL_SHOWN)}`);
}

function showRows(rows: readonly FuelRow[]): void {
  console.error(
    `\n${"fuel".padStart(14)}  ${"share".padStart(7)}  ${"with callees".padStart(12)}  calls       function`,
  );
  const whole = rows.reduce((sum, row) => sum + row.ticks, 0);
  const share = (ticks: number) => `${((100 * ticks) / Math.max(whole, 1)).toFixed(2)} %`;
  for (const { name, fuel, ticks, totalTicks, calls } of rows.slice(0, REPORT_ROWS)) {
    const figures = `${String(fuel).padStart(14)}  ${share(ticks).padStart(7)}  ${share(totalTicks).padStart(12)}`;
    console.error(`${figures}  ${String(calls).padEnd(10)}  ${printable(name, MAX_NAME_SHOWN)}`);
  }
  const left = rows.slice(REPORT_ROWS).reduce((sum, row) => sum + row.fuel, 0n);
  if (left > 0n) console.error(`${String(left).padStart(14)}  in ${rows.length - REPORT_ROWS} other functions`);
}

/** Names come from the guest: nothing that moves a terminal's cursor. */
function printable(text: string, maximum: number): string {
  const shown = text.length <= maximum ? text : `${text.slice(0, maximum - 1)}…`;
  return shown.replace(/\p{C}/gu, "?");
}

function sentences({ first, replays, different, failure }: Runs): readonly string[] {
  const lines: string[] = [];
  if (first?.kind === "rejected") lines.push(`refused (${first.code}): ${printable(first.detail, MAX_DETAIL_SHOWN)}`);
  else if (first !== undefined) {
    lines.push(first.kind === "exited" ? `exit code ${first.exitCode}` : `stopped (${first.trap}): ${first.detail}`);
    lines.push(`fuel ${first.fuel}, memory peak ${first.memoryPages} pages (${first.memoryPages / PAGES_PER_MB} MiB)`);
    lines.push(`memory digest ${hex(first.memoryDigest)}`);
  }
  if (replays.total > 0) lines.push(`${replays.equal} of ${replays.total} replays equal`);
  if (different !== undefined) {
    const { engine, outcome } = different;
    lines.push(`a run on ${engine} differed: ${printable(JSON.stringify(outcomeJson(outcome)), MAX_OUTCOME_SHOWN)}`);
  }
  if (failure !== undefined) {
    const { engine, code, detail } = failure;
    const why = printable(detail, MAX_DETAIL_SHOWN);
    lines.push(`the engine ${engine} failed, which says nothing about the guest: ${code}: ${why}`);
  }
  return lines;
}

/** The line of --json: the first run's outcome when there is one, what came after it, and what failed. */
export function jsonLine(runs: Runs, report: Report | undefined, engines: readonly EngineName[]): string {
  const { first, replays, different, failure } = runs;
  return JSON.stringify({
    ...(first === undefined ? {} : { ...outcomeJson(first), replays }),
    engines,
    ...(different === undefined ? {} : { different: { engine: different.engine, ...outcomeJson(different.outcome) } }),
    ...(failure === undefined ? {} : { error: failure }),
    ...(report === undefined ? {} : { fuelReport: reportJson(report) }),
  });
}

/** Memory only grows, so its size at the end is its peak. */
function outcomeJson(outcome: ExecutionOutcome): Record<string, unknown> {
  if (outcome.kind === "rejected") {
    const { code, detail } = outcome;
    return { output: "", fuel: 0, digest: null, memoryPages: 0, trap: null, rejection: { code, detail } };
  }
  return {
    ...text("output", outcome.stdout),
    ...text("errorOutput", outcome.stderr),
    fuel: Number(outcome.fuel),
    digest: hex(outcome.memoryDigest),
    memoryPages: outcome.memoryPages,
    exitCode: outcome.kind === "exited" ? outcome.exitCode : null,
    trap: outcome.kind === "trapped" ? outcome.trap : null,
  };
}

/** Bytes under this name when they are UTF-8, else in base64 under `<name>Base64`. */
function text(name: string, bytes: Uint8Array): Record<string, string> {
  try {
    return { [name]: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { [`${name}Base64`]: Buffer.from(bytes).toString("base64") };
  }
}

function reportJson({ rows, file, error }: Report): Record<string, unknown> {
  const functions = rows.map(({ name, fuel, calls, ticks, totalTicks }) => {
    return { name, fuel: Number(fuel), calls, ticks, totalTicks };
  });
  return {
    ...(rows.length === 0 ? {} : { functions }),
    ...(file === undefined ? {} : { flameGraph: file }),
    ...(error === undefined ? {} : { error }),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
