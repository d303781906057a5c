/**
 * The 0xfd-prefixed instructions (fixed-width 128-bit SIMD, WebAssembly core specification 2.0). Sub-opcodes from
 * 0x100 on are relaxed SIMD, whose results may differ between machines: those are rejected.
 */
import { expandRows, type Signature } from "./opcodes.ts";

/** First sub-opcode of the relaxed SIMD proposal. */
export const RELAXED_SIMD_FIRST = 0x100;
export const V128_CONST = 12;
export const I8X16_SHUFFLE = 13;
export const F32X4_EQ = 65;
export const F64X2_EQ = 71;
export const V128_BITSELECT = 82;

/** Operand types by sub-opcode; load and store rows carry their natural alignment. */
export const SIMD: readonly (Signature | undefined)[] = expandRows(
  [
    [0, 0, "i:v", 4],
    [1, 6, "i:v", 3],
    [7, 7, "i:v", 0],
    [8, 8, "i:v", 1],
    [9, 9, "i:v", 2],
    [10, 10, "i:v", 3],
    [11, 11, "iv:", 4],
    [V128_CONST, V128_CONST, ":v"],
    [I8X16_SHUFFLE, 14, "vv:v"],
    [15, 17, "i:v"],
    [18, 18, "l:v"],
    [19, 19, "f:v"],
    [20, 20, "d:v"],
    [21, 22, "v:i"],
    [23, 23, "vi:v"],
    [24, 25, "v:i"],
    [26, 26, "vi:v"],
    [27, 27, "v:i"],
    [28, 28, "vi:v"],
    [29, 29, "v:l"],
    [30, 30, "vl:v"],
    [31, 31, "v:f"],
    [32, 32, "vf:v"],
    [33, 33, "v:d"],
    [34, 34, "vd:v"],
    [35, 76, "vv:v"],
    [77, 77, "v:v"],
    [78, 81, "vv:v"],
    [V128_BITSELECT, V128_BITSELECT, "vvv:v"],
    [83, 83, "v:i"],
    [84, 84, "iv:v", 0],
    [85, 85, "iv:v", 1],
    [86, 86, "iv:v", 2],
    [87, 87, "iv:v", 3],
    [88, 88, "iv:", 0],
    [89, 89, "iv:", 1],
    [90, 90, "iv:", 2],
    [91, 91, "iv:", 3],
    [92, 92, "i:v", 2],
    [93, 93, "i:v", 3],
    [94, 98, "v:v"],
    [99, 100, "v:i"],
    [101, 102, "vv:v"],
    [103, 106, "v:v"],
    [107, 109, "vi:v"],
    [110, 115, "vv:v"],
    [116, 117, "v:v"],
    [118, 121, "vv:v"],
    [122, 122, "v:v"],
    [123, 123, "vv:v"],
    [124, 129, "v:v"],
    [130, 130, "vv:v"],
    [131, 132, "v:i"],
    [133, 134, "vv:v"],
    [135, 138, "v:v"],
    [139, 141, "vi:v"],
    [142, 147, "vv:v"],
    [148, 148, "v:v"],
    [149, 153, "vv:v"],
    [155, 159, "vv:v"],
    [160, 161, "v:v"],
    [163, 164, "v:i"],
    [167, 170, "v:v"],
    [171, 173, "vi:v"],
    [174, 174, "vv:v"],
    [177, 177, "vv:v"],
    [181, 186, "vv:v"],
    [188, 191, "vv:v"],
    [192, 193, "v:v"],
    [195, 196, "v:i"],
    [199, 202, "v:v"],
    [203, 205, "vi:v"],
    [206, 206, "vv:v"],
    [209, 209, "vv:v"],
    [213, 223, "vv:v"],
    [224, 225, "v:v"],
    [227, 227, "v:v"],
    [228, 235, "vv:v"],
    [236, 237, "v:v"],
    [239, 239, "v:v"],
    [240, 247, "vv:v"],
    [248, 255, "v:v"],
  ],
  256,
);

/** Number of lanes that the lane immediate may name; 0 when the instruction has none. */
export function laneCount(opcode: number): number {
  if (opcode >= 21 && opcode <= 23) return 16;
  if (opcode >= 24 && opcode <= 26) return 8;
  if (opcode === 27 || opcode === 28 || opcode === 31 || opcode === 32) return 4;
  if (opcode === 29 || opcode === 30 || opcode === 33 || opcode === 34) return 2;
  if (opcode >= 84 && opcode <= 91) return 16 >> ((opcode - 84) & 3);
  return 0;
}
