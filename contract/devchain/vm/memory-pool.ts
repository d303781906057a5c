/**
 * Memories that calls leave behind, wiped for the next call. A new memory of 64 MiB costs the engine milliseconds of
 * mapping, faulting and collecting; wiping the few pages that a call wrote costs microseconds.
 */
import { LIMITS } from "../parameters/protocol-config.ts";

const PAGE_BYTES = 65_536;
const INITIAL_BYTES = LIMITS.initial_memory_pages * PAGE_BYTES;
/** Beyond this, a new memory is cheaper than wiping. */
const MAX_WIPED_BYTES = 4 * 1024 * 1024;
/** Calls do not nest. */
const MAX_POOLED = 1;

const pool: WebAssembly.Memory[] = [];

/** A memory of the protocol's initial size, all zero. */
export function takeMemory(): WebAssembly.Memory {
  return (
    pool.pop() ?? new WebAssembly.Memory({ initial: LIMITS.initial_memory_pages, maximum: LIMITS.max_memory_pages })
  );
}

/**
 * Takes a memory back.
 * @param writtenEnd an address at and behind which nothing was written
 */
export function returnMemory(memory: WebAssembly.Memory, writtenEnd: number): void {
  const { buffer } = memory;
  // One that grew cannot shrink again.
  if (buffer.byteLength !== INITIAL_BYTES || writtenEnd > MAX_WIPED_BYTES || pool.length >= MAX_POOLED) return;
  new Uint8Array(buffer, 0, writtenEnd).fill(0);
  pool.push(memory);
}
