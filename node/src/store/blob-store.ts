/**
 * Content by its sha-256: each blob is a file named by its hash, beside an index in the database. Bytes are hashed
 * before they are kept and again when they are read, so a damaged file is never handed out. Beyond the capacity the
 * blobs that were unused for longest go, except those that somebody has pinned.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "../durability.ts";
import { OperatingError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { type Database, plain, storeError, type Table, table } from "./database.ts";
import { MAX_BLOB_BYTES, MAX_BLOBS, MAX_PIN_OWNER_LENGTH, MAX_PINS, USE_FLUSH_MS } from "./limits.ts";

const HASH_BYTES = 32;
const DRAFT_PREFIX = "draft-";
const BLOB_FILE = /^[0-9a-f]{64}$/;

interface Entry {
  sizeBytes: number;
  /** Rises with every use over all blobs; the lowest is evicted first. */
  lastUse: number;
}

export interface BlobView {
  hash: Uint8Array;
  sizeBytes: number;
  pinned: boolean;
}

export class BlobStore {
  readonly #database: Database;
  readonly #index: Table;
  readonly #pinTable: Table;
  readonly #directory: string;
  readonly #capacityBytes: number;
  readonly #logger: Logger;
  /** By hexadecimal hash, in the order of last use, oldest first. */
  readonly #entries = new Map<string, Entry>();
  /** Owners of each pinned hash; a pin may stand before its blob comes. */
  readonly #pins = new Map<string, Set<string>>();
  #pinCount = 0;
  #totalBytes = 0;
  #useCounter = 0;
  readonly #usedSinceFlush = new Set<string>();
  #flushTimer: NodeJS.Timeout | undefined;
  /** Changes are made one after another; reads go beside them. */
  #changes: Promise<unknown> = Promise.resolve();

