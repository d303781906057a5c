/**
 * libp2p's peer store and DHT keep what other nodes tell them in a datastore, and set it no bound. This one is memory
 * with a bound for each of the two, so that a flood of invented peers or provider records pushes out the oldest of
 * its kind and nothing else. This node's own provider records stay: without them it would cease to be found.
 */
import type { Libp2pOptions } from "libp2p";
import { MAX_DHT_RECORDS, MAX_KNOWN_PEERS } from "./limits.ts";

type Datastore = NonNullable<Libp2pOptions["datastore"]>;
type Key = Parameters<Datastore["get"]>[0];
type Query = Parameters<Datastore["query"]>[0];
type KeyQuery = Parameters<Datastore["queryKeys"]>[0];

interface Pair {
  key: Key;
  value: Uint8Array;
}

/** The name is what libp2p's parts look at to tell absence from failure. */
class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}

const PEERS_PREFIX = "/peers/";

export class BoundedDatastore implements Datastore {
  readonly #peers = new Map<string, Pair>();
  readonly #others = new Map<string, Pair>();
  /** Not counted among the others: their number is this node's own doing. */
  readonly #own = new Map<string, Pair>();
  readonly #ownSuffix: string;

  constructor(ownPeerId: string) {
    this.#ownSuffix = `/${ownPeerId}`;
  }

  has(key: Key): boolean {
    return this.#tableOf(key).has(key.toString());
  }

  get(key: Key): Uint8Array {
    const pair = this.#tableOf(key).get(key.toString());
    if (!pair) throw new NotFoundError(key.toString());
    return pair.value;
  }

  put(key: Key, value: Uint8Array): Key {
    const table = this.#tableOf(key);
    const name = key.toString();
    table.delete(name);
    table.set(name, { key, value });
    const max = table === this.#peers ? MAX_KNOWN_PEERS : table === this.#others ? MAX_DHT_RECORDS : Infinity;
    if (table.size > max) {
      const [oldest] = table.keys();
      table.delete(oldest as string);
    }
    return key;
  }

  delete(key: Key): void {
    this.#tableOf(key).delete(key.toString());
  }

  async *putMany(source: Iterable<Pair> | AsyncIterable<Pair>): AsyncGenerator<Key> {
    for await (const { key, value } of source) yield this.put(key, value);
  }

  async *getMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Pair> {
    for await (const key of source) yield { key, value: this.get(key) };
  }

  async *deleteMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Key> {
    for await (const key of source) {
      this.delete(key);
      yield key;
    }
  }

  batch(): ReturnType<Datastore["batch"]> {
    const changes: (() => void)[] = [];
    return {
      put: (key, value) => void changes.push(() => this.put(key, value)),
      delete: (key) => void changes.push(() => this.delete(key)),
      commit: () => {
        for (const change of changes.splice(0)) change();
      },
    };
  }

  *query(query: Query): Generator<Pair> {
    yield* select(this.#starting(query.prefix), query);
  }

  *queryKeys(query: KeyQuery): Generator<Key> {
    const keys = this.#starting(query.prefix).map(({ key }) => key);
    yield* select(keys, query);
  }

  /** A copy, so that a reader may change the store between two steps. */
  #starting(prefix = ""): Pair[] {
    const pairs: Pair[] = [];
    for (const table of [this.#peers, this.#others, this.#own]) {
      for (const [name, pair] of table) if (name.startsWith(prefix)) pairs.push(pair);
    }
    return pairs;
  }

  #tableOf(key: Key): Map<string, Pair> {
    const name = key.toString();
    if (name.endsWith(this.#ownSuffix)) return this.#own;
    return name.startsWith(PEERS_PREFIX) ? this.#peers : this.#others;
  }
}

interface Selection<T> {
  filters?: ((item: T) => boolean)[];
  orders?: ((a: T, b: T) => -1 | 0 | 1)[];
  offset?: number;
  limit?: number;
}

function select<T>(items: T[], { filters = [], orders = [], offset = 0, limit }: Selection<T>): T[] {
  const kept = items.filter((item) => filters.every((filter) => filter(item)));
  for (const order of orders) kept.sort(order);
  return kept.slice(offset, limit === undefined ? undefined : offset + limit);
}
