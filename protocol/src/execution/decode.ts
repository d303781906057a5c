/**
 * Decodes the sections of a guest's module into a ModuleLayout and validates everything outside function bodies.
 * Nothing is trusted: each vector has a bound, each index is checked, proposals outside cost version 1 are refused
 * by name.
 */
import { readConstantExpression, readValueType } from "./const-expression.ts";
import { decodeDataCount, decodeDataSection, decodeElementSection } from "./decode-segments.ts";
import { type ImportTable, sameTypes } from "./import-table.ts";
import * as limits from "./limits.ts";
import { type ExportKind, emptyLayout, type Limits, type ModuleLayout, Section } from "./module.ts";
import { EXTERNREF, FUNCREF } from "./opcodes.ts";
import { Reader } from "./reader.ts";

/** Position of each section in the order that the format prescribes; data count stands before code. */
const ORDER: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6];

type SectionDecoder = (reader: Reader, module: ModuleLayout) => void;

/** Bounds that the run's request puts on a module. */
export interface DecodeOptions {
  readonly imports: ImportTable;
  readonly maxMemoryPages: number;
}

export function decodeModule(bytes: Uint8Array, options: DecodeOptions): ModuleLayout {
  const reader: Reader = new Reader(bytes);
  if (bytes.length > limits.MAX_MODULE_BYTES) {
    reader.reject("limit", `a module of ${bytes.length} bytes, at most ${limits.MAX_MODULE_BYTES}`);
  }
  readPreamble(reader);
  const module = emptyLayout(bytes);
  const decoders = sectionDecoders(options);
  let last = 0;
  for (let sections = 0; reader.position < bytes.length; sections++) {
    const at = reader.position;
    if (sections === limits.MAX_SECTIONS) reader.reject("limit", `more than ${limits.MAX_SECTIONS} sections`);
    const id = reader.u8();
    const length = reader.u32();
    const start = reader.position;
    reader.skip(length);
    const section = new Reader(bytes, start, start + length);
    if (id === Section.custom) {
      section.name();
      continue;
    }
    if (id === Section.tag) reader.reject("feature", "exception handling is not supported", at);
    const decode = decoders.get(id);
    if (decode === undefined) reader.reject("malformed", `unknown section ${id}`, at);
    if (ORDER[id]! <= last) reader.reject("malformed", `section ${id} out of order`, at);
    last = ORDER[id]!;
    module.sections.set(id, { start, end: start + length });
    decode(section, module);
    section.expectEnd(`section ${id}`);
  }
  checkWhole(reader, module);
  return module;
}

function readPreamble(reader: Reader): void {
  const expected = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (reader.bytes.length < 8) reader.reject("malformed", "too short for a WebAssembly module");
  for (let index = 0; index < 4; index++) {
    if (reader.bytes[index] !== expected[index]) reader.reject("malformed", "no WebAssembly magic number", 0);
  }
  if (reader.bytes[6] === 0x01) reader.reject("feature", "the component model is not supported", 4);
  for (let index = 4; index < 8; index++) {
    if (reader.bytes[index] !== expected[index]) reader.reject("malformed", "unknown WebAssembly version", 4);
  }
  reader.position = 8;
}

/** What can only be judged when all sections are known. */
function checkWhole(reader: Reader, module: ModuleLayout): void {
  const defined = module.functions.length - module.imports.length;
  if (module.bodies.length !== defined) {
    reader.reject("malformed", `${defined} functions declared, ${module.bodies.length} bodies`);
  }
  if (module.dataCount !== undefined && module.dataCount > 0 && !module.sections.has(Section.data)) {
    reader.reject("malformed", "data count without a data section");
  }
}

function sectionDecoders(options: DecodeOptions): ReadonlyMap<number, SectionDecoder> {
  return new Map<number, SectionDecoder>([
    [Section.type, decodeTypes],
    [Section.import, (reader, module) => decodeImports(reader, module, options.imports)],
    [Section.function, decodeFunctions],
    [Section.table, decodeTables],
    [Section.memory, (reader, module) => decodeMemories(reader, module, options.maxMemoryPages)],
    [Section.global, decodeGlobals],
    [Section.export, decodeExports],
    [Section.start, decodeStart],
    [Section.element, decodeElementSection],
    [Section.dataCount, decodeDataCount],
    [Section.code, decodeBodies],
    [Section.data, decodeDataSection],
  ]);
}

