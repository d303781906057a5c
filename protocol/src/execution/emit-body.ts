/**
 * Writes one rewritten function body. A body that is charged only once, at its entry, works on the fuel global
 * itself. Any other keeps the counter in a local, which is written back before something leaves the function and
 * loaded after it has returned, each only where the other side is out of date (counter-flow.ts).
 *
 * What is left of the stack goes down the calls and never comes up: a function takes its frame from what its caller
 * left in the global, and writes the rest there before each call that it makes. Whoever enters the guest sets it.
 */
import type { BodyPlan } from "./body.ts";
import { emitScalarCanonicalisation, emitVectorCanonicalisation, NAN_F32 } from "./canonical-nan.ts";
import { frameBytes } from "./cost-model.ts";
import { Edit, type EditList } from "./edits.ts";
import { UNMETERED_LEAF_FRAME_BYTES } from "./limits.ts";
import { EMPTY_BLOCK, F32, F64, I32, I64, Op, V128 } from "./opcodes.ts";
import { applies } from "./raw-locals.ts";
import type { SegmentBuilder } from "./segments.ts";
import { Writer } from "./writer.ts";

/** Indices of what the rewriting appends to the module. */
export interface Appended {
  readonly fuelGlobal: number;
  readonly stackGlobal: number;
  readonly infraGlobal: number;
  /** The first of two: bytes, then elements. */
  readonly bulkFunction: number;
  /** Of memory 0; those of the other memories follow. */
  readonly growFunction: number;
  /** Where an instrumented function reports its calls; undefined in what runs for a result. */
  readonly calls: CallReporting | undefined;
}

/** A table of the driver's two functions, out of the guest's reach, and their types. */
export interface CallReporting {
  readonly table: number;
  /** (function index) -> (), element 0. */
  readonly enterType: number;
  /** () -> (), element 1. */
  readonly leaveType: number;
}

/** Locals appended to one body; -1 where it needs none. */
interface Scratch {
  fuel: number;
  stack: number;
  nanF32: number;
  nanF64: number;
  nanV128: number;
}

const TRAP_IF = [Op.if, EMPTY_BLOCK, Op.unreachable, Op.end];

export class BodyEmitter {
  readonly #source: Uint8Array;
  readonly #appended: Appended;
  readonly #out = new Writer(4096);
  /** Bytes of stack that the function takes. */
  #frame = 0;
  #scratch: Scratch = { fuel: -1, stack: -1, nanF32: -1, nanF64: -1, nanV128: -1 };

  constructor(source: Uint8Array, appended: Appended) {
    this.#source = source;
    this.#appended = appended;
  }

