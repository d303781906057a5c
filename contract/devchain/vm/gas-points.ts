/**
 * Where in a function gas has to be charged, and how much: the gas analysis of finite-wasm 0.6 (src/gas.rs).
 * A charge may move to an earlier instruction as long as nothing between the two can be observed: so neighbouring
 * charges merge until a side effect, a trap or a jump separates them. Offsets are those of the original module.
 */
import { INSTRUCTION_COSTS } from "../parameters/protocol-config.ts";
import { EXTENDED, InstructionReader } from "./instruction-reader.ts";
import type { OperandStack } from "./operand-stack.ts";
import { prepareError } from "./vm-error.ts";

/** How a charge relates to what can be observed around its offset. */
const Kind = {
  /** Nothing observable here. */
  Pure: 0,
  /** Never runs: no charge at all. */
  Unreachable: 1,
  /** Must be charged before what follows; may merge with what stands before. */
  Pre: 2,
  /** Stands right after something observable; may merge with what follows. */
  Post: 3,
  /** Something observable on both sides. */
  Between: 4,
  /** Cost depends on an operand (`memory.fill` and its kin). */
  Bulk: 5,
} as const;
type Kind = (typeof Kind)[keyof typeof Kind];

interface Point {
  offset: number;
  kind: Kind;
  constant: number;
  /** Gas per unit of the topmost operand; not 0 for bulk instructions only. */
  linear: number;
}

export interface GasPoint {
  readonly offset: number;
  readonly constant: number;
  readonly linear: number;
}

interface Frame {
  unreachable: boolean;
  kind: "untaken" | "forward" | "loop";
  /** Of a loop: the points before and after its header, which become observable once something jumps there. */
  before: number;
  after: number;
}

/** An instruction that writes memory: its offset, and the type of what lies above the address on the stack. */
export interface MemoryWrite {
  readonly offset: number;
  /** `bulk` has an address, an i32 and a length; the others an address and a value of that type. */
  readonly operand: "i32" | "i64" | "f32" | "f64" | "bulk";
  /** The constant that is added to the address. */
  readonly displacement: number;
}

export interface FloatResult {
  readonly offset: number;
  readonly type: "f32" | "f64";
}

export interface FunctionAnalysis {
  readonly points: readonly GasPoint[];
  readonly writes: readonly MemoryWrite[];
  /** Where a NaN that the instruction before may have made has to become the one that nearcore's engine makes. */
  readonly floats: readonly FloatResult[];
  /** Offsets of `call_indirect`. */
  readonly indirectCalls: readonly number[];
  /** Offsets of the `return` instructions, which have to give their stack frame back. */
  readonly returns: readonly number[];
  /** Offset of the function's last `end`. */
  readonly lastEnd: number;
  readonly blocks: number;
  /** The most that the operand stack takes. */
  readonly operandBytes: number;
}

function mergeAtSameOffset(a: Kind, b: Kind): Kind {
  if (a === Kind.Unreachable || b === Kind.Unreachable) return Kind.Unreachable;
  if (a === Kind.Bulk) throw new Error("a bulk instruction's charge is always the last at its offset");
  if (b === Kind.Bulk) return Kind.Bulk;
  if (a === Kind.Pure) return b;
  if (a === Kind.Pre) return b === Kind.Pre || b === Kind.Pure ? Kind.Pre : Kind.Between;
  if (a === Kind.Post) return b === Kind.Post || b === Kind.Pure ? Kind.Post : Kind.Between;
  return Kind.Between;
}

function mergeNeighbours(a: Kind, b: Kind): Kind | undefined {
  if (a === Kind.Pure && b === Kind.Pure) return Kind.Pure;
  if (a === Kind.Unreachable && b === Kind.Unreachable) return Kind.Unreachable;
  if (a === Kind.Post && b === Kind.Pre) return Kind.Between;
  if (a === Kind.Pure && b === Kind.Pre) return Kind.Pre;
  if (a === Kind.Post && b === Kind.Pure) return Kind.Post;
  return undefined;
}

