/**
 * One fetch: providers are tried one after another, a broken transfer is continued by the next, and what arrives is
 * hashed on the way. When bytes of several providers together do not hash to what was asked, nobody can be blamed yet:
 * the mixed bytes are kept, the content is fetched whole from one provider, and the comparison shows who lied.
 */
import { createHash, type Hash } from "node:crypto";
import type { Libp2p, PeerId } from "@libp2p/interface";
import { OperatingError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { type ContentRejectionReason, DownloadError, download } from "./content-download.ts";
import { contentCid } from "./content-id.ts";
import { type ProviderCandidate, ProviderSearch } from "./content-providers.ts";
import { MAX_PROVIDERS_PER_FETCH } from "./limits.ts";

export interface FetchOptions {
  libp2p: Libp2p;
  protocol: string;
  logger: Logger;
  hash: Uint8Array;
  maxBytes: number;
  lookupTimeoutMs: number;
  stallMs: number;
  /** Connected peers to ask besides the DHT. */
  neighbours(): readonly PeerId[];
  onRejected(peer: PeerId, reason: ContentRejectionReason): void;
  signal: AbortSignal;
}

/** Bytes [start, end) came from this peer. */
interface Segment {
  peer: PeerId;
  start: number;
  end: number;
}

interface Partial {
  total: number;
  bytes: Uint8Array;
  filled: number;
  hash: Hash;
  segments: Segment[];
}

/** A further search is worth it only when the last one brought bytes, as when a lone provider restarted. */
const MAX_SEARCHES = 3;

export class ContentFetch {
  readonly #options: FetchOptions;
  #partial: Partial | undefined;
  /** A finished mixture that hashed wrongly, or a start that a later provider contradicted about the length. */
  #disputed: Partial | undefined;
  readonly #failures: string[] = [];
  #onlyOversized = true;
  #tried = 0;
  /** Peers that proved useless for this hash; no search brings them back. */
  readonly #excluded = new Set<string>();

  constructor(options: FetchOptions) {
    this.#options = options;
  }

  /** @throws OperatingError content_not_found, content_unavailable, content_too_large; or the signal's reason */
  async run(): Promise<Uint8Array> {
    for (let search = 0; search < MAX_SEARCHES; search++) {
      const before = this.#partial?.filled ?? 0;
      const found = await this.#search();
      if (found) return found;
      if ((this.#partial?.filled ?? 0) <= before) break;
    }
    throw this.#failure();
  }

  async #search(): Promise<Uint8Array | undefined> {
    const { libp2p, hash, lookupTimeoutMs, signal } = this.#options;
    const search = new ProviderSearch({
      libp2p,
      cid: contentCid(hash),
      neighbours: this.#options.neighbours(),
      timeoutMs: lookupTimeoutMs,
      signal,
    });
    /** Contributors to a disputed mixture: each is asked for the whole, since one of them may be honest. */
    const again: ProviderCandidate[] = [];
    try {
      while (this.#tried < MAX_PROVIDERS_PER_FETCH) {
        const candidate = again.shift() ?? (await search.next());
        signal.throwIfAborted();
        if (!candidate) return undefined;
        if (this.#excluded.has(candidate.peer.toString())) continue;
        this.#tried++;
        const result = await this.#try(candidate);
        if (result === "disputed") again.push(...this.#contributors());
        else if (result) return result;
      }
      return undefined;
    } finally {
      search.end();
    }
  }

  async #try(candidate: ProviderCandidate): Promise<Uint8Array | "disputed" | undefined> {
    try {
      await this.#transfer(candidate.peer);
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      this.#reject(candidate, error);
      return undefined;
    }
    const partial = this.#partial as Partial;
    this.#partial = undefined;
    if (Buffer.compare(partial.hash.digest(), this.#options.hash) === 0) {
      this.#settleDispute(partial.bytes);
      return partial.bytes;
    }
    if (new Set(partial.segments.map((segment) => segment.peer.toString())).size > 1) {
      this.#disputed = partial;
      return "disputed";
    }
    this.#reject(candidate, new DownloadError("poisoned"));
    return undefined;
  }

  /** Continues what there is; when the provider disagrees about the length, starts again with this provider alone. */
  async #transfer(peer: PeerId): Promise<void> {
    if (this.#partial && !(await this.#continue(peer))) {
      this.#disputed ??= this.#partial;
      this.#partial = undefined;
    }
    if (!this.#partial) await this.#continue(peer);
  }

  /** False when the provider announced another total than the providers before it. */
  async #continue(peer: PeerId): Promise<boolean> {
    const { libp2p, protocol, hash, maxBytes, stallMs, signal } = this.#options;
    const offset = this.#partial?.filled ?? 0;
    let agreed = true;
    const sink = {
      begin: (total: number): number | undefined => {
        if (total > maxBytes) throw new DownloadError("oversized");
        if (this.#partial && this.#partial.total !== total) {
          agreed = false;
          return undefined;
        }
        this.#partial ??= { total, bytes: new Uint8Array(total), filled: 0, hash: createHash("sha256"), segments: [] };
        this.#partial.segments.push({ peer, start: offset, end: offset });
        return total - offset;
      },
      write: (bytes: Uint8Array): void => {
        const partial = this.#partial as Partial;
        partial.bytes.set(bytes, partial.filled);
        partial.hash.update(bytes);
        partial.filled += bytes.length;
        (partial.segments.at(-1) as Segment).end = partial.filled;
      },
    };
    await download({ libp2p, protocol, peer, request: { hash, offset, length: 0 }, sink, stallMs, signal });
    return agreed;
  }

  #contributors(): ProviderCandidate[] {
    const peers = new Map((this.#disputed?.segments ?? []).map(({ peer }) => [peer.toString(), peer]));
    return [...peers.values()].map((peer) => ({ peer, claimed: true }));
  }

  /** With the true bytes at hand, whoever contributed others stands named. */
  #settleDispute(truth: Uint8Array): void {
    if (!this.#disputed) return;
    const { bytes, total, segments } = this.#disputed;
    const liars = new Map<string, PeerId>();
    for (const { peer, start, end } of segments) {
      const same = Buffer.compare(bytes.subarray(start, end), truth.subarray(start, end)) === 0;
      if (!same || total !== truth.length) liars.set(peer.toString(), peer);
    }
    for (const [key, peer] of liars) {
      if (!this.#excluded.has(key)) this.#options.onRejected(peer, "poisoned");
    }
  }

  #reject(candidate: ProviderCandidate, error: DownloadError): void {
    const { peer, claimed } = candidate;
    const { reason } = error;
    this.#options.logger.debug("content provider rejected", { peer: peer.toString(), reason }, error);
    // A neighbour that was only asked does no wrong by not having it.
    if (!claimed && (reason === "missing" || reason === "unreachable" || reason === "busy")) return;
    this.#failures.push(`${peer} ${reason}`);
    if (reason !== "oversized") this.#onlyOversized = false;
    if (reason === "poisoned" || reason === "malformed" || reason === "oversized") this.#excluded.add(peer.toString());
    // An empty start holds nothing worth continuing, and its length is only the word of the one that failed. And
    // once a mixture has gone wrong, nothing is mixed any more.
    if (this.#partial?.filled === 0 || this.#disputed) this.#partial = undefined;
    this.#options.onRejected(peer, reason);
  }

  #failure(): OperatingError {
    const { hash, maxBytes, lookupTimeoutMs } = this.#options;
    const cid = contentCid(hash).toString();
    if (this.#failures.length === 0) return new OperatingError("content_not_found", { cid, lookupTimeoutMs });
    const providers = this.#failures.join(", ");
    if (this.#onlyOversized) return new OperatingError("content_too_large", { cid, maxBytes, providers });
    return new OperatingError("content_unavailable", { cid, providers });
  }
}
