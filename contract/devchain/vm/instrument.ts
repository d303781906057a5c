/**
 * Rewrites a contract so that it counts its own gas and stack: the preparation of near-vm-runner 0.38.0
 * (prepare/prepare_v3.rs and instrument_v3.rs) for Node's WebAssembly.
 * Two things differ from nearcore and cannot be observed. nearcore calls an injected import when gas or stack run
 * out, we write the charge that failed into an extra global and trap: so function indices stay as they are. And the
 * memory is imported instead of defined, with a mark of how far it was written, so that it can be used again.
 */
import { LIMITS } from "../parameters/protocol-config.ts";
import { type FunctionBody, type Globals, readBody, writeBody } from "./function-writer.ts";
import { analyzeFunction } from "./gas-points.ts";
import { type ModuleTypes, OperandStack } from "./operand-stack.ts";
import { type FunctionType, I32, I64 } from "./value-type.ts";
import { prepareError } from "./vm-error.ts";
import { WasmReader, WasmWriter } from "./wasm-reader.ts";

/** Prefix of the contract's own exports, so that they cannot collide with ours. */
export const EXPORT_PREFIX = "\0";
export const INTERNAL_MODULE = "internal";
export const MEMORY_IMPORT = "memory";
export const REMAINING_GAS_EXPORT = "remaining_gas";
/** 0 while all is well, the charge that did not fit, or `STACK_EXHAUSTED`. */
export const EXHAUSTED_EXPORT = "exhausted";
export const REMAINING_STACK_EXPORT = "remaining_stack";
/** The highest address that a store was given, or the highest end of a bulk write. */
export const MARK_EXPORT = "mark";
export const START_EXPORT = "start";