function mergePoints(points: readonly Point[], merge: (a: Point, b: Point) => Kind | undefined): Point[] {
  const merged: Point[] = [];
  for (const point of points) {
    const last = merged.at(-1);
    const kind = last === undefined ? undefined : merge(last, point);
    if (last === undefined || kind === undefined) {
      merged.push({ ...point });
    } else {
      last.kind = kind;
      last.constant += point.constant;
      last.linear += point.linear;
    }
  }
  return merged;
}

/** Walks one function body and collects its charges. */
class GasAnalyzer {
  readonly points: Point[] = [];
  readonly returns: number[] = [];
  blocks = 0;
  #frames: Frame[] = [];
  #frame: Frame = { unreachable: false, kind: "untaken", before: 0, after: 0 };
  /** A charge that belongs to the offset of the next instruction. */
  #pending: { kind: Kind; constant: number } | undefined;

  begin(offset: number): void {
    if (this.#pending === undefined) return;
    this.points.push({ offset, ...this.#pending, linear: 0 });
    this.#pending = undefined;
  }

  charge(offset: number, kind: Kind, constant: number, linear = 0): void {
    this.points.push({ offset, kind: this.#frame.unreachable ? Kind.Unreachable : kind, constant, linear });
  }

  pure(offset: number): void {
    this.charge(offset, Kind.Pure, INSTRUCTION_COSTS.regular);
  }

  observable(offset: number, constant: number = INSTRUCTION_COSTS.regular): void {
    this.charge(offset, Kind.Pre, constant);
    this.#pending = { kind: Kind.Post, constant: 0 };
  }

  bulk(offset: number): void {
    this.charge(offset, Kind.Bulk, INSTRUCTION_COSTS.linearBase, INSTRUCTION_COSTS.linearUnit);
    this.#pending = { kind: Kind.Post, constant: 0 };
  }

  unreachable(offset: number): void {
    this.charge(offset, Kind.Pre, INSTRUCTION_COSTS.regular);
    this.#pending = { kind: Kind.Unreachable, constant: 0 };
    this.#frame.unreachable = true;
  }

  block(offset: number): void {
    this.blocks++;
    this.charge(offset, Kind.Pure, 0);
    this.#push("untaken", 0, 0);
  }

  loop(offset: number): void {
    this.blocks++;
    const before = this.points.length;
    this.charge(offset, Kind.Pure, 0);
    const after = this.points.length;
    this.#pending = { kind: Kind.Pure, constant: INSTRUCTION_COSTS.regular };
    this.#push("loop", before, after);
  }

  if(offset: number): void {
    this.blocks++;
    this.observable(offset);
    this.#push("forward", 0, 0);
  }

  else(offset: number): void {
    this.#pop();
    this.#push("forward", 0, 0);
    this.observable(offset, 0);
  }

  end(offset: number): void {
    if (this.#frame.kind === "forward") this.observable(offset, 0);
    else this.charge(offset, Kind.Pure, 0);
    this.#pop();
  }

  branch(offset: number, depths: readonly number[], always: boolean): void {
    this.observable(offset);
    for (const depth of depths) this.#target(depth);
    if (always) this.#frame.unreachable = true;
  }

  return(offset: number): void {
    this.returns.push(offset);
    this.branch(offset, [this.#frames.length], true);
  }

  #push(kind: Frame["kind"], before: number, after: number): void {
    this.#frames.push(this.#frame);
    this.#frame = { unreachable: this.#frame.unreachable, kind, before, after };
  }

  #pop(): void {
    this.#frame = this.#frames.pop() ?? this.#frame;
  }

  #target(depth: number): void {
    const frame = depth === 0 ? this.#frame : this.#frames[this.#frames.length - depth];
    if (frame === undefined) throw prepareError("Deserialization");
    if (frame.kind === "untaken") {
      frame.kind = "forward";
    } else if (frame.kind === "loop") {
      this.points[frame.before]!.kind = Kind.Pre;
      const after = this.points[frame.after];
      if (after !== undefined) after.kind = Kind.Post;
    }
  }
}

/** Instructions that may trap or touch what others see: memory, tables, divisions, truncations, calls. */
function isObservable(opcode: number): boolean {
  return (
    opcode === 0x10 || // call, call_indirect
    opcode === 0x11 ||
    opcode === 0x25 || // table.get, table.set
    opcode === 0x26 ||
    (opcode >= 0x28 && opcode <= 0x3e) ||
    (opcode >= 0x6d && opcode <= 0x70) ||
    (opcode >= 0x7f && opcode <= 0x82) ||
    (opcode >= 0xa8 && opcode <= 0xab) ||
    (opcode >= 0xae && opcode <= 0xb1)
  );
}

/** `memory.grow`, and of the extended instructions all that take a count but data.drop, elem.drop and table.size. */
function isBulk(opcode: number): boolean {
  const extension = opcode - EXTENDED;
  return opcode === 0x40 || (extension >= 8 && extension !== 9 && extension !== 13 && extension !== 16);
}

/** `i32.store` to `i64.store32`. */
const STORED_TYPES: readonly MemoryWrite["operand"][] = ["i32", "i64", "f32", "f64", "i32", "i32", "i64", "i64", "i64"];

function memoryWrite({ opcode, offset, immediate }: InstructionReader): MemoryWrite | undefined {
  const operand = STORED_TYPES[opcode - 0x36];
  if (operand !== undefined) return { offset, operand, displacement: immediate };
  const extension = opcode - EXTENDED;
  const isBulkWrite = extension === 8 || extension === 10 || extension === 11; // memory.init, .copy, .fill
  return isBulkWrite ? { offset, operand: "bulk", displacement: 0 } : undefined;
}

/** Arithmetic whose NaN Cranelift replaces (nan_canonicalization.rs); not neg, abs, copysign, which only move bits. */
function floatType(opcode: number): "f32" | "f64" | undefined {
  if ((opcode >= 0x8d && opcode <= 0x97) || opcode === 0xb6) return "f32";
  if ((opcode >= 0x9b && opcode <= 0xa5) || opcode === 0xbb) return "f64";
  return undefined;
}

function visit(gas: GasAnalyzer, instruction: InstructionReader): void {
  const { opcode, offset, immediate, labels } = instruction;
  switch (opcode) {
    case 0x00:
      return gas.unreachable(offset);
    case 0x02:
      return gas.block(offset);
    case 0x03:
      return gas.loop(offset);
    case 0x04:
      return gas.if(offset);
    case 0x05:
      return gas.else(offset);
    case 0x0b:
      return gas.end(offset);
    case 0x0c:
    case 0x0d:
      return gas.branch(offset, [immediate], opcode === 0x0c);
    case 0x0e:
      return gas.branch(offset, labels, true);
    case 0x0f:
      return gas.return(offset);
  }
  if (isBulk(opcode)) gas.bulk(offset);
  else if (isObservable(opcode)) gas.observable(offset);
  else gas.pure(offset);
}

/** Analyses the instructions of one function, from `start` (after its locals) to `end`. */
export function analyzeFunction(
  module: Uint8Array,
  start: number,
  end: number,
  operands: OperandStack,
): FunctionAnalysis {
  const instruction = new InstructionReader(module, start, end);
  const gas = new GasAnalyzer();
  const writes: MemoryWrite[] = [];
  const indirectCalls: number[] = [];
  const floats: FloatResult[] = [];
  let floated: "f32" | "f64" | undefined;
  while (instruction.next()) {
    if (floated !== undefined) floats.push({ offset: instruction.offset, type: floated });
    floated = floatType(instruction.opcode);
    gas.begin(instruction.offset);
    visit(gas, instruction);
    operands.visit(instruction);
    const write = memoryWrite(instruction);
    if (write !== undefined) writes.push(write);
    if (instruction.opcode === 0x11) indirectCalls.push(instruction.offset);
  }
  const perOffset = mergePoints(gas.points, (a, b) =>
    a.offset === b.offset ? mergeAtSameOffset(a.kind, b.kind) : undefined,
  );
  const points = mergePoints(perOffset, (a, b) => mergeNeighbours(a.kind, b.kind)).filter(
    (point) => point.kind !== Kind.Unreachable && (point.constant > 0 || point.linear > 0),
  );
  const { returns, blocks } = gas;
  const operandBytes = operands.maxBytes;
  return { points, writes, floats, indirectCalls, returns, lastEnd: instruction.offset, blocks, operandBytes };
}
