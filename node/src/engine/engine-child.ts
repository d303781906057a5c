/**
 * The program of an engine child: takes jobs from the pool one at a time, runs each in a new instance, answers, and
 * ends when the pool is gone. It holds no secret beyond the job at hand and opens nothing by itself.
 */
import {
  executeModule,
  ModuleRejection,
  type RewrittenModule,
  rejectedOutcome,
  rewriteModule,
} from "@outlayer/protocol/execution/index";
import type { FromChild, Prepared, ToChild } from "./messages.ts";
import { ProfilingEngine } from "./profiling-engine.ts";
import { type CompilingEngine, V8Engine } from "./v8-engine.ts";

const wasmtimeLibrary = process.argv[2];
const v8 = new V8Engine();
const engine: CompilingEngine = wasmtimeLibrary === undefined ? v8 : await wasmtime(wasmtimeLibrary);
const modules = new Map<string, RewrittenModule>();

/** Loaded by the children that need it alone: koffi is native code and may not be installed. */
async function wasmtime(library: string): Promise<CompilingEngine> {
  const { WasmtimeEngine } = await import("./wasmtime-engine.ts");
  return new WasmtimeEngine(library);
}

function prepare({ code, maxMemoryPages, reportCalls }: Extract<ToChild, { type: "prepare" }>): Prepared {
  try {
    return { kind: "module", module: rewriteModule(code, { costVersion: 1, maxMemoryPages, reportCalls }) };
  } catch (error) {
    if (error instanceof ModuleRejection) return { kind: "rejected", outcome: rejectedOutcome(error) };
    throw error;
  }
}

function load({ key, module, forget }: Extract<ToChild, { type: "load" }>): FromChild {
  for (const old of forget) modules.delete(old);
  engine.compile(module);
  modules.set(key, module);
  return { type: "loaded" };
}

function held(key: string): RewrittenModule {
  const module = modules.get(key);
  if (module === undefined) throw new Error("the pool believes that this child holds a module which it does not");
  return module;
}

// The code is not needed any more where a module was made from it.
function run({ key, job }: Extract<ToChild, { type: "run" }>): FromChild {
  const module = held(key);
  return { type: "ran", outcome: executeModule(module, { ...job, code: module.bytes }, engine) };
}

function profile({ key, job }: Extract<ToChild, { type: "profile" }>): FromChild {
  const module = held(key);
  const profiling = new ProfilingEngine(v8, module, job.limits.maxFuel);
  const outcome = executeModule(module, { ...job, code: module.bytes }, profiling);
  return { type: "profiled", outcome, profile: profiling.finish() };
}

function answer(message: ToChild): FromChild {
  try {
    if (message.type === "load") return load(message);
    if (message.type === "run") return run(message);
    if (message.type === "profile") return profile(message);
    return { type: "prepared", prepared: prepare(message) };
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