  static async open(database: Database, directory: string, capacityBytes: number, logger: Logger): Promise<BlobStore> {
    const store = new BlobStore(database, directory, capacityBytes, logger);
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await store.#load();
    } catch (error) {
      throw storeError(error, { directory });
    }
    return store;
  }

  private constructor(database: Database, directory: string, capacityBytes: number, logger: Logger) {
    this.#database = database;
    this.#index = table(database, "blobs");
    this.#pinTable = table(database, "pins");
    this.#directory = directory;
    this.#capacityBytes = capacityBytes;
    this.#logger = logger;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  has(hash: Uint8Array): boolean {
    return this.#entries.has(hexOf(hash));
  }

  /** Every blob, least recently used first. */
  list(): BlobView[] {
    return [...this.#entries].map(([hex, { sizeBytes }]) => ({
      hash: new Uint8Array(Buffer.from(hex, "hex")),
      sizeBytes,
      pinned: this.#pins.has(hex),
    }));
  }

  /**
   * The content, or undefined when it is not here. A file that no longer hashes to its name is deleted and counts as
   * not here.
   */
  async get(hash: Uint8Array): Promise<Uint8Array | undefined> {
    const hex = hexOf(hash);
    if (!this.#entries.has(hex)) return undefined;
    const content = await this.#read(hex).catch((error) => {
      throw storeError(error, { blob: hex });
    });
    if (content) this.#use(hex);
    // An eviction may have come between, and even a new insertion after it: only with changes at rest is it damage.
    else return this.#change(() => this.#readOrForget(hex));
    return content;
  }

  /**
   * Keeps content under the hash that is computed here, and returns that hash. Durable when it resolves.
   * @param expected when given, content that hashes to anything else is refused
   * @throws OperatingError store_record_invalid, store_full, store_unreadable
   */
  put(content: Uint8Array, expected?: Uint8Array): Promise<Uint8Array> {
    return this.#change(async () => {
      const hex = sha256Hex(content);
      if (expected && hexOf(expected) !== hex) {
        throw new OperatingError("store_record_invalid", { table: "blobs", expected: hexOf(expected), actual: hex });
      }
      if (content.length > MAX_BLOB_BYTES || content.length > this.#capacityBytes) {
        throw new OperatingError("store_full", { sizeBytes: content.length, capacityBytes: this.#capacityBytes });
      }
      if (this.#entries.has(hex)) this.#use(hex);
      else await this.#insert(hex, content);
      return new Uint8Array(Buffer.from(hex, "hex"));
    });
  }

  delete(hash: Uint8Array): Promise<void> {
    return this.#change(() => this.#forget(hexOf(hash)));
  }

  /**
   * Keeps the blob from eviction until the owner lets go; survives restarts. The blob may come later.
   * @throws OperatingError store_record_invalid, store_full
   */
  pin(hash: Uint8Array, owner: string): Promise<void> {
    return this.#change(async () => {
      const hex = hexOf(hash);
      if (owner.length === 0 || owner.length > MAX_PIN_OWNER_LENGTH) {
        throw new OperatingError("store_record_invalid", { table: "pins", ownerLength: owner.length });
      }
      if (this.#pins.get(hex)?.has(owner)) return;
      if (this.#pinCount >= MAX_PINS) throw new OperatingError("store_full", { pins: this.#pinCount });
      await this.#pinTable.put(`${hex}/${owner}`, new Uint8Array());
      this.#notePin(hex, owner);
    });
  }

  unpin(hash: Uint8Array, owner: string): Promise<void> {
    return this.#change(() => this.#unpin(hexOf(hash), owner));
  }

  /** Lets go of everything that the owner pinned. */
  unpinAll(owner: string): Promise<void> {
    return this.#change(async () => {
      const pinned = [...this.#pins].filter(([, owners]) => owners.has(owner)).map(([hex]) => hex);
      for (const hex of pinned) await this.#unpin(hex, owner);
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#flushTimer);
    await this.#change(() => this.#flushUses());
  }

  /** Index, pins and files are brought together; what a crash left half done goes. */
  async #load(): Promise<void> {
    const found: [string, Entry][] = [];
    for await (const [hex, value] of this.#index.iterator()) found.push([hex, decodeEntry(hex, value)]);
    found.sort(([, a], [, b]) => a.lastUse - b.lastUse);
    for (const [hex, entry] of found) this.#entries.set(hex, entry);
    this.#useCounter = found.at(-1)?.[1].lastUse ?? 0;
    for await (const key of this.#pinTable.keys()) {
      const slash = key.indexOf("/");
      this.#notePin(key.slice(0, slash), key.slice(slash + 1));
    }
    for (const [hex, { sizeBytes }] of found) {
      const file = await stat(this.#path(hex)).catch(ignoreMissing);
      if (file?.size === sizeBytes) this.#totalBytes += sizeBytes;
      else await this.#dropEntry(hex, 0);
    }
    for (const name of await readdir(this.#directory)) {
      const isOurs = BLOB_FILE.test(name) || name.startsWith(DRAFT_PREFIX);
      if (isOurs && !this.#entries.has(name)) await unlink(join(this.#directory, name));
    }
    // The capacity may have been lowered; what is pinned stays even so.
    while (this.#totalBytes > this.#capacityBytes && (await this.#evictOldest()));
  }

  /** Undefined when there is no file, or one that does not hash to its name. */
  async #read(hex: string): Promise<Uint8Array | undefined> {
    const content = await readFile(this.#path(hex)).catch(ignoreMissing);
    return content && sha256Hex(content) === hex ? plain(content) : undefined;
  }

  async #readOrForget(hex: string): Promise<Uint8Array | undefined> {
    const content = await this.#read(hex);
    if (!content) await this.#forget(hex, "its file is missing or damaged");
    return content;
  }

  async #insert(hex: string, content: Uint8Array): Promise<void> {
    while (this.#totalBytes + content.length > this.#capacityBytes || this.#entries.size >= MAX_BLOBS) {
      if (await this.#evictOldest()) continue;
      throw new OperatingError("store_full", { totalBytes: this.#totalBytes, capacityBytes: this.#capacityBytes });
    }
    await this.#writeFile(hex, content);
    const entry = { sizeBytes: content.length, lastUse: ++this.#useCounter };
    // The file stands first: a crash between the two leaves a file without an entry, which the next start removes.
    await this.#database.batch([{ type: "put", sublevel: this.#index, key: hex, value: encodeEntry(entry) }], {
      sync: true,
    });
    this.#entries.set(hex, entry);
    this.#totalBytes += content.length;
  }

  async #writeFile(hex: string, content: Uint8Array): Promise<void> {
    const draft = join(this.#directory, DRAFT_PREFIX + randomBytes(8).toString("hex"));
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, this.#path(hex));
      await syncDirectory(this.#directory);
    } catch (error) {
      await unlink(draft).catch(ignoreMissing);
      throw error;
    }
  }

  /** False when everything is pinned. */
  async #evictOldest(): Promise<boolean> {
    for (const hex of this.#entries.keys()) {
      if (this.#pins.has(hex)) continue;
      await this.#forget(hex);
      return true;
    }
    return false;
  }

  async #forget(hex: string, reason?: string): Promise<void> {
    const entry = this.#entries.get(hex);
    if (!entry) return;
    if (reason) this.#logger.warn("a stored blob was lost", { blob: hex, reason });
    await this.#dropEntry(hex, entry.sizeBytes);
    await unlink(this.#path(hex)).catch(ignoreMissing);
  }

  async #dropEntry(hex: string, sizeBytes: number): Promise<void> {
    await this.#index.del(hex);
    this.#entries.delete(hex);
    this.#usedSinceFlush.delete(hex);
    this.#totalBytes -= sizeBytes;
  }

  #notePin(hex: string, owner: string): void {
    const owners = this.#pins.get(hex) ?? new Set();
    owners.add(owner);
    this.#pins.set(hex, owners);
    this.#pinCount++;
  }

  async #unpin(hex: string, owner: string): Promise<void> {
    const owners = this.#pins.get(hex);
    if (!owners?.has(owner)) return;
    await this.#pinTable.del(`${hex}/${owner}`);
    owners.delete(owner);
    this.#pinCount--;
    if (owners.size === 0) this.#pins.delete(hex);
  }

  /** Moves the blob to the end of the order; the note on disk may wait. */
  #use(hex: string): void {
    const entry = this.#entries.get(hex);
    if (!entry) return;
    entry.lastUse = ++this.#useCounter;
    this.#entries.delete(hex);
    this.#entries.set(hex, entry);
    this.#usedSinceFlush.add(hex);
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined;
      this.#change(() => this.#flushUses()).catch((error) => {
        this.#logger.warn("uses of blobs could not be noted", {}, error);
      });
    }, USE_FLUSH_MS);
    this.#flushTimer.unref();
  }

  async #flushUses(): Promise<void> {
    const used = [...this.#usedSinceFlush];
    this.#usedSinceFlush.clear();
    await this.#index.batch(
      used.map((hex) => ({ type: "put", key: hex, value: encodeEntry(this.#entries.get(hex) as Entry) })),
    );
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#changes.then(work).catch((error) => {
      throw storeError(error);
    });
    this.#changes = result.catch(() => undefined);
    return result;
  }

  #path(hex: string): string {
    return join(this.#directory, hex);
  }
}

function hexOf(hash: Uint8Array): string {
  if (hash.length !== HASH_BYTES) throw new OperatingError("content_invalid_hash", { sizeBytes: hash.length });
  return Buffer.from(hash).toString("hex");
}

function sha256Hex(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Size and last use, each as u64 big-endian. */
function encodeEntry(entry: Entry): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(entry.sizeBytes));
  view.setBigUint64(8, BigInt(entry.lastUse));
  return bytes;
}

function decodeEntry(hex: string, bytes: Uint8Array): Entry {
  if (!BLOB_FILE.test(hex) || bytes.length !== 16) throw new OperatingError("store_corrupted", { blob: hex });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { sizeBytes: Number(view.getBigUint64(0)), lastUse: Number(view.getBigUint64(8)) };
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
