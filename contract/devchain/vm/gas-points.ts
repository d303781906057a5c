/**
 * Where in a function gas has to be charged, and how much: the gas analysis of finite-wasm 0.6 (src/gas.rs).
 * A charge may move to an earlier instruction as long as nothing between the two can be observed: so neighbouring
 * charges merge until a side effect, a trap or a jump separates them. Offsets are those of the original module.
 */
import { INSTRUCTION_COSTS } from "../parameters/protocol-config.ts";
import { prepareError } from "./vm-error.ts";
import { WasmReader } from "./wasm-reader.ts";

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

export interface FunctionAnalysis {
  readonly points: readonly GasPoint[];
  readonly writes: readonly MemoryWrite[];
  /** Offsets of the `return` instructions, which have to give their stack frame back. */
  readonly returns: readonly number[];
  /** Offset of the function's last `end`. */
  readonly lastEnd: number;
  readonly blocks: number;
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
  readonly writes: MemoryWrite[] = [];
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
    (opcode >= 0x28 && opcode <= 0x3e) ||
    (opcode >= 0x6d && opcode <= 0x70) ||
    (opcode >= 0x7f && opcode <= 0x82) ||
    (opcode >= 0xa8 && opcode <= 0xab) ||
    (opcode >= 0xae && opcode <= 0xb1)
  );
}

/** Block types of protocol 88: empty or one value, no type index (multi-value is off). */
function skipBlockType(reader: WasmReader): void {
  const type = reader.byte();
  const single = (type >= 0x7c && type <= 0x7f) || type === 0x70 || type === 0x6f || type === 0x40;
  if (!single) throw prepareError("Deserialization");
}

function analyzeControl(opcode: number, offset: number, reader: WasmReader, gas: GasAnalyzer): boolean {
  switch (opcode) {
    case 0x00:
      gas.unreachable(offset);
      return true;
    case 0x02:
      skipBlockType(reader);
      gas.block(offset);
      return true;
    case 0x03:
      skipBlockType(reader);
      gas.loop(offset);
      return true;
    case 0x04:
      skipBlockType(reader);
      gas.if(offset);
      return true;
    case 0x05:
      gas.else(offset);
      return true;
    case 0x0b:
      gas.end(offset);
      return true;
    case 0x0c:
    case 0x0d:
      gas.branch(offset, [reader.u32()], opcode === 0x0c);
      return true;
    case 0x0e: {
      const depths: number[] = [];
      for (let rest = reader.u32() + 1; rest > 0; rest--) depths.push(reader.u32());
      gas.branch(offset, depths, true);
      return true;
    }
    case 0x0f:
      gas.return(offset);
      return true;
    default:
      return false;
  }
}

function analyzeExtended(offset: number, reader: WasmReader, gas: GasAnalyzer): void {
  const opcode = reader.u32();
  if (opcode === 8 || opcode === 10 || opcode === 11) {
    gas.writes.push({ offset, operand: "bulk", displacement: 0 }); // memory.init, memory.copy, memory.fill
  }
  if (opcode <= 7) {
    gas.pure(offset); // saturating truncation
  } else if (opcode === 9 || opcode === 13 || opcode === 16) {
    reader.skipNumber(); // data.drop, elem.drop, table.size
    gas.pure(offset);
  } else if (opcode === 11 || opcode === 15 || opcode === 17) {
    reader.skipNumber(); // memory.fill, table.grow, table.fill
    gas.bulk(offset);
  } else if (opcode === 8 || opcode === 10 || opcode === 12 || opcode === 14) {
    reader.skipNumber(); // memory.init, memory.copy, table.init, table.copy
    reader.skipNumber();
    gas.bulk(offset);
  } else {
    throw prepareError("Deserialization");
  }
}

/** `i32.store` to `i64.store32`. */
const STORED_TYPES = new Map<number, MemoryWrite["operand"]>([
  [0x36, "i32"],
  [0x37, "i64"],
  [0x38, "f32"],
  [0x39, "f64"],
  [0x3a, "i32"],
  [0x3b, "i32"],
  [0x3c, "i64"],
  [0x3d, "i64"],
  [0x3e, "i64"],
]);

function analyzePlain(opcode: number, offset: number, reader: WasmReader, gas: GasAnalyzer): void {
  switch (opcode) {
    case 0x10: // call
    case 0x25: // table.get
    case 0x26: // table.set
      reader.skipNumber();
      return gas.observable(offset);
    case 0x11: // call_indirect
      reader.skipNumber();
      reader.skipNumber();
      return gas.observable(offset);
    case 0x1c: // select with types
      reader.skip(reader.u32());
      return gas.pure(offset);
    case 0x20: // local.get, local.set, local.tee, global.get, global.set
    case 0x21:
    case 0x22:
    case 0x23:
    case 0x24:
    case 0x41: // i32.const, i64.const
    case 0x42:
    case 0xd0: // ref.null, ref.func
    case 0xd2:
      reader.skipNumber();
      return gas.pure(offset);
    case 0x3f: // memory.size
      reader.skip(1);
      return gas.pure(offset);
    case 0x40: // memory.grow
      reader.skip(1);
      return gas.bulk(offset);
    case 0x43:
      reader.skip(4);
      return gas.pure(offset);
    case 0x44:
      reader.skip(8);
      return gas.pure(offset);
    case 0xfc:
      return analyzeExtended(offset, reader, gas);
  }
  const known = opcode === 0x01 || opcode === 0x1a || opcode === 0x1b || opcode === 0xd1;
  if (!known && (opcode < 0x28 || opcode > 0xc4)) throw prepareError("Deserialization");
  if (opcode >= 0x28 && opcode <= 0x3e) {
    reader.skipNumber(); // alignment
    const displacement = reader.u32();
    const operand = STORED_TYPES.get(opcode);
    if (operand !== undefined) gas.writes.push({ offset, operand, displacement });
  }
  if (isObservable(opcode)) gas.observable(offset);
  else gas.pure(offset);
}

/** Analyses the instructions of one function, from `start` (after its locals) to `end`. */
export function analyzeFunction(module: Uint8Array, start: number, end: number): FunctionAnalysis {
  const reader = new WasmReader(module, start, end);
  const gas = new GasAnalyzer();
  let lastEnd = start;
  while (reader.position < end) {
    const offset = reader.position;
    const opcode = reader.byte();
    gas.begin(offset);
    lastEnd = offset;
    if (!analyzeControl(opcode, offset, reader, gas)) analyzePlain(opcode, offset, reader, gas);
  }
  const perOffset = mergePoints(gas.points, (a, b) =>
    a.offset === b.offset ? mergeAtSameOffset(a.kind, b.kind) : undefined,
  );
  const points = mergePoints(perOffset, (a, b) => mergeNeighbours(a.kind, b.kind)).filter(
    (point) => point.kind !== Kind.Unreachable && (point.constant > 0 || point.linear > 0),
  );
  return { points, writes: gas.writes, returns: gas.returns, lastEnd, blocks: gas.blocks };
}
