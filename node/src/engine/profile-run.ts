/** One run of a guest whose calls are reported, in a child that exists for it alone: where the fuel goes. */
import {
  type CallProfile,
  checkJob,
  type ExecutionJob,
  type ExecutionOutcome,
  ticksOfFuel,
} from "@outlayer/protocol/execution/index";
import { ChildHandle } from "./child-handle.ts";
import { DEFAULT_V8_FLAGS } from "./child-options.ts";
import { EngineFault } from "./engine-fault.ts";
import {
  CHILD_RESIDENT_BYTES,
  COMPILE_WALL_TIME_MS,
  PREPARE_WALL_TIME_MS,
  PREPARER_RESIDENT_BYTES,
} from "./engine-limits.ts";
import { BASELINE_V8_FLAGS, isCompilersFault } from "./fallback-engine.ts";
import { readOutcome, readPrepared, readProfile } from "./messages.ts";
import type { Sandbox } from "./sandbox.ts";

const PAGE_BYTES = 65_536;

export interface ProfiledRun {
  readonly outcome: ExecutionOutcome;
  /** Undefined when the guest was refused. Its ticks sum to what the outcome's fuel stands for. */
  readonly profile: CallProfile | undefined;
}

export interface ProfileOptions {
  readonly wallTimeMs: number;
  /** What stands around the child; nothing but the process itself when absent. */
  readonly sandbox?: Sandbox | undefined;
}

/**
 * Runs the job several times slower than the pool does, with the same outcome; on V8's baseline compiler where its
 * optimising one fails, as FallbackEngine does.
 * @throws InvalidJobError, EngineFault
 */
export async function profileRun(job: ExecutionJob, options: ProfileOptions): Promise<ProfiledRun> {
  checkJob(job);
  try {
    return await profileOn(DEFAULT_V8_FLAGS, job, options, Math.min(COMPILE_WALL_TIME_MS, options.wallTimeMs));
  } catch (error) {
    if (!isCompilersFault(error)) throw error;
    return profileOn(BASELINE_V8_FLAGS, job, options, options.wallTimeMs);
  }
}

async function profileOn(
  v8Flags: readonly string[],
  { code, ...job }: ExecutionJob,
  { wallTimeMs, sandbox }: ProfileOptions,
  compileTimeMs: number,
): Promise<ProfiledRun> {
  const child = new ChildHandle({ v8Flags, sandbox });
  const { maxMemoryPages, maxFuel } = job.limits;
  // The child has prepared the guest too.
  const maxResidentBytes = PREPARER_RESIDENT_BYTES + CHILD_RESIDENT_BYTES + maxMemoryPages * PAGE_BYTES;
  const key = "profile";
  try {
    await child.ready;
    const made = await child.ask(
      { type: "prepare", code, maxMemoryPages, reportCalls: true },
      PREPARE_WALL_TIME_MS,
      PREPARER_RESIDENT_BYTES,
    );
    const prepared = made.type === "prepared" ? readPrepared(made.prepared, maxMemoryPages) : undefined;
    if (prepared === undefined) throw new EngineFault("malformedAnswer", "the engine child did not prepare");
    if (prepared.kind === "rejected") return { outcome: prepared.outcome, profile: undefined };
    const load = { type: "load", key, module: prepared.module, forget: [] } as const;
    const loaded = await child.ask(load, compileTimeMs, maxResidentBytes, "compileTime");
    if (loaded.type !== "loaded") throw new EngineFault("malformedAnswer", "the engine child did not load");
    const answer = await child.ask({ type: "profile", key, job }, wallTimeMs, maxResidentBytes);
    if (answer.type !== "profiled") throw new EngineFault("malformedAnswer", "the engine child did not profile");
    const outcome = readOutcome(answer.outcome, job);
    const profile = readProfile(answer.profile, Number(ticksOfFuel(maxFuel)));
    if (outcome === undefined || profile === undefined) {
      throw new EngineFault("malformedAnswer", "the engine child answered no profile of this job");
    }
    return { outcome, profile };
  } finally {
    child.kill(new EngineFault("stopped", "the profile is done"));
    await child.exited;
  }
}
