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
import { CHILD_RESIDENT_BYTES } from "./engine-limits.ts";
import { readOutcome, readProfile } from "./messages.ts";

const PAGE_BYTES = 65_536;

export interface ProfiledRun {
  readonly outcome: ExecutionOutcome;
  /** Undefined when the guest was refused. Its ticks sum to what the outcome's fuel stands for. */
  readonly profile: CallProfile | undefined;
}

/**
 * Runs the job several times slower than the pool does, with the same outcome.
 * @throws InvalidJobError, EngineFault
 */
export async function profileRun(job: ExecutionJob, wallTimeMs: number): Promise<ProfiledRun> {
  checkJob(job);
  const child = new ChildHandle({ v8Flags: DEFAULT_V8_FLAGS });
  try {
    await child.ready;
    const maxResidentBytes = CHILD_RESIDENT_BYTES + job.limits.maxMemoryPages * PAGE_BYTES;
    const answer = await child.ask({ type: "profile", job }, wallTimeMs, maxResidentBytes);
    if (answer.type !== "profiled") throw new EngineFault("malformedAnswer", "the engine child did not profile");
    if (answer.outcome.kind === "rejected") return { outcome: answer.outcome, profile: undefined };
    const outcome = readOutcome(answer.outcome, job);
    const profile = readProfile(answer.profile, Number(ticksOfFuel(job.limits.maxFuel)));
    if (outcome === undefined || profile === undefined) {
      throw new EngineFault("malformedAnswer", "the engine child answered no profile of this job");
    }
    return { outcome, profile };
  } finally {
    child.kill(new EngineFault("stopped", "the profile is done"));
    await child.exited;
  }
}
