/** A few values about the whole store: its schema, the last processed block, and small named values of the drivers. */
import { OperatingError } from "../errors.ts";
import { type Database, plain, storeError, type Table } from "./database.ts";
import { MAX_META_BYTES, MAX_META_NAME_LENGTH } from "./limits.ts";

/** Raised whenever older data would be misread; a step then says how older data is brought along. */
export const SCHEMA_VERSION = 1;
export const LAST_BLOCK_KEY = "last_block";
const SCHEMA_KEY = "schema_version";
const NAMED_PREFIX = "named/";
const HASH_BYTES = 32;

/** A block that has been processed with everything before it. */
export interface BlockMark {
  height: number;
  /** 32 bytes. */
  hash: Uint8Array;
}

export class Meta {
  readonly #database: Database;
  readonly #table: Table;

  constructor(database: Database, table: Table) {
    this.#database = database;
    this.#table = table;
  }

  /**
   * Marks a new store with the schema; refuses a newer one.
   * @throws OperatingError store_schema_newer, store_corrupted
   */
  async checkSchema(): Promise<void> {
    const stored = await this.#get(SCHEMA_KEY);
    if (!stored) {
      await this.#put(SCHEMA_KEY, u32(SCHEMA_VERSION));
      return;
    }
    if (stored.length !== 4) throw new OperatingError("store_corrupted", { key: SCHEMA_KEY });
    const version = new DataView(stored.buffer, stored.byteOffset, 4).getUint32(0);
    if (version > SCHEMA_VERSION) {
      throw new OperatingError("store_schema_newer", { stored: version, supported: SCHEMA_VERSION });
    }
  }

  /** @throws OperatingError store_corrupted */
  async lastBlock(): Promise<BlockMark | undefined> {
    const stored = await this.#get(LAST_BLOCK_KEY);
    return stored && decodeBlockMark(stored);
  }

  setLastBlock(mark: BlockMark): Promise<void> {
    return this.#put(LAST_BLOCK_KEY, encodeBlockMark(mark));
  }

  get(name: string): Promise<Uint8Array | undefined> {
    return this.#get(NAMED_PREFIX + name);
  }

  /** @throws OperatingError store_record_invalid */
  put(name: string, value: Uint8Array): Promise<void> {
    if (name.length > MAX_META_NAME_LENGTH || value.length > MAX_META_BYTES) {
      return Promise.reject(new OperatingError("store_record_invalid", { table: "meta", sizeBytes: value.length }));
    }
    return this.#put(NAMED_PREFIX + name, value);
  }

  async #get(key: string): Promise<Uint8Array | undefined> {
    try {
      const value = await this.#table.get(key);
      return value && plain(value);
    } catch (error) {
      throw storeError(error);
    }
  }

  async #put(key: string, value: Uint8Array): Promise<void> {
    try {
      await this.#database.batch([{ type: "put", sublevel: this.#table, key, value }], { sync: true });
    } catch (error) {
      throw storeError(error);
    }
  }
}

/** Height as u64 big-endian, then the hash; throws OperatingError store_record_invalid. */
export function encodeBlockMark({ height, hash }: BlockMark): Uint8Array {
  if (!Number.isSafeInteger(height) || height < 0 || hash.length !== HASH_BYTES) {
    throw new OperatingError("store_record_invalid", { table: "meta", height, hashBytes: hash.length });
  }
  const bytes = new Uint8Array(8 + HASH_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(height));
  bytes.set(hash, 8);
  return bytes;
}

function decodeBlockMark(bytes: Uint8Array): BlockMark {
  if (bytes.length !== 8 + HASH_BYTES) throw new OperatingError("store_corrupted", { key: LAST_BLOCK_KEY });
  const height = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  return { height: Number(height), hash: bytes.slice(8) };
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
