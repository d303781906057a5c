/** The 0xfd prefix: fixed-width SIMD. */
import type { BodyContext } from "./body-context.ts";
import { SIMD_PRODUCES_NAN } from "./canonical-nan.ts";
import { simdTicks } from "./cost-model.ts";
import { Edit } from "./edits.ts";
import type { Reader } from "./reader.ts";
import { I8X16_SHUFFLE, laneCount, RELAXED_SIMD_FIRST, SIMD, V128_CONST } from "./simd-opcodes.ts";

export function simd(body: BodyContext, at: number): void {
  const reader: Reader = body.reader;
  const opcode = reader.u32();
  if (opcode >= RELAXED_SIMD_FIRST) reader.reject("feature", "relaxed SIMD is not supported", at);
  const types = SIMD[opcode];
  if (types === undefined) reader.reject("malformed", `unknown instruction 0xfd ${opcode}`, at);
  body.segments.spend(simdTicks(opcode));
  if (types.alignment >= 0) body.memoryImmediate(types.alignment);
  if (opcode === V128_CONST) reader.skip(16);
  if (opcode === I8X16_SHUFFLE) for (let lane = 0; lane < 16; lane++) checkLane(body, 32);
  const lanes = laneCount(opcode);
  if (lanes > 0) checkLane(body, lanes);
  body.stack.popAll(types.params);
  body.stack.pushAll(types.results);
  const width = SIMD_PRODUCES_NAN[opcode]!;
  if (width === 0 || body.segments.dead) return;
  body.nanV128 = true;
  body.edits.add(reader.position, Edit.vectorNan, width);
}

function checkLane(body: BodyContext, count: number): void {
  const at = body.reader.position;
  if (body.reader.u8() >= count) body.reader.reject("invalid", "lane out of range", at);
}
