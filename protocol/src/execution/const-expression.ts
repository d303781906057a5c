/**
 * Constant expressions: initialisers of globals and elements, offsets of segments. Imported globals do not exist
 * here, so every offset has a known value, and a segment that does not fit is refused before anything runs.
 */
import type { ModuleLayout } from "./module.ts";
import { EXTERNREF, F32, F64, FUNCREF, I32, I64, Op, unsupportedFeature, V128 } from "./opcodes.ts";
import type { Reader } from "./reader.ts";
import { V128_CONST } from "./simd-opcodes.ts";

/** Deep nesting of extended constant expressions is nobody's real code. */
const MAX_DEPTH = 100;

interface Constant {
  readonly type: number;
  /** The value when the type is i32, else 0. */
  readonly value: number;
}

/** Reads an expression up to its `end`, checks that it has the expected type and returns its value if that is i32. */
export function readConstantExpression(reader: Reader, module: ModuleLayout, expected: number): number {
  const stack: Constant[] = [];
  for (;;) {
    const at = reader.position;
    const opcode = reader.u8();
    if (opcode === Op.end) break;
    const arithmetic = arithmeticType(opcode);
    if (arithmetic !== undefined) {
      const right = stack.pop();
      const left = stack.pop();
      if (left?.type !== arithmetic || right?.type !== arithmetic) {
        reader.reject("invalid", "type mismatch in a constant expression", at);
      }
      stack.push({ type: arithmetic, value: combine(opcode, left.value, right.value) });
    } else {
      stack.push(readConstant(reader, module, opcode, at));
    }
    if (stack.length > MAX_DEPTH) reader.reject("limit", "constant expression too deep", at);
  }
  const result = stack[0];
  if (stack.length !== 1 || result?.type !== expected) {
    reader.reject("invalid", "type mismatch in a constant expression", reader.position - 1);
  }
  return result.value;
}

function arithmeticType(opcode: number): number | undefined {
  if (opcode === Op.i32Add || opcode === Op.i32Sub || opcode === Op.i32Mul) return I32;
  if (opcode === Op.i64Add || opcode === Op.i64Sub || opcode === Op.i64Mul) return I64;
  return undefined;
}

function combine(opcode: number, left: number, right: number): number {
  if (opcode === Op.i32Add) return (left + right) | 0;
  if (opcode === Op.i32Sub) return (left - right) | 0;
  if (opcode === Op.i32Mul) return Math.imul(left, right);
  return 0;
}

function readConstant(reader: Reader, module: ModuleLayout, opcode: number, at: number): Constant {
  switch (opcode) {
    case Op.i32Const:
      return { type: I32, value: reader.s32() };
    case Op.i64Const:
      reader.skipS64();
      return { type: I64, value: 0 };
    case Op.f32Const:
      reader.skip(4);
      return { type: F32, value: 0 };
    case Op.f64Const:
      reader.skip(8);
      return { type: F64, value: 0 };
    case Op.refNull:
      return { type: readReferenceType(reader), value: 0 };
    case Op.refFunc: {
      const index = reader.u32();
      if (index >= module.functions.length) reader.reject("invalid", `unknown function ${index}`, at);
      module.declared.add(index);
      return { type: FUNCREF, value: 0 };
    }
    case Op.globalGet:
      return reader.reject("invalid", "a constant expression may only read imported globals, and there are none", at);
    case Op.prefixSimd:
      if (reader.u32() !== V128_CONST) reader.reject("invalid", "not a constant instruction", at);
      reader.skip(16);
      return { type: V128, value: 0 };
    default: {
      const feature = unsupportedFeature(opcode);
      if (feature !== undefined) reader.reject("feature", `${feature} is not supported`, at);
      return reader.reject("invalid", "not a constant instruction", at);
    }
  }
}

/** funcref or externref; the heap types of later proposals are refused by name. */
export function readReferenceType(reader: Reader): number {
  const at = reader.position;
  const type = reader.u8();
  if (type === FUNCREF || type === EXTERNREF) return type;
  const typed = type < 0x40 || type === 0x63 || type === 0x64;
  if (typed) reader.reject("feature", "typed function references is not supported", at);
  if (type === 0x69 || type === 0x74) reader.reject("feature", "exception handling is not supported", at);
  if (type >= 0x68 && type <= 0x73) reader.reject("feature", "garbage collection is not supported", at);
  return reader.reject("malformed", `0x${type.toString(16)} is no reference type`, at);
}

/** A number, vector or reference type. */
export function readValueType(reader: Reader): number {
  const at = reader.position;
  const type = reader.u8();
  if (type >= V128 && type <= I32) return type;
  reader.position = at;
  return readReferenceType(reader);
}
