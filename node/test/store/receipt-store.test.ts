import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDatabase } from "../../src/store/database.ts";
import { MAX_RECEIPT_BYTES, MAX_RECEIPT_PAGE } from "../../src/store/limits.ts";
import { ReceiptStore } from "../../src/store/receipt-store.ts";
import { bytes, failure, newDirectory, removeDirectories, text } from "./stores.ts";

test.after(removeDirectories);

test("receipts are listed newest first, page by page", async () => {
  const database = await openDatabase(newDirectory());
  const store = await ReceiptStore.open(database);
  for (const id of [9, 100, 2, 10, 31]) await store.put(id, bytes(`r${id}`));
  await store.put(10, bytes("r10 again"));
  assert.is(store.count, 5);
  const first = await store.list(2);
  assert.equal(
    first.receipts.map(({ requestId, receipt }) => [requestId, text(receipt)]),
    [
      [100, "r100"],
      [31, "r31"],
    ],
  );
  const second = await store.list(2, first.next);
  assert.equal(
    second.receipts.map(({ requestId }) => requestId),
    [10, 9],
  );
  const last = await store.list(2, second.next);
  assert.equal(
    last.receipts.map(({ requestId }) => requestId),
    [2],
  );
  assert.is(last.next, undefined);
  assert.is(text(await store.get(10)), "r10 again");
  assert.is(await store.get(11), undefined);
  for (const odd of [0, -5, Number.NaN, 1.5]) assert.is((await store.list(odd)).receipts.length, 1);
  assert.is((await store.list(MAX_RECEIPT_PAGE * 10)).receipts.length, 5);
  await database.close();
});

test("beyond the bound the oldest go, and the count survives a restart", async () => {
  const directory = newDirectory();
  let database = await openDatabase(directory);
  let store = await ReceiptStore.open(database, 3);
  await Promise.all([5, 1, 2, 3, 4].map((id) => store.put(id, bytes("r"))));
  await database.close();
  database = await openDatabase(directory);
  store = await ReceiptStore.open(database, 3);
  assert.is(store.count, 3);
  assert.equal(
    (await store.list(10)).receipts.map(({ requestId }) => requestId),
    [5, 4, 3],
  );
  await database.close();
});

test("receipts that do not fit are refused by name", async () => {
  const database = await openDatabase(newDirectory());
  const store = await ReceiptStore.open(database);
  assert.is(await failure(() => store.put(1, new Uint8Array(MAX_RECEIPT_BYTES + 1))), "store_record_invalid");
  assert.is(await failure(async () => store.put(-1, bytes("r"))), "store_record_invalid");
  assert.is(await failure(async () => store.put(0.5, bytes("r"))), "store_record_invalid");
  assert.is(store.count, 0);
  await database.close();
});

test.run();
