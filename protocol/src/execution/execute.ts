/**
 * Runs a rewritten guest to its end on an engine that the caller hands in. Synchronous and without a limit in time:
 * fuel ends every guest, and whoever drives the engine stops it from outside should the engine itself hang.
 */
import { fuelOfTicks, ticksOfFuel } from "./cost-model.ts";
import { FUEL_EXPORT, INFRA_EXPORT, memoryExport, STACK_EXPORT, START_EXPORT } from "./decode.ts";
import { memoriesDigest, PAGE_BYTES, type Sha256 } from "./memory-digest.ts";
import { EngineFailure, type ExecutionJob, type ExecutionOutcome, type TrapKind } from "./outcome.ts";
import type { RewrittenModule } from "./rewriter.ts";
import { GuestStop } from "./wasi/guest-stop.ts";
import { WasiHost } from "./wasi/host.ts";
import { type HostFunction, hostFunctions } from "./wasi/host-functions.ts";
import { WASI_MODULE } from "./wasi/imports.ts";

/** Functions by module and name, as WebAssembly engines take them. */
export type HostImports = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;

/** A WebAssembly engine. V8's is `new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)`. */
export interface GuestEngine {
  /** Compiles (or takes from a cache) and instantiates; runs nothing of the guest. */
  instantiate(module: RewrittenModule, imports: HostImports): Readonly<Record<string, unknown>>;
  /** Whether what was thrown is a WebAssembly trap rather than a failure of the engine. */
  isTrap(error: unknown): boolean;
  readonly sha256: Sha256;
}

interface Cell<T> {
  value: T;
}

interface GuestExports {
  readonly [FUEL_EXPORT]: Cell<bigint>;
  readonly [STACK_EXPORT]: Cell<number>;
  readonly [INFRA_EXPORT]: Cell<number>;
  readonly [START_EXPORT]?: () => void;
  readonly _start: () => void;
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

const NO_MEMORY: Memory = { buffer: new ArrayBuffer(0) };

const DETAILS: Readonly<Record<TrapKind, string>> = {
  outOfFuel: "the instruction limit was reached",
  stackExhausted: "the call stack was exhausted",
  outputLimit: "the output limit was reached",
  trap: "the guest trapped",
};

type Ending = { readonly exitCode: number } | { readonly trap: TrapKind };

/**
 * The job must have passed `checkJob`, and the module come from `rewriteModule` with the job's code and pages.
 * @throws EngineFailure when the engine, not the guest, failed.
 */
export function executeModule(module: RewrittenModule, job: ExecutionJob, engine: GuestEngine): ExecutionOutcome {
  const budget = ticksOfFuel(job.limits.maxFuel);
  const host = new WasiHost(job, budget);
  if (BigInt(module.instantiationTicks) > budget) {
    return outcomeOf({ trap: "outOfFuel" }, job, host, budget, [], engine);
  }
  const guest = instantiate(module, host, engine);
  const fuel = guest[FUEL_EXPORT];
  const memories = memoriesOf(module, guest);
  fuel.value = budget - BigInt(module.instantiationTicks);
  host.attach(memories[module.hostMemory] ?? NO_MEMORY, fuel);
  const ending = runGuest(guest, engine);
  const spent = budget - fuel.value;
  return outcomeOf(ending, job, host, spent, memories, engine);
}

function memoriesOf(module: RewrittenModule, guest: object): readonly Memory[] {
  const exports = guest as Readonly<Record<string, Memory>>;
  return Array.from({ length: module.memories }, (_, index) => exports[memoryExport(index)]!);
}

/** The outcome of a job that only asked whether its code is acceptable, when it is. */
export function compiledOutcome(sha256: Sha256): ExecutionOutcome {
  const nothing = new Uint8Array(0);
  const digest = memoriesDigest([], sha256);
  const remains = { stdout: nothing, stderr: nothing, fuel: 0n, memoryPages: 0, memoryDigest: digest };
  return { kind: "exited", exitCode: 0, ...remains };
}

/** Every module that reaches an engine is valid and its segments fit: whatever is thrown is the engine's failure. */
function instantiate(module: RewrittenModule, host: WasiHost, engine: GuestEngine): GuestExports {
  try {
    return engine.instantiate(module, { [WASI_MODULE]: hostFunctions(host) }) as unknown as GuestExports;
  } catch (cause) {
    throw new EngineFailure("the engine did not take the rewritten module", { cause });
  }
}

function runGuest(guest: GuestExports, engine: GuestEngine): Ending {
  const stack = guest[STACK_EXPORT];
  const wholeStack = stack.value;
  try {
    guest[START_EXPORT]?.();
    stack.value = wholeStack;
    guest._start();
  } catch (error) {
    if (error instanceof GuestStop)
      return error.reason === "exit" ? { exitCode: error.exitCode } : { trap: error.reason };
    if (!engine.isTrap(error)) throw new EngineFailure("the engine failed while the guest ran", { cause: error });
    if (guest[INFRA_EXPORT].value !== 0) throw new EngineFailure("the engine could not grow the guest's memory");
    if (guest[FUEL_EXPORT].value < 0n) return { trap: "outOfFuel" };
    if (guest[STACK_EXPORT].value < 0) return { trap: "stackExhausted" };
    return { trap: "trap" };
  }
  return guest[FUEL_EXPORT].value < 0n ? { trap: "outOfFuel" } : { exitCode: 0 };
}

function outcomeOf(
  ending: Ending,
  job: ExecutionJob,
  host: WasiHost,
  ticks: bigint,
  memories: readonly Memory[],
  engine: GuestEngine,
): ExecutionOutcome {
  const buffers = memories.map(({ buffer }) => buffer);
  const outOfFuel = "trap" in ending && ending.trap === "outOfFuel";
  const remains = {
    stdout: host.stdout.finish(),
    stderr: host.stderr.finish(),
    fuel: outOfFuel ? job.limits.maxFuel : fuelOfTicks(ticks),
    memoryPages: buffers.reduce((bytes, { byteLength }) => bytes + byteLength, 0) / PAGE_BYTES,
    memoryDigest: memoriesDigest(buffers, engine.sha256),
  };
  if ("trap" in ending) return { kind: "trapped", trap: ending.trap, detail: DETAILS[ending.trap], ...remains };
  return { kind: "exited", exitCode: ending.exitCode, ...remains };
}