function decodeTypes(reader: Reader, module: ModuleLayout): void {
  const count = reader.count(limits.MAX_TYPES, "types");
  for (let index = 0; index < count; index++) {
    const at = reader.position;
    const form = reader.u8();
    if (form >= 0x4e && form <= 0x5f) reader.reject("feature", "garbage collection is not supported", at);
    if (form !== 0x60) reader.reject("malformed", `0x${form.toString(16)} is no function type`, at);
    const params = readValueTypes(reader, limits.MAX_PARAMS, "parameters");
    const results = readValueTypes(reader, limits.MAX_RESULTS, "results");
    module.types.push({ params, results });
  }
}

function readValueTypes(reader: Reader, limit: number, what: string): Uint8Array {
  const types = new Uint8Array(reader.count(limit, what));
  for (let index = 0; index < types.length; index++) types[index] = readValueType(reader);
  return types;
}

function decodeImports(reader: Reader, module: ModuleLayout, table: ImportTable): void {
  const count = reader.count(limits.MAX_IMPORTS, "imports");
  for (let index = 0; index < count; index++) {
    const at = reader.position;
    const from = reader.name();
    const name = reader.name();
    const kind = reader.u8();
    if (kind === 4) reader.reject("feature", "exception handling is not supported", at);
    if (kind > 4) reader.reject("malformed", `unknown kind of import ${kind}`, at);
    if (RESERVED_NAMES.has(name)) reader.reject("reservedName", `the guest imports ${name}`, at);
    const available = table.get(from)?.get(name);
    if (kind !== 0 || available === undefined) {
      reader.reject("import", `unknown import ${from}.${name}`, at);
    }
    const type = readTypeIndex(reader, module);
    const { params, results } = module.types[type]!;
    if (!sameTypes(params, available.params) || !sameTypes(results, available.results)) {
      reader.reject("import", `import ${from}.${name} has another signature`, at);
    }
    module.imports.push({ module: from, name, type });
    module.functions.push(type);
  }
}

function readTypeIndex(reader: Reader, module: ModuleLayout): number {
  const at = reader.position;
  const type = reader.u32();
  if (type >= module.types.length) reader.reject("invalid", `unknown type ${type}`, at);
  return type;
}

function decodeFunctions(reader: Reader, module: ModuleLayout): void {
  const count = reader.count(limits.MAX_FUNCTIONS - module.functions.length, "functions");
  for (let index = 0; index < count; index++) module.functions.push(readTypeIndex(reader, module));
}

function readLimits(reader: Reader): Limits {
  const at = reader.position;
  const flags = reader.u8();
  if (flags === 2 || flags === 3) reader.reject("feature", "threads (shared memory) is not supported", at);
  if (flags >= 4 && flags <= 7) reader.reject("feature", "memory64 is not supported", at);
  if (flags > 7) reader.reject("malformed", `unknown limits 0x${flags.toString(16)}`, at);
  const minimum = reader.u32();
  const maximum = flags === 1 ? reader.u32() : undefined;
  if (maximum !== undefined && maximum < minimum) reader.reject("invalid", "maximum below minimum", at);
  return { minimum, maximum };
}

function decodeTables(reader: Reader, module: ModuleLayout): void {
  const count = reader.count(limits.MAX_TABLES, "tables");
  let elements = 0;
  for (let index = 0; index < count; index++) {
    const at = reader.position;
    const element = reader.u8();
    if (element === 0x40 || element === 0x63 || element === 0x64) {
      reader.reject("feature", "typed function references is not supported", at);
    }
    if (element !== FUNCREF && element !== EXTERNREF) reader.reject("malformed", "unknown table type", at);
    const size = readLimits(reader);
    elements += size.minimum;
    if (elements > limits.MAX_TABLE_ELEMENTS) {
      reader.reject("limit", `tables of ${elements} elements, at most ${limits.MAX_TABLE_ELEMENTS}`, at);
    }
    module.tables.push({ element, limits: size });
  }
}

function decodeMemories(reader: Reader, module: ModuleLayout, maxMemoryPages: number): void {
  const at = reader.position;
  const count = reader.count(limits.MAX_MEMORIES, "memories");
  let pages = 0;
  for (let index = 0; index < count; index++) {
    const memory = readLimits(reader);
    if (memory.minimum > 65_536 || (memory.maximum ?? 0) > 65_536) {
      reader.reject("invalid", "a memory of more than 65,536 pages", at);
    }
    pages += memory.minimum;
    module.memories.push(memory);
  }
  if (pages > maxMemoryPages) {
    reader.reject("limit", `${pages} pages of initial memory, at most ${maxMemoryPages}`, at);
  }
}

