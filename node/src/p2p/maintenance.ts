/**
 * A slow sweep that repairs what events alone do not: peers that are connected but fell out of gossip, connections
 * whose other end is gone without a word, and too few connections.
 */
import type { GossipSub } from "@libp2p/gossipsub";
import type { Libp2p, PeerId } from "@libp2p/interface";
import type { Ping } from "@libp2p/ping";
import type { Logger } from "../logger.ts";
import { DIAL_TIMEOUT_MS } from "./limits.ts";

export interface MaintenanceOptions {
  libp2p: Libp2p<{ pubsub: GossipSub; ping: Ping }>;
  /** Whether gossip reads from this peer. */
  hears(peer: PeerId): boolean;
  logger: Logger;
  sweepMs: number;
  /** Below this many connected peers the sweep dials others that it knows of. */
  minPeers: number;
}

/** One failed ping is common under load; three in a row on an otherwise silent connection are not. */
const MAX_FAILED_PINGS = 3;
const PING_TIMEOUT_MS = 10_000;
/** Pings need far fewer sweeps than the rest. */
const SWEEPS_PER_PING = 6;
const MAX_DIALS_PER_SWEEP = 4;

export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #stopping = new AbortController();
  /** Peers that the last sweep found connected yet outside gossip. A second sweep in a row closes them. */
  #deaf = new Set<string>();
  readonly #failedPings = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #sweeps = 0;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#run(), this.#options.sweepMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    try {
      await this.#closeDeaf();
      if (this.#sweeps++ % SWEEPS_PER_PING === 0) await this.#ping();
      await this.#dialMore();
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#options.logger.warn("connection sweep failed", {}, error);
    }
    if (!this.#stopping.signal.aborted) this.start();
  }

  /**
   * After a broken frame gossip reads nothing more from a peer, while its connection stands and the peer may even be
   * listed again; only a new connection heals it.
   */
  async #closeDeaf(): Promise<void> {
    const { libp2p, logger } = this.#options;
    const deaf = new Set<string>();
    for (const peer of libp2p.getPeers()) {
      if (this.#options.hears(peer) || !(await this.#speaksGossip(peer))) continue;
      if (!this.#deaf.has(peer.toString())) {
        deaf.add(peer.toString());
        continue;
      }
      logger.info("closing a connection that gossip lost", { peer: peer.toString() });
      await this.#hangUp(peer);
    }
    this.#deaf = deaf;
  }

  async #speaksGossip(peer: PeerId): Promise<boolean> {
    const { libp2p } = this.#options;
    if (!(await libp2p.peerStore.has(peer))) return false;
    const { protocols } = await libp2p.peerStore.get(peer);
    return protocols.some((protocol) => libp2p.services.pubsub.protocols.includes(protocol));
  }

  async #ping(): Promise<void> {
    const { libp2p, logger } = this.#options;
    const peers = libp2p.getPeers();
    const connected = new Set(peers.map(String));
    for (const key of this.#failedPings.keys()) if (!connected.has(key)) this.#failedPings.delete(key);
    await Promise.all(
      peers.map(async (peer) => {
        const key = peer.toString();
        try {
          const signal = AbortSignal.any([AbortSignal.timeout(PING_TIMEOUT_MS), this.#stopping.signal]);
          await libp2p.services.ping.ping(peer, { signal });
          this.#failedPings.delete(key);
        } catch (error) {
          if (this.#stopping.signal.aborted) return;
          const failed = (this.#failedPings.get(key) ?? 0) + 1;
          this.#failedPings.set(key, failed);
          if (failed < MAX_FAILED_PINGS) return;
          logger.info("closing a silent connection", { peer: key }, error);
          await this.#hangUp(peer);
        }
      }),
    );
  }

  async #dialMore(): Promise<void> {
    const { libp2p, minPeers, logger } = this.#options;
    const connected = new Set(libp2p.getPeers().map(String));
    let missing = Math.min(minPeers - connected.size, MAX_DIALS_PER_SWEEP);
    if (missing <= 0) return;
    const known = (await libp2p.peerStore.all()).filter(
      (peer) => peer.addresses.length > 0 && !connected.has(peer.id.toString()) && !peer.id.equals(libp2p.peerId),
    );
    const start = Math.floor(Math.random() * known.length);
    for (let i = 0; i < known.length && missing > 0; i++, missing--) {
      const peer = known[(start + i) % known.length]?.id as PeerId;
      try {
        const signal = AbortSignal.any([AbortSignal.timeout(DIAL_TIMEOUT_MS), this.#stopping.signal]);
        await libp2p.dial(peer, { signal });
      } catch (error) {
        logger.debug("a known peer did not answer", { peer: peer.toString() }, error);
      }
    }
  }

  async #hangUp(peer: PeerId): Promise<void> {
    await this.#options.libp2p.hangUp(peer, { signal: AbortSignal.timeout(PING_TIMEOUT_MS) });
  }
}
