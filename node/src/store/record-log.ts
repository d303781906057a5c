/**
 * The worker machine's persisted records. A write answers only when it is on disk, writes land in the order in which
 * they were made, and each is whole or absent after a crash; so a machine that waits for the answer before its next
 * effect never promises what it could forget.
 */
import { OperatingError } from "../errors.ts";
import { type Database, plain, storeError, type Table, table } from "./database.ts";
import { MAX_LOG_KEY_LENGTH, MAX_LOG_RECORDS, MAX_LOG_VALUE_BYTES, MAX_WAITING_WRITES } from "./limits.ts";
import { type BlockMark, encodeBlockMark, LAST_BLOCK_KEY } from "./meta.ts";

/** Without a value the record is deleted. The same shape as the machine's own. */
export interface LogRecord {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

interface WaitingWrite {
  records: readonly LogRecord[];
  /** Encoded. */
  lastBlock: Uint8Array | undefined;
  done(): void;
  failed(error: unknown): void;
}

export class RecordLog {
  readonly #database: Database;
  readonly #table: Table;
  readonly #meta: Table;
  readonly #keys = new Set<string>();
  #waiting: WaitingWrite[] = [];
  #writing: Promise<void> | undefined;
  /** After a failed write nobody knows what is on disk, so none is accepted until the node restarts. */
  #broken: OperatingError | undefined;

  static async open(database: Database, meta: Table): Promise<RecordLog> {
    const log = new RecordLog(database, meta);
    for await (const key of log.#table.keys()) log.#keys.add(key);
    return log;
  }

  private constructor(database: Database, meta: Table) {
    this.#database = database;
    this.#table = table(database, "log");
    this.#meta = meta;
  }

  /** Every record that was written and not deleted, in the order of their keys. */
  async load(): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    try {
      for await (const [key, value] of this.#table.iterator()) records.push({ key, value: plain(value) });
    } catch (error) {
      throw storeError(error);
    }
    return records;
  }

  /**
   * Writes and deletes, all of it or nothing, and with it the last processed block when given. Resolves when durable.
   * @throws OperatingError store_record_invalid, store_full, store_unreadable, store_closed
   */
  append(records: readonly LogRecord[], lastBlock?: BlockMark): Promise<void> {
    return new Promise((done, failed) => {
      if (this.#broken) throw this.#broken;
      if (this.#waiting.length >= MAX_WAITING_WRITES) throw new OperatingError("store_full", { waiting: "log writes" });
      for (const record of records) check(record);
      const mark = lastBlock && encodeBlockMark(lastBlock);
      this.#note(records);
      this.#waiting.push({ records, lastBlock: mark, done, failed });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Resolves when everything that was appended is on disk. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #note(records: readonly LogRecord[]): void {
    const added = records.filter(({ key, value }) => value !== undefined && !this.#keys.has(key)).length;
    if (this.#keys.size + added > MAX_LOG_RECORDS) {
      throw new OperatingError("store_full", { logRecords: this.#keys.size, maxRecords: MAX_LOG_RECORDS });
    }
    for (const { key, value } of records) {
      if (value === undefined) this.#keys.delete(key);
      else this.#keys.add(key);
    }
  }

  /** One synced batch at a time; what was appended meanwhile shares the next one's sync. Never rejects. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        if (this.#broken) throw this.#broken;
        await this.#write(group);
        for (const write of group) write.done();
      } catch (error) {
        this.#broken ??= storeError(error);
        for (const write of group) write.failed(this.#broken);
      }
    }
    this.#writing = undefined;
  }

  async #write(group: readonly WaitingWrite[]): Promise<void> {
    // Later writes of a key win inside one batch, as they would in batches of their own.
    const batch = this.#database.batch();
    for (const { records, lastBlock } of group) {
      for (const { key, value } of records) {
        if (value === undefined) batch.del(key, { sublevel: this.#table });
        else batch.put(key, value, { sublevel: this.#table });
      }
      if (lastBlock) batch.put(LAST_BLOCK_KEY, lastBlock, { sublevel: this.#meta });
    }
    await batch.write({ sync: true });
  }
}

function check({ key, value }: LogRecord): void {
  if (key.length === 0 || key.length > MAX_LOG_KEY_LENGTH) {
    throw new OperatingError("store_record_invalid", { table: "log", keyLength: key.length });
  }
  if (value && value.length > MAX_LOG_VALUE_BYTES) {
    throw new OperatingError("store_record_invalid", { table: "log", key, sizeBytes: value.length });
  }
}
