/**
 * Cost version 1: what each instruction and host service costs, in ticks, and how ticks become the fuel that callers
 * see. A tick is about the time of one integer addition. The table is consensus: a change is a new version number,
 * which each request stores; the accepted feature set belongs to the version too.
 */
import { Op } from "./opcodes.ts";

export const COST_VERSION = 1;
export type CostVersion = typeof COST_VERSION;

/**
 * Ticks of one unit of fuel. Callers' `max_instructions` keep their meaning: with this divisor no guest of the
 * examples uses more fuel than wasmtime counts instructions for it.
 */
export const FUEL_DIVISOR = 3n;

/** An initial page of 64 KiB. Toolchains declare sixteen pages of stack that a short run never touches. */
export const INITIAL_PAGE_TICKS = 1_000;
/**
 * A page that the guest grows by. Below what clearing and hashing it costs (some 200,000 ticks), because a page that
 * is used is also written to, and because a run can only ever grow to its cap once.
 */
export const GROWN_PAGE_TICKS = 10_000;
/** Constant part of a bulk memory or table instruction. A fill of no bytes takes some 100 ns where nothing was written yet. */
export const BULK_TICKS = 100;
/** log2 of the bytes that one tick moves. */
export const BULK_SHIFT = 3;
/** log2 of the ticks of one element of a table: an engine writes it with a check for its collector, some 18 ns. */
export const ELEMENT_SHIFT = 5;
/** A saturating conversion. */
export const SATURATING_TICKS = 2;
/** `data.drop`, `elem.drop`, `table.size`. */
export const SEGMENT_TICKS = 1;
/** Leaving the guest for a host function and coming back. */
export const HOST_CALL_TICKS = 500;
/** On top of it for an error number: most are thrown, and throwing costs V8 more than anything else in such a call. */
export const HOST_ERROR_TICKS = 1_500;
/** What a host function does with a buffer of a list, a subscription, an event, a name in a path, a directory entry it lists. */
export const HOST_ITEM_TICKS = 350;
/** What a host function passes by: the address of an environment variable, a directory entry before the cookie. */
export const HOST_ENTRY_TICKS = 30;
/** One byte of a path, of the target of a link that a path leads through, or of a name that is listed. */
export const PATH_BYTE_TICKS = 12;
/** One byte that a file grows by, or that moves because it grew or shrank: fresh memory costs more than a copy. */
export const FILE_BYTE_TICKS = 1;
/** One byte of `random_get`: a SHA-256 block makes 32 of them. */
export const RANDOM_BYTE_TICKS = 100;

/** Ticks by one-byte opcode. The 0xfc and 0xfd prefixes have rules of their own below. */
export const TICKS: Uint16Array = buildTicks();

function buildTicks(): Uint16Array {
  const ticks = new Uint16Array(256).fill(1);
  for (const free of [Op.nop, Op.block, Op.loop, Op.else, Op.end, Op.drop]) ticks[free] = 0;
  ticks[Op.call] = 6;
  ticks[Op.callIndirect] = 8;
  ticks[Op.returnCall] = 6;
  ticks[Op.returnCallIndirect] = 8;
  ticks.fill(2, 0x28, 0x3f);
  ticks.fill(2, 0x5b, 0x67);
  ticks.fill(2, 0x8b, 0xa7);
  ticks.fill(2, 0xa8, 0xac);
  ticks.fill(2, 0xae, 0xbc);
  ticks[Op.tableSet] = 40;
  ticks[Op.refFunc] = 8;
  ticks[Op.memoryGrow] = 1_000;
  ticks[Op.i32Mul] = 2;
  ticks[Op.i64Mul] = 2;
  ticks.fill(12, 0x6d, 0x71);
  ticks.fill(12, 0x7f, 0x83);
  ticks[0x95] = 12;
  ticks[0xa3] = 12;
  ticks[0x91] = 16;
  ticks[0x9f] = 16;
  ticks[Op.prefixBulk] = 0;
  ticks[Op.prefixSimd] = 0;
  return ticks;
}

/** Ticks of a SIMD instruction: two for everything, more where the hardware divides or takes roots lane by lane. */
export function simdTicks(opcode: number): number {
  if (opcode === 231 || opcode === 243) return 24;
  if (opcode === 227 || opcode === 239) return 32;
  return 2;
}

/** Bytes of metered stack that one frame takes; a v128 slot counts twice. */
export function frameBytes(slots: number): number {
  return 96 + 8 * slots;
}

/** Fuel for ticks, rounded up: a run that did anything costs at least one. */
export function fuelOfTicks(ticks: bigint): bigint {
  return (ticks + FUEL_DIVISOR - 1n) / FUEL_DIVISOR;
}

/** Ticks that a budget of fuel allows. */
export function ticksOfFuel(fuel: bigint): bigint {
  return fuel * FUEL_DIVISOR;
}