const SECTION = { type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, start: 8 } as const;
const ELEMENT_SECTION = 9;
const CODE_SECTION = 10;
const DATA_SECTION = 11;
const DATA_COUNT_SECTION = 12;
interface Range {
  start: number;
  end: number;
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
  /** Memory below this address has data before the first instruction runs. */
  readonly dataEnd: number;
  /** No store writes at or behind the mark plus this. */
  readonly writeReach: number;
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

/** Types of the globals. Constant expressions are one instruction: extended constants are off in protocol 88. */
function readGlobals(reader: WasmReader): number[] {
  const globals: number[] = [];
  for (let rest = reader.u32(); rest > 0; rest--) {
    globals.push(reader.byte());
    reader.skip(1);
    const opcode = reader.byte();
    if (opcode === 0x43) reader.skip(4);
    else if (opcode === 0x44) reader.skip(8);
    else reader.skipNumber();
    if (reader.byte() !== 0x0b) throw prepareError("Deserialization");
  }
  return globals;
}

/** Where the last active data segment ends; address 0 without any. */
function readDataEnd(reader: WasmReader): number {
  let dataEnd = 0;
  for (let rest = reader.u32(); rest > 0; rest--) {
    const flags = reader.u32();
    let start = 0;
    if (flags === 2) reader.u32();
    if (flags !== 1) {
      if (reader.byte() !== 0x41) throw prepareError("Deserialization");
      start = reader.signed32() >>> 0;
      if (reader.byte() !== 0x0b) throw prepareError("Deserialization");
    }
    const length = reader.u32();
    reader.skip(length);
    if (flags !== 1) dataEnd = Math.max(dataEnd, start + length);
  }
  return dataEnd;
}

/** The contract's imports and, behind them, its memory. */
function writeImports(module: Uint8Array, range: Range | undefined, count: number): Uint8Array {
  const out = new WasmWriter().u32(count + 1);
  if (range !== undefined) {
    const reader = new WasmReader(module, range.start, range.end);
    reader.u32();
    out.raw(module.subarray(reader.position, range.end));
  }
  out.name(INTERNAL_MODULE).name(MEMORY_IMPORT);
  return out.byte(2, 1).u32(LIMITS.initial_memory_pages).u32(LIMITS.max_memory_pages).view();
}

interface WrittenCode {
  content: Uint8Array;
  /** Bytes that nearcore's instrumentation does not have. */
  markBytes: number;
  writeReach: number;
}

interface LocatedBody {
  readonly type: FunctionType;
  readonly body: FunctionBody;
}

/** The bodies, as the first pass of nearcore's preparation checks them. */
function readBodies(module: Uint8Array, range: Range, functions: readonly FunctionType[]): LocatedBody[] {
  const reader = new WasmReader(module, range.start, range.end);
  const allowedLocals = Math.min(
    LIMITS.max_locals_per_contract,
    Math.floor(module.length / LIMITS.min_contract_size_per_local),
  );
  let locals = 0;
  return Array.from({ length: reader.u32() }, (_, index) => {
    const type = functions[index];
    if (type === undefined) throw prepareError("Deserialization");
    const size = reader.u32();
    if (size > LIMITS.max_function_body_size) throw prepareError("FunctionBodyTooLarge");
    const end = reader.position + size;
    const body = readBody(reader, end, type);
    locals += body.localCount - type.parameters.length;
    if (locals > allowedLocals) throw prepareError("TooManyLocals");
    reader.position = end;
    return { type, body };
  });
}

/** Writes the functions, and checks what the second pass of nearcore's preparation checks, in its order. */
function writeCode(
  module: Uint8Array,
  bodies: readonly LocatedBody[],
  moduleTypes: ModuleTypes,
  globals: Globals,
): WrittenCode {
  const out = new WasmWriter(module.length * 3).u32(bodies.length);
  let parameters = 0;
  let blocks = 0;
  let markBytes = 0;
  let writeReach = 0;
  for (const { type, body } of bodies) {
    parameters += type.parameters.length;
    if (type.parameters.length > LIMITS.max_params_per_function) throw prepareError("TooManyParamsPerFunction");
    if (parameters > LIMITS.max_params_per_contract) throw prepareError("TooManyParamsPerContract");
    const { start, end } = body.code;
    const analysis = analyzeFunction(module, start, end, new OperandStack(moduleTypes, body.localType));
    if (analysis.operandBytes > LIMITS.max_operand_stack_bytes_per_function) throw prepareError("OperandStackTooLarge");
    blocks += analysis.blocks;
    if (analysis.blocks > LIMITS.max_blocks_per_function) throw prepareError("TooManyBlocksPerFunction");
    if (blocks > LIMITS.max_blocks_per_contract) throw prepareError("TooManyBlocksPerContract");
    const written = new WasmWriter((end - start) * 3 + 256);
    markBytes += writeBody(written, module, type, body, analysis, globals);
    for (const { displacement } of analysis.writes) writeReach = Math.max(writeReach, displacement + 8);
    out.u32(written.length).raw(written.view());
  }
  return { content: out.view(), markBytes, writeReach };
}

function writeGlobals(module: Uint8Array, range: Range | undefined, count: number): Uint8Array {
  const out = new WasmWriter().u32(count + 4);
  if (range !== undefined) {
    const reader = new WasmReader(module, range.start, range.end);
    reader.u32();
    out.raw(module.subarray(reader.position, range.end));
  }
  const mutableZero = [I64, 1, 0x42, 0, 0x0b];
  out.byte(...mutableZero, ...mutableZero, ...mutableZero);
  return out.byte(I32, 1, 0x41, 0, 0x0b).view();
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
  add(REMAINING_GAS_EXPORT, 3, globals.gas);
  add(EXHAUSTED_EXPORT, 3, globals.exhausted);
  add(REMAINING_STACK_EXPORT, 3, globals.stack);
  add(MARK_EXPORT, 3, globals.mark);
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
  const globalTypes = optional(SECTION.global, readGlobals, []);
  const globalCount = globalTypes.length;
  const [gas, exhausted, stack, mark] = [0, 1, 2, 3].map((index) => globalCount + index) as [
    number,
    number,
    number,
    number,
  ];
  const globals: Globals = { gas, exhausted, stack, mark };
  const startFunction = optional<number | undefined>(SECTION.start, (reader) => reader.u32(), undefined);
  const functionTypes = [...imports.map((imported) => imported.type), ...functions];
  const exported = writeExports(module, sections.get(SECTION.export), functionTypes, globals, startFunction);

  const out = new WasmWriter(module.length * 3).raw(module.subarray(0, 8));
  const copy = (id: number) => {
    const range = sections.get(id);
    if (range !== undefined) out.section(id, module.subarray(range.start, range.end));
  };
  copy(SECTION.type);
  out.section(SECTION.import, writeImports(module, sections.get(SECTION.import), imports.length));
  copy(SECTION.function);
  copy(SECTION.table);
  out.section(SECTION.global, writeGlobals(module, sections.get(SECTION.global), globalCount));
  out.section(SECTION.export, exported.content);
  copy(ELEMENT_SECTION);
  copy(DATA_COUNT_SECTION);
  const codeRange = sections.get(CODE_SECTION);
  const bodies = codeRange && readBodies(module, codeRange, functions);
  const code = bodies && writeCode(module, bodies, { types, functions: functionTypes, globals: globalTypes }, globals);
  if (code !== undefined) out.section(CODE_SECTION, code.content);
  copy(DATA_SECTION);
  const sizeBytes = out.length - (code?.markBytes ?? 0);
  if (sizeBytes > LIMITS.max_instrumented_code_size) throw prepareError("InstrumentedCodeTooLarge");
  const dataEnd = optional(DATA_SECTION, readDataEnd, 0);
  const writeReach = code?.writeReach ?? 0;
  return { bytes: out.view().slice(), imports, exports: exported.exports, dataEnd, writeReach };
}
