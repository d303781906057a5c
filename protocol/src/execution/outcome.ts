/**
 * A run of a guest and what came of it. Everything in an outcome is a function of the job: two honest nodes hold
 * equal outcomes, byte for byte, whatever engine they use. An engine's failure is not an outcome (EngineFailure).
 */
import {
  MAX_ENVIRON_BYTES,
  MAX_ENVIRON_ENTRIES,
  MAX_FUEL,
  MAX_GUEST_MEMORY_PAGES,
  MAX_INPUT_BYTES,
  MAX_OUTPUT_BYTES,
} from "./limits.ts";
import type { ModuleRejection, ModuleRejectionCode } from "./rejection.ts";

export interface ExecutionLimits {
  /** Fuel, the callers' `max_instructions`; at most MAX_FUEL. */
  readonly maxFuel: bigint;
  /** Pages of 64 KiB; at most MAX_GUEST_MEMORY_PAGES. */
  readonly maxMemoryPages: number;
  /** Bytes of standard output; at most MAX_OUTPUT_BYTES. */
  readonly maxOutputBytes: number;
}

export interface ExecutionJob {
  /** SHA-256 of `code`; whoever makes the job has checked it. */
  readonly codeHash: Uint8Array;
  /** The guest as published, not rewritten. */
  readonly code: Uint8Array;
  /** Standard input. */
  readonly input: Uint8Array;
  /** 32 bytes behind `random_get`. */
  readonly seed: Uint8Array;
  /** Environment variables in the order in which the guest sees them. */
  readonly environ: readonly (readonly [string, string])[];
  /** The wall clock: time of the request's block in nanoseconds since 1970. */
  readonly blockTimeNs: bigint;
  readonly limits: ExecutionLimits;
  /** Only judge whether the code is acceptable: it exits with code 0, having spent and printed nothing. */
  readonly compileOnly?: boolean | undefined;
}

/** What the guest left behind, however it ended. */
interface Remains {
  readonly stdout: Uint8Array;
  /** At most MAX_STDERR_BYTES; the rest was dropped. */
  readonly stderr: Uint8Array;
  readonly fuel: bigint;
  /** Size of the memory at the end. */
  readonly memoryPages: number;
  /** Digest of the memory at the end, see memory-digest.ts. */
  readonly memoryDigest: Uint8Array;
}

/** Why the guest was stopped; `trap` is any trap of its own making. */
export type TrapKind = "outOfFuel" | "stackExhausted" | "outputLimit" | "trap";

export type ExecutionOutcome =
  /** `_start` returned (code 0) or the guest called `proc_exit`. */
  | ({ readonly kind: "exited"; readonly exitCode: number } & Remains)
  | ({ readonly kind: "trapped"; readonly trap: TrapKind; readonly detail: string } & Remains)
  /** The bytes are not run at all. */
  | { readonly kind: "rejected"; readonly code: ModuleRejectionCode; readonly detail: string };

/** The outcome of a module that the rewriting refused. */
export function rejectedOutcome(rejection: ModuleRejection): ExecutionOutcome {
  return { kind: "rejected", code: rejection.code, detail: `${rejection.message} (at byte ${rejection.offset})` };
}

/** The engine, not the guest, failed: nothing may be concluded about the job from it. */
export class EngineFailure extends Error {
  override readonly name = "EngineFailure";
}

/** A job that breaks a bound: a mistake of whoever made it. */
export class InvalidJobError extends Error {
  override readonly name = "InvalidJobError";
  readonly code: "hash" | "input" | "seed" | "environ" | "time" | "limits";

  constructor(code: InvalidJobError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

const U64_END = 1n << 64n;
const utf8 = new TextEncoder();

/** @throws InvalidJobError */
export function checkJob(job: ExecutionJob): void {
  const { limits } = job;
  if (job.codeHash.length !== 32) throw new InvalidJobError("hash", "codeHash is not 32 bytes");
  if (job.seed.length !== 32) throw new InvalidJobError("seed", "seed is not 32 bytes");
  if (job.input.length > MAX_INPUT_BYTES) throw new InvalidJobError("input", `input above ${MAX_INPUT_BYTES} bytes`);
  if (job.blockTimeNs < 0n || job.blockTimeNs >= U64_END) throw new InvalidJobError("time", "blockTimeNs is no u64");
  if (limits.maxFuel < 0n || limits.maxFuel > MAX_FUEL) {
    throw new InvalidJobError("limits", `maxFuel is not within 0 to ${MAX_FUEL}`);
  }
  requireRange("maxMemoryPages", limits.maxMemoryPages, MAX_GUEST_MEMORY_PAGES);
  requireRange("maxOutputBytes", limits.maxOutputBytes, MAX_OUTPUT_BYTES);
  if (job.environ.length > MAX_ENVIRON_ENTRIES) {
    throw new InvalidJobError("environ", `more than ${MAX_ENVIRON_ENTRIES} variables`);
  }
  let bytes = 0;
  for (const [name, value] of job.environ) {
    if (name === "" || /[=\0]/.test(name) || value.includes("\0")) {
      throw new InvalidJobError("environ", `unusable variable ${JSON.stringify(name)}`);
    }
    bytes += utf8.encode(name).length + utf8.encode(value).length + 2;
  }
  if (bytes > MAX_ENVIRON_BYTES) throw new InvalidJobError("environ", `more than ${MAX_ENVIRON_BYTES} bytes`);
}

function requireRange(name: string, value: number, maximum: number): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    throw new InvalidJobError("limits", `${name} is not within 0 to ${maximum}`);
  }
}
