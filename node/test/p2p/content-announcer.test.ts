import { test } from "uvu";
import * as assert from "uvu/assert";
import { ContentAnnouncer } from "../../src/p2p/content-announcer.ts";
import { MAX_CONCURRENT_ANNOUNCEMENTS, MAX_WAITING_ANNOUNCEMENTS } from "../../src/p2p/limits.ts";
import { logger, until } from "./cluster.ts";

const timing = { firstPauseMs: 1, maxPauseMs: 4 };
const hash = (n: number) => {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
};
const number = (bytes: Uint8Array) => Buffer.from(bytes).readUInt32BE(0);

test("everything is announced in the end, though the network comes late", async () => {
  const announced: number[] = [];
  let tries = 0;
  const announcer = new ContentAnnouncer(
    async (bytes) => {
      if (++tries < 10) throw new Error("nobody there");
      announced.push(number(bytes));
    },
    logger,
    timing,
  );
  for (let n = 0; n < 5; n++) announcer.add(hash(n));
  await until("all announced", () => announced.length === 5);
  assert.equal(announced.sort(), [0, 1, 2, 3, 4]);
  announcer.stop();
});

test("few at once, a bounded number waiting, and none after the end", async () => {
  let open = 0;
  let most = 0;
  let started = 0;
  const gate = Promise.withResolvers<void>();
  const announcer = new ContentAnnouncer(
    async () => {
      started++;
      most = Math.max(most, ++open);
      await gate.promise;
      open--;
    },
    logger,
    timing,
  );
  for (let n = 0; n < MAX_WAITING_ANNOUNCEMENTS + 100; n++) announcer.add(hash(n));
  announcer.remove(hash(MAX_WAITING_ANNOUNCEMENTS + 99));
  gate.resolve();
  await until("all that was kept", () => started === MAX_WAITING_ANNOUNCEMENTS + MAX_CONCURRENT_ANNOUNCEMENTS - 1);
  assert.is(most, MAX_CONCURRENT_ANNOUNCEMENTS);
  announcer.stop();
  announcer.add(hash(1));
  assert.is(started, MAX_WAITING_ANNOUNCEMENTS + MAX_CONCURRENT_ANNOUNCEMENTS - 1);
});

test.run();
