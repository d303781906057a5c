/** The host functions that a guest may import, by module and name, with the only signature each may be imported as. */
import type { FunctionType } from "./module.ts";
import { signature } from "./opcodes.ts";

/** Module name → function name → type. */
export type ImportTable = ReadonlyMap<string, ReadonlyMap<string, FunctionType>>;

/** "il:i" is a function of an i32 and an i64 that returns an i32; the letters are those of opcodes.ts. */
export function hostFunctionType(text: string): FunctionType {
  const { params, results } = signature(text);
  return { params: Uint8Array.from(params), results: Uint8Array.from(results) };
}

export function sameTypes(left: ArrayLike<number>, right: ArrayLike<number>): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
