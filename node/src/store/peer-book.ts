/** Where peers were last reached, so that a restarted node finds the network without its bootstrap peers. */
import { OperatingError } from "../errors.ts";
import { storeError, type Table } from "./database.ts";
import { MAX_ADDRESS_LENGTH, MAX_ADDRESSES_PER_PEER, MAX_PEERS } from "./limits.ts";

const PUBLIC_KEY_BYTES = 32;

export interface KnownPeer {
  /** 32 bytes. */
  publicKey: Uint8Array;
  /** Multiaddrs. */
  addresses: readonly string[];
  /** Unix time in milliseconds. */
  lastSeenMs: number;
}

export class PeerBook {
  readonly #table: Table;
  /** By hexadecimal public key. */
  readonly #peers = new Map<string, KnownPeer>();

  static async open(table: Table): Promise<PeerBook> {
    const book = new PeerBook(table);
    for await (const [key, value] of table.iterator()) book.#peers.set(key, decodePeer(key, value));
    return book;
  }

  private constructor(table: Table) {
    this.#table = table;
  }

  /** Most recently seen first. */
  list(): KnownPeer[] {
    return [...this.#peers.values()].sort((a, b) => b.lastSeenMs - a.lastSeenMs);
  }

  get(publicKey: Uint8Array): KnownPeer | undefined {
    return this.#peers.get(keyOf(publicKey));
  }

  /**
   * Remembers a peer, in place of the one not seen for longest when the book is full. Losing the latest of it in a
   * crash costs a lookup, so it is not synced.
   * @throws OperatingError store_record_invalid, store_unreadable
   */
  async put(peer: KnownPeer): Promise<void> {
    const key = keyOf(peer.publicKey);
    if (peer.addresses.length > MAX_ADDRESSES_PER_PEER || peer.addresses.some((a) => a.length > MAX_ADDRESS_LENGTH)) {
      throw new OperatingError("store_record_invalid", { table: "peers", addresses: peer.addresses.length });
    }
    const evicted = !this.#peers.has(key) && this.#peers.size >= MAX_PEERS ? this.list().at(-1) : undefined;
    const dropped = evicted && keyOf(evicted.publicKey);
    if (dropped) this.#peers.delete(dropped);
    this.#peers.set(key, { ...peer, publicKey: peer.publicKey.slice(), addresses: [...peer.addresses] });
    const value = Buffer.from(JSON.stringify({ addresses: peer.addresses, lastSeenMs: peer.lastSeenMs }));
    try {
      await this.#table.batch([
        { type: "put", key, value },
        ...(dropped ? [{ type: "del" as const, key: dropped }] : []),
      ]);
    } catch (error) {
      throw storeError(error);
    }
  }

  async delete(publicKey: Uint8Array): Promise<void> {
    const key = keyOf(publicKey);
    this.#peers.delete(key);
    try {
      await this.#table.del(key);
    } catch (error) {
      throw storeError(error);
    }
  }
}

function keyOf(publicKey: Uint8Array): string {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new OperatingError("store_record_invalid", { table: "peers", publicKeyBytes: publicKey.length });
  }
  return Buffer.from(publicKey).toString("hex");
}

function decodePeer(key: string, value: Uint8Array): KnownPeer {
  try {
    const { addresses, lastSeenMs } = JSON.parse(Buffer.from(value).toString()) as Omit<KnownPeer, "publicKey">;
    return { publicKey: new Uint8Array(Buffer.from(key, "hex")), addresses: addresses.map(String), lastSeenMs };
  } catch (error) {
    throw new OperatingError("store_corrupted", { table: "peers", key }, error);
  }
}
