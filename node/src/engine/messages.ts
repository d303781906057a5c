/**
 * What pool and child say to each other over Node's IPC channel (structured clone). The child has run a hostile
 * guest, so everything from it is checked before use.
 */
import {
  type CallProfile,
  type ExecutionJob,
  type ExecutionOutcome,
  MAX_CALL_NODES,
  type ModuleRejectionCode,
  type RewrittenModule,
} from "@outlayer/protocol/execution/index";
import { MAX_MEMORIES } from "@outlayer/protocol/execution/limits";
import { MAX_REJECTION_CHARACTERS, MAX_REWRITTEN_BYTES } from "./engine-limits.ts";

/** A job without its code, which travels as a rewritten module. */
export type JobWithoutCode = Omit<ExecutionJob, "code">;

export type ToChild =
  /**
   * Rewrite a guest. Only a child that has run none gets this: the preparing child, and one that is thrown away after
   * its only guest.
   */
  | {
      readonly type: "prepare";
      readonly code: Uint8Array;
      readonly maxMemoryPages: number;
      /** For a profile. */
      readonly reportCalls: boolean;
    }
  /** Compile a module and hold it under this key. */
  | {
      readonly type: "load";
      readonly key: string;
      readonly module: RewrittenModule;
      /** Keys of modules to let go of first. */
      readonly forget: readonly string[];
    }
  /** Run a module that the child holds. */
  | { readonly type: "run"; readonly key: string; readonly job: JobWithoutCode }
  /** Run a module that reports its calls. Only a child that is thrown away afterwards gets this. */
  | { readonly type: "profile"; readonly key: string; readonly job: JobWithoutCode };

/** A rewritten module, or the outcome of code that is refused. */
export type Prepared =
  | { readonly kind: "module"; readonly module: RewrittenModule }
  | { readonly kind: "rejected"; readonly outcome: ExecutionOutcome };

export type FromChild =
  | { readonly type: "ready" }
  | { readonly type: "prepared"; readonly prepared: Prepared }
  | { readonly type: "loaded" }
  | { readonly type: "ran"; readonly outcome: ExecutionOutcome }
  | { readonly type: "profiled"; readonly outcome: ExecutionOutcome; readonly profile: CallProfile }
  | { readonly type: "failed"; readonly message: string };

const ANSWERS: ReadonlySet<string> = new Set(["ready", "prepared", "loaded", "ran", "profiled"]);
const TRAPS: ReadonlySet<unknown> = new Set(["outOfFuel", "stackExhausted", "outputLimit", "trap"]);
/** A record, so that a code that is added to the protocol cannot be forgotten here. */
const REJECTION_CODES: Readonly<Record<ModuleRejectionCode, true>> = {
  malformed: true,
  invalid: true,
  feature: true,
  limit: true,
  import: true,
  reservedName: true,
  entryPoint: true,
};
const MAX_TEXT = 1_000;
const MAX_STDERR_BYTES = 64 * 1024;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isBytes(value: unknown, maximum: number, minimum = 0): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= minimum && value.length <= maximum;
}

function isText(value: unknown, maximum = MAX_TEXT): value is string {
  return typeof value === "string" && value.length <= maximum;
}

function isCount(value: unknown, maximum: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maximum;
}

/** What the preparing child made of a guest, or undefined when no honest child makes that under this bound on memory. */
export function readPrepared(value: unknown, maxMemoryPages: number): Prepared | undefined {
  if (!isRecord(value)) return undefined;
  if (value.kind === "module") {
    const module = readModule(value.module, maxMemoryPages);
    return module === undefined ? undefined : { kind: "module", module };
  }
  const { kind, outcome } = value;
  if (kind !== "rejected" || !isRecord(outcome) || outcome.kind !== "rejected") return undefined;
  const { code, detail } = outcome;
  if (typeof code !== "string" || !Object.hasOwn(REJECTION_CODES, code)) return undefined;
  if (!isText(detail, MAX_REJECTION_CHARACTERS)) return undefined;
  return { kind, outcome: { kind: "rejected", code: code as ModuleRejectionCode, detail } };
}

function readModule(value: unknown, maxMemoryPages: number): RewrittenModule | undefined {
  if (!isRecord(value)) return undefined;
  const { bytes, initialMemoryPages, instantiationTicks, hasStart, memories, hostMemory } = value;
  if (!isBytes(bytes, MAX_REWRITTEN_BYTES, 1) || typeof hasStart !== "boolean") return undefined;
  if (!isCount(initialMemoryPages, maxMemoryPages)) return undefined;
  if (!isCount(instantiationTicks, Number.MAX_SAFE_INTEGER) || !isCount(memories, MAX_MEMORIES)) return undefined;
  if (!isCount(hostMemory, Math.max(memories - 1, 0))) return undefined;
  return { bytes, initialMemoryPages, instantiationTicks, hasStart, memories, hostMemory };
}

/** The outcome in a child's answer, or undefined when no honest child can have sent it for this job. */
export function readOutcome(value: unknown, job: JobWithoutCode): ExecutionOutcome | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, stdout, stderr, fuel, memoryPages, memoryDigest } = value;
  const { maxFuel, maxMemoryPages, maxOutputBytes } = job.limits;
  if (!isBytes(stdout, maxOutputBytes) || !isBytes(stderr, MAX_STDERR_BYTES) || !isBytes(memoryDigest, 32, 32)) {
    return undefined;
  }
  if (typeof fuel !== "bigint" || fuel < 0n || fuel > maxFuel || !isCount(memoryPages, maxMemoryPages))
    return undefined;
  const remains = { stdout, stderr, fuel, memoryPages, memoryDigest };
  if (kind === "exited") {
    const { exitCode } = value;
    return isCount(exitCode, 0xffff_ffff) ? { kind, exitCode, ...remains } : undefined;
  }
  if (kind !== "trapped") return undefined;
  const { trap, detail } = value;
  if (!TRAPS.has(trap) || !isText(detail)) return undefined;
  return { kind, trap: trap as "trap", detail, ...remains };
}

/** The profile in a child's answer, or undefined when it is no tree of a run with this many ticks. */
export function readProfile(value: unknown, maxTicks: number): CallProfile | undefined {
  if (!isRecord(value)) return undefined;
  const { functions, parents, ticks, calls } = value;
  if (!(functions instanceof Int32Array) || !(parents instanceof Int32Array)) return undefined;
  if (!(ticks instanceof Float64Array) || !(calls instanceof Float64Array)) return undefined;
  const { length } = functions;
  if (length < 1 || length > MAX_CALL_NODES) return undefined;
  if (parents.length !== length || ticks.length !== length || calls.length !== length) return undefined;
  const inOrder = parents.every((parent, node) => parent >= 0 && (node === 0 || parent < node));
  const whole = ticks.every((count) => isCount(count, maxTicks)) && calls.every((count) => Number.isSafeInteger(count));
  const sum = ticks.reduce((total, count) => total + count, 0);
  return inOrder && whole && sum <= maxTicks ? { functions, parents, ticks, calls } : undefined;
}

/** The message of a child, its payload still unchecked. */
export function readMessage(value: unknown): FromChild | undefined {
  if (!isRecord(value)) return undefined;
  const { type } = value;
  if (typeof type === "string" && ANSWERS.has(type)) return value as unknown as FromChild;
  if (type === "failed") return { type, message: isText(value.message) ? value.message : "no reason given" };
  return undefined;
}
