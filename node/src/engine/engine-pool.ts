/**
 * Runs guests in preforked children, one job at a time in each. A child is replaced after any fault, and after enough
 * work; each job gets a new instance. Rewriting happens in a child of its own that never runs a guest, so the node's
 * loop is not blocked and no guest can touch what others will run. What happens to a child is an EngineFault; only
 * what a guest does is an outcome.
 */
import {
  COST_VERSION,
  checkJob,
  compiledOutcome,
  type ExecutionJob,
  type ExecutionOutcome,
  InvalidJobError,
  MAX_MODULE_BYTES,
} from "@outlayer/protocol/execution/index";
import type { Logger } from "../logger.ts";
import { ChildHandle } from "./child-handle.ts";
import { type ChildProgram, DEFAULT_V8_FLAGS } from "./child-options.ts";
import { EngineFault } from "./engine-fault.ts";
import * as limits from "./engine-limits.ts";
import { type JobWithoutCode, type Prepared, readPrepared } from "./messages.ts";
import { ModuleCache } from "./module-cache.ts";
import { Runner } from "./runner.ts";
import type { Sandbox } from "./sandbox.ts";
import { V8Engine } from "./v8-engine.ts";

export interface EnginePoolOptions {
  /** Children that run guests; one more prepares modules. */
  readonly children: number;
  /** Longest run of one guest in real time, once it is compiled. */
  readonly wallTimeMs: number;
  /** Longest that compiling a guest takes before it runs; `wallTimeMs` when absent. */
  readonly compileTimeMs?: number;
  readonly logger?: Logger;
  /** V8's flags for the children; they must not change a result. */
  readonly v8Flags?: readonly string[];
  /** Path of wasmtime's C library: then guests run on wasmtime instead of V8. */
  readonly wasmtimeLibrary?: string | undefined;
  /** What stands around every child; nothing but the process itself when absent. */
  readonly sandbox?: Sandbox | undefined;
  /** Whether a child that has ended is replaced before a job needs it, as it is by default. */
  readonly replacesAhead?: boolean;
}

export interface EnginePoolStats {
  readonly children: number;
  readonly idle: number;
  readonly busy: number;
  readonly queued: number;
  readonly runs: number;
  readonly faults: number;
  readonly replaced: number;
  readonly cache: ReturnType<ModuleCache["stats"]>;
}

interface QueuedRun {
  readonly key: string;
  readonly module: Extract<Prepared, { kind: "module" }>["module"];
  readonly job: JobWithoutCode;
  resolve(outcome: ExecutionOutcome): void;
  reject(error: unknown): void;
}

const { sha256 } = new V8Engine();

function reasonOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}

export class EnginePool {
  readonly #options: EnginePoolOptions;
  readonly #program: ChildProgram;
  /** The child that rewrites: ordinary JavaScript, whatever engine runs the guests. */
  readonly #preparerProgram: ChildProgram;
  readonly #cache = new ModuleCache(limits.MAX_CACHE_BYTES);
  readonly #preparing = new Map<string, Promise<Prepared>>();
  readonly #queue: QueuedRun[] = [];
  readonly #runners = new Set<Runner>();
  readonly #idle: Runner[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  #preparer: ChildHandle | undefined;
  #preparerTurn: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #failedStarts = 0;
  #stopped = false;
  #counts = { runs: 0, faults: 0, replaced: 0 };

  constructor(options: EnginePoolOptions) {
    const { children, wallTimeMs } = options;
    if (!Number.isInteger(children) || children < 1 || children > limits.MAX_CHILDREN) {
      throw new RangeError(`children ${children} is not within 1 to ${limits.MAX_CHILDREN}`);
    }
    if (!(wallTimeMs > 0) || wallTimeMs > 2 ** 31 - 1) throw new RangeError(`wallTimeMs ${wallTimeMs} is unusable`);
    this.#options = options;
    const { v8Flags = DEFAULT_V8_FLAGS, wasmtimeLibrary, sandbox } = options;
    this.#program = { v8Flags, wasmtimeLibrary, sandbox };
    this.#preparerProgram = { v8Flags: [], sandbox };
    for (let index = 0; index < children; index++) this.#start();
    this.#preparer = new ChildHandle(this.#preparerProgram);
  }

