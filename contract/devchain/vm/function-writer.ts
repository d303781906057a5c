/**
 * Writes one function of a contract anew, with what nearcore inserts (charges of gas and of stack) and with what only
 * we need: the highest address that the contract writes, so that its memory can be wiped for the next call.
 */
import { INSTRUCTION_COSTS } from "../parameters/protocol-config.ts";
import type { FunctionAnalysis, GasPoint, MemoryWrite } from "./gas-points.ts";
import { F32, F64, type FunctionType, I32, I64, valueBytes } from "./value-type.ts";
import { prepareError } from "./vm-error.ts";
import type { WasmReader, WasmWriter } from "./wasm-reader.ts";

/** Values of the global that says why the guest stopped, beside the charge that did not fit. */
export const STACK_EXHAUSTED = -1n;
export const NULL_CALLED = -2n;

/** What nearcore counts for a frame beside its locals. */
const FRAME_BYTES = 64;
const EMPTY_BLOCK = 0x40;

/** Indices of the globals that the instrumentation adds. */
export interface Globals {
  readonly gas: number;
  readonly exhausted: number;
  readonly stack: number;
  readonly mark: number;
}

/** Locals behind the function's own: a cost or i64, three i32 (count or value, address, source), an f32, an f64. */
const ADDED_LOCALS = { i64: 0, i32: 1, address: 2, source: 3, f32: 4, f64: 5 } as const;

function writeGasCharge(out: WasmWriter, globals: Globals, gas: number): void {
  const cost = BigInt(gas);
  out.byte(0x23).u32(globals.gas).byte(0x42).signed(cost).byte(0x54, 0x04, EMPTY_BLOCK);
  out.byte(0x42).signed(cost).byte(0x24).u32(globals.exhausted).byte(0x00, 0x0b);
  out.byte(0x23).u32(globals.gas).byte(0x42).signed(cost).byte(0x7d, 0x24).u32(globals.gas);
}

/** Charges by the topmost operand (an i32 count), which stays on the stack. */
function writeBulkCharge(out: WasmWriter, globals: Globals, point: GasPoint, firstLocal: number): void {
  const costLocal = firstLocal + ADDED_LOCALS.i64;
  const countLocal = firstLocal + ADDED_LOCALS.i32;
  out.byte(0x22).u32(countLocal).byte(0xad, 0x42).signed(BigInt(point.linear)).byte(0x7e);
  out.byte(0x42).signed(BigInt(point.constant)).byte(0x7c, 0x22).u32(costLocal);
  out.byte(0x23).u32(globals.gas).byte(0x56, 0x04, EMPTY_BLOCK);
  out.byte(0x20).u32(costLocal).byte(0x24).u32(globals.exhausted).byte(0x00, 0x0b);
  out.byte(0x23).u32(globals.gas).byte(0x20).u32(costLocal).byte(0x7d, 0x24).u32(globals.gas);
  out.byte(0x20).u32(countLocal);
}

function writeStackClaim(out: WasmWriter, globals: Globals, frameBytes: number): void {
  const size = BigInt(frameBytes);
  out.byte(0x23).u32(globals.stack).byte(0x42).signed(size).byte(0x54, 0x04, EMPTY_BLOCK);
  out.byte(0x42).signed(STACK_EXHAUSTED).byte(0x24).u32(globals.exhausted).byte(0x00, 0x0b);
  out.byte(0x23).u32(globals.stack).byte(0x42).signed(size).byte(0x7d, 0x24).u32(globals.stack);
}

function writeStackRelease(out: WasmWriter, globals: Globals, frameBytes: number): void {
  out.byte(0x23).u32(globals.stack).byte(0x42).signed(BigInt(frameBytes)).byte(0x7c, 0x24).u32(globals.stack);
}

/** V8 has one trap for a null function and for a wrong signature; nearcore has two. */
function writeNullCheck(out: WasmWriter, globals: Globals, firstLocal: number): void {
  out.byte(0x22).u32(firstLocal + ADDED_LOCALS.i32);
  out
    .byte(0x20)
    .u32(firstLocal + ADDED_LOCALS.i32)
    .byte(0x25, 0, 0xd1, 0x04, EMPTY_BLOCK);
  out.byte(0x42).signed(NULL_CALLED).byte(0x24).u32(globals.exhausted).byte(0x00, 0x0b);
}

/** Raises the mark to the address (or, of a bulk write, to the end) that stands below the other operands. */
function writeMark(out: WasmWriter, globals: Globals, write: MemoryWrite, firstLocal: number): number {
  const start = out.length;
  const set = (name: keyof typeof ADDED_LOCALS) => out.byte(0x21).u32(firstLocal + ADDED_LOCALS[name]);
  const get = (name: keyof typeof ADDED_LOCALS) => out.byte(0x20).u32(firstLocal + ADDED_LOCALS[name]);
  const isBulk = write.operand === "bulk";
  const above = write.operand === "bulk" ? "source" : write.operand;
  if (isBulk) set("i32");
  set(above);
  set("address");
  // A sum beyond 32 bits wraps, and so does no harm: the write itself is out of bounds then.
  const writeEnd = () => {
    get("address");
    if (isBulk) get("i32").byte(0x6a);
  };
  writeEnd();
  out.byte(0x23).u32(globals.mark).byte(0x4b, 0x04, EMPTY_BLOCK);
  writeEnd();
  out.byte(0x24).u32(globals.mark).byte(0x0b);
  get("address");
  get(above);
  if (isBulk) get("i32");
  return out.length - start;
}

