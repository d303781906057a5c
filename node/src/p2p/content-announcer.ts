/**
 * Announces content in the background until the DHT has taken it: a node that starts alone, or anew with a full store,
 * need not be watched until it has met its peers.
 */
import type { Logger } from "../logger.ts";
import { MAX_CONCURRENT_ANNOUNCEMENTS, MAX_WAITING_ANNOUNCEMENTS } from "./limits.ts";

export interface AnnouncerTiming {
  firstPauseMs: number;
  maxPauseMs: number;
}

export const DEFAULT_ANNOUNCER_TIMING: AnnouncerTiming = { firstPauseMs: 5_000, maxPauseMs: 5 * 60_000 };

export class ContentAnnouncer {
  readonly #provide: (hash: Uint8Array) => Promise<unknown>;
  readonly #logger: Logger;
  readonly #timing: AnnouncerTiming;
  /** By hexadecimal hash, in the order of their turns. */
  readonly #waiting = new Set<string>();
  #running = 0;
  #pauseMs: number;
  #paused: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(provide: (hash: Uint8Array) => Promise<unknown>, logger: Logger, timing: AnnouncerTiming) {
    this.#provide = provide;
    this.#logger = logger;
    this.#timing = timing;
    this.#pauseMs = timing.firstPauseMs;
  }

  /** Beyond the bound the one that waits longest is given up, which the log tells. */
  add(hash: Uint8Array): void {
    this.#waiting.add(Buffer.from(hash).toString("hex"));
    if (this.#waiting.size > MAX_WAITING_ANNOUNCEMENTS) {
      const [oldest] = this.#waiting;
      this.#waiting.delete(oldest as string);
      this.#logger.warn("too much content waits to be announced", { givenUp: oldest });
    }
    this.#next();
  }

  remove(hash: Uint8Array): void {
    this.#waiting.delete(Buffer.from(hash).toString("hex"));
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
    clearTimeout(this.#paused);
  }

  #next(): void {
    while (!this.#stopped && !this.#paused && this.#running < MAX_CONCURRENT_ANNOUNCEMENTS && this.#waiting.size > 0) {
      const hex = this.#waiting.values().next().value as string;
      this.#waiting.delete(hex);
      this.#running++;
      void this.#announce(hex);
    }
  }

  async #announce(hex: string): Promise<void> {
    try {
      await this.#provide(Buffer.from(hex, "hex"));
      this.#pauseMs = this.#timing.firstPauseMs;
    } catch (error) {
      if (!this.#stopped) this.#retry(hex, error);
    }
    this.#running--;
    this.#next();
  }

  /** A failure means that there is nobody to tell, so everything waits. */
  #retry(hex: string, error: unknown): void {
    this.#logger.debug("content could not be announced yet", { hash: hex, pauseMs: this.#pauseMs }, error);
    this.#waiting.add(hex);
    if (this.#paused) return;
    this.#paused = setTimeout(() => {
      this.#paused = undefined;
      this.#next();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#timing.maxPauseMs);
  }
}