function decodeGlobals(reader: Reader, module: ModuleLayout): void {
  const count = reader.count(limits.MAX_GLOBALS, "globals");
  for (let index = 0; index < count; index++) {
    const type = readValueType(reader);
    const at = reader.position;
    const mutability = reader.u8();
    if (mutability > 1) reader.reject("malformed", "unknown mutability", at);
    readConstantExpression(reader, module, type);
    module.globals.push({ type, mutable: mutability === 1 });
  }
}

const EXPORT_KINDS: readonly ExportKind[] = ["function", "table", "memory", "global"];

function decodeExports(reader: Reader, module: ModuleLayout): void {
  const count = reader.count(limits.MAX_EXPORTS, "exports");
  let values = 0;
  for (let index = 0; index < count; index++) {
    const at = reader.position;
    const name = reader.name();
    if (RESERVED_NAMES.has(name)) reader.reject("reservedName", `the guest exports ${name}`, at);
    if (module.exports.has(name)) reader.reject("invalid", `two exports are called ${JSON.stringify(name)}`, at);
    const code = reader.u8();
    if (code === 4) reader.reject("feature", "exception handling is not supported", at);
    const kind = EXPORT_KINDS[code];
    if (kind === undefined) reader.reject("malformed", `unknown kind of export ${code}`, at);
    const target = reader.u32();
    if (target >= sizeOfSpace(module, kind)) reader.reject("invalid", `unknown ${kind} ${target}`, at);
    if (kind === "function") {
      module.declared.add(target);
      const { params, results } = module.types[module.functions[target]!]!;
      values += params.length + results.length;
      if (values > limits.MAX_EXPORTED_VALUES) {
        reader.reject(
          "limit",
          `exported functions take and give ${values} values, at most ${limits.MAX_EXPORTED_VALUES}`,
        );
      }
    }
    module.exports.set(name, { kind, index: target });
  }
}

function sizeOfSpace(module: ModuleLayout, kind: ExportKind): number {
  if (kind === "function") return module.functions.length;
  if (kind === "table") return module.tables.length;
  if (kind === "global") return module.globals.length;
  return module.memories.length;
}

function decodeStart(reader: Reader, module: ModuleLayout): void {
  const at = reader.position;
  const index = reader.u32();
  const type = module.types[module.functions[index] ?? -1];
  if (type === undefined) reader.reject("invalid", `unknown function ${index}`, at);
  if (type.params.length + type.results.length > 0) reader.reject("invalid", "the start function has a type", at);
  module.start = index;
}

function decodeBodies(reader: Reader, module: ModuleLayout): void {
  const count = reader.count(limits.MAX_FUNCTIONS, "function bodies");
  if (count !== module.functions.length - module.imports.length) {
    reader.reject("malformed", "functions and bodies differ in number");
  }
  for (let index = 0; index < count; index++) {
    const at = reader.position;
    const length = reader.u32();
    if (length > limits.MAX_BODY_BYTES) {
      reader.reject("limit", `a function of ${length} bytes, at most ${limits.MAX_BODY_BYTES}`, at);
    }
    const start = reader.position;
    reader.skip(length);
    module.bodies.push({ start, end: start + length });
  }
}

/** Names under which the rewriting exports what the driver needs; a guest may neither import nor export them. */
export const FUEL_EXPORT = "$fuel";
export const STACK_EXPORT = "$sp";
export const INFRA_EXPORT = "$infra";
/** Memory 0; the others are numbered. */
export const MEMORY_EXPORT = "$memory";
export const START_EXPORT = "$start";
export const CALLS_EXPORT = "$calls";
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  FUEL_EXPORT,
  STACK_EXPORT,
  INFRA_EXPORT,
  START_EXPORT,
  CALLS_EXPORT,
  ...Array.from({ length: limits.MAX_MEMORIES }, (_, index) => memoryExport(index)),
]);

/** The name under which a memory is exported to the driver. */
export function memoryExport(index: number): string {
  return index === 0 ? MEMORY_EXPORT : `${MEMORY_EXPORT}${index}`;
}
