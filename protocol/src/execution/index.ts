/**
 * Deterministic execution of guests: `rewriteModule` turns hostile bytes into a metered module or a typed rejection,
 * `executeModule` runs it on any WebAssembly engine with a deterministic WASI preview 1 host. Pure; the node brings
 * the engine, the isolation and the limits in real time.
 */
export { COST_VERSION, type CostVersion, FUEL_DIVISOR, fuelOfTicks, ticksOfFuel } from "./cost-model.ts";
export { compiledOutcome, executeModule, type GuestEngine, type HostImports } from "./execute.ts";
export type { ImportTable } from "./import-table.ts";
export { MAX_FUEL, MAX_GUEST_MEMORY_PAGES, MAX_INPUT_BYTES, MAX_MODULE_BYTES, MAX_OUTPUT_BYTES } from "./limits.ts";
export type { Sha256 } from "./memory-digest.ts";
export {
  checkJob,
  EngineFailure,
  type ExecutionJob,
  type ExecutionLimits,
  type ExecutionOutcome,
  InvalidJobError,
  rejectedOutcome,
  type TrapKind,
} from "./outcome.ts";
export { type CallProfile, CallTree, MAX_CALL_NODES } from "./profile/call-tree.ts";
export { flameGraph } from "./profile/flame-graph.ts";
export { type FuelRow, fuelReport } from "./profile/fuel-report.ts";
export { functionNames } from "./profile/function-names.ts";
export { ModuleRejection, type ModuleRejectionCode } from "./rejection.ts";
export { type RewriteOptions, type RewrittenModule, rewriteModule } from "./rewriter.ts";
export { WASI_IMPORTS } from "./wasi/imports.ts";
