import { fork } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAX_LOG_VALUE_BYTES } from "../../src/store/limits.ts";
import { bytes, failure, newDirectory, openStore, removeDirectories, text } from "./stores.ts";

test.after(removeDirectories);

test("records come back in key order after a restart, without the deleted ones", async () => {
  const directory = newDirectory();
  let store = await openStore(directory);
  await store.log.append([
    { key: "result/2", value: bytes("two") },
    { key: "identity", value: bytes("me") },
    { key: "result/1", value: bytes("one") },
  ]);
  await store.log.append([
    { key: "result/1", value: undefined },
    { key: "result/2", value: bytes("two again") },
  ]);
  await store.close();
  store = await openStore(directory);
  const records = (await store.log.load()).map(({ key, value }) => [key, text(value)]);
  assert.equal(records, [
    ["identity", "me"],
    ["result/2", "two again"],
  ]);
  await store.close();
});

test("appends made at once land in their order", async () => {
  const directory = newDirectory();
  const store = await openStore(directory);
  const writes = Array.from({ length: 300 }, (_, i) => [
    store.log.append([{ key: "k", value: bytes(`${i}`) }]),
    store.log.append([{ key: `gone/${i}`, value: bytes("x") }]),
    store.log.append([{ key: `gone/${i}`, value: undefined }]),
  ]).flat();
  await Promise.all(writes);
  const records = await store.log.load();
  assert.equal(
    records.map(({ key, value }) => [key, text(value)]),
    [["k", "299"]],
  );
  await store.close();
});

test("the last block is written together with the records", async () => {
  const directory = newDirectory();
  let store = await openStore(directory);
  const hash = new Uint8Array(32).fill(7);
  await store.log.append([{ key: "k", value: bytes("v") }], { height: 2 ** 40, hash });
  await store.close();
  store = await openStore(directory);
  assert.equal(await store.meta.lastBlock(), { height: 2 ** 40, hash });
  await store.close();
});

test("what does not fit is refused by name and writes nothing", async () => {
  const store = await openStore(newDirectory());
  const { log } = store;
  const good = { key: "good", value: bytes("v") };
  assert.is(await failure(() => log.append([good, { key: "", value: bytes("v") }])), "store_record_invalid");
  assert.is(
    await failure(() => log.append([good, { key: "k".repeat(257), value: undefined }])),
    "store_record_invalid",
  );
  const large = { key: "large", value: new Uint8Array(MAX_LOG_VALUE_BYTES + 1) };
  assert.is(await failure(() => log.append([good, large])), "store_record_invalid");
  assert.is(await failure(() => log.append([good], { height: -1, hash: new Uint8Array(32) })), "store_record_invalid");
  assert.equal(await log.load(), []);
  await store.close();
  assert.is(await failure(() => log.append([good])), "store_closed");
});

test("kill -9 in the middle of writes loses nothing that was answered and tears no batch", async () => {
  const directory = newDirectory();
  for (const killAfter of [1, 120, 150]) {
    const child = fork(new URL("./writer-process.ts", import.meta.url), [directory]);
    const answered = new Set<number>();
    await new Promise<void>((resolve, reject) => {
      child.on("message", (i: number) => {
        answered.add(i);
        if (answered.size === killAfter) child.kill("SIGKILL");
      });
      child.on("exit", (code, signal) => (signal === "SIGKILL" ? resolve() : reject(new Error(`exited with ${code}`))));
    });
    const store = await openStore(directory);
    const records = new Map((await store.log.load()).map(({ key, value }) => [key, text(value)]));
    for (const i of answered) assert.is(records.get(`left/${i}`), `${i}`, `answered ${i}`);
    for (const [key, value] of records) {
      const other = key.startsWith("left/") ? key.replace("left", "right") : key.replace("right", "left");
      assert.is(records.get(other), value, `${key} is whole`);
    }
    for (const { hash } of store.content.list()) assert.ok(await store.content.get(hash), "indexed content is there");
    await store.close();
  }
});

test.run();
