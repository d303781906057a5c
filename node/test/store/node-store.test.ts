import { fork } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDatabase, table } from "../../src/store/database.ts";
import { SCHEMA_VERSION } from "../../src/store/index.ts";
import { MAX_PEERS } from "../../src/store/limits.ts";
import { bytes, failure, newDirectory, openStore, removeDirectories, text } from "./stores.ts";

test.after(removeDirectories);

test("a directory that another process holds is refused, and free again when that process is killed", async () => {
  const directory = newDirectory();
  const child = fork(new URL("./writer-process.ts", import.meta.url), [directory]);
  await new Promise((resolve) => child.once("message", resolve));
  assert.is(await failure(() => openStore(directory)), "store_locked");
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
  const store = await openStore(directory);
  assert.is(await failure(() => openStore(directory)), "store_locked", "nor may this process open it twice");
  await store.close();
});

test("a newer schema is refused", async () => {
  const directory = newDirectory();
  await (await openStore(directory)).close();
  const database = await openDatabase(join(directory, "db"));
  await table(database, "meta").put("schema_version", Uint8Array.of(0, 0, 0, SCHEMA_VERSION + 1));
  await database.close();
  assert.is(await failure(() => openStore(directory)), "store_schema_newer");
  assert.is(await failure(() => openStore(directory)), "store_schema_newer", "the refusal let the lock go");
});

test("a damaged database is refused by name", async () => {
  const directory = newDirectory();
  await (await openStore(directory)).close();
  const manifest = readdirSync(join(directory, "db")).find((name) => name.startsWith("MANIFEST"));
  writeFileSync(join(directory, "db", manifest as string), "rubbish");
  assert.is(await failure(() => openStore(directory)), "store_corrupted");
});

test("a directory that cannot be is refused by name", async () => {
  const directory = newDirectory();
  writeFileSync(join(directory, "file"), "");
  assert.is(await failure(() => openStore(join(directory, "file", "data"))), "store_unreadable");
  mkdirSync(join(directory, "data"));
  writeFileSync(join(directory, "data", "db"), "");
  assert.is(await failure(() => openStore(join(directory, "data"))), "store_unreadable");
});

test("named values and the last block survive a restart", async () => {
  const directory = newDirectory();
  let store = await openStore(directory);
  assert.is(await store.meta.lastBlock(), undefined);
  assert.is(await store.meta.get("lanes"), undefined);
  await store.meta.put("lanes", bytes("nonce 7"));
  await store.meta.setLastBlock({ height: 12, hash: new Uint8Array(32).fill(1) });
  await store.close();
  store = await openStore(directory);
  assert.is(text(await store.meta.get("lanes")), "nonce 7");
  assert.is((await store.meta.lastBlock())?.height, 12);
  assert.is(await failure(() => store.meta.put("x".repeat(65), bytes(""))), "store_record_invalid");
  assert.is(await failure(() => store.meta.put("x", new Uint8Array(65_537))), "store_record_invalid");
  await store.close();
});

test("peers are remembered, most recently seen first, within the bound", async () => {
  const directory = newDirectory();
  let store = await openStore(directory);
  const key = (n: number) => {
    const publicKey = new Uint8Array(32);
    new DataView(publicKey.buffer).setUint32(0, n);
    return publicKey;
  };
  for (let n = 0; n < MAX_PEERS + 2; n++) {
    await store.peers.put({ publicKey: key(n), addresses: [`/ip4/10.0.0.1/tcp/${n}`], lastSeenMs: 1000 + n });
  }
  await store.peers.put({ publicKey: key(5), addresses: [], lastSeenMs: 9999 });
  await store.peers.delete(key(6));
  const long = { publicKey: key(7), addresses: ["/".repeat(257)], lastSeenMs: 0 };
  assert.is(await failure(() => store.peers.put(long)), "store_record_invalid");
  await store.close();
  store = await openStore(directory);
  const peers = store.peers.list();
  assert.is(peers.length, MAX_PEERS - 1);
  assert.equal(peers[0], { publicKey: key(5), addresses: [], lastSeenMs: 9999 });
  assert.is(store.peers.get(key(0)), undefined);
  assert.is(store.peers.get(key(6)), undefined);
  assert.equal(store.peers.get(key(7))?.addresses, ["/ip4/10.0.0.1/tcp/7"]);
  await store.close();
});

test.run();
