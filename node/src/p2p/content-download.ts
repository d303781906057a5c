/** One request to one provider: its bytes go to a sink as they arrive, and the end has a name. */
import type { Libp2p, PeerId, Stream, StreamMessageEvent } from "@libp2p/interface";
import {
  type ContentRequest,
  decodeReplyHeader,
  encodeRequest,
  REPLY_HEADER_BYTES,
  STATUS_BAD_RANGE,
  STATUS_BUSY,
  STATUS_FOUND,
  STATUS_MISSING,
} from "./content-wire.ts";
import { CONTENT_MIN_BYTES_PER_STALL, DIAL_TIMEOUT_MS } from "./limits.ts";

/**
 * Why a provider was rejected.
 * - poisoned: what it sent does not hash to what was asked
 * - malformed: no reply header, or more bytes than it announced
 * - truncated: it ended before the announced length
 * - oversized: it announces more than the caller allows
 * - missing: it is named as a provider and does not have it
 * - stalled: too few bytes for too long
 * - unreachable: it could not be dialled
 * - busy: it serves too many others
 */
export type ContentRejectionReason =
  | "poisoned"
  | "malformed"
  | "truncated"
  | "oversized"
  | "missing"
  | "stalled"
  | "unreachable"
  | "busy";

export class DownloadError extends Error {
  override readonly name = "DownloadError";
  readonly reason: ContentRejectionReason;

  constructor(reason: ContentRejectionReason, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

export interface DownloadSink {
  /**
   * Called once with the announced total length; answers how many bytes are wanted from the offset on, or undefined
   * to end the download at once without blame (the caller will ask again differently).
   * @throws DownloadError to reject the provider
   */
  begin(total: number): number | undefined;
  /** Never called with more, over all calls, than `begin` answered. */
  write(bytes: Uint8Array): void;
}

export interface DownloadOptions {
  libp2p: Libp2p;
  protocol: string;
  peer: PeerId;
  request: ContentRequest;
  sink: DownloadSink;
  stallMs: number;
  signal: AbortSignal;
}

/** Resolves when every wanted byte is in the sink, or at once when `begin` declined; throws DownloadError or the signal's reason. */
export async function download(options: DownloadOptions): Promise<void> {
  const { libp2p, peer, protocol, signal } = options;
  let stream: Stream;
  try {
    const timeout = AbortSignal.timeout(DIAL_TIMEOUT_MS);
    stream = await libp2p.dialProtocol(peer, protocol, { signal: AbortSignal.any([timeout, signal]) });
  } catch (error) {
    signal.throwIfAborted();
    throw new DownloadError("unreachable", error);
  }
  try {
    const complete = await receive(stream, options);
    if (!complete) stream.abort(new Error("declined"));
    else stream.close({ signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) }).catch((error) => stream.abort(error));
  } catch (error) {
    stream.abort(error as Error);
    throw error;
  }
}

/** True when every wanted byte came, false when the sink declined. */
function receive(stream: Stream, options: DownloadOptions): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const { sink, signal } = options;
  let header: Uint8Array = new Uint8Array();
  let wanted = -1;
  let received = 0;
  let receivedBefore = 0;

  const take = (bytes: Uint8Array): "more" | "complete" | "declined" => {
    let body = bytes;
    if (wanted < 0) {
      const missing = REPLY_HEADER_BYTES - header.length;
      header = Buffer.concat([header, bytes.subarray(0, missing)]);
      if (header.length < REPLY_HEADER_BYTES) return "more";
      body = bytes.subarray(missing);
      const answer = begin(header, sink);
      if (answer === undefined) return "declined";
      wanted = answer;
    }
    if (received + body.length > wanted) throw new DownloadError("malformed");
    received += body.length;
    if (body.length > 0) sink.write(body);
    return received === wanted ? "complete" : "more";
  };

  const onMessage = (event: StreamMessageEvent) => {
    try {
      for (const part of event.data instanceof Uint8Array ? [event.data] : event.data) {
        const state = take(part);
        if (state !== "more") return resolve(state === "complete");
      }
    } catch (error) {
      reject(error);
    }
  };
  const onEnd = () => reject(new DownloadError("truncated"));
  const onAbort = () => reject(signal.reason);
  const timer = setInterval(() => {
    if (received - receivedBefore < CONTENT_MIN_BYTES_PER_STALL) reject(new DownloadError("stalled"));
    receivedBefore = received;
  }, options.stallMs);

  stream.addEventListener("message", onMessage);
  stream.addEventListener("end", onEnd);
  stream.addEventListener("close", onEnd);
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    stream.send(encodeRequest(options.request));
  } catch (error) {
    reject(signal.aborted ? signal.reason : new DownloadError("truncated", error));
  }
  return promise.finally(() => {
    clearInterval(timer);
    stream.removeEventListener("message", onMessage);
    stream.removeEventListener("end", onEnd);
    stream.removeEventListener("close", onEnd);
    signal.removeEventListener("abort", onAbort);
  });
}

function begin(headerBytes: Uint8Array, sink: DownloadSink): number | undefined {
  const header = decodeReplyHeader(headerBytes);
  switch (header?.status) {
    case STATUS_FOUND:
      return sink.begin(header.total);
    case STATUS_BAD_RANGE:
      // Only an honest disagreement over the length explains this, and then the sink declines.
      if (sink.begin(header.total) === undefined) return undefined;
      throw new DownloadError("malformed");
    case STATUS_MISSING:
      throw new DownloadError("missing");
    case STATUS_BUSY:
      throw new DownloadError("busy");
    default:
      throw new DownloadError("malformed");
  }
}
