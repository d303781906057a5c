/** Element, data count and data sections. Active segments that do not fit are refused here, not at instantiation. */
import { readConstantExpression, readReferenceType } from "./const-expression.ts";
import { MAX_DATA_SEGMENTS, MAX_ELEMENT_SEGMENTS, MAX_TABLE_ELEMENTS } from "./limits.ts";
import type { ModuleLayout } from "./module.ts";
import { FUNCREF, I32 } from "./opcodes.ts";
import type { Reader } from "./reader.ts";

const PAGE_BYTES = 65_536;

export function decodeElementSection(reader: Reader, module: ModuleLayout): void {
  const count = reader.count(MAX_ELEMENT_SEGMENTS, "element segments");
  for (let index = 0; index < count; index++) decodeElementSegment(reader, module);
}

/** Flags: bit 0 not active, bit 1 explicit table or declarative, bit 2 expressions instead of indices. */
function decodeElementSegment(reader: Reader, module: ModuleLayout): void {
  const at = reader.position;
  const flags = reader.u32();
  if (flags > 7) reader.reject("malformed", `unknown element segment ${flags}`, at);
  const active = (flags & 1) === 0;
  const explicit = (flags & 2) !== 0;
  const expressions = (flags & 4) !== 0;
  const tableIndex = active && explicit ? reader.u32() : 0;
  const offset = active ? readConstantExpression(reader, module, I32) >>> 0 : 0;
  let element: number = FUNCREF;
  if (flags % 4 !== 0) {
    if (expressions) element = readReferenceType(reader);
    else if (reader.u8() !== 0x00) reader.reject("malformed", "unknown kind of element", reader.position - 1);
  }
  const length = reader.count(MAX_TABLE_ELEMENTS, "elements");
  for (let index = 0; index < length; index++) {
    if (expressions) readConstantExpression(reader, module, element);
    else readDeclaredFunction(reader, module);
  }
  if (active) {
    const table = module.tables[tableIndex];
    if (table === undefined) reader.reject("invalid", `unknown table ${tableIndex}`, at);
    if (table.element !== element) reader.reject("invalid", "elements and table differ in type", at);
    if (offset + length > table.limits.minimum) reader.reject("invalid", "an element segment outside its table", at);
    module.activeElements += length;
  }
  module.elements.push(element);
}

function readDeclaredFunction(reader: Reader, module: ModuleLayout): void {
  const at = reader.position;
  const index = reader.u32();
  if (index >= module.functions.length) reader.reject("invalid", `unknown function ${index}`, at);
  module.declared.add(index);
}

export function decodeDataCount(reader: Reader, module: ModuleLayout): void {
  const at = reader.position;
  const count = reader.u32();
  if (count > MAX_DATA_SEGMENTS) reader.reject("limit", `${count} data segments, at most ${MAX_DATA_SEGMENTS}`, at);
  module.dataCount = count;
}

export function decodeDataSection(reader: Reader, module: ModuleLayout): void {
  const at = reader.position;
  const count = reader.count(MAX_DATA_SEGMENTS, "data segments");
  if (module.dataCount !== undefined && module.dataCount !== count) {
    reader.reject("malformed", "data count and data section differ", at);
  }
  for (let index = 0; index < count; index++) decodeDataSegment(reader, module);
}

function decodeDataSegment(reader: Reader, module: ModuleLayout): void {
  const at = reader.position;
  const flags = reader.u32();
  if (flags > 2) reader.reject("malformed", `unknown data segment ${flags}`, at);
  const active = flags !== 1;
  const index = flags === 2 ? reader.u32() : 0;
  const memory = module.memories[index];
  if (active && memory === undefined) reader.reject("invalid", `unknown memory ${index}`, at);
  const offset = active ? readConstantExpression(reader, module, I32) >>> 0 : 0;
  const length = reader.u32();
  reader.skip(length);
  if (!active || memory === undefined) return;
  if (offset + length > memory.minimum * PAGE_BYTES) {
    reader.reject("invalid", "a data segment outside the initial memory", at);
  }
  module.activeBytes += length;
}
