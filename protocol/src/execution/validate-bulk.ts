/** The 0xfc prefix: saturating conversions, bulk memory and tables. */
import type { BodyContext } from "./body-context.ts";
import { BULK_TICKS, SATURATING_TICKS, SEGMENT_TICKS } from "./cost-model.ts";
import { Charge, Edit } from "./edits.ts";
import { BULK_EXPANSION } from "./limits.ts";
import { Bulk, I32, SATURATING } from "./opcodes.ts";
import type { Reader } from "./reader.ts";

const LENGTH_OPERANDS: readonly number[] = [I32, I32, I32];

export function bulk(body: BodyContext, at: number): void {
  const reader: Reader = body.reader;
  const opcode = reader.u32();
  const saturating = SATURATING[opcode];
  if (saturating !== undefined) {
    body.segments.spend(SATURATING_TICKS);
    body.withdraw(1);
    body.stack.popAll(saturating.params);
    return body.stack.pushAll(saturating.results);
  }
  switch (opcode) {
    case Bulk.memoryInit:
      dataSegment(body, at);
      body.memory(at);
      return sized(body, at, Charge.bytes, LENGTH_OPERANDS);
    case Bulk.memoryCopy:
      body.memory(at);
      body.memory(at);
      return sized(body, at, Charge.bytes, LENGTH_OPERANDS);
    case Bulk.memoryFill:
      body.memory(at);
      return sized(body, at, Charge.bytes, LENGTH_OPERANDS);
    case Bulk.tableInit: {
      const element = elementSegment(body, at);
      if (body.table(at) !== element) reader.reject("invalid", "elements and table differ in type", at);
      return sized(body, at, Charge.elements, LENGTH_OPERANDS);
    }
    case Bulk.tableCopy:
      return tableCopy(body, at);
    case Bulk.tableFill:
      return sized(body, at, Charge.elements, [I32, body.table(at), I32]);
    case Bulk.dataDrop:
      dataSegment(body, at);
      return body.segments.spend(SEGMENT_TICKS);
    case Bulk.elemDrop:
      elementSegment(body, at);
      return body.segments.spend(SEGMENT_TICKS);
    case Bulk.tableSize:
      body.table(at);
      body.segments.spend(SEGMENT_TICKS);
      return body.stack.push(I32);
    case Bulk.tableGrow:
      // The table's declared maximum is what every engine grows to, see the rewriter.
      sized(body, at, Charge.elements, [body.table(at), I32]);
      return body.stack.push(I32);
    default:
      return reader.reject("malformed", `unknown instruction 0xfc ${opcode}`, at);
  }
}

function tableCopy(body: BodyContext, at: number): void {
  const target = body.table(at);
  const source = body.table(at);
  if (target !== source) body.reader.reject("invalid", "tables differ in type", at);
  sized(body, at, Charge.elements, LENGTH_OPERANDS);
}

/** A bulk instruction whose last operand is its length. */
function sized(body: BodyContext, at: number, charge: number, operands: ArrayLike<number>): void {
  body.expand(BULK_EXPANSION);
  body.segments.spend(BULK_TICKS);
  body.counter.leaveAndReturn(at);
  body.edit(at, Edit.bulk, charge);
  body.stack.popAll(operands);
}

function dataSegment(body: BodyContext, at: number): void {
  const index = body.reader.u32();
  if (body.module.dataCount === undefined) body.reader.reject("malformed", "data count section required", at);
  if (index >= body.module.dataCount) body.reader.reject("invalid", `unknown data segment ${index}`, at);
}

function elementSegment(body: BodyContext, at: number): number {
  const index = body.reader.u32();
  const element = body.module.elements[index];
  if (element === undefined) body.reader.reject("invalid", `unknown element segment ${index}`, at);
  return element;
}
