/** Value types of WebAssembly by their byte, and what they count for on the stack (nearcore's SimpleMaxStackCfg). */
import { prepareError } from "./vm-error.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;

const VALUE_BYTES = new Map([
  [I32, 4],
  [I64, 8],
  [F32, 4],
  [F64, 8],
  [0x70, 8],
  [0x6f, 8],
]);

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export function valueBytes(type: number): number {
  const bytes = VALUE_BYTES.get(type);
  if (bytes === undefined) throw prepareError("Deserialization");
  return bytes;
}
