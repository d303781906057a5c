/**
 * V8 with wasmtime as its auditor: a share of the jobs, drawn by the node for itself, runs on both engines, and the two
 * outcomes must be equal in every byte. Where they are not, one engine has a fault, and nobody can tell which from here:
 * the node abstains from that request. A job that the auditor could not run is V8's alone, as are those not drawn.
 */
import type { ExecutionJob, ExecutionOutcome } from "@outlayer/protocol/execution/index";
import type { Logger } from "../logger.ts";
import { EngineFault } from "./engine-fault.ts";
import { sameOutcome } from "./same-outcome.ts";

/** Whatever runs a job to its outcome: a pool, or this. @throws EngineFault when the outcome cannot be told. */
export interface Engine {
  run(job: ExecutionJob): Promise<ExecutionOutcome>;
}

export interface AuditCounts {
  /** Both engines came to the same. */
  readonly equal: number;
  /** They did not. */
  readonly different: number;
  /** The auditor failed, so there was nothing to compare. */
  readonly failed: number;
}

export interface AuditedEngineOptions {
  readonly engine: Engine;
  readonly auditor: Engine;
  /** Of a thousand jobs, how many are audited. */
  readonly perMille: number;
  /** An integer from 0 up to, not including, the bound. */
  readonly drawBelow: (bound: number) => number;
  readonly logger: Logger;
}

export class AuditedEngine implements Engine {
  readonly #options: AuditedEngineOptions;
  #counts = { equal: 0, different: 0, failed: 0 };

  constructor(options: AuditedEngineOptions) {
    this.#options = options;
  }

  counts(): AuditCounts {
    return { ...this.#counts };
  }

  async run(job: ExecutionJob): Promise<ExecutionOutcome> {
    const { engine, perMille, drawBelow } = this.#options;
    if (drawBelow(1_000) >= perMille) return engine.run(job);
    const [outcome, audit] = await Promise.all([engine.run(job), this.#audit(job)]);
    if (audit === undefined) return outcome;
    if (sameOutcome(outcome, audit)) {
      this.#counts.equal++;
      return outcome;
    }
    this.#counts.different++;
    const codeHash = Buffer.from(job.codeHash).toString("hex");
    this.#options.logger.error("V8 and wasmtime disagree", { codeHash, v8: outcome.kind, wasmtime: audit.kind });
    throw new EngineFault("enginesDisagree", `V8 and wasmtime come to different outcomes of ${codeHash}`);
  }

  async #audit(job: ExecutionJob): Promise<ExecutionOutcome | undefined> {
    try {
      return await this.#options.auditor.run(job);
    } catch (error) {
      this.#counts.failed++;
      this.#options.logger.warn("a run could not be audited", {}, error);
      return undefined;
    }
  }
}
