/**
 * Rewrites a contract so that it counts its own gas and stack: the preparation of near-vm-runner 0.38.0
 * (prepare/prepare_v3.rs and instrument_v3.rs) for Node's WebAssembly.
 * One thing differs from nearcore and cannot be observed: nearcore calls an injected import when gas or stack run
 * out, we write the charge that failed into an extra global and trap. So function indices stay as they are.
 * Not done: limits on the height of the operand stack, which need the type of every operand.
 */
import { INSTRUCTION_COSTS, LIMITS } from "../parameters/protocol-config.ts";
import { analyzeFunction, type FunctionAnalysis, type GasPoint } from "./gas-points.ts";
import { prepareError } from "./vm-error.ts";
import { WasmReader, WasmWriter } from "./wasm-reader.ts";

/** Prefix of the contract's own exports, so that they cannot collide with ours. */
export const EXPORT_PREFIX = "\0";
export const MEMORY_EXPORT = "memory";
export const REMAINING_GAS_EXPORT = "remaining_gas";
/** 0 while all is well, the charge that did not fit, or `STACK_EXHAUSTED`. */
export const EXHAUSTED_EXPORT = "exhausted";
export const REMAINING_STACK_EXPORT = "remaining_stack";
export const START_EXPORT = "start";
export const STACK_EXHAUSTED = -1n;

/** What nearcore counts for a frame beside its locals. */
const FRAME_BYTES = 64;
const SECTION = { type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, start: 8 } as const;
const ELEMENT_SECTION = 9;
const CODE_SECTION = 10;
const DATA_SECTION = 11;
const DATA_COUNT_SECTION = 12;
const VALUE_BYTES = new Map([
  [0x7f, 4],
  [0x7e, 8],
  [0x7d, 4],
  [0x7c, 8],
  [0x70, 8],
  [0x6f, 8],
]);
const I32 = 0x7f;
const I64 = 0x7e;
const EMPTY_BLOCK = 0x40;

interface Range {
  start: number;
  end: number;
}

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface ImportedFunction {
  readonly name: string;
  readonly type: FunctionType;
}

export interface InstrumentedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly imports: readonly ImportedFunction[];
  /** Types of exported functions by their original name. */
  readonly exports: ReadonlyMap<string, FunctionType>;
}

interface Globals {
  gas: number;
  exhausted: number;
  stack: number;
}

function valueBytes(type: number): number {
  const bytes = VALUE_BYTES.get(type);
  if (bytes === undefined) throw prepareError("Deserialization");
  return bytes;
}

function readSections(module: Uint8Array): Map<number, Range> {
  const reader = new WasmReader(module, 8);
  const sections = new Map<number, Range>();
  while (reader.position < module.length) {
    const id = reader.byte();
    const length = reader.u32();
    const start = reader.position;
    reader.skip(length);
    if (id > DATA_COUNT_SECTION) throw prepareError("Deserialization");
    if (id !== 0) sections.set(id, { start, end: reader.position });
  }
  return sections;
}

function readTypes(reader: WasmReader): FunctionType[] {
  const types: FunctionType[] = [];
  const count = reader.u32();
  if (count > LIMITS.max_types_per_contract) throw prepareError("TooManyTypes");
  for (let rest = count; rest > 0; rest--) {
    if (reader.byte() !== 0x60) throw prepareError("Deserialization");
    const parameters: number[] = [];
    for (let n = reader.u32(); n > 0; n--) parameters.push(reader.byte());
    const results: number[] = [];
    for (let n = reader.u32(); n > 0; n--) results.push(reader.byte());
    if (results.length > 1) throw prepareError("Deserialization");
    types.push({ parameters, results });
  }
  return types;
}

function readImports(reader: WasmReader, types: readonly FunctionType[]): ImportedFunction[] {
  const imports: ImportedFunction[] = [];
  for (let rest = reader.u32(); rest > 0; rest--) {
    const module = reader.name();
    const name = reader.name();
    const kind = reader.byte();
    if (module !== "env") throw prepareError("Instantiate");
    if (kind === 2) throw prepareError("Memory");
    if (kind !== 0) throw prepareError("Instantiate");
    const type = types[reader.u32()];
    if (type === undefined) throw prepareError("Deserialization");
    imports.push({ name, type });
  }
  return imports;
}

function checkTables(reader: WasmReader): void {
  const count = reader.u32();
  if (count > LIMITS.max_tables_per_contract) throw prepareError("TooManyTables");
  for (let rest = count; rest > 0; rest--) {
    reader.byte();
    const bounded = reader.byte() === 1;
    if (reader.u32() > LIMITS.max_elements_per_contract_table) throw prepareError("TooManyTableElements");
    if (bounded) reader.u32();
  }
}

/** Constant expressions are one instruction: extended constants are off in protocol 88. */
function checkGlobals(reader: WasmReader): number {
  const count = reader.u32();
  for (let rest = count; rest > 0; rest--) {
    reader.skip(2);
    const opcode = reader.byte();
    if (opcode === 0x43) reader.skip(4);
    else if (opcode === 0x44) reader.skip(8);
    else reader.skipNumber();
    if (reader.byte() !== 0x0b) throw prepareError("Deserialization");
  }
  return count;
}

