import { createHash } from "node:crypto";
import { readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bytes, failure, newDirectory, openStore, removeDirectories, text } from "./stores.ts";

test.after(removeDirectories);

const blob = (name: string, sizeBytes: number) => bytes(name.repeat(sizeBytes).slice(0, sizeBytes));
const hex = (hash: Uint8Array) => Buffer.from(hash).toString("hex");
const sha256 = (content: Uint8Array) => new Uint8Array(createHash("sha256").update(content).digest());

test("content is kept under its hash, once, and survives a restart", async () => {
  const directory = newDirectory();
  let store = await openStore(directory);
  const hash = await store.content.put(bytes("module"));
  assert.equal(hash, sha256(bytes("module")));
  assert.equal(await store.content.put(bytes("module"), hash), hash);
  assert.is(store.content.totalBytes, 6);
  await store.close();
  store = await openStore(directory);
  assert.ok(store.content.has(hash));
  assert.is(text(await store.content.get(hash)), "module");
  assert.is(await store.content.get(sha256(bytes("other"))), undefined);
  const empty = await store.content.put(new Uint8Array());
  assert.equal(await store.content.get(empty), new Uint8Array());
  await store.content.delete(hash);
  assert.is(await store.content.get(hash), undefined);
  assert.is(store.content.totalBytes, 0);
  await store.close();
});

test("content that is not what was expected is refused", async () => {
  const store = await openStore(newDirectory());
  const wrong = sha256(bytes("other"));
  assert.is(await failure(() => store.content.put(bytes("module"), wrong)), "store_record_invalid");
  assert.is(await failure(() => store.content.put(blob("x", 1_000_001))), "store_full");
  assert.equal(store.content.list(), []);
  assert.is(await failure(async () => store.content.has(new Uint8Array(31))), "content_invalid_hash");
  await store.close();
});

test("the least recently used go first, also by uses before a restart", async () => {
  const directory = newDirectory();
  let store = await openStore(directory, 1000);
  const [a, b, c] = [blob("a", 400), blob("b", 300), blob("c", 200)];
  for (const content of [a, b, c]) await store.content.put(content);
  await store.content.get(sha256(a));
  await store.close();
  store = await openStore(directory, 1000);
  assert.equal(
    store.content.list().map(({ hash }) => hex(hash)),
    [b, c, a].map(sha256).map(hex),
  );
  await store.content.put(blob("d", 350));
  assert.not.ok(store.content.has(sha256(b)), "the oldest made room");
  assert.ok(store.content.has(sha256(c)));
  assert.is(store.content.totalBytes, 950);
  await store.content.put(blob("e", 700));
  assert.equal(
    store.content.list().map(({ hash }) => hex(hash)),
    [hex(sha256(blob("e", 700)))],
  );
  await store.close();
});

test("pins hold content through pressure and restarts until their last owner lets go", async () => {
  const directory = newDirectory();
  let store = await openStore(directory, 1000);
  const a = await store.content.put(blob("a", 600));
  await store.content.pin(a, "request/1");
  await store.content.pin(a, "request/2");
  await store.content.pin(a, "request/2");
  await store.close();
  store = await openStore(directory, 1000);
  assert.is(await failure(() => store.content.put(blob("b", 500))), "store_full");
  const c = await store.content.put(blob("c", 400));
  await store.content.put(blob("d", 400));
  assert.not.ok(store.content.has(c), "what is not pinned makes room");
  assert.ok(store.content.has(a));
  await store.content.unpin(a, "request/1");
  assert.ok(store.content.list().find(({ pinned }) => pinned));
  assert.is(await failure(() => store.content.put(blob("b", 500))), "store_full");
  await store.content.unpinAll("request/2");
  await store.content.put(blob("b", 500));
  assert.not.ok(store.content.has(a));
  await store.close();
  // A lower capacity evicts at the start, but not what is pinned.
  store = await openStore(directory, 1000);
  await store.content.pin(sha256(blob("b", 500)), "me");
  await store.close();
  store = await openStore(directory, 100);
  assert.equal(
    store.content.list().map(({ sizeBytes }) => sizeBytes),
    [500],
  );
  await store.close();
});

test("a damaged, shortened or missing file is never handed out and is forgotten", async () => {
  const directory = newDirectory();
  const files = join(directory, "content");
  let store = await openStore(directory);
  const hashes = [];
  for (const name of ["a", "b", "c"]) hashes.push(await store.content.put(blob(name, 1000)));
  const [a, b, c] = hashes as [Uint8Array, Uint8Array, Uint8Array];
  writeFileSync(join(files, hex(a)), blob("z", 1000));
  rmSync(join(files, hex(b)));
  assert.is(await store.content.get(a), undefined);
  assert.is(await store.content.get(b), undefined);
  assert.is(text(await store.content.get(c))?.length, 1000);
  assert.is(store.content.totalBytes, 1000);
  assert.equal(await store.content.put(blob("a", 1000)), a, "it can be kept anew");
  await store.close();

  truncateSync(join(files, hex(c)), 999);
  writeFileSync(join(files, "0".repeat(64)), "a file that a crash left without an entry");
  writeFileSync(join(files, "draft-0123"), "half a file");
  writeFileSync(join(files, "notes.txt"), "somebody else's");
  store = await openStore(directory);
  assert.equal(
    store.content.list().map(({ hash }) => hex(hash)),
    [hex(a)],
  );
  assert.equal(readdirSync(files).sort(), [hex(a), "notes.txt"].sort());
  await store.close();
});

test.run();
