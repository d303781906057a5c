/**
 * The contract's client: arguments of its methods, answers of its views, keys of its state and names of its panics.
 * It sends nothing: transactions and RPC belong to whoever uses it.
 */

export { nearAbi } from "./abi.ts";
export type {
  Attestation,
  AttestedBuild,
  AttestedResult,
  ExecutionRequest,
  ExecutionSource,
  LevelOptions,
  NetworkOptions,
  OutputDigest,
  Resolution,
  SignedStatement,
} from "./arguments.ts";
export {
  announceOutputArgs,
  appealArgs,
  bindBuildArgs,
  claimAndResolveArgs,
  claimAndResolveBorsh,
  claimLeaseArgs,
  claimLeaseBorsh,
  disputeArgs,
  finalizeExecutionArgs,
  initializeArgs,
  objectArgs,
  outputChunkArgs,
  proveEquivocationArgs,
  registerNodeArgs,
  renewLeaseArgs,
  requestExecutionArgs,
  resolveExecutionArgs,
  resolveExecutionBorsh,
  setLevelsArgs,
  setNodeStatusArgs,
} from "./arguments.ts";
export type { PanicCode } from "./errors.ts";
export { ContractViewError, PANIC_CODES, panicCode } from "./errors.ts";
export type { Caller, Method, MethodArgs, MethodName } from "./methods.ts";
export { CALLERS, METHODS, methodArgs } from "./methods.ts";
export type { StateKey } from "./state-keys.ts";
export { parseStateKey, stateKeys } from "./state-keys.ts";
export type { Build, Level, Network, PendingRecord } from "./views.ts";
export {
  parseAmount,
  parseBuild,
  parseNetwork,
  parseNode,
  parseNodes,
  parsePendingRecords,
  parseRecipes,
} from "./views.ts";
