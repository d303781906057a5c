/**
 * Runs one method of a contract on Node's WebAssembly, with nearcore's gas to the unit
 * (near-vm-runner 0.38.0 wasmtime_runner/mod.rs: the order of checks and charges is observable).
 */

import { LIMITS } from "../parameters/protocol-config.ts";
import type { CallContext, CallExternal, CallOutcome } from "./call-context.ts";
import { NULL_CALLED, STACK_EXHAUSTED } from "./function-writer.ts";
import { altBn128Functions } from "./host/alt-bn128.ts";
import { bls12381Functions } from "./host/bls12-381.ts";
import { contextFunctions } from "./host/context.ts";
import { cryptoFunctions } from "./host/crypto.ts";
import { gasKeyFunctions } from "./host/gas-keys.ts";
import { globalContractFunctions } from "./host/global-contracts.ts";
import type { HostFunction, HostFunctions } from "./host/host-function.ts";
import { mlDsaFunctions } from "./host/ml-dsa.ts";
import { outputFunctions } from "./host/output.ts";
import { promiseActionFunctions } from "./host/promise-actions.ts";
import { promiseFunctions } from "./host/promises.ts";
import { registerFunctions } from "./host/registers.ts";
import { storageFunctions } from "./host/storage.ts";
import { universalAccountFunctions } from "./host/universal-accounts.ts";
import { HostCall } from "./host-call.ts";
import {
  EXHAUSTED_EXPORT,
  EXPORT_PREFIX,
  type ImportedFunction,
  INTERNAL_MODULE,
  MARK_EXPORT,
  MEMORY_IMPORT,
  REMAINING_GAS_EXPORT,
  REMAINING_STACK_EXPORT,
  START_EXPORT,
} from "./instrument.ts";
import { returnMemory, takeMemory } from "./memory-pool.ts";
import { type CompiledContract, compiledContract } from "./module-cache.ts";
import { F32, F64, type FunctionType, I32, I64 } from "./value-type.ts";
import { ContractError, type FunctionCallFailure, memoryAccessViolation, type WasmTrap } from "./vm-error.ts";

const HOST_FUNCTIONS: HostFunctions = {
  ...registerFunctions,
  ...contextFunctions,
  ...cryptoFunctions,
  ...mlDsaFunctions,
  ...altBn128Functions,
  ...bls12381Functions,
  ...outputFunctions,
  ...promiseFunctions,
  ...promiseActionFunctions,
  ...globalContractFunctions,
  ...gasKeyFunctions,
  ...universalAccountFunctions,
  ...storageFunctions,
};

/** V8's words for traps. A null function is found before V8 sees it. */
const TRAPS: readonly (readonly [string, WasmTrap])[] = [
  ["unreachable", "Unreachable"],
  ["memory access out of bounds", "MemoryOutOfBounds"],
  ["data segment", "MemoryOutOfBounds"],
  // As near-vm-runner has it, tables included.
  ["table index is out of bounds", "MemoryOutOfBounds"],
  ["table access out of bounds", "MemoryOutOfBounds"],
  ["element segment out of bounds", "MemoryOutOfBounds"],
  ["null function or function signature mismatch", "IncorrectCallIndirectSignature"],
  ["divide by zero", "IllegalArithmetic"],
  ["remainder by zero", "IllegalArithmetic"],
  ["divide result unrepresentable", "IllegalArithmetic"],
  ["float unrepresentable in integer range", "IllegalArithmetic"],
];

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [I32]: "i32",
  [I64]: "i64",
  [F32]: "f32",
  [F64]: "f64",
  112: "funcref",
  111: "externref",
};

/** A type as nearcore's engine prints it. */
function describeType(parameters: readonly string[], results: readonly string[]): string {
  const list = (word: string, types: readonly string[]) => (types.length > 0 ? ` (${word} ${types.join(" ")})` : "");
  return `(func${list("param", parameters)}${list("result", results)})`;
}

function describeImported({ parameters, results }: FunctionType): string {
  const names = (types: readonly number[]) => types.map((type) => TYPE_NAMES[type]!);
  return describeType(names(parameters), names(results));
}

