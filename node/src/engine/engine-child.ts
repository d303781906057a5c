/**
 * The program of an engine child: takes jobs from the pool one at a time, runs each in a new instance, answers, and
 * ends when the pool is gone. It holds no secret beyond the job at hand and opens nothing by itself.
 */
import {
  type ExecutionJob,
  executeModule,
  type GuestEngine,
  ModuleRejection,
  type RewrittenModule,
  rejectedOutcome,
  rewriteModule,
} from "@outlayer/protocol/execution/index";
import type { FromChild, Prepared, ToChild } from "./messages.ts";
import { ProfilingEngine } from "./profiling-engine.ts";
import { V8Engine } from "./v8-engine.ts";

const wasmtimeLibrary = process.argv[2];
const engine: GuestEngine = wasmtimeLibrary === undefined ? new V8Engine() : await wasmtime(wasmtimeLibrary);
const modules = new Map<string, RewrittenModule>();

/** Loaded by the children that need it alone: koffi is native code and may not be installed. */
async function wasmtime(library: string): Promise<GuestEngine> {
  const { WasmtimeEngine } = await import("./wasmtime-engine.ts");
  return new WasmtimeEngine(library);
}

function prepare(code: Uint8Array, maxMemoryPages: number, reportCalls = false): Prepared {
  try {
    return { kind: "module", module: rewriteModule(code, { costVersion: 1, maxMemoryPages, reportCalls }) };
  } catch (error) {
    if (error instanceof ModuleRejection) return { kind: "rejected", outcome: rejectedOutcome(error) };
    throw error;
  }
}

function run(message: Extract<ToChild, { type: "run" }>): FromChild {
  for (const key of message.forget) modules.delete(key);
  if (message.module !== undefined) modules.set(message.key, message.module);
  const module = modules.get(message.key);
  if (module === undefined) throw new Error("the pool believes that this child holds a module which it does not");
  // The code is not needed any more: the module was made from it.
  const outcome = executeModule(module, { ...message.job, code: module.bytes }, engine);
  return { type: "ran", outcome };
}

function profile(job: ExecutionJob): FromChild {
  const prepared = prepare(job.code, job.limits.maxMemoryPages, true);
  if (prepared.kind === "rejected") return { type: "profiled", outcome: prepared.outcome, profile: undefined };
  const profiling = new ProfilingEngine(prepared.module, job.limits.maxFuel);
  const outcome = executeModule(prepared.module, job, profiling);
  return { type: "profiled", outcome, profile: profiling.finish() };
}

function answer(message: ToChild): FromChild {
  try {
    if (message.type === "run") return run(message);
    if (message.type === "profile") return profile(message.job);
    return { type: "prepared", prepared: prepare(message.code, message.maxMemoryPages) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    return { type: "failed", message: `${error instanceof Error ? error.message : String(error)}${cause}` };
  }
}

function send(message: FromChild): void {
  process.send?.(message);
}

process.on("message", (message) => send(answer(message as ToChild)));
process.on("disconnect", () => process.exit(0));
send({ type: "ready" });