export interface FunctionBody {
  localGroups: { start: number; end: number; count: number };
  localCount: number;
  /** The type of a parameter or local. */
  localType(index: number): number;
  frameBytes: number;
  code: { start: number; end: number };
}

/** The first group that ends behind `index`. */
function groupOf(groups: readonly { end: number }[], index: number): number {
  let low = 0;
  let high = groups.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (groups[middle]!.end > index) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function readBody(reader: WasmReader, end: number, type: FunctionType): FunctionBody {
  let localCount = type.parameters.length;
  let frameBytes = FRAME_BYTES;
  for (const parameter of type.parameters) frameBytes += valueBytes(parameter);
  const count = reader.u32();
  const start = reader.position;
  const groups: { end: number; type: number }[] = [];
  for (let rest = count; rest > 0; rest--) {
    const repeat = reader.u32();
    const local = reader.byte();
    localCount += repeat;
    frameBytes += repeat * valueBytes(local);
    if (repeat > 0) groups.push({ end: localCount, type: local });
  }
  const localType = (index: number) => type.parameters[index] ?? groups[groupOf(groups, index)]!.type;
  const codeStart = reader.position;
  if (codeStart >= end) throw prepareError("Deserialization");
  return {
    localGroups: { start, end: codeStart, count },
    localCount,
    localType,
    frameBytes,
    code: { start: codeStart, end },
  };
}

/** The NaN that Cranelift makes of every NaN, as a constant instruction. */
const CANONICAL_NAN = {
  f32: { constant: [0x43, 0, 0, 0xc0, 0x7f], equal: 0x5b },
  f64: { constant: [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], equal: 0x61 },
} as const;

/** Replaces the topmost operand by the canonical NaN if it is one: V8 keeps the bits that the machine made. */
function writeCanonicalNan(out: WasmWriter, type: "f32" | "f64", firstLocal: number): void {
  const local = firstLocal + ADDED_LOCALS[type];
  const { constant, equal } = CANONICAL_NAN[type];
  out
    .byte(0x22)
    .u32(local)
    .byte(...constant);
  out.byte(0x20).u32(local).byte(0x20).u32(local).byte(equal, 0x1b);
}

type Insertion = { readonly offset: number } & (
  | { readonly kind: "charge"; readonly point: GasPoint }
  | { readonly kind: "mark"; readonly write: MemoryWrite }
  | { readonly kind: "release" }
  | { readonly kind: "nullCheck" }
  | { readonly kind: "float"; readonly type: "f32" | "f64" }
);

/** What goes before which instruction, in order: what belongs to the instruction before, then the charge. */
function insertionsOf({ points, writes, floats, indirectCalls, returns }: FunctionAnalysis): Insertion[] {
  const insertions: Insertion[] = [
    ...floats.map(({ offset, type }) => ({ kind: "float" as const, offset, type })),
    ...points.map((point) => ({ kind: "charge" as const, offset: point.offset, point })),
    ...writes.map((write) => ({ kind: "mark" as const, offset: write.offset, write })),
    ...indirectCalls.map((offset) => ({ kind: "nullCheck" as const, offset })),
    ...returns.map((offset) => ({ kind: "release" as const, offset })),
  ];
  return insertions.sort((a, b) => a.offset - b.offset);
}

/**
 * Writes the function with its charges; its body is wrapped into a block, so that every way out gives the frame back.
 * Returns how many of the bytes only serve the mark, which nearcore does not have.
 */
export function writeBody(
  out: WasmWriter,
  module: Uint8Array,
  type: FunctionType,
  body: FunctionBody,
  analysis: FunctionAnalysis,
  globals: Globals,
): number {
  let markBytes = 8;
  const firstLocal = body.localCount;
  const stackBytes = body.frameBytes + analysis.operandBytes;
  out.u32(body.localGroups.count + 4).raw(module.subarray(body.localGroups.start, body.localGroups.end));
  out.byte(1, I64, 3, I32, 1, F32, 1, F64);
  out.byte(0x02, type.results[0] ?? EMPTY_BLOCK);
  writeStackClaim(out, globals, stackBytes);
  writeGasCharge(out, globals, Math.floor((body.frameBytes + 7) / 8) * INSTRUCTION_COSTS.regular);
  let at = body.code.start;
  for (const insertion of insertionsOf(analysis)) {
    out.raw(module.subarray(at, insertion.offset));
    at = insertion.offset;
    if (insertion.kind === "release") writeStackRelease(out, globals, stackBytes);
    else if (insertion.kind === "float") writeCanonicalNan(out, insertion.type, firstLocal);
    else if (insertion.kind === "nullCheck") writeNullCheck(out, globals, firstLocal);
    else if (insertion.kind === "mark") markBytes += writeMark(out, globals, insertion.write, firstLocal);
    else if (insertion.point.linear > 0) writeBulkCharge(out, globals, insertion.point, firstLocal);
    else writeGasCharge(out, globals, insertion.point.constant);
  }
  out.raw(module.subarray(at, analysis.lastEnd));
  out.byte(0x0b);
  writeStackRelease(out, globals, stackBytes);
  out.byte(0x0b);
  return markBytes;
}
