/**
 * Keeps this node from dialling a peer that hangs up on it over and over. To the dialler a connection counts as made
 * when its own part of the handshake is done, so a peer that then closes it, because it banned this node or out of
 * malice, would be dialled again at once and for ever: libp2p reconnects to the DHT's neighbours without a pause.
 * A peer whose last connection ended within a few seconds is left alone for a while, longer each time in a row.
 */

/** A connection that lived shorter than this did nobody any good. */
const SHORT_LIFE_MS = 5_000;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 5 * 60_000;
const MAX_TRACKED_PEERS = 4_096;

interface Strikes {
  readonly inARow: number;
  readonly untilMs: number;
}

export class RedialGuard {
  readonly #strikes = new Map<string, Strikes>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The last connection to a peer ended after `livedMs`. */
  ended(peer: string, livedMs: number): void {
    const before = this.#strikes.get(peer);
    this.#strikes.delete(peer);
    if (livedMs >= SHORT_LIFE_MS) return;
    const inARow = (before?.inARow ?? 0) + 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (inARow - 1), MAX_PAUSE_MS);
    this.#strikes.set(peer, { inARow, untilMs: this.#now() + pauseMs });
    if (this.#strikes.size <= MAX_TRACKED_PEERS) return;
    const [oldest] = this.#strikes.keys();
    this.#strikes.delete(oldest as string);
  }

  mayDial(peer: string): boolean {
    const strikes = this.#strikes.get(peer);
    return strikes === undefined || this.#now() >= strikes.untilMs;
  }
}
