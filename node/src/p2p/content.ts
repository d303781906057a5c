/**
 * Content among nodes: announced and found in the DHT by its hash, moved by a stream protocol of our own, and never
 * handed out before it hashes to what was asked.
 */
import { OperatingError } from "../errors.ts";
import { publicKeyOf } from "../keys/index.ts";
import { ContentAnnouncer, DEFAULT_ANNOUNCER_TIMING } from "./content-announcer.ts";
import type { ContentRejectionReason } from "./content-download.ts";
import { ContentFetch } from "./content-fetch.ts";
import { contentCid } from "./content-id.ts";
import { ContentServer, type ContentSource } from "./content-server.ts";
import type { P2pHost } from "./host.ts";
import {
  CONTENT_ANNOUNCE_TIMEOUT_MS,
  CONTENT_LOOKUP_TIMEOUT_MS,
  CONTENT_STALL_MS,
  MAX_CONTENT_FETCHES,
} from "./limits.ts";
import type { Offence } from "./penalties.ts";

export interface ContentRejection {
  publicKey: Uint8Array;
  hash: Uint8Array;
  reason: ContentRejectionReason;
}

export interface ContentExchangeOptions {
  host: P2pHost;
  source: ContentSource;
  onRejected?(rejection: ContentRejection): void;
  /** How long the search for providers may take. */
  lookupTimeoutMs?: number;
  /** A provider that brings next to nothing for so long is given up. */
  stallMs?: number;
  /** Connected peers that are asked at once, besides the DHT. */
  askNeighbours?: number;
}

export interface FetchRequest {
  /** Content that announces itself as longer is refused. */
  maxBytes: number;
  signal?: AbortSignal;
}

interface SharedFetch {
  maxBytes: number;
  result: Promise<Uint8Array>;
  cancel: AbortController;
  waiting: number;
}

const DEFAULT_NEIGHBOURS = 4;

const OFFENCES: Partial<Record<ContentRejectionReason, Offence>> = {
  poisoned: "poisoned_content",
  malformed: "malformed_content",
  truncated: "unreliable_content",
  stalled: "unreliable_content",
  missing: "unreliable_content",
};

export class ContentExchange {
  readonly #options: ContentExchangeOptions;
  readonly #server: ContentServer;
  readonly #announcer: ContentAnnouncer;
  readonly #stopping = new AbortController();
  /** Running fetches by hash in hexadecimal. */
  readonly #fetches = new Map<string, SharedFetch>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  /** Starts to serve the source's content at once. */
  static async start(options: ContentExchangeOptions): Promise<ContentExchange> {
    const exchange = new ContentExchange(options);
    await exchange.#server.start();
    return exchange;
  }

