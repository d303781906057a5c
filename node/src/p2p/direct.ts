/**
 * Direct frames between two nodes, over one long-lived stream in each direction. Delivery is at most once: `send`
 * answers when the frame has been handed to the connection, and a frame that is on its way when the connection breaks
 * is lost. The protocol above repeats what matters.
 */
import type { Connection, Libp2p, PeerId, Stream, StreamMessageEvent } from "@libp2p/interface";
import { OperatingError } from "../errors.ts";
import { peerIdOf, publicKeyOf } from "../keys/index.ts";
import type { Logger } from "../logger.ts";
import { encodeFrame, FrameDecoder } from "./frames.ts";
import {
  DIAL_TIMEOUT_MS,
  DIRECT_BURST_BYTES,
  DIRECT_BURST_FRAMES,
  DIRECT_BYTES_PER_SECOND,
  DIRECT_FRAMES_PER_SECOND,
  MAX_DIRECT_FRAME_BYTES,
  MAX_DIRECT_PEERS,
  MAX_DIRECT_QUEUE_BYTES,
  MAX_DIRECT_QUEUE_FRAMES,
  MAX_TRACKED_BUDGETS,
  WRITE_STALL_TIMEOUT_MS,
} from "./limits.ts";
import type { Offence } from "./penalties.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Called for every frame, in order per peer; must not throw and must not keep the caller waiting. */
export type DirectHandler = (fromPublicKey: Uint8Array, payload: Uint8Array) => void;

export interface DirectOptions {
  libp2p: Libp2p;
  protocol: string;
  logger: Logger;
  now(): number;
  onOffence(peer: PeerId, offence: Offence): void;
}

interface QueuedFrame {
  payload: Uint8Array;
  sent(): void;
  failed(error: unknown): void;
}

interface Outbound {
  peerId: PeerId;
  queue: QueuedFrame[];
  queuedBytes: number;
  pumping: boolean;
  stream: Stream | undefined;
}

interface Budget {
  bytes: TokenBucket;
  frames: TokenBucket;
}

/** One replaced stream may linger beside its successor until both ends have noticed. */
const MAX_INBOUND_STREAMS = 4;

export class DirectMessages {
  readonly #options: DirectOptions;
  readonly #handlers = new Set<DirectHandler>();
  /** By peer id text; the order is that of last use, oldest first. */
  readonly #outbound = new Map<string, Outbound>();
  readonly #inbound = new Set<Stream>();
  readonly #budgets = new Map<string, Budget>();
  readonly #stopping = new AbortController();