  /**
   * Runs a job to its outcome.
   * @throws InvalidJobError for a job that breaks a bound, EngineFault when this node cannot tell the outcome.
   */
  async run(job: ExecutionJob): Promise<ExecutionOutcome> {
    checkJob(job);
    if (this.#stopped) throw new EngineFault("stopped", "the engine pool was stopped");
    if (this.#pending >= limits.MAX_QUEUED_JOBS) {
      throw new EngineFault("queueFull", `${limits.MAX_QUEUED_JOBS} jobs wait already`);
    }
    this.#pending++;
    try {
      const { code, ...rest } = job;
      const key = `${Buffer.from(job.codeHash).toString("hex")}:${COST_VERSION}:${job.limits.maxMemoryPages}`;
      const prepared = this.#cache.get(key) ?? (await this.#prepare(key, job));
      if (prepared.kind === "rejected") return prepared.outcome;
      if (job.compileOnly) return compiledOutcome(sha256);
      if (this.#stopped) throw new EngineFault("stopped", "the engine pool was stopped");
      return await new Promise((resolve, reject) => {
        this.#queue.push({ key, module: prepared.module, job: rest, resolve, reject });
        this.#dispatch();
      });
    } catch (error) {
      if (error instanceof EngineFault) this.#counts.faults++;
      throw error;
    } finally {
      this.#pending--;
    }
  }

  /** Ends every child; jobs that run or wait are rejected with EngineFault `stopped`. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const fault = new EngineFault("stopped", "the engine pool was stopped");
    for (const timer of this.#restarts) clearTimeout(timer);
    this.#restarts.clear();
    this.#rejectQueue(fault);
    const children = [...this.#runners].map((runner) => runner.child);
    if (this.#preparer) children.push(this.#preparer);
    for (const child of children) child.kill(fault);
    await Promise.all(children.map((child) => child.exited));
  }

  stats(): EnginePoolStats {
    const idle = this.#idle.length;
    return {
      children: this.#runners.size,
      idle,
      busy: this.#runners.size - idle,
      queued: this.#queue.length,
      ...this.#counts,
      cache: this.#cache.stats(),
    };
  }

  /** Process ids of the children that run guests. */
  childPids(): readonly number[] {
    return [...this.#runners].flatMap(({ child }) => child.pid ?? []);
  }

  /** Rewrites a module once, however many jobs ask for it at the same time. */
  #prepare(key: string, job: ExecutionJob): Promise<Prepared> {
    let preparing = this.#preparing.get(key);
    if (preparing === undefined) {
      preparing = this.#rewrite(job).finally(() => this.#preparing.delete(key));
      preparing.then((prepared) => this.#cache.put(key, prepared)).catch(() => undefined);
      this.#preparing.set(key, preparing);
    }
    return preparing;
  }

  async #rewrite(job: ExecutionJob): Promise<Prepared> {
    const { code, codeHash, limits: jobLimits } = job;
    // Before anything is said about the code: what is said is cached under the hash.
    if (!Buffer.from(sha256([code])).equals(codeHash)) throw new InvalidJobError("hash", "codeHash is not the code's");
    if (code.length > MAX_MODULE_BYTES) {
      const detail = `a module of ${code.length} bytes, at most ${MAX_MODULE_BYTES}`;
      return { kind: "rejected", outcome: { kind: "rejected", code: "limit", detail } };
    }
    const turn = this.#preparerTurn.then(async () => {
      const preparer = await this.#preparerReady();
      const { maxMemoryPages } = jobLimits;
      const message = { type: "prepare", code, maxMemoryPages, reportCalls: false } as const;
      const answer = await preparer.ask(message, limits.PREPARE_WALL_TIME_MS, limits.PREPARER_RESIDENT_BYTES);
      const prepared = answer.type === "prepared" ? readPrepared(answer.prepared, maxMemoryPages) : undefined;
      if (prepared !== undefined) return prepared;
      const fault = new EngineFault("malformedAnswer", "the preparing child answered no module and no refusal");
      preparer.kill(fault);
      throw fault;
    });
    this.#preparerTurn = turn.catch(() => undefined);
    return turn;
  }

