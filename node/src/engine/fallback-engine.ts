/**
 * V8's optimising compiler first, its baseline compiler where that one fails. The optimising one keeps values that it
 * shares across a call on the native stack, more of them than the metered stack counts, so a guest can be made whose
 * recursion overflows it; and it takes most of the memory. The baseline compiler has nothing but locals and operands
 * on its stack. Both come to the same outcomes, so which of them ran is nobody's business.
 */
import type { ExecutionJob, ExecutionOutcome } from "@outlayer/protocol/execution/index";
import type { Engine } from "./audited-engine.ts";
import { EngineFault, type EngineFaultCode } from "./engine-fault.ts";
import { EnginePool, type EnginePoolOptions, type EnginePoolStats } from "./engine-pool.ts";

const BASELINE_V8_FLAGS = ["--liftoff-only"] as const;
/** Failures of the compiler rather than of the machine. */
const TRIED_AGAIN: ReadonlySet<EngineFaultCode> = new Set(["engineFailure", "memory", "childExited"]);

export class FallbackEngine implements Engine {
  readonly #options: EnginePoolOptions;
  readonly #optimising: EnginePool;
  /** Started when it is first needed: few guests ever need it. */
  #baseline: EnginePool | undefined;
  #stopped = false;

  constructor(options: EnginePoolOptions) {
    this.#options = options;
    this.#optimising = new EnginePool(options);
  }

  stats(): EnginePoolStats {
    return this.#optimising.stats();
  }

  /** @throws EngineFault when both compilers fail. */
  async run(job: ExecutionJob): Promise<ExecutionOutcome> {
    try {
      return await this.#optimising.run(job);
    } catch (error) {
      if (!(error instanceof EngineFault) || !TRIED_AGAIN.has(error.code) || this.#stopped) throw error;
      const codeHash = Buffer.from(job.codeHash).toString("hex");
      this.#options.logger?.warn("V8's optimising compiler failed, its baseline compiler tries", { codeHash }, error);
      this.#baseline ??= new EnginePool({ ...this.#options, children: 1, v8Flags: BASELINE_V8_FLAGS });
      return this.#baseline.run(job);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#optimising.stop(), this.#baseline?.stop()]);
  }
}
