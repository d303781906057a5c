/**
 * `outlayer-node run`: one guest on this machine, in the same children and under the same limits as in a node. The
 * guest's own output goes to standard output, everything about the run to standard error; with --json standard output
 * carries one line about all of it.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import {
  type CallProfile,
  type ExecutionJob,
  type ExecutionOutcome,
  type FuelRow,
  flameGraph,
  fuelReport,
  functionNames,
  MAX_FUEL,
  MAX_GUEST_MEMORY_PAGES,
  MAX_INPUT_BYTES,
  MAX_MODULE_BYTES,
  MAX_OUTPUT_BYTES,
} from "@outlayer/protocol/execution/index";
import { z } from "zod";
import { chooseSandbox, EngineFault, EnginePool, FallbackEngine, profileRun, sameOutcome } from "../engine/index.ts";

const EXIT_GUEST_FAILED = 1;
const EXIT_USAGE = 2;
/** The engine failed, or two runs of the same job differed: neither is the guest's doing. */
const EXIT_BROKEN = 70;
const PAGES_PER_MB = 16;
const REPORT_ROWS = 25;
const MAX_REPLAYS = 100_000;

const flagsSchema = z.object({
  input: z.string().optional(),
  inputFile: z.string().optional(),
  engine: z.enum(["v8", "wasmtime", "both"]).default("v8"),
  replays: z.coerce.number().int().min(0).max(MAX_REPLAYS).default(0),
  json: z.boolean().default(false),
  maxInstructions: z.coerce.bigint().min(0n).max(MAX_FUEL).default(1_000_000_000n),
  maxMemoryMb: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_GUEST_MEMORY_PAGES / PAGES_PER_MB)
    .default(128),
  seed: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "must be 64 hexadecimal digits")
    .default("0".repeat(64)),
  env: z.array(z.string().regex(/^[^=]+=/, "must be NAME=value")).default([]),
  blockTimeNs: z.coerce.bigint().min(0n).max(0xffff_ffff_ffff_ffffn).default(0n),
  wallTimeMs: z.coerce.number().int().min(100).max(600_000).default(180_000),
  wasmtimeLibrary: z.string().min(1).optional(),
  fuelReport: z.union([z.boolean(), z.string().min(1)]).default(false),
});
type Flags = z.infer<typeof flagsSchema>;
type EngineName = "v8" | "wasmtime";

/** What a person got wrong on the command line. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Runs {
  readonly first: ExecutionOutcome;
  readonly replays: { readonly total: number; readonly equal: number };
  /** A run that differed from the first, with the engine that made it. */
  readonly different: { readonly engine: EngineName; readonly outcome: ExecutionOutcome } | undefined;
}

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
    const runs = await runAll(job, engines, flags);
    const report = flags.fuelReport === false ? undefined : await reportFuel(job, flags);
    show(runs, report, flags, engines);
    if (runs.different !== undefined) return EXIT_BROKEN;
    return runs.first.kind === "exited" && runs.first.exitCode === 0 ? 0 : EXIT_GUEST_FAILED;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(error.message);
      return EXIT_USAGE;
    }
    if (!(error instanceof EngineFault)) throw error;
    console.error(`the engine failed, which says nothing about the guest: ${error.code}: ${error.message}`);
    return EXIT_BROKEN;
  }
}

