/**
 * V8's optimising compiler first, its baseline compiler where that one fails. The optimising one keeps values that it
 * shares across a call on the native stack, more of them than the metered stack counts, so a guest can be made whose
 * recursion overflows it; and it takes most of the memory, and by far most of the time. The baseline compiler has nothing but locals and operands
 * on its stack. Both come to the same outcomes, so which of them ran is nobody's business.
 */
import type { ExecutionJob, ExecutionOutcome } from "@outlayer/protocol/execution/index";
import type { Engine } from "./audited-engine.ts";
import { EngineFault, type EngineFaultCode } from "./engine-fault.ts";
import { COMPILE_WALL_TIME_MS, MAX_SLOW_MODULES } from "./engine-limits.ts";
import { EnginePool, type EnginePoolOptions, type EnginePoolStats } from "./engine-pool.ts";

/** V8's compiler that has nothing but locals and operands on its stack, and takes time as a body is long. */
export const BASELINE_V8_FLAGS: readonly string[] = ["--liftoff-only"];
/** Failures of the compiler rather than of the machine or the run. */
const TRIED_AGAIN: ReadonlySet<EngineFaultCode> = new Set(["engineFailure", "memory", "childExited", "compileTime"]);

/** Whether another compiler may do what this one could not. */
export function isCompilersFault(error: unknown): error is EngineFault {
  return error instanceof EngineFault && TRIED_AGAIN.has(error.code);
}

export class FallbackEngine implements Engine {
  readonly #options: EnginePoolOptions;
  readonly #optimising: EnginePool;
  /** Started when it is first needed: few guests ever need it. */
  #baseline: EnginePool | undefined;
  /** Hashes of code whose compilation took too long, the oldest first: each try would keep a child for all that time. */
  readonly #slow = new Set<string>();
  #stopped = false;

  constructor(options: EnginePoolOptions) {
    this.#options = options;
    this.#optimising = new EnginePool({ compileTimeMs: COMPILE_WALL_TIME_MS, ...options });
  }

  stats(): EnginePoolStats {
    return this.#optimising.stats();
  }

  /** @throws InvalidJobError; EngineFault when both compilers fail. */
  async run(job: ExecutionJob): Promise<ExecutionOutcome> {
    const codeHash = Buffer.from(job.codeHash).toString("hex");
    if (this.#slow.has(codeHash)) return this.#runOnBaseline(job);
    try {
      return await this.#optimising.run(job);
    } catch (error) {
      if (!isCompilersFault(error) || this.#stopped) throw error;
      this.#options.logger?.warn("V8's optimising compiler failed, its baseline compiler tries", { codeHash }, error);
      if (error.code === "compileTime") this.#rememberSlow(codeHash);
      return this.#runOnBaseline(job);
    }
  }

  #runOnBaseline(job: ExecutionJob): Promise<ExecutionOutcome> {
    const { compileTimeMs: _, ...options } = this.#options;
    this.#baseline ??= new EnginePool({ ...options, children: 1, v8Flags: BASELINE_V8_FLAGS });
    return this.#baseline.run(job);
  }

  #rememberSlow(codeHash: string): void {
    this.#slow.add(codeHash);
    const [oldest] = this.#slow;
    if (this.#slow.size > MAX_SLOW_MODULES) this.#slow.delete(oldest!);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#optimising.stop(), this.#baseline?.stop()]);
  }
}