  private constructor(options: ContentExchangeOptions) {
    const { host, source } = options;
    this.#options = options;
    this.#announcer = new ContentAnnouncer((hash) => this.provide(hash), host.logger, DEFAULT_ANNOUNCER_TIMING);
    this.#server = new ContentServer({
      libp2p: host.libp2p,
      protocol: host.names.contentProtocol,
      source,
      logger: host.logger,
      onMalformed: (peer) => {
        const publicKey = publicKeyOf(peer);
        if (publicKey) host.penalise(publicKey, "malformed_content");
      },
    });
  }

  /**
   * Announces in the DHT that this node serves the content; renewed by itself until {@link withdraw}. Resolves with
   * the number of nodes that hold the record.
   * @throws OperatingError content_invalid_hash, content_announce_failed
   */
  async provide(hash: Uint8Array, signal?: AbortSignal): Promise<number> {
    const cid = contentCid(hash);
    const signals = [AbortSignal.timeout(CONTENT_ANNOUNCE_TIMEOUT_MS), this.#stopping.signal];
    let holders = 0;
    try {
      const options = { signal: AbortSignal.any(signal ? [...signals, signal] : signals) };
      for await (const event of this.#options.host.libp2p.services.dht.provide(cid, options)) {
        if (event.name === "PEER_RESPONSE" && event.messageName === "ADD_PROVIDER") holders++;
      }
    } catch (error) {
      if (holders === 0) throw new OperatingError("content_announce_failed", { cid: cid.toString() }, error);
    }
    if (holders === 0) throw new OperatingError("content_announce_failed", { cid: cid.toString() });
    return holders;
  }

  /** Like {@link provide}, in the background and again until it succeeds; for each content of a store at the start. */
  announce(hash: Uint8Array): void {
    contentCid(hash);
    this.#announcer.add(hash);
  }

  /** Lets the announcement lapse; other nodes forget it within two days. */
  async withdraw(hash: Uint8Array): Promise<void> {
    this.#announcer.remove(hash);
    await this.#options.host.libp2p.services.dht.cancelReprovide(contentCid(hash));
  }

  /**
   * The content with this hash. Fetches of one hash at the same time share a transfer, and its bytes: do not write to
   * them.
   * @throws OperatingError content_invalid_hash, content_not_found, content_unavailable, content_too_large,
   * content_aborted
   */
  async fetch(hash: Uint8Array, request: FetchRequest): Promise<Uint8Array> {
    const cid = contentCid(hash).toString();
    for (;;) {
      if (request.signal?.aborted || this.#stopping.signal.aborted)
        throw new OperatingError("content_aborted", { cid });
      const shared = this.#shared(hash, request.maxBytes);
      shared.waiting++;
      try {
        const bytes = await untilAborted(shared.result, request.signal, cid);
        if (bytes.length <= request.maxBytes) return bytes;
        throw new OperatingError("content_too_large", { cid, sizeBytes: bytes.length, maxBytes: request.maxBytes });
      } catch (error) {
        // Another caller allowed less than we do: its failure is not ours.
        const theirs = error instanceof OperatingError && shared.maxBytes < request.maxBytes;
        if (!theirs || (error.code !== "content_too_large" && error.code !== "content_unavailable")) throw error;
      } finally {
        shared.waiting--;
        if (shared.waiting === 0) shared.cancel.abort(new OperatingError("content_aborted", { cid }));
      }
    }
  }

  async stop(): Promise<void> {
    this.#announcer.stop();
    this.#stopping.abort(new OperatingError("content_aborted"));
    await this.#server.stop();
  }

  #shared(hash: Uint8Array, maxBytes: number): SharedFetch {
    const key = Buffer.from(hash).toString("hex");
    const running = this.#fetches.get(key);
    if (running && !running.cancel.signal.aborted) return running;
    const cancel = new AbortController();
    const result = this.#run(hash.slice(), maxBytes, AbortSignal.any([cancel.signal, this.#stopping.signal]));
    const shared: SharedFetch = { maxBytes, result, cancel, waiting: 0 };
    this.#fetches.set(key, shared);
    const forget = () => {
      if (this.#fetches.get(key) === shared) this.#fetches.delete(key);
    };
    result.then(forget, forget);
    return shared;
  }

  async #run(hash: Uint8Array, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    await this.#slot();
    try {
      signal.throwIfAborted();
      const { host, lookupTimeoutMs, stallMs, onRejected } = this.#options;
      return await new ContentFetch({
        libp2p: host.libp2p,
        protocol: host.names.contentProtocol,
        logger: host.logger,
        hash,
        maxBytes,
        lookupTimeoutMs: lookupTimeoutMs ?? CONTENT_LOOKUP_TIMEOUT_MS,
        stallMs: stallMs ?? CONTENT_STALL_MS,
        neighbours: () => this.#neighbours(),
        onRejected: (peer, reason) => {
          const publicKey = publicKeyOf(peer);
          if (!publicKey) return;
          const offence = OFFENCES[reason];
          if (offence) host.penalise(publicKey, offence);
          onRejected?.({ publicKey, hash, reason });
        },
        signal,
      }).run();
    } finally {
      this.#running--;
      this.#queue.shift()?.();
    }
  }

  #slot(): Promise<void> {
    if (this.#running < MAX_CONTENT_FETCHES) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#queue.push(() => {
        this.#running++;
        resolve();
      });
    });
  }

  /** A few connected peers at random: whoever runs the same work has most likely fetched the same content. */
  #neighbours() {
    const peers = this.#options.host.libp2p.getPeers();
    const count = Math.min(this.#options.askNeighbours ?? DEFAULT_NEIGHBOURS, peers.length);
    for (let i = 0; i < count; i++) {
      const j = i + Math.floor(Math.random() * (peers.length - i));
      [peers[i], peers[j]] = [peers[j]!, peers[i]!];
    }
    return peers.slice(0, count);
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, cid: string): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new OperatingError("content_aborted", { cid }, signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
