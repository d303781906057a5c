/**
 * The providers to try for one piece of content: a few connected peers that may well have it, at once, and beside them
 * whom the DHT names, one by one and only as they are asked for, so that the walk ends with the first good one.
 */
import type { Libp2p, PeerId } from "@libp2p/interface";
import type { CID } from "multiformats/cid";

export interface ProviderCandidate {
  peer: PeerId;
  /** Named by the DHT, so that not having the content is its fault; a neighbour was merely asked. */
  claimed: boolean;
}

export interface ProviderSearchOptions {
  libp2p: Libp2p;
  cid: CID;
  neighbours: readonly PeerId[];
  /** Bounds the search, not the transfers between its steps. */
  timeoutMs: number;
  signal: AbortSignal;
}

type Step = IteratorResult<{ id: PeerId }>;

export class ProviderSearch {
  readonly #ended = new AbortController();
  readonly #neighbours: PeerId[];
  readonly #walk: AsyncIterator<{ id: PeerId }>;
  readonly #self: PeerId;
  readonly #signal: AbortSignal;
  #step: Promise<Step> | undefined;
  readonly #seen = new Set<string>();

  constructor(options: ProviderSearchOptions) {
    this.#self = options.libp2p.peerId;
    this.#neighbours = [...options.neighbours];
    const signal = AbortSignal.any([AbortSignal.timeout(options.timeoutMs), options.signal, this.#ended.signal]);
    this.#walk = options.libp2p.contentRouting.findProviders(options.cid, { signal })[Symbol.asyncIterator]();
    this.#signal = signal;
    // The walk starts now, while the neighbours are asked.
    this.#step = this.#next(signal);
  }

  /** The next provider not yet returned; undefined when the search has ended or its time is up. */
  async next(): Promise<ProviderCandidate | undefined> {
    for (let peer = this.#neighbours.shift(); peer; peer = this.#neighbours.shift()) {
      if (this.#isNew(peer, "asked")) return { peer, claimed: false };
    }
    while (this.#step) {
      const { done, value } = await this.#step;
      if (done) break;
      this.#step = this.#next(this.#signal);
      // A neighbour that said no may since have it, and is worth a second question once the DHT names it.
      if (this.#isNew(value.id, "claimed")) return { peer: value.id, claimed: true };
    }
    this.#step = undefined;
    return undefined;
  }

  end(): void {
    this.#ended.abort();
    // Lets the routing code clean up; how its abandoned walk ends is of no interest.
    this.#step?.then(() => this.#walk.return?.()).catch(() => undefined);
  }

  #isNew(peer: PeerId, how: string): boolean {
    const key = `${how} ${peer}`;
    if (peer.equals(this.#self) || this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  /** A step that also ends with the signal: routing code may not notice it while it waits for a first peer. */
  #next(signal: AbortSignal): Promise<Step> {
    const over: Step = { done: true, value: undefined };
    if (signal.aborted) return Promise.resolve(over);
    return new Promise((resolve) => {
      const onAbort = () => resolve(over);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#walk
        .next()
        // The walk ends with an error when its time is up and when no peer answers; both mean "no more providers".
        .then(resolve, () => resolve(over))
        .finally(() => signal.removeEventListener("abort", onAbort));
    });
  }
}
