/** The shape of a host function: its WebAssembly signature (nearcore's imports.rs) and what it does. */
import type { HostCall } from "../host-call.ts";

/** `j` is a 64-bit integer, passed as an unsigned bigint; `i` a 32-bit one, passed the same way. */
export interface HostFunction {
  readonly parameters: string;
  readonly result: "" | "j" | "i";
  run(call: HostCall, ...values: bigint[]): bigint | undefined;
}

export type HostFunctions = Readonly<Record<string, HostFunction>>;

export function procedure(parameterCount: number, run: (call: HostCall, ...values: bigint[]) => void): HostFunction {
  return {
    parameters: "j".repeat(parameterCount),
    result: "",
    run: (call, ...values) => {
      run(call, ...values);
      return undefined;
    },
  };
}

export function query(
  parameterCount: number,
  run: (call: HostCall, ...values: bigint[]) => bigint,
  result: "j" | "i" = "j",
): HostFunction {
  return { parameters: "j".repeat(parameterCount), result, run };
}
