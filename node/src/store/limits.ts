/** The bounds of what the store keeps, with the reason for each. */
import { MAX_OPEN_REQUESTS, MAX_WIRE_BYTES } from "@outlayer/protocol/limits";

export const MAX_LOG_KEY_LENGTH = 256;
/** A log record holds at most one encoded result. */
export const MAX_LOG_VALUE_BYTES = MAX_WIRE_BYTES;
/** A machine keeps one result for each open request, and a few records of its own. */
export const MAX_LOG_RECORDS = 2 * MAX_OPEN_REQUESTS;
/** Writes that wait for the disk; a machine that is so far ahead of it has to wait. */
export const MAX_WAITING_WRITES = 4_096;

/** What content may take on disk unless the operator says otherwise. */
export const DEFAULT_CONTENT_CAPACITY_BYTES = 4 * 1024 * 1024 * 1024;
/** Above the largest module, tape or bundle that the protocol moves. */
export const MAX_BLOB_BYTES = 256 * 1024 * 1024;
/** Blobs in the index, which is held in memory: some 200 bytes each. */
export const MAX_BLOBS = 65_536;
export const MAX_PINS = 65_536;
export const MAX_PIN_OWNER_LENGTH = 128;
/** How long a use of a blob may wait to be noted: losing it costs a little order, never content. */
export const USE_FLUSH_MS = 10_000;

export const MAX_RECEIPT_BYTES = MAX_WIRE_BYTES;
/** The oldest go first beyond this. */
export const MAX_RECEIPTS = 100_000;
export const MAX_RECEIPT_PAGE = 200;

export const MAX_PEERS = 1_024;
export const MAX_ADDRESSES_PER_PEER = 16;
export const MAX_ADDRESS_LENGTH = 256;

export const MAX_META_BYTES = 64 * 1024;
export const MAX_META_NAME_LENGTH = 64;
