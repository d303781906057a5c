/**
 * How many bytes the operands of a function take at most: the max_stack analysis of finite-wasm 0.6
 * (src/max_stack/instruction_visit.rs), to the letter. So `call_indirect` leaves its index on the stack, and what
 * follows an unconditional jump within its block does not count.
 */

import { EXTENDED, type InstructionReader } from "./instruction-reader.ts";
import { type FunctionType, valueBytes } from "./value-type.ts";

/** What an instruction takes off the stack, and how many bytes it puts on it. */
interface Effect {
  readonly pops: number;
  readonly pushes: number;
}

const EFFECTS = new Map<number, Effect>();

function define(first: number, last: number, pops: number, pushes: number): void {
  for (let opcode = first; opcode <= last; opcode++) EFFECTS.set(opcode, { pops, pushes });
}

define(0x0d, 0x0d, 1, 0); // br_if
define(0x1a, 0x1a, 1, 0); // drop
define(0x1b, 0x1c, 2, 0); // select
define(0x21, 0x21, 1, 0); // local.set
define(0x24, 0x24, 1, 0); // global.set
define(0x25, 0x25, 1, 8); // table.get
define(0x26, 0x26, 2, 0); // table.set
for (const opcode of [0x28, 0x2a, 0x2c, 0x2d, 0x2e, 0x2f]) define(opcode, opcode, 1, 4); // loads of 4 bytes
for (const opcode of [0x29, 0x2b, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35]) define(opcode, opcode, 1, 8);
define(0x36, 0x3e, 2, 0); // stores
define(0x3f, 0x3f, 0, 4); // memory.size
define(0x41, 0x41, 0, 4); // constants
define(0x42, 0x42, 0, 8);
define(0x43, 0x43, 0, 4);
define(0x44, 0x44, 0, 8);
define(0x45, 0x45, 1, 4); // eqz and comparisons
define(0x46, 0x4f, 2, 4);
define(0x50, 0x50, 1, 4);
define(0x51, 0x66, 2, 4);
define(0x6a, 0x78, 1, 0); // binary operators: two go, one of the same size stays
define(0x7c, 0x8a, 1, 0);
define(0x92, 0x98, 1, 0);
define(0xa0, 0xa6, 1, 0);
define(0xa7, 0xab, 1, 4); // conversions
define(0xac, 0xb1, 1, 8);
define(0xb2, 0xb6, 1, 4);
define(0xb7, 0xbb, 1, 8);
define(0xbc, 0xbc, 1, 4);
define(0xbd, 0xbd, 1, 8);
define(0xbe, 0xbe, 1, 4);
define(0xbf, 0xbf, 1, 8);
define(0xd0, 0xd0, 0, 8); // ref.null, ref.is_null, ref.func
define(0xd1, 0xd1, 1, 4);
define(0xd2, 0xd2, 0, 8);
define(EXTENDED + 0, EXTENDED + 3, 1, 4); // saturating truncations
define(EXTENDED + 4, EXTENDED + 7, 1, 8);
for (const extension of [8, 10, 11, 12, 14, 17]) define(EXTENDED + extension, EXTENDED + extension, 3, 0);
define(EXTENDED + 15, EXTENDED + 15, 2, 4); // table.grow
define(EXTENDED + 16, EXTENDED + 16, 0, 4); // table.size

const EMPTY_BLOCK = 0x40;

/** What an analysis of a function has to know of its module. */
export interface ModuleTypes {
  readonly types: readonly FunctionType[];
  /** Of imported and own functions. */
  readonly functions: readonly FunctionType[];
  readonly globals: readonly number[];
}

interface Frame {
  height: number;
  resultType: number;
  /** The rest of the frame never runs. */
  polymorphic: boolean;
}

export class OperandStack {
  maxBytes = 0;
  readonly #module: ModuleTypes;
  readonly #localType: (index: number) => number;
  #operands: number[] = [];
  #bytes = 0;
  readonly #frames: Frame[] = [];
  #frame: Frame = { height: 0, resultType: EMPTY_BLOCK, polymorphic: false };

  constructor(module: ModuleTypes, localType: (index: number) => number) {
    this.#module = module;
    this.#localType = localType;
  }

  visit(instruction: InstructionReader): void {
    const { opcode, immediate } = instruction;
    switch (opcode) {
      case 0x00: // unreachable, br, br_table, return
      case 0x0c:
      case 0x0e:
      case 0x0f:
        this.#frame.polymorphic = true;
        return;
      case 0x02:
      case 0x03:
        return this.#enter(immediate);
      case 0x04:
        this.#pop(1);
        return this.#enter(immediate);
      case 0x05:
        return this.#enter(this.#leave());
      case 0x0b: {
        const isLast = this.#frames.length === 0;
        const resultType = this.#leave();
        if (!isLast && resultType !== EMPTY_BLOCK) this.#push(valueBytes(resultType));
        return;
      }
      case 0x10:
        return this.#call(this.#module.functions[immediate]!);
      case 0x11:
        return this.#call(this.#module.types[immediate]!);
      case 0x20:
        return this.#push(valueBytes(this.#localType(immediate)));
      case 0x23:
        return this.#push(valueBytes(this.#module.globals[immediate]!));
    }
    const effect = EFFECTS.get(opcode);
    if (effect === undefined) return;
    this.#pop(effect.pops);
    if (effect.pushes > 0) this.#push(effect.pushes);
  }

  #call(type: FunctionType): void {
    this.#pop(type.parameters.length);
    for (const result of type.results) this.#push(valueBytes(result));
  }

  #enter(resultType: number): void {
    this.#frames.push(this.#frame);
    this.#frame = { height: this.#operands.length, resultType, polymorphic: this.#frame.polymorphic };
  }

  /** Back to the frame around; returns the result type of the one that ends. */
  #leave(): number {
    const { height, resultType } = this.#frame;
    const outer = this.#frames.pop();
    if (outer === undefined) return resultType;
    this.#frame = outer;
    this.#pop(this.#operands.length - height);
    return resultType;
  }

  #push(bytes: number): void {
    if (this.#frame.polymorphic) return;
    this.#operands.push(bytes);
    this.#bytes += bytes;
    this.maxBytes = Math.max(this.maxBytes, this.#bytes);
  }

  #pop(count: number): void {
    if (this.#frame.polymorphic) return;
    for (let rest = count; rest > 0; rest--) this.#bytes -= this.#operands.pop()!;
  }
}
