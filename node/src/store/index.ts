/** What a node keeps on disk. */
export type { BlobStore, BlobView } from "./blob-store.ts";
export { type BlockMark, type Meta, SCHEMA_VERSION } from "./meta.ts";
export { NodeStore, type NodeStoreOptions } from "./node-store.ts";
export type { KnownPeer, PeerBook } from "./peer-book.ts";
export type { ReceiptPage, ReceiptStore, StoredReceipt } from "./receipt-store.ts";
export type { LogRecord, RecordLog } from "./record-log.ts";
