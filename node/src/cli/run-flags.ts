/** The flags of `outlayer-node run` and the job they describe. What a person got wrong is told in one sentence a flag. */
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import {
  checkJob,
  type ExecutionJob,
  InvalidJobError,
  MAX_FUEL,
  MAX_GUEST_MEMORY_PAGES,
  MAX_INPUT_BYTES,
  MAX_MODULE_BYTES,
  MAX_OUTPUT_BYTES,
} from "@outlayer/protocol/execution/index";
import { z } from "zod";

export const PAGES_PER_MB = 16;
const MAX_REPLAYS = 100_000;
const MAX_BLOCK_TIME_NS = 0xffff_ffff_ffff_ffffn;

/** What a person got wrong on the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

function wholeNumber(minimum: number | bigint, maximum: number | bigint) {
  const message = `takes a whole number from ${minimum} to ${maximum}, in digits`;
  return z
    .string(message)
    .regex(/^[0-9]{1,20}$/, message)
    .transform(BigInt)
    .refine((value) => value >= minimum && value <= maximum, message);
}

const text = (message: string) => z.string(message).min(1, message);

const flagsSchema = z.object({
  input: z.string().optional(),
  inputFile: text("takes a file").optional(),
  engine: z.enum(["v8", "wasmtime", "both"], "takes v8, wasmtime or both").default("v8"),
  replays: wholeNumber(0, MAX_REPLAYS).transform(Number).default(0),
  json: z.boolean().default(false),
  maxInstructions: wholeNumber(0, MAX_FUEL).default(1_000_000_000n),
  maxMemoryMb: wholeNumber(1, MAX_GUEST_MEMORY_PAGES / PAGES_PER_MB)
    .transform(Number)
    .default(128),
  seed: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "takes 64 hexadecimal digits")
    .default("0".repeat(64)),
  env: z.array(z.string().regex(/^[^=]+=/, "takes NAME=value")).default([]),
  blockTimeNs: wholeNumber(0, MAX_BLOCK_TIME_NS).default(0n),
  wallTimeMs: wholeNumber(100, 600_000).transform(Number).default(180_000),
  wasmtimeLibrary: text("takes a file").optional(),
  fuelReport: z.boolean().default(false),
  flameGraph: text("takes a file").optional(),
});
export type Flags = z.infer<typeof flagsSchema>;
export type EngineName = "v8" | "wasmtime";

/** @throws UsageError */
export function parseFlags(rawFlags: unknown): Flags {
  const parsed = flagsSchema.safeParse(rawFlags);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${flagName(path[0])} ${message}`);
    throw new UsageError([...new Set(problems)].join("\n"));
  }
  const flags = parsed.data;
  if (flags.input !== undefined && flags.inputFile !== undefined) {
    throw new UsageError("--input and --input-file exclude each other");
  }
  if (flags.flameGraph !== undefined) requireWritable(flags.flameGraph);
  return flags;
}

/** `maxMemoryMb` → `--max-memory-mb`. */
function flagName(key: PropertyKey | undefined): string {
  return `--${String(key).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Before a run that may take long; writes nothing. */
function requireWritable(path: string): void {
  try {
    if (!existsSync(path)) accessSync(dirname(path), constants.W_OK);
    else if (statSync(path).isDirectory()) throw new Error("it is a directory");
    else accessSync(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`--flame-graph: ${path} cannot be written: ${reasonOf(error)}`);
  }
}

function readBytes(path: string, maximum: number): Uint8Array {
  try {
    const bytes = new Uint8Array(readFileSync(path));
    if (bytes.length > maximum) throw new UsageError(`${path} has ${bytes.length} bytes, at most ${maximum}`);
    return bytes;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

/** @throws UsageError */
export function jobOf(file: string, flags: Flags): ExecutionJob {
  const code = readBytes(file, MAX_MODULE_BYTES);
  const input =
    flags.inputFile === undefined
      ? new TextEncoder().encode(flags.input ?? "")
      : readBytes(flags.inputFile, MAX_INPUT_BYTES);
  if (input.length > MAX_INPUT_BYTES) throw new UsageError(`--input takes at most ${MAX_INPUT_BYTES} bytes`);
  const job: ExecutionJob = {
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
  try {
    checkJob(job);
  } catch (error) {
    // All but the environment is bounded by its flag already.
    if (error instanceof InvalidJobError && error.code === "environ") throw new UsageError(`--env: ${error.message}`);
    throw error;
  }
  return job;
}

/**
 * Engines to run on, each with the path of its library.
 * @throws UsageError
 */
export function enginesOf(
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
