/**
 * Everything that a node keeps on disk, in one directory that one process holds: the machine's log, content, receipts,
 * peers and a little about itself. Ending the process at any moment loses nothing whose write was answered.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../logger.ts";
import { BlobStore } from "./blob-store.ts";
import { type Database, openDatabase, storeError, table } from "./database.ts";
import { DEFAULT_CONTENT_CAPACITY_BYTES } from "./limits.ts";
import { Meta } from "./meta.ts";
import { PeerBook } from "./peer-book.ts";
import { ReceiptStore } from "./receipt-store.ts";
import { RecordLog } from "./record-log.ts";

export interface NodeStoreOptions {
  directory: string;
  logger: Logger;
  contentCapacityBytes?: number;
}

interface Parts {
  log: RecordLog;
  content: BlobStore;
  receipts: ReceiptStore;
  peers: PeerBook;
  meta: Meta;
}

export class NodeStore {
  readonly log: RecordLog;
  readonly content: BlobStore;
  readonly receipts: ReceiptStore;
  readonly peers: PeerBook;
  readonly meta: Meta;
  readonly #database: Database;

  /** @throws OperatingError store_locked, store_schema_newer, store_corrupted, store_unreadable */
  static async open(options: NodeStoreOptions): Promise<NodeStore> {
    const { directory, logger } = options;
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw storeError(error, { directory });
    }
    const database = await openDatabase(join(directory, "db"));
    try {
      const metaTable = table(database, "meta");
      const meta = new Meta(database, metaTable);
      await meta.checkSchema();
      const capacity = options.contentCapacityBytes ?? DEFAULT_CONTENT_CAPACITY_BYTES;
      return new NodeStore(database, {
        meta,
        log: await RecordLog.open(database, metaTable),
        content: await BlobStore.open(database, join(directory, "content"), capacity, logger.child({ part: "store" })),
        receipts: await ReceiptStore.open(database),
        peers: await PeerBook.open(table(database, "peers")),
      });
    } catch (error) {
      await database.close();
      throw storeError(error, { directory });
    }
  }

  private constructor(database: Database, parts: Parts) {
    this.#database = database;
    this.log = parts.log;
    this.content = parts.content;
    this.receipts = parts.receipts;
    this.peers = parts.peers;
    this.meta = parts.meta;
  }

  /** Finishes what is under way and lets the directory go. */
  async close(): Promise<void> {
    await this.log.flush();
    await this.content.close();
    await this.#database.close();
  }
}