  /** Emits the body; the writer is valid until the next call. `resultBlock` writes the function's block type. */
  emit(
    functionIndex: number,
    plan: BodyPlan,
    segments: SegmentBuilder,
    edits: EditList,
    resultBlock: (out: Writer) => void,
  ): Writer {
    const out = this.#out;
    out.reset();
    const usesLocal = segments.chargesBeyondEntry();
    this.#declareLocals(plan, usesLocal);
    const { calls } = this.#appended;
    const wrapped = calls !== undefined;
    if (calls !== undefined) this.#report(calls, functionIndex);
    if (this.#scratch.stack >= 0) this.#takeFrame();
    if (usesLocal) this.#reload();
    if (wrapped) {
      out.u8(Op.block);
      resultBlock(out);
    }
    this.#code(plan, segments, edits, wrapped);
    if (calls !== undefined) {
      this.#report(calls, undefined);
      out.u8(Op.end);
    }
    return out;
  }

  /** Writes the local declarations and measures the frame. */
  #declareLocals(plan: BodyPlan, usesLocal: boolean): void {
    const types: number[] = [];
    const add = (needed: boolean, type: number) => (needed ? plan.locals + types.push(type) - 1 : -1);
    const fuel = add(usesLocal, I64);
    const nanF32 = add(plan.nanF32, F32);
    const nanF64 = add(plan.nanF64, F64);
    const nanV128 = add(plan.nanV128, V128);
    const own = plan.locals + types.length + 1 + plan.results;
    const slots = own + plan.maxOperands + plan.maxCallSlots;
    const frame = frameBytes(plan.usesVectors ? 2 * slots : slots);
    const stack = add(plan.calls > 0 || frame > UNMETERED_LEAF_FRAME_BYTES, I32);
    this.#scratch = { fuel, stack, nanF32, nanF64, nanV128 };
    this.#frame = frame;
    const out = this.#out;
    out.u32(plan.localGroups + types.length);
    out.copy(this.#source, plan.groupsStart, plan.codeStart);
    for (const type of types) {
      out.u8(1);
      out.u8(type);
    }
  }

  #code(plan: BodyPlan, segments: SegmentBuilder, edits: EditList, wrapped: boolean): void {
    const out = this.#out;
    const { positions, kinds, operands, conditions, length } = edits;
    let copied = plan.codeStart;
    for (let index = 0; index < length; index++) {
      const kind = kinds[index]!;
      if (kind === Edit.none || (kind === Edit.leave && !wrapped)) continue;
      if (kind === Edit.scalarNan && !applies(conditions[index]!, plan.localKinds)) continue;
      const at = positions[index]!;
      out.copy(this.#source, copied, at);
      copied = at;
      if (kind === Edit.leave) {
        out.u8(Op.br);
        out.u32(operands[index]!);
        copied = at + 1;
      } else if (kind === Edit.grow) {
        this.#callHelper(this.#appended.growFunction + operands[index]!);
        copied = this.#afterIndex(at + 1);
      } else if (kind === Edit.charge) {
        const segment = operands[index]!;
        this.#charge(segment, segments.costs[segment]!, segments.isChecked(segment));
      } else {
        this.#insertion(kind, operands[index]!);
      }
    }
    out.copy(this.#source, copied, plan.end);
  }

  /** Behind the index that starts at `at`, however many bytes it is spelled in. */
  #afterIndex(at: number): number {
    let end = at;
    while ((this.#source[end]! & 0x80) !== 0) end++;
    return end + 1;
  }

  #insertion(kind: number, operand: number): void {
    switch (kind) {
      case Edit.writeBack:
        return this.#writeBack();
      case Edit.reload:
        return this.#reload();
      case Edit.bulk:
        return this.#callHelper(this.#appended.bulkFunction + operand);
      case Edit.scalarNan: {
        const local = operand === NAN_F32 ? this.#scratch.nanF32 : this.#scratch.nanF64;
        return emitScalarCanonicalisation(this.#out, operand, local);
      }
      case Edit.leaveFrame:
        return this.#leaveFrame();
      case Edit.passFrame:
        if (this.#scratch.stack >= 0) this.#setGlobal(this.#scratch.stack, this.#appended.stackGlobal);
        return;
      case Edit.vectorNan:
        return emitVectorCanonicalisation(this.#out, operand, this.#scratch.nanV128);
    }
  }

  /** A helper charges the global. */
  #callHelper(index: number): void {
    this.#out.u8(Op.call);
    this.#out.u32(index);
  }

  #charge(segment: number, ticks: number, checked: boolean): void {
    const atEntry = segment === 0;
    // A frame is checked even where the entry itself costs nothing.
    if (ticks === 0 && !(atEntry && this.#scratch.stack >= 0)) return;
    const out = this.#out;
    const local = this.#scratch.fuel;
    const { fuelGlobal } = this.#appended;
    out.u8(local < 0 ? Op.globalGet : Op.localGet);
    out.u32(local < 0 ? fuelGlobal : local);
    out.u8(Op.i64Const);
    out.signed(ticks);
    out.u8(Op.i64Sub);
    if (local < 0) {
      out.u8(Op.globalSet);
      out.u32(fuelGlobal);
      out.u8(Op.globalGet);
      out.u32(fuelGlobal);
      return this.#check(atEntry);
    }
    out.u8(checked ? Op.localTee : Op.localSet);
    out.u32(local);
    if (checked && !atEntry) {
      // A trap inside the loop loses at most one iteration of what was spent.
      out.u8(Op.globalSet);
      out.u32(fuelGlobal);
      out.u8(Op.localGet);
      out.u32(local);
    }
    if (checked) this.#check(atEntry);
  }

  #writeBack(): void {
    if (this.#scratch.fuel >= 0) this.#setGlobal(this.#scratch.fuel, this.#appended.fuelGlobal);
  }

  /** What a function does before a tail call; the fuel global is up to date by then. */
  #leaveFrame(): void {
    const { calls } = this.#appended;
    if (this.#scratch.stack >= 0) this.#giveFrameBack();
    if (calls !== undefined) this.#report(calls, undefined);
  }

  #setGlobal(local: number, global: number): void {
    const out = this.#out;
    out.u8(Op.localGet);
    out.u32(local);
    out.u8(Op.globalSet);
    out.u32(global);
  }

  #giveFrameBack(): void {
    const out = this.#out;
    out.u8(Op.localGet);
    out.u32(this.#scratch.stack);
    out.u8(Op.i32Const);
    out.signed(this.#frame);
    out.u8(Op.i32Add);
    out.u8(Op.globalSet);
    out.u32(this.#appended.stackGlobal);
  }

  #reload(): void {
    if (this.#scratch.fuel < 0) return;
    const out = this.#out;
    out.u8(Op.globalGet);
    out.u32(this.#appended.fuelGlobal);
    out.u8(Op.localSet);
    out.u32(this.#scratch.fuel);
  }

  /** Tells the driver that this function was entered or, without an index, is left; the fuel global is up to date. */
  #report({ table, enterType, leaveType }: CallReporting, functionIndex: number | undefined): void {
    const out = this.#out;
    if (functionIndex !== undefined) {
      out.u8(Op.i32Const);
      out.signed(functionIndex);
    }
    out.raw([Op.i32Const, functionIndex === undefined ? 1 : 0, Op.callIndirect]);
    out.u32(functionIndex === undefined ? leaveType : enterType);
    out.u32(table);
  }

  /** Takes the frame; the charge at the entry checks that there was room for it. */
  #takeFrame(): void {
    const out = this.#out;
    out.u8(Op.globalGet);
    out.u32(this.#appended.stackGlobal);
    out.u8(Op.i32Const);
    out.signed(this.#frame);
    out.u8(Op.i32Sub);
    out.u8(Op.localSet);
    out.u32(this.#scratch.stack);
  }

  /** After the counter on the operand stack: traps when it is below zero, or at the entry the stack's rest is. */
  #check(atEntry: boolean): void {
    const out = this.#out;
    if (atEntry && this.#scratch.stack >= 0) {
      out.u8(Op.localGet);
      out.u32(this.#scratch.stack);
      // The sign of either is the sign of both: one branch instead of two.
      out.raw([Op.i64ExtendI32S, Op.i64Or]);
    }
    out.raw([Op.i64Const, 0, Op.i64LtS, Op.if, EMPTY_BLOCK]);
    if (atEntry) {
      this.#writeBack();
      if (this.#scratch.stack >= 0) this.#setGlobal(this.#scratch.stack, this.#appended.stackGlobal);
    }
    out.raw([Op.unreachable, Op.end]);
  }
}

/** `fuel -= ticks; if (fuel < 0) trap`, on the global, with the ticks (an i64) written by the caller. */
export function emitGlobalCharge(out: Writer, fuelGlobal: number, ticks: () => void): void {
  out.u8(Op.globalGet);
  out.u32(fuelGlobal);
  ticks();
  out.u8(Op.i64Sub);
  out.u8(Op.globalSet);
  out.u32(fuelGlobal);
  out.u8(Op.globalGet);
  out.u32(fuelGlobal);
  out.raw([Op.i64Const, 0, Op.i64LtS, ...TRAP_IF]);
}
