/**
 * What the rewriting changes in one function body, as a list in program order. Two edits may share an offset: their
 * order in the list is their order in the output, so a charge that starts a block precedes the write-back before the
 * call that opens it.
 */

export const Edit = {
  /** Withdrawn: the value's consumer ignores NaN bits. */
  none: 0,
  /** Subtract a segment's cost; the argument is the segment. */
  charge: 1,
  /** Replace `return` by a branch to the wrapping block; the argument is the label depth. */
  leave: 2,
  /** Write the fuel local back before something that leaves the function. */
  writeBack: 3,
  /** Reload the fuel local after a call. */
  reload: 4,
  /** Pass the length on top of the stack through a bulk helper; the argument is which, see Charge. */
  bulk: 5,
  /** Replace `memory.grow` by a call of the growth helper of the memory that the operand names. */
  grow: 6,
  /** Canonicalise the scalar or vector on top of the stack; the argument is the width of its NaN. */
  scalarNan: 7,
  vectorNan: 8,
  /** Leave the frame for good before a tail call: give the stack back. */
  leaveFrame: 9,
  /** Tell the function that is called next how much of the stack is left. */
  passFrame: 10,
} as const;

/** What the length of a bulk instruction counts, each charged by a helper of its own. */
export const Charge = { bytes: 0, elements: 1 } as const;

/** Parallel growing arrays: a large guest has millions of edits. */
export class EditList {
  positions = new Int32Array(1024);
  kinds = new Uint8Array(1024);
  operands = new Int32Array(1024);
  /** 0: always made; local + 1: only if that local is raw; -(local + 1): only if it is not. See raw-locals.ts. */
  conditions = new Int32Array(1024);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  /** Appends an edit and returns its number. */
  add(position: number, kind: number, operand = 0): number {
    if (this.length === this.kinds.length) this.#grow();
    const index = this.length++;
    this.positions[index] = position;
    this.kinds[index] = kind;
    this.operands[index] = operand;
    this.conditions[index] = 0;
    return index;
  }

  #grow(): void {
    const size = this.kinds.length * 2;
    const positions = new Int32Array(size);
    const kinds = new Uint8Array(size);
    const operands = new Int32Array(size);
    positions.set(this.positions);
    kinds.set(this.kinds);
    const conditions = new Int32Array(size);
    operands.set(this.operands);
    conditions.set(this.conditions);
    this.conditions = conditions;
    this.positions = positions;
    this.kinds = kinds;
    this.operands = operands;
  }
}
