/**
 * Validates one function body (WebAssembly core specification 2.0, chapter 3.4 and appendix 7.3) and, in the same
 * pass, finds its segments, their ticks and the edits that the rewriting will make. Code that can never run is
 * validated but neither charged nor changed.
 */
import type { BodyPlan } from "./body.ts";
import { BodyContext } from "./body-context.ts";
import { FROM_INTEGER, IGNORES_NAN_BITS, NAN_F32, PRODUCES_NAN } from "./canonical-nan.ts";
import { TICKS } from "./cost-model.ts";
import { Edit } from "./edits.ts";
import { EXPANSION } from "./limits.ts";
import type { ModuleLayout } from "./module.ts";
import { Op, PLAIN, type Signature } from "./opcodes.ts";
import { NEVER_NAN } from "./operand-stack.ts";
import { Reader } from "./reader.ts";
import { bulk } from "./validate-bulk.ts";
import { control } from "./validate-control.ts";
import { simd } from "./validate-simd.ts";
import { constantOrReference, variable } from "./validate-variables.ts";

/** Validates the bodies of a module one after another. */
export class BodyValidator {
  readonly #body: BodyContext;

  constructor(module: ModuleLayout) {
    this.#body = new BodyContext(module);
  }

  /** Segments and edits of the last body; readable until the next `run`. */
  get segments() {
    return this.#body.segments;
  }

  get edits() {
    return this.#body.edits;
  }

  /** Validates the body of a defined function. @throws ModuleRejection */
  run(definedIndex: number): BodyPlan {
    const body = this.#body;
    const { module, stack, edits, segments } = body;
    const { start, end } = module.bodies[definedIndex]!;
    const { params, results } = module.types[module.functions[module.imports.length + definedIndex]!]!;
    const reader = new Reader(module.bytes, start, end);
    body.begin(reader, params, results);
    const localGroups = reader.u32();
    const groupsStart = reader.position;
    for (let group = 0; group < localGroups; group++) body.localGroup();
    const codeStart = reader.position;
    edits.add(codeStart, Edit.charge, 0);
    while (stack.frames.length > 0) instruction(body);
    reader.expectEnd("a function body");
    body.end();
    segments.hoist();
    return {
      localGroups,
      groupsStart,
      codeStart,
      end,
      locals: body.localCount,
      localKinds: body.localKinds,
      maxOperands: stack.maxHeight,
      maxCallSlots: body.maxCallSlots,
      results: results.length,
      usesVectors: stack.sawVector,
      calls: body.calls,
      nanF32: body.nanF32,
      nanF64: body.nanF64,
      nanV128: body.nanV128,
    };
  }
}

function instruction(body: BodyContext): void {
  const { reader } = body;
  const at = reader.position;
  const opcode = reader.u8();
  body.segments.spend(TICKS[opcode]!);
  const types = PLAIN[opcode];
  if (types !== undefined) return plain(body, opcode, types);
  const weight = EXPANSION[opcode]!;
  if (weight > 0) body.expand(weight);
  if (opcode <= Op.returnCallIndirect) control(body, opcode, at);
  else if (opcode <= Op.tableSet) variable(body, opcode, at);
  else if (opcode === Op.prefixSimd) simd(body, at);
  else if (opcode === Op.prefixBulk) bulk(body, at);
  else constantOrReference(body, opcode, at);
}

/** An instruction whose types depend on nothing but its opcode. */
function plain(body: BodyContext, opcode: number, types: Signature): void {
  const stack = body.stack;
  if (types.alignment >= 0) body.memoryImmediate(types.alignment);
  const { params, results } = types;
  if (IGNORES_NAN_BITS[opcode] === 1) body.withdraw(params.length);
  for (let index = params.length - 1; index >= 0; index--) stack.pop(params[index]!);
  if (results.length === 0) return;
  stack.push(results[0]!);
  if (body.segments.dead) return;
  if (FROM_INTEGER[opcode] === 1) return stack.markTop(NEVER_NAN);
  const width = PRODUCES_NAN[opcode]!;
  if (width === 0) return;
  if (width === NAN_F32) body.nanF32 = true;
  else body.nanF64 = true;
  stack.markTop(body.edits.add(body.reader.position, Edit.scalarNan, width));
}