function writeGasCharge(out: WasmWriter, globals: Globals, gas: number): void {
  const cost = BigInt(gas);
  out.byte(0x23).u32(globals.gas).byte(0x42).signed(cost).byte(0x54, 0x04, EMPTY_BLOCK);
  out.byte(0x42).signed(cost).byte(0x24).u32(globals.exhausted).byte(0x00, 0x0b);
  out.byte(0x23).u32(globals.gas).byte(0x42).signed(cost).byte(0x7d, 0x24).u32(globals.gas);
}

/** Charges by the topmost operand (an i32 count), which stays on the stack. */
function writeBulkCharge(out: WasmWriter, globals: Globals, point: GasPoint, costLocal: number): void {
  const countLocal = costLocal + 1;
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

interface Body {
  localGroups: Range & { count: number };
  localCount: number;
  frameBytes: number;
  code: Range;
}

function readBody(reader: WasmReader, end: number, type: FunctionType): Body {
  let localCount = type.parameters.length;
  let frameBytes = FRAME_BYTES;
  for (const parameter of type.parameters) frameBytes += valueBytes(parameter);
  const count = reader.u32();
  const start = reader.position;
  for (let rest = count; rest > 0; rest--) {
    const repeat = reader.u32();
    localCount += repeat;
    frameBytes += repeat * valueBytes(reader.byte());
  }
  const codeStart = reader.position;
  if (codeStart >= end) throw prepareError("Deserialization");
  return { localGroups: { start, end: codeStart, count }, localCount, frameBytes, code: { start: codeStart, end } };
}

/** The function with its charges; its body is wrapped into a block, so that every way out gives the frame back. */
function writeBody(
  module: Uint8Array,
  type: FunctionType,
  body: Body,
  analysis: FunctionAnalysis,
  globals: Globals,
): Uint8Array {
  const out = new WasmWriter(body.code.end - body.code.start + 256);
  out.u32(body.localGroups.count + 2).raw(module.subarray(body.localGroups.start, body.localGroups.end));
  out.byte(1, I64, 1, I32);
  out.byte(0x02, type.results[0] ?? EMPTY_BLOCK);
  writeStackClaim(out, globals, body.frameBytes);
  writeGasCharge(out, globals, Math.floor((body.frameBytes + 7) / 8) * INSTRUCTION_COSTS.regular);
  let at = body.code.start;
  const copyUntil = (offset: number) => {
    out.raw(module.subarray(at, offset));
    at = offset;
  };
  let nextReturn = 0;
  for (const point of analysis.points) {
    while ((analysis.returns[nextReturn] ?? Number.POSITIVE_INFINITY) < point.offset) {
      copyUntil(analysis.returns[nextReturn++]!);
      writeStackRelease(out, globals, body.frameBytes);
    }
    copyUntil(point.offset);
    if (point.linear > 0) writeBulkCharge(out, globals, point, body.localCount);
    else writeGasCharge(out, globals, point.constant);
  }
  for (; nextReturn < analysis.returns.length; nextReturn++) {
    copyUntil(analysis.returns[nextReturn]!);
    writeStackRelease(out, globals, body.frameBytes);
  }
  copyUntil(analysis.lastEnd);
  out.byte(0x0b);
  writeStackRelease(out, globals, body.frameBytes);
  out.byte(0x0b);
  return out.view();
}

function writeCode(
  module: Uint8Array,
  range: Range,
  functions: readonly FunctionType[],
  globals: Globals,
): { content: Uint8Array; localCount: number } {
  const reader = new WasmReader(module, range.start, range.end);
  const count = reader.u32();
  const out = new WasmWriter((range.end - range.start) * 3).u32(count);
  let locals = 0;
  let parameters = 0;
  let blocks = 0;
  for (let index = 0; index < count; index++) {
    const type = functions[index];
    if (type === undefined) throw prepareError("Deserialization");
    const size = reader.u32();
    if (size > LIMITS.max_function_body_size) throw prepareError("FunctionBodyTooLarge");
    const end = reader.position + size;
    const body = readBody(reader, end, type);
    locals += body.localCount - type.parameters.length;
    const allowed = Math.min(
      LIMITS.max_locals_per_contract,
      Math.floor(module.length / LIMITS.min_contract_size_per_local),
    );
    if (locals > allowed) throw prepareError("TooManyLocals");
    parameters += type.parameters.length;
    if (type.parameters.length > LIMITS.max_params_per_function) throw prepareError("TooManyParamsPerFunction");
    if (parameters > LIMITS.max_params_per_contract) throw prepareError("TooManyParamsPerContract");
    const analysis = analyzeFunction(module, body.code.start, end);
    blocks += analysis.blocks;
    if (analysis.blocks > LIMITS.max_blocks_per_function) throw prepareError("TooManyBlocksPerFunction");
    if (blocks > LIMITS.max_blocks_per_contract) throw prepareError("TooManyBlocksPerContract");
    const written = writeBody(module, type, body, analysis, globals);
    out.u32(written.length).raw(written);
    reader.position = end;
  }
  return { content: out.view(), localCount: locals };
}

function writeGlobals(module: Uint8Array, range: Range | undefined, count: number): Uint8Array {
  const out = new WasmWriter().u32(count + 3);
  if (range !== undefined) {
    const reader = new WasmReader(module, range.start, range.end);
    reader.u32();
    out.raw(module.subarray(reader.position, range.end));
  }
  const mutableZero = [I64, 1, 0x42, 0, 0x0b];
  return out.byte(...mutableZero, ...mutableZero, ...mutableZero).view();
}

function writeExports(
  module: Uint8Array,
  range: Range | undefined,
  functionTypes: readonly FunctionType[],
  globals: Globals,
  startFunction: number | undefined,
): { content: Uint8Array; exports: Map<string, FunctionType> } {
  const entries = new WasmWriter();
  const exports = new Map<string, FunctionType>();
  let count = 0;
  const add = (name: string, kind: number, index: number) => {
    entries.name(name).byte(kind).u32(index);
    count++;
  };
  if (range !== undefined) {
    const reader = new WasmReader(module, range.start, range.end);
    for (let rest = reader.u32(); rest > 0; rest--) {
      const name = reader.name();
      const kind = reader.byte();
      const index = reader.u32();
      const type = functionTypes[index];
      if (kind === 0 && type !== undefined) exports.set(name, type);
      if (kind !== 2) add(EXPORT_PREFIX + name, kind, index);
    }
  }
  add(MEMORY_EXPORT, 2, 0);
  add(REMAINING_GAS_EXPORT, 3, globals.gas);
  add(EXHAUSTED_EXPORT, 3, globals.exhausted);
  add(REMAINING_STACK_EXPORT, 3, globals.stack);
  if (startFunction !== undefined) add(START_EXPORT, 0, startFunction);
  return { content: new WasmWriter().u32(count).raw(entries.view()).view(), exports };
}

/**
 * Instruments a contract.
 * @throws ContractError `PrepareError` with nearcore's reason, when protocol 88 would refuse the module
 */
export function instrument(module: Uint8Array<ArrayBuffer>): InstrumentedModule {
  if (!WebAssembly.validate(module)) throw prepareError("Deserialization");
  const sections = readSections(module);
  const read = (id: number): WasmReader | undefined => {
    const range = sections.get(id);
    return range && new WasmReader(module, range.start, range.end);
  };
  const optional = <T>(id: number, parse: (reader: WasmReader) => T, otherwise: T): T => {
    const reader = read(id);
    return reader === undefined ? otherwise : parse(reader);
  };

  const types = optional(SECTION.type, readTypes, []);
  const imports = optional(SECTION.import, (reader) => readImports(reader, types), []);
  const functions = optional(
    SECTION.function,
    (reader) => Array.from({ length: reader.u32() }, () => types[reader.u32()]!),
    [],
  );
  if (imports.length + functions.length > LIMITS.max_functions_number_per_contract) {
    throw prepareError("TooManyFunctions");
  }
  optional(SECTION.table, checkTables, undefined);
  const globalCount = optional(SECTION.global, checkGlobals, 0);
  const globals: Globals = { gas: globalCount, exhausted: globalCount + 1, stack: globalCount + 2 };
  const startFunction = optional<number | undefined>(SECTION.start, (reader) => reader.u32(), undefined);
  const functionTypes = [...imports.map((imported) => imported.type), ...functions];
  const exported = writeExports(module, sections.get(SECTION.export), functionTypes, globals, startFunction);

  const out = new WasmWriter(module.length * 3).raw(module.subarray(0, 8));
  const copy = (id: number) => {
    const range = sections.get(id);
    if (range !== undefined) out.section(id, module.subarray(range.start, range.end));
  };
  for (const id of [SECTION.type, SECTION.import, SECTION.function, SECTION.table]) copy(id);
  const memory = new WasmWriter().byte(1, 1).u32(LIMITS.initial_memory_pages).u32(LIMITS.max_memory_pages);
  out.section(SECTION.memory, memory.view());
  out.section(SECTION.global, writeGlobals(module, sections.get(SECTION.global), globalCount));
  out.section(SECTION.export, exported.content);
  copy(ELEMENT_SECTION);
  copy(DATA_COUNT_SECTION);
  const codeRange = sections.get(CODE_SECTION);
  if (codeRange !== undefined) {
    out.section(CODE_SECTION, writeCode(module, codeRange, functions, globals).content);
  }
  copy(DATA_SECTION);
  if (out.length > LIMITS.max_instrumented_code_size) throw prepareError("InstrumentedCodeTooLarge");
  return { bytes: out.view().slice(), imports, exports: exported.exports };
}