function parseFlags(rawFlags: unknown): Flags {
  const parsed = flagsSchema.safeParse(rawFlags);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${flagName(path[0])}: ${message}`);
    throw new UsageError(problems.join("\n"));
  }
  if (parsed.data.input !== undefined && parsed.data.inputFile !== undefined) {
    throw new UsageError("--input and --input-file exclude each other");
  }
  return parsed.data;
}

/** `maxMemoryMb` → `--max-memory-mb`. */
function flagName(key: PropertyKey | undefined): string {
  return `--${String(key).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function readBytes(path: string, maximum: number): Uint8Array {
  try {
    const bytes = new Uint8Array(readFileSync(path));
    if (bytes.length > maximum) throw new UsageError(`${path} has ${bytes.length} bytes, at most ${maximum}`);
    return bytes;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function jobOf(file: string, flags: Flags): ExecutionJob {
  const code = readBytes(file, MAX_MODULE_BYTES);
  const input =
    flags.inputFile === undefined
      ? new TextEncoder().encode(flags.input ?? "")
      : readBytes(flags.inputFile, MAX_INPUT_BYTES);
  if (input.length > MAX_INPUT_BYTES) throw new UsageError(`--input: at most ${MAX_INPUT_BYTES} bytes`);
  return {
    codeHash: new Uint8Array(createHash("sha256").update(code).digest()),
    code,
    input,
    seed: new Uint8Array(Buffer.from(flags.seed, "hex")),
    environ: flags.env.map((entry) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
    blockTimeNs: flags.blockTimeNs,
    limits: {
      maxFuel: flags.maxInstructions,
      maxMemoryPages: flags.maxMemoryMb * PAGES_PER_MB,
      maxOutputBytes: MAX_OUTPUT_BYTES,
    },
  };
}

/** Engines to run on, each with its pool's options. */
function enginesOf(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<EngineName, string | undefined> {
  const library = flags.wasmtimeLibrary ?? environment.OUTLAYER_WASMTIME_LIB;
  if (flags.engine !== "v8" && library !== undefined && !existsSync(library)) {
    throw new UsageError(`there is no wasmtime library at ${library}`);
  }
  if (flags.engine !== "v8" && library === undefined) {
    throw new UsageError(
      "wasmtime is not configured: name its C library with --wasmtime-library or OUTLAYER_WASMTIME_LIB",
    );
  }
  const engines = new Map<EngineName, string | undefined>();
  if (flags.engine !== "wasmtime") engines.set("v8", undefined);
  if (flags.engine !== "v8") engines.set("wasmtime", library);
  return engines;
}

/** The first run, then as many replays as asked for on every engine. */
async function runAll(
  job: ExecutionJob,
  engines: ReadonlyMap<EngineName, string | undefined>,
  flags: Flags,
): Promise<Runs> {
  let first: ExecutionOutcome | undefined;
  let different: Runs["different"];
  let total = 0;
  let equal = 0;
  const sandbox = chooseSandbox("auto");
  for (const [engine, wasmtimeLibrary] of engines) {
    const options = { children: 1, wallTimeMs: flags.wallTimeMs, wasmtimeLibrary, sandbox, replacesAhead: false };
    const pool = wasmtimeLibrary === undefined ? new FallbackEngine(options) : new EnginePool(options);
    try {
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
    } finally {
      await pool.stop();
    }
  }
  return { first: first!, replays: { total, equal }, different };
}

interface Report {
  readonly rows: readonly FuelRow[];
  readonly file: string | undefined;
}

async function reportFuel(job: ExecutionJob, flags: Flags): Promise<Report | undefined> {
  const { profile } = await profileRun(job, { wallTimeMs: flags.wallTimeMs });
  if (profile === undefined) return undefined;
  const names = functionNames(job.code);
  const file = typeof flags.fuelReport === "string" ? flags.fuelReport : undefined;
  const rows = fuelReport(profile, names);
  if (file !== undefined) writeGraph(file, profile, names, rows);
  return { rows, file };
}

function writeGraph(file: string, profile: CallProfile, names: readonly string[], rows: readonly FuelRow[]): void {
  const fuel = rows.reduce((sum, row) => sum + row.fuel, 0n);
  try {
    writeFileSync(file, flameGraph(profile, names, `${fuel} fuel`));
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function show(runs: Runs, report: Report | undefined, flags: Flags, engines: ReadonlyMap<EngineName, unknown>): void {
  const { first } = runs;
  if (flags.json) {
    console.log(JSON.stringify({ ...summary(runs, [...engines.keys()]), ...reportJson(report) }));
    return;
  }
  if (first.kind !== "rejected") {
    process.stdout.write(first.stdout);
    process.stderr.write(first.stderr);
    if (first.stdout.length > 0 && first.stdout.at(-1) !== 0x0a) console.error();
  }
  for (const line of sentences(runs)) console.error(line);
  if (report === undefined) return;
  console.error(
    `\n${"fuel".padStart(14)}  ${"share".padStart(7)}  ${"with callees".padStart(12)}  calls       function`,
  );
  const whole = report.rows.reduce((sum, row) => sum + row.ticks, 0);
  const share = (ticks: number) => `${((100 * ticks) / Math.max(whole, 1)).toFixed(2)} %`;
  for (const { name, fuel, ticks, totalTicks, calls } of report.rows.slice(0, REPORT_ROWS)) {
    const figures = `${String(fuel).padStart(14)}  ${share(ticks).padStart(7)}  ${share(totalTicks).padStart(12)}`;
    console.error(`${figures}  ${String(calls).padEnd(10)}  ${printable(name)}`);
  }
  const left = report.rows.slice(REPORT_ROWS).reduce((sum, row) => sum + row.fuel, 0n);
  if (left > 0n) console.error(`${String(left).padStart(14)}  in ${report.rows.length - REPORT_ROWS} other functions`);
  if (report.file !== undefined) console.error(`flame graph: ${report.file}`);
}

/** Names come from the guest: nothing that moves a terminal's cursor. */
function printable(name: string): string {
  return name.slice(0, 200).replace(/\p{C}/gu, "?");
}

function sentences({ first, replays, different }: Runs): readonly string[] {
  const lines: string[] = [];
  if (first.kind === "rejected") lines.push(`refused (${first.code}): ${first.detail}`);
  else {
    lines.push(first.kind === "exited" ? `exit code ${first.exitCode}` : `stopped (${first.trap}): ${first.detail}`);
    lines.push(`fuel ${first.fuel}, memory peak ${first.memoryPages} pages (${first.memoryPages / PAGES_PER_MB} MiB)`);
    lines.push(`memory digest ${hex(first.memoryDigest)}`);
  }
  if (replays.total > 0) lines.push(`${replays.equal} of ${replays.total} replays equal`);
  if (different !== undefined) {
    lines.push(`a run on ${different.engine} differed: ${JSON.stringify(outcomeJson(different.outcome))}`);
  }
  return lines;
}

function summary(runs: Runs, engines: readonly EngineName[]): Record<string, unknown> {
  const { first, replays, different } = runs;
  return {
    ...outcomeJson(first),
    replays,
    engines,
    ...(different === undefined ? {} : { different: { engine: different.engine, ...outcomeJson(different.outcome) } }),
  };
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

function reportJson(report: Report | undefined): Record<string, unknown> {
  if (report === undefined) return {};
  const functions = report.rows.map(({ name, fuel, calls, ticks, totalTicks }) => {
    return { name, fuel: Number(fuel), calls, ticks, totalTicks };
  });
  return { fuelReport: { functions, ...(report.file === undefined ? {} : { flameGraph: report.file }) } };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
