/** Structured control, branches and calls. */
import type { BodyContext } from "./body-context.ts";
import { readValueType } from "./const-expression.ts";
import { Edit } from "./edits.ts";
import { sameTypes } from "./import-table.ts";
import { MAX_BRANCH_TARGETS } from "./limits.ts";
import type { FunctionType } from "./module.ts";
import { EMPTY_BLOCK, EXTERNREF, F32, F64, FUNCREF, I32, I64, Op, V128 } from "./opcodes.ts";
import type { ControlFrame } from "./operand-stack.ts";
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
      body.counter.needGlobal(at);
      return stop(body);
    case Op.nop:
      return;
    case Op.block:
    case Op.loop:
    case Op.if:
      return open(body, opcode, at);
    case Op.else: {
      const frame = stack.popFrame();
      if (frame.opcode !== Op.if) body.reader.reject("invalid", "else without if", at);
      body.counter.openElse(at);
      body.edge(0);
      stack.pushFrame(Op.else, frame.params, frame.results);
      return body.charge(segments.openElse());
    }
    case Op.end: {
      const frame = stack.popFrame();
      if (frame.opcode === Op.if && !sameTypes(frame.params, frame.results)) {
        body.reader.reject("invalid", "an if without else must leave what it takes", at);
      }
      return close(body, frame, at);
    }
    case Op.br:
      stack.popAll(stack.label(label(body, at)));
      return stop(body);
    case Op.brIf: {
      stack.pop(I32);
      const types = stack.label(label(body, at));
      stack.popAll(types);
      stack.pushAll(types);
      return body.charge(segments.continueAfterBranch());
    }
    case Op.brTable:
      return branchTable(body, at);
    case Op.return:
      body.counter.needGlobal(at);
      body.edit(at, Edit.leave, stack.frames.length - 1);
      segments.branch(stack.frames.length - 1);
      stack.popAll(stack.frames[0]!.results);
      return stop(body);
    case Op.call: {
      const index = body.reader.u32();
      return call(body, calledType(body, index, at), at, index < body.module.imports.length);
    }
    case Op.callIndirect:
      return call(body, indirectlyCalledType(body, at), at, false);
    case Op.returnCall:
      return tailCall(body, calledType(body, body.reader.u32(), at), at);
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

function open(body: BodyContext, opcode: number, at: number): void {
  const stack = body.stack;
  const { params, results } = blockType(body);
  body.edge(params.length + results.length);
  if (opcode === Op.block) body.counter.openBlock();
  else if (opcode === Op.loop) body.counter.openLoop(at);
  else {
    body.counter.openIf(at);
    stack.pop(I32);
  }
  stack.popAll(params);
  stack.pushFrame(opcode, params, results);
  if (opcode === Op.block) body.segments.openBlock();
  else body.charge(opcode === Op.loop ? body.segments.openLoop() : body.segments.openIf());
}

/** Ends the innermost construct, or the function. */
function close(body: BodyContext, frame: ControlFrame, at: number): void {
  const { segments, stack } = body;
  body.counter.close(at, segments.endIsLabel());
  if (stack.frames.length > 0) stack.pushAll(frame.results);
  body.charge(segments.close());
}

/** Reads the label of the branch that starts at `at`, and tells the segments and the counter about it. */
function label(body: BodyContext, at: number): number {
  const offset = body.reader.position;
  const depth = body.reader.u32();
  if (depth >= body.stack.frames.length) body.reader.reject("invalid", `unknown label ${depth}`, offset);
  body.edge(body.stack.label(depth).length);
  body.segments.branch(depth);
  // Edits are in the order of their offsets: what the branch needs comes before whatever else it needs.
  body.counter.branch(at, depth);
  return depth;
}

function branchTable(body: BodyContext, at: number): void {
  const reader: Reader = body.reader;
  const stack = body.stack;
  stack.pop(I32);
  const count = reader.count(MAX_BRANCH_TARGETS, "branch targets");
  let arity = -1;
  for (let index = 0; index < count; index++) {
    const types = stack.label(label(body, at));
    if (arity === -1) arity = types.length;
    else if (types.length !== arity) reader.reject("invalid", "branch targets differ in arity");
    checkTop(body, types);
  }
  const types = stack.label(label(body, at));
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

function calledType(body: BodyContext, index: number, at: number): FunctionType {
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
  body.carry(type.params.length + type.results.length);
  body.maxCallSlots = Math.max(body.maxCallSlots, type.params.length + type.results.length);
}

function call(body: BodyContext, type: FunctionType, at: number, imported: boolean): void {
  noteCall(body, type);
  body.counter.leaveAndReturn(at);
  if (!imported) body.edit(at, Edit.passFrame);
  body.stack.popAll(type.params);
  body.stack.pushAll(type.results);
}

/** The callee takes this frame's place, so it must return what this function returns. */
function tailCall(body: BodyContext, type: FunctionType, at: number): void {
  noteCall(body, type);
  body.counter.needGlobal(at);
  body.edit(at, Edit.leaveFrame);
  body.segments.branch(body.stack.frames.length - 1);
  body.stack.popAll(type.params);
  if (!sameTypes(type.results, body.stack.frames[0]!.results)) {
    body.reader.reject("invalid", "a tail call to a function with other results", at);
  }
  stop(body);
}
