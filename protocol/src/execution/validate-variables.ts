/** Parametric, local, global and table access, constants and references. */
import type { BodyContext } from "./body-context.ts";
import { readReferenceType, readValueType } from "./const-expression.ts";
import { Edit } from "./edits.ts";
import { EXTERNREF, F32, F64, FUNCREF, I32, I64, Op } from "./opcodes.ts";
import { NEVER_NAN, UNKNOWN } from "./operand-stack.ts";
import { readLocal, writeLocal } from "./raw-locals.ts";
import type { Reader } from "./reader.ts";

export function variable(body: BodyContext, opcode: number, at: number): void {
  const stack = body.stack;
  switch (opcode) {
    case Op.drop:
      body.withdraw(1);
      stack.pop(UNKNOWN);
      return;
    case Op.select:
      return select(body, at);
    case Op.selectTyped: {
      if (body.reader.u32() !== 1) body.reader.reject("invalid", "select takes one type", at);
      const type = readValueType(body.reader);
      stack.pop(I32);
      stack.pop(type);
      stack.pop(type);
      return stack.push(type);
    }
    case Op.localGet: {
      const index = local(body, at);
      stack.push(body.locals[index]!);
      return readLocal(body, index);
    }
    case Op.localSet: {
      const index = local(body, at);
      writeLocal(body, index);
      stack.pop(body.locals[index]!);
      return;
    }
    case Op.localTee: {
      const index = local(body, at);
      const type = body.locals[index]!;
      const dependsOnLocal = writeLocal(body, index);
      stack.pop(type);
      stack.push(type);
      if (dependsOnLocal) readLocal(body, index);
      return;
    }
    case Op.globalGet:
    case Op.globalSet:
      return global(body, opcode, at);
    case Op.tableGet: {
      const element = body.table(at);
      stack.pop(I32);
      return stack.push(element);
    }
    case Op.tableSet:
      stack.pop(body.table(at));
      stack.pop(I32);
      return;
    default:
      return body.unknown(opcode, at);
  }
}

function local(body: BodyContext, at: number): number {
  const index = body.reader.u32();
  if (index >= body.localCount) body.reader.reject("invalid", `unknown local ${index}`, at);
  return index;
}

function select(body: BodyContext, at: number): void {
  const stack = body.stack;
  stack.pop(I32);
  const first = stack.pop(UNKNOWN);
  const second = stack.pop(first);
  const type = first === UNKNOWN ? second : first;
  if (type === FUNCREF || type === EXTERNREF) body.reader.reject("invalid", "select of references needs a type", at);
  stack.push(type);
}

function global(body: BodyContext, opcode: number, at: number): void {
  const index = body.reader.u32();
  const global = body.module.globals[index];
  if (global === undefined) body.reader.reject("invalid", `unknown global ${index}`, at);
  if (opcode === Op.globalGet) return body.stack.push(global.type);
  if (!global.mutable) body.reader.reject("invalid", `global ${index} is immutable`, at);
  body.stack.pop(global.type);
}

export function constantOrReference(body: BodyContext, opcode: number, at: number): void {
  const reader: Reader = body.reader;
  const stack = body.stack;
  switch (opcode) {
    case Op.memorySize:
      body.memory(at);
      return stack.push(I32);
    case Op.memoryGrow: {
      const memory = body.memory(at);
      body.counter.leaveAndReturn(at);
      body.edit(at, Edit.grow, memory);
      stack.pop(I32);
      return stack.push(I32);
    }
    case Op.i32Const:
      reader.s32();
      return stack.push(I32);
    case Op.i64Const:
      reader.skipS64();
      return stack.push(I64);
    case Op.f32Const: {
      reader.skip(4);
      stack.push(F32);
      const top = (reader.bytes[reader.position - 1]! << 8) | reader.bytes[reader.position - 2]!;
      if ((top & 0x7f80) !== 0x7f80) stack.markTop(NEVER_NAN);
      return;
    }
    case Op.f64Const: {
      reader.skip(8);
      stack.push(F64);
      const top = (reader.bytes[reader.position - 1]! << 8) | reader.bytes[reader.position - 2]!;
      if ((top & 0x7ff0) !== 0x7ff0) stack.markTop(NEVER_NAN);
      return;
    }
    case Op.refNull:
      return stack.push(readReferenceType(reader));
    case Op.refIsNull:
      stack.popReference();
      return stack.push(I32);
    case Op.refFunc: {
      const index = reader.u32();
      if (!body.module.declared.has(index)) reader.reject("invalid", `undeclared function reference ${index}`, at);
      return stack.push(FUNCREF);
    }
    default:
      return body.unknown(opcode, at);
  }
}