  constructor(options: DirectOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { libp2p, protocol } = this.#options;
    await libp2p.handle(protocol, (stream, connection) => this.#accept(stream, connection), {
      maxInboundStreams: MAX_INBOUND_STREAMS,
      maxOutboundStreams: MAX_INBOUND_STREAMS,
    });
  }

  stop(): void {
    this.#stopping.abort();
    const error = new OperatingError("p2p_not_running");
    for (const stream of this.#inbound) stream.abort(error);
    for (const peer of this.#outbound.values()) {
      peer.stream?.abort(error);
      failAll(peer, error);
    }
    this.#outbound.clear();
  }

  /** Returns the function that takes the handler away again. */
  onFrame(handler: DirectHandler): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /**
   * Queues one frame for a peer, dialling it if need be.
   * @throws OperatingError direct_too_large, direct_queue_full, peer_unreachable, p2p_not_running
   */
  send(publicKey: Uint8Array, payload: Uint8Array): Promise<void> {
    return new Promise((sent, failed) => {
      if (this.#stopping.signal.aborted) throw new OperatingError("p2p_not_running");
      if (payload.length === 0 || payload.length > MAX_DIRECT_FRAME_BYTES) {
        throw new OperatingError("direct_too_large", { sizeBytes: payload.length, maxBytes: MAX_DIRECT_FRAME_BYTES });
      }
      const peer = this.#outboundTo(peerIdOf(publicKey));
      if (peer.queue.length >= MAX_DIRECT_QUEUE_FRAMES || peer.queuedBytes + payload.length > MAX_DIRECT_QUEUE_BYTES) {
        throw new OperatingError("direct_queue_full", { peer: peer.peerId.toString(), frames: peer.queue.length });
      }
      peer.queue.push({ payload, sent, failed });
      peer.queuedBytes += payload.length;
      if (!peer.pumping) void this.#pump(peer);
    });
  }

  #outboundTo(peerId: PeerId): Outbound {
    const key = peerId.toString();
    const known = this.#outbound.get(key);
    if (known) {
      this.#outbound.delete(key);
      this.#outbound.set(key, known);
      return known;
    }
    if (this.#outbound.size >= MAX_DIRECT_PEERS) this.#forgetIdle();
    const peer: Outbound = { peerId, queue: [], queuedBytes: 0, pumping: false, stream: undefined };
    this.#outbound.set(key, peer);
    return peer;
  }

  #forgetIdle(): void {
    for (const [key, peer] of this.#outbound) {
      if (peer.pumping) continue;
      this.#outbound.delete(key);
      if (peer.stream) void this.#close(peer.stream);
      return;
    }
    throw new OperatingError("direct_queue_full", { peers: this.#outbound.size });
  }

  /** Empties the queue in order. Never rejects: each frame's own promise carries its failure. */
  async #pump(peer: Outbound): Promise<void> {
    peer.pumping = true;
    while (peer.queue.length > 0) {
      const frame = peer.queue[0] as QueuedFrame;
      try {
        await this.#write(peer, frame.payload);
        // `stop` empties the queue while a write is under way.
        if (peer.queue[0] !== frame) break;
        peer.queue.shift();
        peer.queuedBytes -= frame.payload.length;
        frame.sent();
      } catch (error) {
        failAll(peer, new OperatingError("peer_unreachable", { peer: peer.peerId.toString() }, error));
      }
    }
    peer.pumping = false;
    if (!peer.stream) this.#outbound.delete(peer.peerId.toString());
  }

  /** A stream that stood open may turn out dead, so the first failure on an old stream earns one fresh stream. */
  async #write(peer: Outbound, payload: Uint8Array): Promise<void> {
    const old = peer.stream;
    if (old && old.writeStatus === "writable") {
      try {
        await this.#writeTo(old, payload);
        return;
      } catch (error) {
        this.#options.logger.debug("direct stream failed, opening another", { peer: peer.peerId.toString() }, error);
      }
    }
    await this.#writeTo(await this.#open(peer), payload);
  }

  async #writeTo(stream: Stream, payload: Uint8Array): Promise<void> {
    try {
      if (!stream.send(encodeFrame(payload))) {
        const stalled = AbortSignal.timeout(WRITE_STALL_TIMEOUT_MS);
        await stream.onDrain({ signal: AbortSignal.any([stalled, this.#stopping.signal]) });
      }
    } catch (error) {
      stream.abort(error as Error);
      throw error;
    }
  }

  async #open(peer: Outbound): Promise<Stream> {
    const { libp2p, protocol } = this.#options;
    const signal = () => AbortSignal.any([AbortSignal.timeout(DIAL_TIMEOUT_MS), this.#stopping.signal]);
    let stream: Stream;
    try {
      stream = await libp2p.dialProtocol(peer.peerId, protocol, { signal: signal() });
    } catch (error) {
      if (this.#stopping.signal.aborted) throw error;
      // The addresses that we remember may be old: the routing table of others may know newer ones.
      const found = await libp2p.peerRouting.findPeer(peer.peerId, { signal: signal() });
      stream = await libp2p.dialProtocol(found.multiaddrs, protocol, { signal: signal() });
    }
    peer.stream = stream;
    stream.addEventListener("close", () => {
      if (peer.stream !== stream) return;
      peer.stream = undefined;
      if (!peer.pumping) this.#outbound.delete(peer.peerId.toString());
    });
    return stream;
  }

  #accept(stream: Stream, connection: Connection): void {
    const from = publicKeyOf(connection.remotePeer);
    if (!from || this.#stopping.signal.aborted) {
      stream.abort(new Error("not accepting"));
      return;
    }
    const decoder = new FrameDecoder(MAX_DIRECT_FRAME_BYTES);
    const budget = this.#budgetOf(connection.remotePeer.toString());
    let resume: NodeJS.Timeout | undefined;
    const offend = (error: unknown) => {
      this.#options.logger.warn("malformed direct frame", { peer: connection.remotePeer.toString() }, error);
      stream.abort(error as Error);
      this.#options.onOffence(connection.remotePeer, "malformed_frame");
    };
    this.#inbound.add(stream);
    stream.addEventListener("message", (event: StreamMessageEvent) => {
      const parts = event.data instanceof Uint8Array ? [event.data] : event.data;
      const now = this.#options.now();
      let waitMs = budget.bytes.take(event.data.byteLength, now);
      try {
        for (const part of parts) {
          for (const frame of decoder.push(part)) {
            waitMs = Math.max(waitMs, budget.frames.take(1, now));
            this.#deliver(from, frame);
          }
        }
      } catch (error) {
        offend(error);
        return;
      }
      if (waitMs === 0 || stream.readStatus !== "readable") return;
      stream.pause();
      resume = setTimeout(() => stream.readStatus === "paused" && stream.resume(), waitMs);
    });
    stream.addEventListener("end", () => {
      if (stream.status !== "open") return;
      if (decoder.midFrame) offend(new Error("stream ended inside a frame"));
      else void this.#close(stream);
    });
    stream.addEventListener("close", () => {
      clearTimeout(resume);
      this.#inbound.delete(stream);
    });
  }

  #deliver(from: Uint8Array, frame: Uint8Array): void {
    for (const handler of this.#handlers) {
      try {
        handler(from, frame);
      } catch (error) {
        this.#options.logger.error("a handler of direct frames threw", { from }, error);
      }
    }
  }

  #budgetOf(peer: string): Budget {
    const now = this.#options.now();
    const budget = this.#budgets.get(peer) ?? {
      bytes: new TokenBucket(DIRECT_BYTES_PER_SECOND, DIRECT_BURST_BYTES, now),
      frames: new TokenBucket(DIRECT_FRAMES_PER_SECOND, DIRECT_BURST_FRAMES, now),
    };
    this.#budgets.delete(peer);
    this.#budgets.set(peer, budget);
    if (this.#budgets.size > MAX_TRACKED_BUDGETS) {
      const [oldest] = this.#budgets.keys();
      this.#budgets.delete(oldest as string);
    }
    return budget;
  }

  async #close(stream: Stream): Promise<void> {
    try {
      await stream.close({ signal: AbortSignal.timeout(WRITE_STALL_TIMEOUT_MS) });
    } catch (error) {
      stream.abort(error as Error);
    }
  }
}

function failAll(peer: Outbound, error: unknown): void {
  const frames = peer.queue.splice(0);
  peer.queuedBytes = 0;
  for (const frame of frames) frame.failed(error);
}
