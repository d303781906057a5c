/**
 * Validates one function body (WebAssembly core specification 2.0, chapter 3.4 and appendix 7.3) and, in the same
 * pass, finds its segments, their ticks and the edits that the rewriting will make. Code that can never run is
 * validated but neither charged nor changed.
 */
import type { BodyPlan } from "./body.ts";
import { IGNORES_NAN_BITS, NAN_F32, PRODUCES_NAN, SIMD_PRODUCES_NAN } from "./canonical-nan.ts";
import { readReferenceType, readValueType } from "./const-expression.ts";
import { BULK_TICKS, simdTicks, TICKS } from "./cost-model.ts";
import { Edit, EditList } from "./edits.ts";
import { MAX_BRANCH_TARGETS, MAX_LOCALS } from "./limits.ts";
import type { FunctionType, ModuleLayout } from "./module.ts";
import {
  Bulk,
  EMPTY_BLOCK,
  EXTERNREF,
  F32,
  F64,
  FUNCREF,
  I32,
  I64,
  Op,
  PLAIN,
  SATURATING,
  type Signature,
  unsupportedFeature,
  V128,
} from "./opcodes.ts";
import { OperandStack, UNKNOWN } from "./operand-stack.ts";
import { Reader } from "./reader.ts";
import { SegmentBuilder } from "./segments.ts";
import { I8X16_SHUFFLE, laneCount, RELAXED_SIMD_FIRST, SIMD, V128_CONST } from "./simd-opcodes.ts";

const NO_TYPES: readonly number[] = [];
const ONE_TYPE: ReadonlyMap<number, readonly number[]> = new Map(
  [I32, I64, F32, F64, V128, FUNCREF, EXTERNREF].map((type) => [type, [type]]),
);
const LENGTH_OPERANDS: readonly number[] = [I32, I32, I32];

/** Reused from body to body: its buffers are as large as the largest function. */
export class BodyValidator {
  readonly segments = new SegmentBuilder();
  readonly edits = new EditList();
  readonly #module: ModuleLayout;
  readonly #stack: OperandStack;
  #reader: Reader;
  #locals: Uint8Array = new Uint8Array(64);
  #localCount = 0;
  #calls = 0;
  #nanF32 = false;
  #nanF64 = false;
  #nanV128 = false;
  /** Edits below this number belong to values that control flow may have copied: they stay. */
  #firstWithdrawable = 0;

  constructor(module: ModuleLayout) {
    this.#module = module;
    this.#reader = new Reader(module.bytes);
    this.#stack = new OperandStack(this.#reader);
  }