  async #preparerReady(): Promise<ChildHandle> {
    if (this.#stopped) throw new EngineFault("stopped", "the engine pool was stopped");
    if (!this.#preparer?.alive) this.#preparer = new ChildHandle(this.#preparerProgram);
    await this.#preparer.ready;
    return this.#preparer;
  }

  #start(): void {
    const runner = new Runner(this.#program);
    this.#runners.add(runner);
    runner.child.ready.then(
      () => {
        this.#failedStarts = 0;
        this.#idle.push(runner);
        this.#dispatch();
      },
      (fault: unknown) => this.#startFailed(runner, fault),
    );
    void runner.child.exited.then(() => this.#onIdleExit(runner));
  }

  #startFailed(runner: Runner, fault: unknown): void {
    this.#runners.delete(runner);
    if (this.#stopped) return;
    this.#options.logger?.warn("engine child did not start", {}, fault);
    if (++this.#failedStarts >= limits.MAX_FAILED_STARTS) {
      this.#rejectQueue(new EngineFault("childExited", `no engine child can be started: ${reasonOf(fault)}`, fault));
    }
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#start();
    }, limits.RESTART_DELAY_MS);
    this.#restarts.add(timer);
  }

  /** A child that ends while nobody uses it is replaced; one at work is replaced by whoever used it. */
  #onIdleExit(runner: Runner): void {
    const index = this.#idle.indexOf(runner);
    if (index < 0 || this.#stopped) return;
    this.#idle.splice(index, 1);
    this.#replace(runner, new EngineFault("childExited", "the engine child ended while idle"));
  }

  #replace(runner: Runner, fault: EngineFault): void {
    runner.child.kill(fault);
    this.#runners.delete(runner);
    if (this.#stopped) return;
    this.#counts.replaced++;
    if (this.#options.replacesAhead !== false) this.#start();
  }

  #rejectQueue(fault: EngineFault): void {
    for (const run of this.#queue.splice(0)) run.reject(fault);
  }

  #dispatch(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const run = this.#queue.shift()!;
      const warm = this.#idle.findIndex((runner) => runner.holds(run.key));
      const [runner] = this.#idle.splice(Math.max(warm, 0), 1);
      void this.#runOn(runner!, run);
    }
    this.#startForQueue();
  }

  /** Children that were not replaced ahead are, as far as jobs wait. */
  #startForQueue(): void {
    if (this.#options.replacesAhead !== false || this.#stopped) return;
    const wanted = Math.min(this.#options.children, this.#queue.length);
    while (this.#runners.size + this.#restarts.size < wanted) this.#start();
  }

  async #runOn(runner: Runner, run: QueuedRun): Promise<void> {
    try {
      const { wallTimeMs, compileTimeMs = wallTimeMs } = this.#options;
      const times = { compileMs: Math.min(compileTimeMs, wallTimeMs), runMs: wallTimeMs };
      const outcome = await runner.run(run.key, run.module, run.job, times);
      this.#counts.runs++;
      run.resolve(outcome);
      if (runner.worn) {
        this.#replace(runner, new EngineFault("stopped", "the engine child has done its share"));
      } else if (runner.child.alive) {
        this.#idle.push(runner);
      } else {
        this.#replace(runner, new EngineFault("childExited", "the engine child ended after its answer"));
      }
    } catch (error) {
      const fault = error instanceof EngineFault ? error : new EngineFault("engineFailure", "the run failed", error);
      if (!this.#stopped) this.#options.logger?.warn("engine fault", { code: fault.code }, fault);
      run.reject(fault);
      this.#replace(runner, fault);
    }
    this.#dispatch();
  }
}
