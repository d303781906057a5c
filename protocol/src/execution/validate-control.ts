/** Structured control, branches and calls. */
import type { BodyContext } from "./body-context.ts";
import { readValueType } from "./const-expression.ts";
import { Edit } from "./edits.ts";
import { sameTypes } from "./import-table.ts";
import { MAX_BRANCH_TARGETS } from "./limits.ts";
import type { FunctionType } from "./module.ts";
import { EMPTY_BLOCK, EXTERNREF, F32, F64, FUNCREF, I32, I64, Op, V128 } from "./opcodes.ts";
import type { Reader } from "./reader.ts";

const NO_TYPES: readonly number[] = [];
const ONE_TYPE: ReadonlyMap<number, readonly number[]> = new Map(
  [I32, I64, F32, F64, V128, FUNCREF, EXTERNREF].map((type) => [type, [type]]),
);

export function control(body: BodyContext, opcode: number, at: number): void {
  const { segments } = body;
  const stack = body.stack;
  if (opcode < Op.call) body.firstWithdrawable = body.edits.length;
  switch (opcode) {
    case Op.unreachable:
      body.edit(at, Edit.writeBack);
      return stop(body);
    case Op.nop:
      return;
    case Op.block:
    case Op.loop:
    case Op.if:
      return open(body, opcode);
    case Op.else: {
      const frame = stack.popFrame();
      if (frame.opcode !== Op.if) body.reader.reject("invalid", "else without if", at);
      stack.pushFrame(Op.else, frame.params, frame.results);
      return body.charge(segments.openElse());
    }
    case Op.end: {
      const frame = stack.popFrame();
      if (frame.opcode === Op.if && !sameTypes(frame.params, frame.results)) {
        body.reader.reject("invalid", "an if without else must leave what it takes", at);
      }
      if (stack.frames.length > 0) stack.pushAll(frame.results);
      return body.charge(segments.close());
    }
    case Op.br:
      stack.popAll(stack.label(label(body)));
      return stop(body);
    case Op.brIf: {
      stack.pop(I32);
      const types = stack.label(label(body));
      stack.popAll(types);
      stack.pushAll(types);
      return body.charge(segments.continueAfterBranch());
    }
    case Op.brTable:
      return branchTable(body);
    case Op.return:
      body.edit(at, Edit.leave, stack.frames.length - 1);
      segments.branch(stack.frames.length - 1);
      stack.popAll(stack.frames[0]!.results);
      return stop(body);
    case Op.call:
      return call(body, calledType(body, at), at);
    case Op.callIndirect:
      return call(body, indirectlyCalledType(body, at), at);
    case Op.returnCall:
      return tailCall(body, calledType(body, at), at);
    case Op.returnCallIndirect:
      return tailCall(body, indirectlyCalledType(body, at), at);
    default:
      return body.unknown(opcode, at);
  }
}

function blockType(body: BodyContext): { params: ArrayLike<number>; results: ArrayLike<number> } {
  const reader: Reader = body.reader;
  const at = reader.position;
  const first = reader.bytes[at];
  if (first === EMPTY_BLOCK) {
    reader.u8();
    return { params: NO_TYPES, results: NO_TYPES };
  }
  if (first !== undefined && first > EMPTY_BLOCK && first < 0x80) {
    return { params: NO_TYPES, results: ONE_TYPE.get(readValueType(reader))! };
  }
  const index = reader.s33();
  const type = body.module.types[index];
  if (type === undefined) reader.reject("invalid", `unknown type ${index}`, at);
  return type;
}

function stop(body: BodyContext): void {
  body.segments.stop();
  body.stack.setUnreachable();
}

function open(body: BodyContext, opcode: number): void {
  const stack = body.stack;
  const { params, results } = blockType(body);
  if (opcode === Op.if) stack.pop(I32);
  stack.popAll(params);
  stack.pushFrame(opcode, params, results);
  if (opcode === Op.block) body.segments.openBlock();
  else body.charge(opcode === Op.loop ? body.segments.openLoop() : body.segments.openIf());
}

/** Reads a label and tells the segments about the branch. */
function label(body: BodyContext): number {
  const at = body.reader.position;
  const depth = body.reader.u32();
  if (depth >= body.stack.frames.length) body.reader.reject("invalid", `unknown label ${depth}`, at);
  body.segments.branch(depth);
  return depth;
}

function branchTable(body: BodyContext): void {
  const reader: Reader = body.reader;
  const stack = body.stack;
  stack.pop(I32);
  const count = reader.count(MAX_BRANCH_TARGETS, "branch targets");
  let arity = -1;
  for (let index = 0; index < count; index++) {
    const types = stack.label(label(body));
    if (arity === -1) arity = types.length;
    else if (types.length !== arity) reader.reject("invalid", "branch targets differ in arity");
    checkTop(body, types);
  }
  const types = stack.label(label(body));
  if (arity !== -1 && types.length !== arity) reader.reject("invalid", "branch targets differ in arity");
  stack.popAll(types);
  stop(body);
}

/** The top operands fit these types; they stay as they are. */
function checkTop(body: BodyContext, types: ArrayLike<number>): void {
  const stack = body.stack;
  const popped: number[] = [];
  for (let index = types.length - 1; index >= 0; index--) popped.push(stack.pop(types[index]!));
  for (let index = popped.length - 1; index >= 0; index--) stack.push(popped[index]!);
}

function calledType(body: BodyContext, at: number): FunctionType {
  const index = body.reader.u32();
  const type = body.module.functions[index];
  if (type === undefined) body.reader.reject("invalid", `unknown function ${index}`, at);
  return body.module.types[type]!;
}

/** Reads the immediates of an indirect call and takes the index into the table. */
function indirectlyCalledType(body: BodyContext, at: number): FunctionType {
  const reader: Reader = body.reader;
  const typeIndex = reader.u32();
  const type = body.module.types[typeIndex];
  if (type === undefined) reader.reject("invalid", `unknown type ${typeIndex}`, at);
  if (body.table(at) !== FUNCREF) reader.reject("invalid", "an indirect call through a table of externref", at);
  body.stack.pop(I32);
  return type;
}

function noteCall(body: BodyContext, type: FunctionType): void {
  body.calls++;
  body.maxCallSlots = Math.max(body.maxCallSlots, type.params.length + type.results.length);
}

function call(body: BodyContext, type: FunctionType, at: number): void {
  noteCall(body, type);
  body.edit(at, Edit.writeBack);
  body.stack.popAll(type.params);
  body.stack.pushAll(type.results);
  body.edit(body.reader.position, Edit.reload);
}

/** The callee takes this frame's place, so it must return what this function returns. */
function tailCall(body: BodyContext, type: FunctionType, at: number): void {
  noteCall(body, type);
  body.edit(at, Edit.leaveFrame);
  body.segments.branch(body.stack.frames.length - 1);
  body.stack.popAll(type.params);
  if (!sameTypes(type.results, body.stack.frames[0]!.results)) {
    body.reader.reject("invalid", "a tail call to a function with other results", at);
  }
  stop(body);
}