function describeHost({ parameters, result }: HostFunction): string {
  const names = (letters: string) => [...letters].map((letter) => (letter === "j" ? "i64" : "i32"));
  return describeType(names(parameters), names(result));
}

function linkError(message: string): ContractError {
  return new ContractError({ kind: "LinkError", message });
}

/** Copies what the guest burnt into the counter; throws if the guest stopped because something ran out. */
class GuestGas {
  #gas: WebAssembly.Global | undefined;
  #exhausted: WebAssembly.Global | undefined;
  readonly #call: HostCall;

  constructor(call: HostCall) {
    this.#call = call;
  }

  attach(exports: WebAssembly.Exports): void {
    this.#gas = exports[REMAINING_GAS_EXPORT] as WebAssembly.Global;
    this.#exhausted = exports[EXHAUSTED_EXPORT] as WebAssembly.Global;
    (exports[REMAINING_STACK_EXPORT] as WebAssembly.Global).value = BigInt(LIMITS.max_stack_height);
  }

  enter(): void {
    this.#gas!.value = BigInt(this.#call.gas.remaining);
  }

  leave(): void {
    const burnt = this.#call.gas.remaining - Number(this.#gas!.value as bigint);
    if (burnt > 0) this.#call.gas.burn(burnt);
    const exhausted = this.#exhausted!.value as bigint;
    if (exhausted === STACK_EXHAUSTED) throw memoryAccessViolation();
    if (exhausted === NULL_CALLED) throw new ContractError({ kind: "WasmTrap", trap: "IndirectCallToNull" });
    if (exhausted !== 0n) this.#call.gas.burn(Number(exhausted));
  }
}

/** Why a contract cannot be linked: a host function that is not there, or has another type; in nearcore's words. */
function findLinkError(imports: readonly ImportedFunction[]): ContractError | undefined {
  for (const { name, type } of imports) {
    const host = Object.hasOwn(HOST_FUNCTIONS, name) ? HOST_FUNCTIONS[name] : undefined;
    if (host === undefined) return linkError("unknown or invalid import");
    const [expected, found] = [describeImported(type), describeHost(host)];
    if (expected !== found) {
      return linkError(`types incompatible: expected type \`${expected}\`, found type \`${found}\``);
    }
  }
  return undefined;
}

const linkErrors = new WeakMap<CompiledContract, ContractError | null>();

/** @throws ContractError `LinkError` */
function checkImports(compiled: CompiledContract): void {
  let error = linkErrors.get(compiled);
  if (error === undefined) {
    error = findLinkError(compiled.imports) ?? null;
    linkErrors.set(compiled, error);
  }
  if (error !== null) throw error;
}

function bindImports(imports: readonly ImportedFunction[], call: HostCall, gas: GuestGas): WebAssembly.ModuleImports {
  const bound: WebAssembly.ModuleImports = {};
  for (const { name } of imports) {
    const host = HOST_FUNCTIONS[name]!;
    const wide = host.result === "j";
    bound[name] = (...values: (bigint | number)[]) => {
      gas.leave();
      const result = host.run(
        call,
        ...values.map((value) => (typeof value === "bigint" ? BigInt.asUintN(64, value) : BigInt(value >>> 0))),
      );
      gas.enter();
      return wide ? result : result === undefined ? undefined : Number(result);
    };
  }
  return bound;
}

function trapOf(error: unknown): FunctionCallFailure {
  if (error instanceof WebAssembly.RuntimeError) {
    const trap = TRAPS.find(([words]) => error.message.includes(words))?.[1] ?? "GenericTrap";
    return { kind: "WasmTrap", trap };
  }
  // V8's own stack ended before the contract's 256 KiB did.
  if (error instanceof RangeError && error.message.includes("call stack")) {
    return { kind: "WasmTrap", trap: "StackOverflow" };
  }
  throw error;
}

function invoke(run: () => void, gas: GuestGas): void {
  gas.enter();
  try {
    run();
  } catch (error) {
    if (error instanceof ContractError) throw error;
    const failure = trapOf(error);
    gas.leave();
    throw new ContractError(failure);
  }
  gas.leave();
}