  /** Validates the body of a defined function; segments and edits stay readable until the next call. */
  run(definedIndex: number): BodyPlan {
    const module = this.#module;
    const { start, end } = module.bodies[definedIndex]!;
    const type = module.types[module.functions[module.imports.length + definedIndex]!]!;
    const reader = new Reader(module.bytes, start, end);
    this.#reader = reader;
    this.edits.clear();
    this.segments.begin();
    this.#stack.begin(reader, type.results);
    this.#calls = 0;
    this.#nanF32 = false;
    this.#nanF64 = false;
    this.#nanV128 = false;
    this.#firstWithdrawable = 0;
    this.#localCount = 0;
    for (const param of type.params) this.#addLocals(1, param);
    const localGroups = reader.u32();
    const groupsStart = reader.position;
    for (let group = 0; group < localGroups; group++) {
      const count = reader.u32();
      this.#addLocals(count, readValueType(reader));
    }
    const codeStart = reader.position;
    this.edits.add(codeStart, Edit.charge, 0);
    while (this.#stack.frames.length > 0) this.#instruction();
    reader.expectEnd("a function body");
    this.segments.hoist();
    return {
      localGroups,
      groupsStart,
      codeStart,
      end,
      locals: this.#localCount,
      maxOperands: this.#stack.maxHeight,
      usesVectors: this.#stack.sawVector,
      calls: this.#calls,
      nanF32: this.#nanF32,
      nanF64: this.#nanF64,
      nanV128: this.#nanV128,
    };
  }

  #addLocals(count: number, type: number): void {
    const total = this.#localCount + count;
    if (total > MAX_LOCALS) this.#reader.reject("limit", `${total} locals, at most ${MAX_LOCALS}`);
    if (total > this.#locals.length) {
      const grown = new Uint8Array(Math.max(total, this.#locals.length * 2));
      grown.set(this.#locals);
      this.#locals = grown;
    }
    this.#locals.fill(type, this.#localCount, total);
    this.#localCount = total;
    if (type === V128 && count > 0) this.#stack.sawVector = true;
  }

  #edit(position: number, kind: number, operand = 0): void {
    if (!this.segments.dead) this.edits.add(position, kind, operand);
  }

  #charge(segment: number): void {
    if (segment >= 0) this.edits.add(this.#reader.position, Edit.charge, segment);
  }

  #instruction(): void {
    const reader: Reader = this.#reader;
    const at = reader.position;
    const opcode = reader.u8();
    this.segments.spend(TICKS[opcode]!);
    const plain = PLAIN[opcode];
    if (plain !== undefined) this.#plain(opcode, plain);
    else if (opcode <= Op.callIndirect) this.#control(opcode, at);
    else if (opcode <= Op.tableSet) this.#variable(opcode, at);
    else if (opcode === Op.prefixSimd) this.#simd(at);
    else if (opcode === Op.prefixBulk) this.#bulk(at);
    else this.#constantOrReference(opcode, at);
  }

  #unknown(opcode: number, at: number): never {
    const feature = unsupportedFeature(opcode);
    if (feature !== undefined) this.#reader.reject("feature", `${feature} is not supported`, at);
    return this.#reader.reject("malformed", `unknown instruction 0x${opcode.toString(16)}`, at);
  }

  #plain(opcode: number, types: Signature): void {
    const stack = this.#stack;
    if (types.alignment >= 0) this.#memoryImmediate(types.alignment);
    const { params, results } = types;
    if (IGNORES_NAN_BITS[opcode] === 1) this.#withdraw(params.length);
    for (let index = params.length - 1; index >= 0; index--) stack.pop(params[index]!);
    if (results.length === 0) return;
    stack.push(results[0]!);
    const width = PRODUCES_NAN[opcode]!;
    if (width === 0 || this.segments.dead) return;
    if (width === NAN_F32) this.#nanF32 = true;
    else this.#nanF64 = true;
    stack.markTop(this.edits.add(this.#reader.position, Edit.scalarNan, width));
  }

  /** The top `count` operands are consumed by something that cannot tell NaNs apart. */
  #withdraw(count: number): void {
    for (let below = 0; below < count; below++) {
      const edit = this.#stack.editBelowTop(below);
      if (edit >= this.#firstWithdrawable) this.edits.kinds[edit] = Edit.none;
    }
  }

  #memoryImmediate(naturalAlignment: number): void {
    const reader: Reader = this.#reader;
    const at = reader.position;
    const alignment = reader.u32();
    if ((alignment & 0x40) !== 0) reader.reject("feature", "multiple memories is not supported", at);
    if (alignment > naturalAlignment) reader.reject("invalid", "alignment above the natural one", at);
    reader.u32();
    this.#needMemory(at);
  }

  #needMemory(at: number): void {
    if (this.#module.memory === undefined) this.#reader.reject("invalid", "unknown memory 0", at);
  }

