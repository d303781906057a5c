/**
 * A rate with a burst. The cost of what has already arrived is taken at once, into debt if need be, and the answer
 * says how long to stop reading; so nothing that was received is thrown away and the sender feels it as back-pressure.
 */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = nowMs;
  }

  /** Takes `cost`; returns the milliseconds until the debt is paid, 0 when there is none. */
  take(cost: number, nowMs: number): number {
    const elapsedMs = Math.max(0, nowMs - this.#at);
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs) - cost;
    this.#at = nowMs;
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs);
  }
}
