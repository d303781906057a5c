/** Rewritten modules by key, the least recently used leaving first; bounded by bytes. */
import { REJECTION_BYTES } from "./engine-limits.ts";
import type { Prepared } from "./messages.ts";

export class ModuleCache {
  readonly #entries = new Map<string, Prepared>();
  readonly #maxBytes: number;
  #bytes = 0;
  #hits = 0;
  #misses = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): Prepared | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  put(key: string, prepared: Prepared): void {
    const size = sizeOf(prepared);
    if (size > this.#maxBytes || this.#entries.has(key)) return;
    this.#entries.set(key, prepared);
    this.#bytes += size;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= sizeOf(entry);
    }
  }

  stats(): { readonly entries: number; readonly bytes: number; readonly hits: number; readonly misses: number } {
    return { entries: this.#entries.size, bytes: this.#bytes, hits: this.#hits, misses: this.#misses };
  }
}

function sizeOf(prepared: Prepared): number {
  return prepared.kind === "module" ? prepared.module.bytes.length : REJECTION_BYTES;
}
