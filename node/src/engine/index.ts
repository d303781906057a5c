/** The engine pool: deterministic execution of guests in preforked child processes. */
export { type AuditCounts, AuditedEngine, type Engine } from "./audited-engine.ts";
export { EngineFault, type EngineFaultCode } from "./engine-fault.ts";
export { EnginePool, type EnginePoolOptions, type EnginePoolStats } from "./engine-pool.ts";
export { FallbackEngine } from "./fallback-engine.ts";
export { type ProfiledRun, profileRun } from "./profile-run.ts";
export { sameOutcome } from "./same-outcome.ts";
export { chooseSandbox } from "./sandbox.ts";
