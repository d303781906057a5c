/**
 * Locals that only ever receive results of float arithmetic, or numbers, are raw: they hold NaNs as the engine made them, and are
 * canonicalised where they are read, unless the reader ignores NaN bits, as arithmetic does. An accumulator in a loop
 * is then never canonicalised inside it. Any other local is canonicalised where it is written, since it may also hold
 * a NaN that the guest chose, whose bits must come out as they went in. Which kind a local is, is known at the end of
 * its function; edits carry it as a condition until then.
 */
import { LocalKind } from "./body.ts";
import type { BodyContext } from "./body-context.ts";
import { NAN_F32, NAN_F64 } from "./canonical-nan.ts";
import { Edit } from "./edits.ts";
import { F32, F64 } from "./opcodes.ts";
import { NEVER_NAN, UNMARKED } from "./operand-stack.ts";

/** Notes that a float local was read: the operand on top may need its canonical bits. */
export function readLocal(body: BodyContext, local: number): void {
  const type = body.locals[local]!;
  if ((type !== F32 && type !== F64) || body.segments.dead || body.localKinds[local] === LocalKind.exact) return;
  const edit = body.edits.add(body.reader.position, Edit.scalarNan, type === F32 ? NAN_F32 : NAN_F64);
  body.edits.conditions[edit] = local + 1;
  body.stack.markTop(edit);
}

/**
 * Notes that a local is about to be written with the operand on top. Returns whether that operand has canonical bits
 * only if the local turns out not to be raw, which matters to `local.tee`.
 */
export function writeLocal(body: BodyContext, local: number): boolean {
  const { edits, stack } = body;
  const type = body.locals[local]!;
  if ((type !== F32 && type !== F64) || body.segments.dead) return false;
  const edit = stack.editBelowTop(0);
  if (edit === UNMARKED || (edit >= 0 && edits.conditions[edit] !== 0)) {
    body.localKinds[local] = LocalKind.exact;
    return false;
  }
  if (edit === NEVER_NAN) return false;
  if (body.localKinds[local] === LocalKind.unset) body.localKinds[local] = LocalKind.raw;
  // A value that control flow may have copied was canonicalised where it was made.
  if (edit < body.firstWithdrawable) return false;
  edits.conditions[edit] = -(local + 1);
  return true;
}

/** Whether an edit with this condition is made, at the end of its function. */
export function applies(condition: number, localKinds: Uint8Array): boolean {
  if (condition === 0) return true;
  return condition > 0 ? localKinds[condition - 1] === LocalKind.raw : localKinds[-condition - 1] !== LocalKind.raw;
}
