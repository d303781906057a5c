/** Compiled contracts by the hash of their code. Instrumenting and compiling is slow, calls are not. */
import { createHash } from "node:crypto";
import { type ImportedFunction, instrument } from "./instrument.ts";
import type { FunctionType } from "./value-type.ts";
import { ContractError, type FunctionCallFailure, prepareError } from "./vm-error.ts";

/** Compiled modules are large: enough for every contract of a test network, not for an attacker's. */
const MAX_MODULES = 64;

export interface CompiledContract {
  readonly module: WebAssembly.Module;
  readonly imports: readonly ImportedFunction[];
  readonly exports: ReadonlyMap<string, FunctionType>;
  readonly dataEnd: number;
  readonly writeReach: number;
}

/** What preparing a contract came to; can be sent from one thread to another. */
export type PreparedContract = { compiled: CompiledContract } | { failure: FunctionCallFailure };

const entries = new Map<string, PreparedContract>();

const keyOf = (codeHash: Uint8Array) => Buffer.from(codeHash).toString("latin1");

/** Instruments and compiles: a fraction of a second for the largest contracts. */
export function prepareContract(code: Uint8Array<ArrayBuffer>): PreparedContract {
  try {
    const { bytes, ...rest } = instrument(code);
    return { compiled: { module: new WebAssembly.Module(bytes), ...rest } };
  } catch (error) {
    if (error instanceof ContractError) return { failure: error.failure };
    if (error instanceof WebAssembly.CompileError) return { failure: prepareError("Deserialization").failure };
    throw error;
  }
}

/** The least recently used stands first, and goes first. */
function keep(key: string, entry: PreparedContract): void {
  if (!entries.delete(key) && entries.size >= MAX_MODULES) entries.delete(entries.keys().next().value!);
  entries.set(key, entry);
}

export function isPrepared(codeHash: Uint8Array): boolean {
  return entries.has(keyOf(codeHash));
}

/** Takes what another thread has prepared, so that the first call need not. */
export function keepPrepared(codeHash: Uint8Array, prepared: PreparedContract): void {
  keep(keyOf(codeHash), prepared);
}

/** @throws ContractError `PrepareError`, when the code is not a contract that protocol 88 accepts */
export function compiledContract(code: Uint8Array<ArrayBuffer>, codeHash?: Uint8Array): CompiledContract {
  const key = keyOf(codeHash ?? createHash("sha256").update(code).digest());
  const entry = entries.get(key) ?? prepareContract(code);
  keep(key, entry);
  if ("failure" in entry) throw new ContractError(entry.failure);
  return entry.compiled;
}