function instantiate(
  compiled: CompiledContract,
  env: WebAssembly.ModuleImports,
  memory: WebAssembly.Memory,
): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(compiled.module, { env, [INTERNAL_MODULE]: { [MEMORY_IMPORT]: memory } });
  } catch (error) {
    if (error instanceof WebAssembly.LinkError) throw linkError(error.message);
    throw new ContractError(trapOf(error));
  }
}

/** Splits what is left of the gas over the promises that asked for a share of it, the last gets the rest; how much. */
function distributeGas(call: HostCall): number {
  const total = call.gasWeights.reduce((sum, share) => sum + share.weight, 0n);
  if (total === 0n) return 0;
  const unused = call.gas.remaining;
  let given = 0;
  call.gasWeights.forEach((share, index) => {
    const isLast = index === call.gasWeights.length - 1;
    const gas = isLast ? unused - given : Number((BigInt(unused) * share.weight) / total);
    given += gas;
    const { actions } = call.receipts[share.receipt]!;
    const action = actions[share.action]!;
    if (action.kind === "FunctionCall") actions[share.action] = { ...action, gas: action.gas + gas };
  });
  call.gas.payAction(0, unused);
  return unused;
}

function nothingHappened(failure: FunctionCallFailure, context: CallContext): CallOutcome {
  return {
    gasBurnt: 0,
    gasUsed: 0,
    logs: [],
    failure,
    returned: { kind: "none" },
    receipts: [],
    weightedGas: 0,
    balance: context.balance,
    storageUsage: context.storageUsage,
  };
}

/** Where the memory that a call has used is zero again, whatever way the call ended. */
function writtenEnd(call: HostCall, compiled: CompiledContract, exports: WebAssembly.Exports | undefined): number {
  const mark = exports && ((exports[MARK_EXPORT] as WebAssembly.Global).value as number) >>> 0;
  return Math.max(call.writtenEnd, compiled.dataEnd, (mark ?? 0) + compiled.writeReach);
}

function execute(call: HostCall, compiled: CompiledContract, methodName: string): void {
  const gas = new GuestGas(call);
  const memory = takeMemory();
  let exports: WebAssembly.Exports | undefined;
  try {
    exports = instantiate(compiled, bindImports(compiled.imports, call, gas), memory).exports;
    gas.attach(exports);
    call.attachMemory(memory);
    const start = exports[START_EXPORT];
    if (typeof start === "function") invoke(start as () => void, gas);
    invoke(exports[EXPORT_PREFIX + methodName] as () => void, gas);
  } finally {
    returnMemory(memory, writtenEnd(call, compiled, exports));
  }
}

/** Runs `methodName`; every way it can end is in the outcome. Storage writes of a failed call are not undone here. */
export function runContract(
  code: Uint8Array<ArrayBuffer>,
  methodName: string,
  context: CallContext,
  external: CallExternal,
): CallOutcome {
  const call = new HostCall(context, external);
  let failure: FunctionCallFailure | undefined;
  let weightedGas = 0;
  try {
    if (methodName === "") throw new ContractError({ kind: "MethodResolveError", error: "MethodEmptyName" });
    const compiled = compiledContract(code, context.codeHash);
    call.gas.payPer("contract_loading_bytes", code.length);
    call.gas.payBase("contract_loading_base");
    checkImports(compiled);
    const type = compiled.exports.get(methodName);
    if (type === undefined) return nothingHappened({ kind: "MethodResolveError", error: "MethodNotFound" }, context);
    if (type.parameters.length > 0 || type.results.length > 0) {
      return nothingHappened({ kind: "MethodResolveError", error: "MethodInvalidSignature" }, context);
    }
    execute(call, compiled, methodName);
    weightedGas = distributeGas(call);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    failure = error.failure;
  }
  return {
    gasBurnt: call.gas.burnt,
    gasUsed: call.gas.used,
    logs: call.logs,
    failure,
    returned: failure === undefined ? call.returned : { kind: "none" },
    receipts: failure === undefined ? call.receipts : [],
    weightedGas,
    balance: call.balance,
    storageUsage: call.storageUsage,
  };
}
