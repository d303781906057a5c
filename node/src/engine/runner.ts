/** A child that runs guests, with what the pool knows about it: which modules it holds and how much it was used. */
import type { ExecutionOutcome, RewrittenModule } from "@outlayer/protocol/execution/index";
import { ChildHandle } from "./child-handle.ts";
import type { ChildProgram } from "./child-options.ts";
import { EngineFault } from "./engine-fault.ts";
import {
  CHILD_RESIDENT_BYTES,
  MAX_JOBS_PER_CHILD,
  MAX_MODULE_BYTES_PER_CHILD,
  MAX_MODULES_PER_CHILD,
  MAX_PAGES_PER_CHILD,
} from "./engine-limits.ts";
import { type JobWithoutCode, readOutcome } from "./messages.ts";

const PAGE_BYTES = 65_536;

/** Real time for a job's two parts. */
export interface RunTimes {
  readonly compileMs: number;
  readonly runMs: number;
}

export class Runner {
  readonly child: ChildHandle;
  readonly #held = new Map<string, number>();
  #heldBytes = 0;
  #jobs = 0;
  #pages = 0;

  constructor(program: ChildProgram) {
    this.child = new ChildHandle(program);
  }

  /** Whether the child has done enough to be replaced. */
  get worn(): boolean {
    return this.#jobs >= MAX_JOBS_PER_CHILD || this.#pages >= MAX_PAGES_PER_CHILD;
  }

  holds(key: string): boolean {
    return this.#held.has(key);
  }

  /** @throws EngineFault; the child must not be used again then. */
  async run(key: string, module: RewrittenModule, job: JobWithoutCode, times: RunTimes): Promise<ExecutionOutcome> {
    this.#jobs++;
    const maxResidentBytes = CHILD_RESIDENT_BYTES + (MAX_PAGES_PER_CHILD + job.limits.maxMemoryPages) * PAGE_BYTES;
    if (!this.#held.has(key)) await this.#load(key, module, times.compileMs, maxResidentBytes);
    this.#held.delete(key);
    this.#held.set(key, module.bytes.length);
    const answer = await this.child.ask({ type: "run", key, job }, times.runMs, maxResidentBytes);
    const outcome = answer.type === "ran" ? readOutcome(answer.outcome, job) : undefined;
    if (outcome === undefined || outcome.kind === "rejected") {
      throw new EngineFault("malformedAnswer", "the engine child answered no outcome of this job");
    }
    this.#pages += outcome.memoryPages;
    return outcome;
  }

  async #load(key: string, module: RewrittenModule, compileMs: number, maxResidentBytes: number): Promise<void> {
    const forget = this.#makeRoom(module.bytes.length);
    this.#heldBytes += module.bytes.length;
    const answer = await this.child.ask(
      { type: "load", key, module, forget },
      compileMs,
      maxResidentBytes,
      "compileTime",
    );
    if (answer.type !== "loaded") throw new EngineFault("malformedAnswer", "the engine child did not load");
  }

  #makeRoom(bytes: number): string[] {
    const forget: string[] = [];
    for (const [key, size] of this.#held) {
      const fits = this.#held.size < MAX_MODULES_PER_CHILD && this.#heldBytes + bytes <= MAX_MODULE_BYTES_PER_CHILD;
      if (fits) break;
      this.#held.delete(key);
      this.#heldBytes -= size;
      forget.push(key);
    }
    return forget;
  }
}
