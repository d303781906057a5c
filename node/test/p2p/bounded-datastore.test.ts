import type { Libp2pOptions } from "libp2p";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { BoundedDatastore } from "../../src/p2p/bounded-datastore.ts";
import { MAX_DHT_RECORDS, MAX_KNOWN_PEERS } from "../../src/p2p/limits.ts";

type Key = Parameters<NonNullable<Libp2pOptions["datastore"]>["get"]>[0];
/** The store uses nothing of a key but its text. */
const key = (name: string) => ({ toString: () => name }) as Key;
const value = (n: number) => Uint8Array.of(n);

test("puts, gets, deletes and batches", async () => {
  const store = new BoundedDatastore("me");
  store.put(key("/dht/record/a"), value(1));
  assert.ok(store.has(key("/dht/record/a")));
  assert.equal(store.get(key("/dht/record/a")), value(1));
  store.delete(key("/dht/record/a"));
  assert.not.ok(store.has(key("/dht/record/a")));
  let absence: unknown;
  try {
    store.get(key("/dht/record/a"));
  } catch (error) {
    absence = error;
  }
  assert.is((absence as Error).name, "NotFoundError");
  const batch = store.batch();
  batch.put(key("/a"), value(1));
  batch.put(key("/b"), value(2));
  batch.delete(key("/a"));
  assert.not.ok(store.has(key("/b")));
  await batch.commit();
  assert.not.ok(store.has(key("/a")));
  for await (const pair of store.getMany([key("/b")]))
    assert.equal([pair.key.toString(), pair.value], ["/b", value(2)]);
  for await (const gone of store.deleteMany([key("/b")])) assert.not.ok(store.has(gone));
});

test("queries choose by prefix, filter, order, offset and limit", () => {
  const store = new BoundedDatastore("me");
  for (const n of [3, 1, 2, 5, 4]) store.put(key(`/dht/provider/c/${n}`), value(n));
  store.put(key("/dht/provider/d/9"), value(9));
  const found = store.query({
    prefix: "/dht/provider/c",
    filters: [({ value }) => value[0] !== 3],
    orders: [(a, b) => ((a.value[0] ?? 0) < (b.value[0] ?? 0) ? -1 : 1)],
    offset: 1,
    limit: 2,
  });
  assert.equal(
    [...found].map(({ value }) => value[0]),
    [2, 4],
  );
  assert.equal([...store.queryKeys({ prefix: "/dht/provider/d" })].map(String), ["/dht/provider/d/9"]);
});

test("a flood pushes out the oldest of its kind, never peers for records nor this node's own", () => {
  const store = new BoundedDatastore("me");
  store.put(key("/dht/provider/mine/me"), value(1));
  store.put(key("/peers/friend"), value(1));
  store.put(key("/dht/provider/theirs/old"), value(1));
  for (let i = 0; i < MAX_DHT_RECORDS; i++) store.put(key(`/dht/provider/x${i}/them`), value(1));
  assert.ok(store.has(key("/dht/provider/mine/me")));
  assert.ok(store.has(key("/peers/friend")));
  assert.not.ok(store.has(key("/dht/provider/theirs/old")));
  for (let i = 0; i < MAX_KNOWN_PEERS - 1; i++) store.put(key(`/peers/${i}`), value(1));
  store.put(key("/peers/friend"), value(2));
  store.put(key("/peers/one more"), value(1));
  assert.ok(store.has(key("/peers/friend")), "a renewed peer is young again");
  assert.not.ok(store.has(key("/peers/0")));
  assert.is([...store.query({})].length, MAX_DHT_RECORDS + MAX_KNOWN_PEERS + 1);
});

test.run();