  #blockType(): { params: ArrayLike<number>; results: ArrayLike<number> } {
    const reader: Reader = this.#reader;
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
    const type = this.#module.types[index];
    if (type === undefined) reader.reject("invalid", `unknown type ${index}`, at);
    return type;
  }

  #control(opcode: number, at: number): void {
    const { segments } = this;
    const stack = this.#stack;
    if (opcode < Op.call) this.#firstWithdrawable = this.edits.length;
    switch (opcode) {
      case Op.unreachable:
        this.#edit(at, Edit.writeBack);
        return this.#stop();
      case Op.nop:
        return;
      case Op.block:
      case Op.loop:
      case Op.if:
        return this.#open(opcode);
      case Op.else: {
        const frame = stack.popFrame();
        if (frame.opcode !== Op.if) this.#reader.reject("invalid", "else without if", at);
        stack.pushFrame(Op.else, frame.params, frame.results);
        return this.#charge(segments.openElse());
      }
      case Op.end: {
        const frame = stack.popFrame();
        if (frame.opcode === Op.if && !sameArray(frame.params, frame.results)) {
          this.#reader.reject("invalid", "an if without else must leave what it takes", at);
        }
        if (stack.frames.length > 0) stack.pushAll(frame.results);
        return this.#charge(segments.close());
      }
      case Op.br:
        stack.popAll(stack.label(this.#label()));
        return this.#stop();
      case Op.brIf: {
        stack.pop(I32);
        const types = stack.label(this.#label());
        stack.popAll(types);
        stack.pushAll(types);
        return this.#charge(segments.continueAfterBranch());
      }
      case Op.brTable:
        return this.#branchTable();
      case Op.return:
        this.#edit(at, Edit.leave, stack.frames.length - 1);
        segments.branch(stack.frames.length - 1);
        stack.popAll(stack.frames[0]!.results);
        return this.#stop();
      case Op.call:
        return this.#call(this.#calledType(at), at);
      case Op.callIndirect:
        return this.#callIndirect(at);
      default:
        return this.#unknown(opcode, at);
    }
  }

  #stop(): void {
    this.segments.stop();
    this.#stack.setUnreachable();
  }

  #open(opcode: number): void {
    const stack = this.#stack;
    const { params, results } = this.#blockType();
    if (opcode === Op.if) stack.pop(I32);
    stack.popAll(params);
    stack.pushFrame(opcode, params, results);
    if (opcode === Op.block) this.segments.openBlock();
    else this.#charge(opcode === Op.loop ? this.segments.openLoop() : this.segments.openIf());
  }

  /** Reads a label and tells the segments about the branch. */
  #label(): number {
    const at = this.#reader.position;
    const depth = this.#reader.u32();
    if (depth >= this.#stack.frames.length) this.#reader.reject("invalid", `unknown label ${depth}`, at);
    this.segments.branch(depth);
    return depth;
  }

  #branchTable(): void {
    const reader: Reader = this.#reader;
    const stack = this.#stack;
    stack.pop(I32);
    const count = reader.count(MAX_BRANCH_TARGETS, "branch targets");
    let arity = -1;
    for (let index = 0; index < count; index++) {
      const types = stack.label(this.#label());
      if (arity === -1) arity = types.length;
      else if (types.length !== arity) reader.reject("invalid", "branch targets differ in arity");
      this.#checkTop(types);
    }
    const types = stack.label(this.#label());
    if (arity !== -1 && types.length !== arity) reader.reject("invalid", "branch targets differ in arity");
    stack.popAll(types);
    this.#stop();
  }

  /** The top operands fit these types; they stay as they are. */
  #checkTop(types: ArrayLike<number>): void {
    const stack = this.#stack;
    const popped: number[] = [];
    for (let index = types.length - 1; index >= 0; index--) popped.push(stack.pop(types[index]!));
    for (let index = popped.length - 1; index >= 0; index--) stack.push(popped[index]!);
  }

  #calledType(at: number): FunctionType {
    const index = this.#reader.u32();
    const type = this.#module.functions[index];
    if (type === undefined) this.#reader.reject("invalid", `unknown function ${index}`, at);
    return this.#module.types[type]!;
  }

  #callIndirect(at: number): void {
    const reader: Reader = this.#reader;
    const typeIndex = reader.u32();
    const type = this.#module.types[typeIndex];
    if (type === undefined) reader.reject("invalid", `unknown type ${typeIndex}`, at);
    if (this.#table(at) !== FUNCREF) reader.reject("invalid", "an indirect call through a table of externref", at);
    this.#stack.pop(I32);
    this.#call(type, at);
  }

  #call(type: FunctionType, at: number): void {
    this.#calls++;
    this.#edit(at, Edit.writeBack);
    this.#stack.popAll(type.params);
    this.#stack.pushAll(type.results);
    this.#edit(this.#reader.position, Edit.reload);
  }

  /** Element type of the table that the immediate names. */
  #table(at: number): number {
    const index = this.#reader.u32();
    const table = this.#module.tables[index];
    if (table === undefined) this.#reader.reject("invalid", `unknown table ${index}`, at);
    return table.element;
  }

  #local(at: number): number {
    const index = this.#reader.u32();
    if (index >= this.#localCount) this.#reader.reject("invalid", `unknown local ${index}`, at);
    return this.#locals[index]!;
  }

  #variable(opcode: number, at: number): void {
    const stack = this.#stack;
    switch (opcode) {
      case Op.drop:
        this.#withdraw(1);
        stack.pop(UNKNOWN);
        return;
      case Op.select:
        return this.#select(at);
      case Op.selectTyped: {
        if (this.#reader.u32() !== 1) this.#reader.reject("invalid", "select takes one type", at);
        const type = readValueType(this.#reader);
        stack.pop(I32);
        stack.pop(type);
        stack.pop(type);
        return stack.push(type);
      }
      case Op.localGet:
        return stack.push(this.#local(at));
      case Op.localSet:
        stack.pop(this.#local(at));
        return;
      case Op.localTee: {
        const type = this.#local(at);
        stack.pop(type);
        return stack.push(type);
      }
      case Op.globalGet:
      case Op.globalSet:
        return this.#global(opcode, at);
      case Op.tableGet: {
        const element = this.#table(at);
        stack.pop(I32);
        return stack.push(element);
      }
      case Op.tableSet:
        stack.pop(this.#table(at));
        stack.pop(I32);
        return;
      default:
        return this.#unknown(opcode, at);
    }
  }

  #select(at: number): void {
    const stack = this.#stack;
    stack.pop(I32);
    const first = stack.pop(UNKNOWN);
    const second = stack.pop(first);
    const type = first === UNKNOWN ? second : first;
    if (type === FUNCREF || type === EXTERNREF) this.#reader.reject("invalid", "select of references needs a type", at);
    stack.push(type);
  }

  #global(opcode: number, at: number): void {
    const index = this.#reader.u32();
    const global = this.#module.globals[index];
    if (global === undefined) this.#reader.reject("invalid", `unknown global ${index}`, at);
    if (opcode === Op.globalGet) return this.#stack.push(global.type);
    if (!global.mutable) this.#reader.reject("invalid", `global ${index} is immutable`, at);
    this.#stack.pop(global.type);
  }

  #constantOrReference(opcode: number, at: number): void {
    const reader: Reader = this.#reader;
    const stack = this.#stack;
    switch (opcode) {
      case Op.memorySize:
        this.#zeroByte();
        this.#needMemory(at);
        return stack.push(I32);
      case Op.memoryGrow:
        this.#zeroByte();
        this.#needMemory(at);
        this.#edit(at, Edit.grow);
        stack.pop(I32);
        return stack.push(I32);
      case Op.i32Const:
        reader.s32();
        return stack.push(I32);
      case Op.i64Const:
        reader.skipS64();
        return stack.push(I64);
      case Op.f32Const:
        reader.skip(4);
        return stack.push(F32);
      case Op.f64Const:
        reader.skip(8);
        return stack.push(F64);
      case Op.refNull:
        return stack.push(readReferenceType(reader));
      case Op.refIsNull:
        stack.popReference();
        return stack.push(I32);
      case Op.refFunc: {
        const index = reader.u32();
        if (!this.#module.declared.has(index)) reader.reject("invalid", `undeclared function reference ${index}`, at);
        return stack.push(FUNCREF);
      }
      default:
        return this.#unknown(opcode, at);
    }
  }

  /** The memory index, which a single-memory module writes as one zero byte. */
  #zeroByte(): void {
    const at = this.#reader.position;
    if (this.#reader.u8() !== 0) this.#reader.reject("feature", "multiple memories is not supported", at);
  }

  #bulk(at: number): void {
    const reader: Reader = this.#reader;
    const opcode = reader.u32();
    const saturating = SATURATING[opcode];
    if (saturating !== undefined) {
      this.segments.spend(2);
      this.#withdraw(1);
      this.#stack.popAll(saturating.params);
      return this.#stack.pushAll(saturating.results);
    }
    switch (opcode) {
      case Bulk.memoryInit:
        this.#dataSegment(at);
        this.#zeroByte();
        this.#needMemory(at);
        return this.#sized(at, LENGTH_OPERANDS);
      case Bulk.memoryCopy:
        this.#zeroByte();
        this.#zeroByte();
        this.#needMemory(at);
        return this.#sized(at, LENGTH_OPERANDS);
      case Bulk.memoryFill:
        this.#zeroByte();
        this.#needMemory(at);
        return this.#sized(at, LENGTH_OPERANDS);
      case Bulk.tableInit: {
        const element = this.#elementSegment(at);
        if (this.#table(at) !== element) reader.reject("invalid", "elements and table differ in type", at);
        return this.#sized(at, LENGTH_OPERANDS);
      }
      case Bulk.tableCopy:
        return this.#tableCopy(at);
      case Bulk.tableFill:
        return this.#sized(at, [I32, this.#table(at), I32]);
      case Bulk.dataDrop:
        this.#dataSegment(at);
        return this.segments.spend(1);
      case Bulk.elemDrop:
        this.#elementSegment(at);
        return this.segments.spend(1);
      case Bulk.tableSize:
        this.#table(at);
        this.segments.spend(1);
        return this.#stack.push(I32);
      case Bulk.tableGrow:
        return reader.reject("feature", "table.grow is not supported", at);
      default:
        return reader.reject("malformed", `unknown instruction 0xfc ${opcode}`, at);
    }
  }

  #tableCopy(at: number): void {
    const target = this.#table(at);
    const source = this.#table(at);
    if (target !== source) this.#reader.reject("invalid", "tables differ in type", at);
    this.#sized(at, LENGTH_OPERANDS);
  }

  /** A bulk instruction whose last operand is its length. */
  #sized(at: number, operands: ArrayLike<number>): void {
    this.segments.spend(BULK_TICKS);
    this.#edit(at, Edit.bulk);
    this.#stack.popAll(operands);
  }

  #dataSegment(at: number): void {
    const index = this.#reader.u32();
    if (this.#module.dataCount === undefined) this.#reader.reject("malformed", "data count section required", at);
    if (index >= this.#module.dataCount) this.#reader.reject("invalid", `unknown data segment ${index}`, at);
  }

  #elementSegment(at: number): number {
    const index = this.#reader.u32();
    const element = this.#module.elements[index];
    if (element === undefined) this.#reader.reject("invalid", `unknown element segment ${index}`, at);
    return element;
  }

  #simd(at: number): void {
    const reader: Reader = this.#reader;
    const opcode = reader.u32();
    if (opcode >= RELAXED_SIMD_FIRST) reader.reject("feature", "relaxed SIMD is not supported", at);
    const types = SIMD[opcode];
    if (types === undefined) reader.reject("malformed", `unknown instruction 0xfd ${opcode}`, at);
    this.segments.spend(simdTicks(opcode));
    if (types.alignment >= 0) this.#memoryImmediate(types.alignment);
    if (opcode === V128_CONST) reader.skip(16);
    if (opcode === I8X16_SHUFFLE) for (let lane = 0; lane < 16; lane++) this.#lane(32);
    const lanes = laneCount(opcode);
    if (lanes > 0) this.#lane(lanes);
    this.#stack.popAll(types.params);
    this.#stack.pushAll(types.results);
    const width = SIMD_PRODUCES_NAN[opcode]!;
    if (width === 0 || this.segments.dead) return;
    this.#nanV128 = true;
    this.edits.add(reader.position, Edit.vectorNan, width);
  }

  #lane(count: number): void {
    const at = this.#reader.position;
    if (this.#reader.u8() >= count) this.#reader.reject("invalid", "lane out of range", at);
  }
}

function sameArray(left: ArrayLike<number>, right: ArrayLike<number>): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
