/**
 * What peers did wrong outside gossip (bad frames, bad content), as points that fade. They enter gossip scoring as its
 * application score, and at the ban threshold the host closes the connection and takes no new one until they have
 * faded. Nothing here is proof of anything: it protects this node, and no other node hears of it.
 */

/** Points by offence. Two of the gravest within one half-life, or eight of the lightest at once, lead to a ban. */
export const PENALTY_POINTS = {
  /** A frame that does not parse or is over the limit: no honest node makes one. */
  malformed_frame: 50,
  /** A message that the protocol's machine refused as somebody's fault: a foreign key, a seat not drawn, a bad signature. */
  refused_message: 50,
  /** Bytes that do not hash to what was asked: the gravest, as it wastes a whole transfer. */
  poisoned_content: 50,
  /** A header or length that the content protocol does not allow. */
  malformed_content: 50,
  /** Truncated, stalled or announced but missing: may be an accident. */
  unreliable_content: 10,
} as const;

export type Offence = keyof typeof PENALTY_POINTS;

export const BAN_POINTS = 75;
const HALF_LIFE_MS = 10 * 60_000;
const MAX_TRACKED_PEERS = 4_096;

interface Entry {
  points: number;
  at: number;
}

export class Penalties {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Adds the offence's points; true when the peer now stands at or over the ban threshold. */
  add(peer: string, offence: Offence): boolean {
    const points = this.points(peer) + PENALTY_POINTS[offence];
    this.#entries.delete(peer);
    this.#entries.set(peer, { points, at: this.#now() });
    if (this.#entries.size > MAX_TRACKED_PEERS) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest as string);
    }
    return points >= BAN_POINTS;
  }

  points(peer: string): number {
    const entry = this.#entries.get(peer);
    if (!entry) return 0;
    const points = entry.points * 0.5 ** ((this.#now() - entry.at) / HALF_LIFE_MS);
    if (points >= 1) return points;
    this.#entries.delete(peer);
    return 0;
  }

  isBanned(peer: string): boolean {
    return this.points(peer) >= BAN_POINTS;
  }
}
