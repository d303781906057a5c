/**
 * The content protocol: one request and one reply on a stream.
 *
 * request: sha-256 (32 bytes), offset (u64), length (u64, 0 for "to the end")
 * reply:   status (1 byte), total length of the content (u64), then, for `found`, the bytes from offset on
 *
 * Integers are big-endian.
 */
import { CONTENT_HASH_BYTES } from "./content-id.ts";

export const REQUEST_BYTES = CONTENT_HASH_BYTES + 16;
export const REPLY_HEADER_BYTES = 9;

export const STATUS_FOUND = 0;
export const STATUS_MISSING = 1;
export const STATUS_BUSY = 2;
/** The offset lies beyond the end; the total says where that is. */
export const STATUS_BAD_RANGE = 3;

export type ReplyStatus = typeof STATUS_FOUND | typeof STATUS_MISSING | typeof STATUS_BUSY | typeof STATUS_BAD_RANGE;

export interface ContentRequest {
  hash: Uint8Array;
  offset: number;
  /** 0 for everything from the offset on. */
  length: number;
}

export interface ReplyHeader {
  status: ReplyStatus;
  total: number;
}

export function encodeRequest(request: ContentRequest): Uint8Array {
  const bytes = new Uint8Array(REQUEST_BYTES);
  bytes.set(request.hash);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(CONTENT_HASH_BYTES, BigInt(request.offset));
  view.setBigUint64(CONTENT_HASH_BYTES + 8, BigInt(request.length));
  return bytes;
}

/** Undefined for anything that is not a request. */
export function decodeRequest(bytes: Uint8Array): ContentRequest | undefined {
  if (bytes.length !== REQUEST_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offset = safeInteger(view.getBigUint64(CONTENT_HASH_BYTES));
  const length = safeInteger(view.getBigUint64(CONTENT_HASH_BYTES + 8));
  if (offset === undefined || length === undefined) return undefined;
  return { hash: bytes.slice(0, CONTENT_HASH_BYTES), offset, length };
}

export function encodeReplyHeader(header: ReplyHeader): Uint8Array {
  const bytes = new Uint8Array(REPLY_HEADER_BYTES);
  bytes[0] = header.status;
  new DataView(bytes.buffer).setBigUint64(1, BigInt(header.total));
  return bytes;
}

/** Undefined for anything that is not a reply header. */
export function decodeReplyHeader(bytes: Uint8Array): ReplyHeader | undefined {
  if (bytes.length !== REPLY_HEADER_BYTES) return undefined;
  const status = bytes[0] as number;
  const total = safeInteger(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(1));
  if (status > STATUS_BAD_RANGE || total === undefined) return undefined;
  return { status: status as ReplyStatus, total };
}

function safeInteger(value: bigint): number | undefined {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}
