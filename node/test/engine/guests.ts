/** Tiny guests for the pool's tests, as bytes, and jobs around them. */
import { createHash } from "node:crypto";
import type { ExecutionJob, ExecutionOutcome } from "@outlayer/protocol/execution/index";

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const section = (id: number, bytes: readonly number[]): number[] => [id, bytes.length, ...bytes];
const text = (value: string): number[] => [value.length, ...Buffer.from(value)];

/** `_start` with this body, a memory of one page, no imports; short enough for one-byte lengths. */
export function guest(...body: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...PREAMBLE,
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [1, ...text("_start"), 0, 0]),
    ...section(10, [1, body.length + 2, 0, ...body, 0x0b]),
  ]);
}

export const QUIET = guest();
/** loop; br 0; end */
export const ENDLESS = guest(0x03, 0x40, 0x0c, 0x00, 0x0b);
/** memory[0] = 1, then unreachable */
export const TRAPPING = guest(0x41, 0, 0x41, 1, 0x36, 2, 0, 0x00);
/** call 0 */
export const RECURSIVE = guest(0x10, 0x00);
export const INVALID = guest(0x6a);

export function jobOf(code: Uint8Array, changes: Partial<ExecutionJob> = {}): ExecutionJob {
  return {
    codeHash: new Uint8Array(createHash("sha256").update(code).digest()),
    code,
    input: new Uint8Array(0),
    seed: new Uint8Array(32),
    environ: [],
    blockTimeNs: 1_700_000_000_000_000_000n,
    limits: { maxFuel: 1_000_000n, maxMemoryPages: 1024, maxOutputBytes: 65_536 },
    ...changes,
  };
}

/** A budget whose run takes far longer than any test waits. */
export const HOURS: ExecutionJob["limits"] = { maxFuel: 10n ** 13n, maxMemoryPages: 1024, maxOutputBytes: 16 };

/** Outcomes as text, to compare or to show them. */
export function textOf(outcome: ExecutionOutcome): string {
  return JSON.stringify(outcome, (_key, value) => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
}
