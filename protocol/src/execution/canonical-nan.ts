/**
 * Which instructions may produce a NaN whose bits the specification leaves open, and which consumers cannot tell
 * one NaN from another. Results of the former are replaced by the canonical NaN unless the next consumer of that very
 * value is one of the latter. Stores, locals, globals, calls and branches always see canonical bits.
 */
import { Op } from "./opcodes.ts";
import { F32X4_EQ, F64X2_EQ, V128_BITSELECT, V128_CONST } from "./simd-opcodes.ts";
import type { Writer } from "./writer.ts";

export const NAN_NONE = 0;
export const NAN_F32 = 1;
export const NAN_F64 = 2;

/** Width of a scalar NaN that the opcode may make: arithmetic, rounding, min/max, sqrt, promote and demote. */
export const PRODUCES_NAN = new Uint8Array(256);
PRODUCES_NAN.fill(NAN_F32, 0x8d, 0x98);
PRODUCES_NAN.fill(NAN_F64, 0x9b, 0xa6);
PRODUCES_NAN[0xb6] = NAN_F32;
PRODUCES_NAN[0xbb] = NAN_F64;

/** 1 for conversions of integers, whose results are numbers. */
export const FROM_INTEGER = new Uint8Array(256);
FROM_INTEGER.fill(1, 0xb2, 0xb6);
FROM_INTEGER.fill(1, 0xb7, 0xbb);

/** 1 for instructions whose effect is the same for every NaN operand. abs, neg and copysign are not among them. */
export const IGNORES_NAN_BITS = new Uint8Array(256);
for (let opcode = 0; opcode < 256; opcode++) if (PRODUCES_NAN[opcode] !== NAN_NONE) IGNORES_NAN_BITS[opcode] = 1;
IGNORES_NAN_BITS.fill(1, 0x5b, 0x67);
for (const truncation of [0xa8, 0xa9, 0xaa, 0xab, 0xae, 0xaf, 0xb0, 0xb1]) IGNORES_NAN_BITS[truncation] = 1;
IGNORES_NAN_BITS[Op.drop] = 1;

/** Lane width of NaNs that a SIMD instruction may make. pmin and pmax only select bits and are not listed. */
export const SIMD_PRODUCES_NAN = new Uint8Array(256);
for (const opcode of [94, 103, 104, 105, 106, 227, 228, 229, 230, 231, 232, 233]) SIMD_PRODUCES_NAN[opcode] = NAN_F32;
for (const opcode of [95, 116, 117, 122, 148, 239, 240, 241, 242, 243, 244, 245]) SIMD_PRODUCES_NAN[opcode] = NAN_F64;

const F32_NAN = [0x00, 0x00, 0xc0, 0x7f];
const F64_NAN = [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f];

/** `x == x ? x : NaN` for the value on the stack, through the scratch local. */
export function emitScalarCanonicalisation(out: Writer, width: number, local: number): void {
  out.u8(Op.localTee);
  out.u32(local);
  out.u8(width === NAN_F32 ? Op.f32Const : Op.f64Const);
  out.raw(width === NAN_F32 ? F32_NAN : F64_NAN);
  out.u8(Op.localGet);
  out.u32(local);
  out.u8(Op.localGet);
  out.u32(local);
  out.u8(width === NAN_F32 ? Op.f32Eq : Op.f64Eq);
  out.u8(Op.select);
}

/** The same lane by lane, with the comparison's mask selecting between value and NaN. */
export function emitVectorCanonicalisation(out: Writer, width: number, local: number): void {
  out.u8(Op.localTee);
  out.u32(local);
  out.u8(Op.prefixSimd);
  out.u32(V128_CONST);
  const lane = width === NAN_F32 ? F32_NAN : F64_NAN;
  for (let bytes = 0; bytes < 16; bytes += lane.length) out.raw(lane);
  out.u8(Op.localGet);
  out.u32(local);
  out.u8(Op.localGet);
  out.u32(local);
  out.u8(Op.prefixSimd);
  out.u32(width === NAN_F32 ? F32X4_EQ : F64X2_EQ);
  out.u8(Op.prefixSimd);
  out.u32(V128_BITSELECT);
}
