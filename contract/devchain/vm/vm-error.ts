/**
 * What can go wrong in a contract call, named and worded as near-vm-runner 0.38.0 (logic/errors.rs) does, because
 * callers compare these texts. A `ContractError` ends the call; anything else that is thrown is a bug of this chain.
 */

export type WasmTrap =
  | "Unreachable"
  | "IncorrectCallIndirectSignature"
  | "MemoryOutOfBounds"
  | "CallIndirectOOB"
  | "IllegalArithmetic"
  | "IndirectCallToNull"
  | "StackOverflow"
  | "GenericTrap";

export type MethodResolveError = "MethodEmptyName" | "MethodNotFound" | "MethodInvalidSignature";

export type PrepareError =
  | "Serialization"
  | "Deserialization"
  | "Instantiate"
  | "Memory"
  | "TooManyFunctions"
  | "TooManyLocals"
  | "TooManyTables"
  | "TooManyTableElements"
  | "FunctionBodyTooLarge"
  | "InstrumentedCodeTooLarge"
  | "TooManyBlocksPerFunction"
  | "TooManyBlocksPerContract"
  | "TooManyTypes"
  | "TooManyParamsPerContract"
  | "TooManyParamsPerFunction"
  | "OperandStackTooLarge";

export type FunctionCallFailure =
  | { kind: "HostError"; name: string; message: string }
  | { kind: "WasmTrap"; trap: WasmTrap }
  | { kind: "LinkError"; message: string }
  | { kind: "MethodResolveError"; error: MethodResolveError }
  | { kind: "CodeDoesNotExist"; accountId: string }
  | { kind: "PrepareError"; error: PrepareError };

export class ContractError extends Error {
  readonly failure: FunctionCallFailure;
  constructor(failure: FunctionCallFailure) {
    super(describeFailure(failure));
    this.name = "ContractError";
    this.failure = failure;
  }
}

/** A host function refused; `name` is nearcore's variant, `message` its text. */
export function hostError(name: string, message: string): ContractError {
  return new ContractError({ kind: "HostError", name, message });
}

export function prepareError(error: PrepareError): ContractError {
  return new ContractError({ kind: "PrepareError", error });
}

export const integerOverflow = () => hostError("IntegerOverflow", "Integer overflow.");
export const memoryAccessViolation = () => hostError("MemoryAccessViolation", "Accessed memory outside the bounds.");

const TRAP_TEXTS: Record<WasmTrap, string> = {
  Unreachable: "An `unreachable` opcode was executed.",
  IncorrectCallIndirectSignature: "Call indirect incorrect signature trap.",
  MemoryOutOfBounds: "Memory out of bounds trap.",
  CallIndirectOOB: "Call indirect out of bounds trap.",
  IllegalArithmetic: "An arithmetic exception, e.g. divided by zero.",
  IndirectCallToNull: "Indirect call to null.",
  StackOverflow: "Stack overflow.",
  GenericTrap: "Generic trap.",
};

const PREPARE_TEXTS: Record<PrepareError, string> = {
  Serialization: "Error happened while serializing the module.",
  Deserialization: "Error happened while deserializing the module.",
  Instantiate: "Error happened during instantiation.",
  Memory: "Error creating memory.",
  TooManyFunctions: "Too many functions in contract.",
  TooManyLocals: "Too many locals declared in the contract.",
  TooManyTables: "Too many tables declared in the contract.",
  TooManyTableElements: "Too many table elements declared in the contract.",
  FunctionBodyTooLarge: "A function body in the contract exceeds the size limit.",
  InstrumentedCodeTooLarge: "The instrumented code exceeds the size limit.",
  TooManyBlocksPerFunction: "Too many basic blocks in a function.",
  TooManyBlocksPerContract: "Too many basic blocks in a contract.",
  TooManyTypes: "Too many type-section entries declared in the contract.",
  TooManyParamsPerContract: "Too many function parameters in the contract",
  TooManyParamsPerFunction: "Too many parameters in a single function",
  OperandStackTooLarge: "A function uses too much operand stack.",
};

/** The text of a failure, as nearcore's `Display` of `FunctionCallError` writes it. */
export function describeFailure(failure: FunctionCallFailure): string {
  switch (failure.kind) {
    case "HostError":
      return failure.message;
    case "WasmTrap":
      return `WebAssembly trap: ${TRAP_TEXTS[failure.trap]}`;
    case "LinkError":
      return failure.message;
    case "MethodResolveError":
      return failure.error;
    case "CodeDoesNotExist":
      return `cannot find contract code for account ${failure.accountId}`;
    case "PrepareError":
      return `PrepareError: ${PREPARE_TEXTS[failure.error]}`;
  }
}

/** The JSON that nearcore puts into `ActionErrorKind::FunctionCallError` (and into view errors). */
export function failureToJson(failure: FunctionCallFailure): Record<string, unknown> {
  switch (failure.kind) {
    case "HostError":
    case "WasmTrap":
      return { ExecutionError: describeFailure(failure) };
    case "LinkError":
      return { ExecutionError: `Link Error: ${failure.message}` };
    case "MethodResolveError":
      return { MethodResolveError: failure.error };
    case "CodeDoesNotExist":
      return { CompilationError: { CodeDoesNotExist: { account_id: failure.accountId } } };
    case "PrepareError":
      return { CompilationError: { PrepareError: failure.error } };
  }
}
