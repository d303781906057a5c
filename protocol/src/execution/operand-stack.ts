/**
 * The type-checking stacks of the validation algorithm (WebAssembly core specification 2.0, appendix 7.3): operand
 * types and control frames, with the polymorphic stack of unreachable code. Beside each operand stands the edit that
 * canonicalises it, so that a consumer which ignores NaN bits can withdraw that edit.
 */
import { MAX_NESTING, MAX_OPERANDS } from "./limits.ts";
import { EXTERNREF, FUNCREF, Op, V128 } from "./opcodes.ts";
import type { Reader } from "./reader.ts";

/** Type of an operand that unreachable code takes from nowhere. */
export const UNKNOWN = 0;

/** In place of an edit: the operand's bits are as the guest made them. */
export const UNMARKED = -1;
/** In place of an edit: the operand is a number and never NaN. */
export const NEVER_NAN = -2;

export interface ControlFrame {
  readonly opcode: number;
  readonly params: ArrayLike<number>;
  readonly results: ArrayLike<number>;
  /** Operands below the frame. */
  readonly height: number;
  unreachable: boolean;
}

export class OperandStack {
  readonly #types = new Uint8Array(MAX_OPERANDS + 1);
  readonly #edits = new Int32Array(MAX_OPERANDS + 1);
  readonly frames: ControlFrame[] = [];
  #reader: Reader;
  height = 0;
  maxHeight = 0;
  sawVector = false;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  begin(reader: Reader, results: ArrayLike<number>): void {
    this.#reader = reader;
    this.height = 0;
    this.maxHeight = 0;
    this.sawVector = false;
    this.frames.length = 0;
    this.pushFrame(0, [], results);
  }

  push(type: number): void {
    if (this.height >= MAX_OPERANDS) this.#reader.reject("limit", `more than ${MAX_OPERANDS} operands`);
    this.#edits[this.height] = UNMARKED;
    this.#types[this.height++] = type;
    if (this.height > this.maxHeight) this.maxHeight = this.height;
    if (type === V128) this.sawVector = true;
  }

  pushAll(types: ArrayLike<number>): void {
    for (let index = 0; index < types.length; index++) this.push(types[index]!);
  }

  /** Takes the top operand and returns its type, which unreachable code may leave UNKNOWN. */
  pop(expected: number): number {
    const frame = this.frames[this.frames.length - 1]!;
    if (this.height === frame.height) {
      if (frame.unreachable) return UNKNOWN;
      this.#reader.reject("invalid", "an operand is missing");
    }
    const actual = this.#types[--this.height]!;
    if (actual !== expected && actual !== UNKNOWN && expected !== UNKNOWN) {
      this.#reader.reject("invalid", `type mismatch: 0x${actual.toString(16)} where 0x${expected.toString(16)} is due`);
    }
    return actual;
  }

  popAll(types: ArrayLike<number>): void {
    for (let index = types.length - 1; index >= 0; index--) this.pop(types[index]!);
  }

  popReference(): number {
    const type = this.pop(UNKNOWN);
    if (type !== UNKNOWN && type !== FUNCREF && type !== EXTERNREF) this.#reader.reject("invalid", "no reference");
    return type;
  }

  pushFrame(opcode: number, params: ArrayLike<number>, results: ArrayLike<number>): void {
    if (this.frames.length > MAX_NESTING) this.#reader.reject("limit", `more than ${MAX_NESTING} nested blocks`);
    this.frames.push({ opcode, params, results, height: this.height, unreachable: false });
    this.pushAll(params);
  }

  popFrame(): ControlFrame {
    const frame = this.frames[this.frames.length - 1]!;
    this.popAll(frame.results);
    if (this.height !== frame.height) this.#reader.reject("invalid", "operands are left over at the end of a block");
    this.frames.pop();
    return frame;
  }

  /** The types that a branch to this label carries: a loop's label stands at its start. */
  label(depth: number): ArrayLike<number> {
    const frame = this.frames[this.frames.length - 1 - depth];
    if (frame === undefined) this.#reader.reject("invalid", `unknown label ${depth}`);
    return frame.opcode === Op.loop ? frame.params : frame.results;
  }

  /** The rest of the frame is never reached: operands may be taken from nowhere. */
  setUnreachable(): void {
    const frame = this.frames[this.frames.length - 1]!;
    this.height = frame.height;
    frame.unreachable = true;
  }

  /** Remembers which edit canonicalises the top operand, or NEVER_NAN. */
  markTop(edit: number): void {
    this.#edits[this.height - 1] = edit;
  }

  /** The edit that canonicalises the operand `below` the top, UNMARKED or NEVER_NAN. */
  editBelowTop(below: number): number {
    const slot = this.height - 1 - below;
    return slot < 0 ? UNMARKED : this.#edits[slot]!;
  }
}
