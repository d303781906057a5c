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

type Entry = { compiled: CompiledContract } | { failure: FunctionCallFailure };

const entries = new Map<string, Entry>();

function compile(code: Uint8Array<ArrayBuffer>): Entry {
  try {
    const { bytes, ...rest } = instrument(code);
    return { compiled: { module: new WebAssembly.Module(bytes), ...rest } };
  } catch (error) {
    if (error instanceof ContractError) return { failure: error.failure };
    if (error instanceof WebAssembly.CompileError) return { failure: prepareError("Deserialization").failure };
    throw error;
  }
}

/** @throws ContractError `PrepareError`, when the code is not a contract that protocol 88 accepts */
export function compiledContract(code: Uint8Array<ArrayBuffer>, codeHash?: Uint8Array): CompiledContract {
  const key = Buffer.from(codeHash ?? createHash("sha256").update(code).digest()).toString("latin1");
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = compile(code);
    if (entries.size >= MAX_MODULES) entries.delete(entries.keys().next().value!);
  } else {
    entries.delete(key); // the least recently used stands first
  }
  entries.set(key, entry);
  if ("failure" in entry) throw new ContractError(entry.failure);
  return entry.compiled;
}
