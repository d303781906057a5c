/**
 * Keeps connections to the bootstrap peers: dials each until it answers, and again, with growing pauses, whenever it
 * went away. A network whose bootstrap peers all restart at once so grows together again without anybody's help.
 */
import type { Connection, Libp2p, PeerId } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { Logger } from "../logger.ts";
import { DIAL_TIMEOUT_MS } from "./limits.ts";

export interface BootstrapTiming {
  firstPauseMs: number;
  maxPauseMs: number;
}

export const DEFAULT_BOOTSTRAP_TIMING: BootstrapTiming = { firstPauseMs: 1_000, maxPauseMs: 60_000 };

interface Target {
  address: Multiaddr;
  /** Known from the address, or from the first connection. */
  peer: string | undefined;
  pauseMs: number;
  timer: NodeJS.Timeout | undefined;
}

export class BootstrapDialler {
  readonly #libp2p: Libp2p;
  readonly #logger: Logger;
  readonly #timing: BootstrapTiming;
  readonly #targets: Target[];
  readonly #stopping = new AbortController();

  constructor(libp2p: Libp2p, addresses: readonly Multiaddr[], logger: Logger, timing: BootstrapTiming) {
    this.#libp2p = libp2p;
    this.#logger = logger;
    this.#timing = timing;
    this.#targets = addresses
      .map((address) => ({ address, peer: peerOf(address), pauseMs: timing.firstPauseMs, timer: undefined }))
      // A list shared by all nodes also names this one.
      .filter((target) => target.peer !== libp2p.peerId.toString());
  }

  start(): void {
    this.#libp2p.addEventListener("peer:disconnect", this.#onDisconnect);
    for (const target of this.#targets) void this.#dial(target);
  }

  stop(): void {
    this.#libp2p.removeEventListener("peer:disconnect", this.#onDisconnect);
    this.#stopping.abort();
    for (const target of this.#targets) clearTimeout(target.timer);
  }

  readonly #onDisconnect = (event: CustomEvent<PeerId>): void => {
    const peer = event.detail.toString();
    for (const target of this.#targets) {
      if (target.peer !== peer) continue;
      target.pauseMs = this.#timing.firstPauseMs;
      this.#dialAfter(target);
    }
  };

  #dialAfter(target: Target): void {
    if (this.#stopping.signal.aborted) return;
    clearTimeout(target.timer);
    // Up to a quarter later, so that a crowd that lost the same peer does not return in one instant.
    const pauseMs = target.pauseMs * (1 + Math.random() / 4);
    target.timer = setTimeout(() => void this.#dial(target), pauseMs);
    target.pauseMs = Math.min(target.pauseMs * 2, this.#timing.maxPauseMs);
  }

  async #dial(target: Target): Promise<void> {
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(DIAL_TIMEOUT_MS), this.#stopping.signal]);
      const connection: Connection = await this.#libp2p.dial(target.address, { signal });
      target.peer = connection.remotePeer.toString();
      target.pauseMs = this.#timing.firstPauseMs;
      this.#logger.debug("bootstrap peer connected", { address: target.address.toString() });
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#logger.debug("bootstrap peer did not answer", { address: target.address.toString() }, error);
      this.#dialAfter(target);
    }
  }
}

function peerOf(address: Multiaddr): string | undefined {
  return address
    .getComponents()
    .findLast((component) => component.name === "p2p")
    ?.value?.toString();
}
