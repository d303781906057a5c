/** Serves content to other nodes out of a source, within bounds on uploads at once. */
import type { Connection, Libp2p, PeerId, Stream, StreamMessageEvent } from "@libp2p/interface";
import type { Logger } from "../logger.ts";
import {
  type ContentRequest,
  decodeRequest,
  encodeReplyHeader,
  REQUEST_BYTES,
  STATUS_BAD_RANGE,
  STATUS_BUSY,
  STATUS_FOUND,
  STATUS_MISSING,
} from "./content-wire.ts";
import {
  CONTENT_CHUNK_BYTES,
  CONTENT_STALL_MS,
  MAX_CONTENT_UPLOADS,
  MAX_CONTENT_UPLOADS_PER_PEER,
  WRITE_STALL_TIMEOUT_MS,
} from "./limits.ts";

/** Where served content comes from; answers undefined for what it does not have. */
export interface ContentSource {
  get(hash: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface ContentServerOptions {
  libp2p: Libp2p;
  protocol: string;
  source: ContentSource;
  logger: Logger;
  onMalformed(peer: PeerId): void;
}

export class ContentServer {
  readonly #options: ContentServerOptions;
  readonly #stopping = new AbortController();
  readonly #uploadsByPeer = new Map<string, number>();
  #uploads = 0;

  constructor(options: ContentServerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { libp2p, protocol } = this.#options;
    await libp2p.handle(protocol, (stream, connection) => this.#serve(stream, connection), {
      maxInboundStreams: MAX_CONTENT_UPLOADS_PER_PEER * 2,
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#options.libp2p.unhandle(this.#options.protocol);
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    const peer = connection.remotePeer.toString();
    try {
      const bytes = await readRequest(stream);
      const request = bytes && decodeRequest(bytes);
      if (!request) {
        this.#options.onMalformed(connection.remotePeer);
        throw new Error("not a content request");
      }
      await this.#answer(stream, request, peer);
      await stream.close({ signal: AbortSignal.timeout(WRITE_STALL_TIMEOUT_MS) });
    } catch (error) {
      this.#options.logger.debug("a content request was not served", { peer }, error);
      stream.abort(error as Error);
    }
  }

  async #answer(stream: Stream, request: ContentRequest, peer: string): Promise<void> {
    const ofPeer = this.#uploadsByPeer.get(peer) ?? 0;
    if (this.#uploads >= MAX_CONTENT_UPLOADS || ofPeer >= MAX_CONTENT_UPLOADS_PER_PEER) {
      stream.send(encodeReplyHeader({ status: STATUS_BUSY, total: 0 }));
      return;
    }
    this.#uploads++;
    this.#uploadsByPeer.set(peer, ofPeer + 1);
    try {
      const content = await this.#options.source.get(request.hash);
      if (!content) {
        stream.send(encodeReplyHeader({ status: STATUS_MISSING, total: 0 }));
      } else if (request.offset > content.length) {
        stream.send(encodeReplyHeader({ status: STATUS_BAD_RANGE, total: content.length }));
      } else {
        stream.send(encodeReplyHeader({ status: STATUS_FOUND, total: content.length }));
        const end = request.length === 0 ? content.length : Math.min(content.length, request.offset + request.length);
        await this.#upload(stream, content.subarray(request.offset, end));
      }
    } finally {
      this.#uploads--;
      const left = (this.#uploadsByPeer.get(peer) ?? 1) - 1;
      if (left > 0) this.#uploadsByPeer.set(peer, left);
      else this.#uploadsByPeer.delete(peer);
    }
  }

  async #upload(stream: Stream, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += CONTENT_CHUNK_BYTES) {
      if (stream.send(bytes.subarray(at, at + CONTENT_CHUNK_BYTES))) continue;
      const stalled = AbortSignal.timeout(WRITE_STALL_TIMEOUT_MS);
      await stream.onDrain({ signal: AbortSignal.any([stalled, this.#stopping.signal]) });
    }
  }
}

/** The whole request, or undefined when the asker sends too much, ends early or takes too long. */
function readRequest(stream: Stream): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    let bytes: Uint8Array = new Uint8Array();
    const settle = (result: Uint8Array | undefined) => {
      clearTimeout(timer);
      stream.removeEventListener("message", onMessage);
      stream.removeEventListener("close", onEnd);
      stream.removeEventListener("remoteCloseWrite", onEnd);
      resolve(result);
    };
    const onMessage = (event: StreamMessageEvent) => {
      bytes = Buffer.concat([bytes, event.data.subarray()]);
      if (bytes.length === REQUEST_BYTES) settle(bytes);
      else if (bytes.length > REQUEST_BYTES) settle(undefined);
    };
    const onEnd = () => settle(undefined);
    const timer = setTimeout(onEnd, CONTENT_STALL_MS);
    stream.addEventListener("message", onMessage);
    stream.addEventListener("close", onEnd);
    stream.addEventListener("remoteCloseWrite", onEnd);
  });
}
