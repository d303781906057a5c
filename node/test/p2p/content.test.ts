import { createHash } from "node:crypto";
import type { Stream } from "@libp2p/interface";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isOperatingError, type OperatingErrorCode } from "../../src/errors.ts";
import { contentCid } from "../../src/p2p/content-id.ts";
import {
  type ContentRequest,
  decodeRequest,
  encodeReplyHeader,
  encodeRequest,
  REQUEST_BYTES,
  STATUS_BUSY,
} from "../../src/p2p/content-wire.ts";
import { ContentExchange, type ContentExchangeOptions, type P2pHost } from "../../src/p2p/index.ts";
import { MAX_CONTENT_UPLOADS_PER_PEER } from "../../src/p2p/limits.ts";
import { connected, same, startHost, stopAll, until } from "./cluster.ts";

const exchanges: ContentExchange[] = [];
test.after.each(async () => {
  await Promise.all(exchanges.splice(0).map((exchange) => exchange.stop()));
  await stopAll();
});

const MAX = 32 * 1024 * 1024;
const sha256 = (content: Uint8Array) => new Uint8Array(createHash("sha256").update(content).digest());
const hex = (hash: Uint8Array) => Buffer.from(hash).toString("hex");

/** Bytes that no other seed gives. */
function blob(seed: number, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes);
  let state = seed >>> 0;
  for (let i = 0; i < sizeBytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}

interface Peer {
  host: P2pHost;
  content: ContentExchange;
  rejected: string[];
  served: Map<string, Uint8Array>;
}

/** A node with an honest exchange; by default it asks nobody but whom the DHT names. */
async function peer(bootstrap: readonly string[], options: Partial<ContentExchangeOptions> = {}): Promise<Peer> {
  const host = await startHost({ bootstrap });
  const served = new Map<string, Uint8Array>();
  const rejected: string[] = [];
  const content = await ContentExchange.start({
    host,
    source: { get: async (hash) => served.get(hex(hash)) },
    askNeighbours: 0,
    onRejected: ({ publicKey, reason }) => rejected.push(`${hex(publicKey)} ${reason}`),
    ...options,
  });
  exchanges.push(content);
  return { host, content, rejected, served };
}

/** A node that answers content requests in its own way. */
async function liar(bootstrap: readonly string[], answer: (stream: Stream, request: ContentRequest) => void) {
  const host = await startHost({ bootstrap });
  const requests: ContentRequest[] = [];
  await host.libp2p.handle(host.names.contentProtocol, (stream) => {
    let received = new Uint8Array();
    stream.addEventListener("message", (event) => {
      received = new Uint8Array([...received, ...event.data.subarray()]);
      if (received.length < REQUEST_BYTES) return;
      const request = decodeRequest(received) as ContentRequest;
      requests.push(request);
      answer(stream, request);
    });
  });
  return { host, requests };
}

/** Announces in the DHT, once there is one. */
async function announce(host: P2pHost, hash: Uint8Array): Promise<void> {
  await host.libp2p.contentRouting.provide(contentCid(hash), { signal: AbortSignal.timeout(30_000) });
}

async function code(work: Promise<unknown>): Promise<OperatingErrorCode | undefined> {
  try {
    await work;
  } catch (error) {
    if (isOperatingError(error)) return error.code;
    throw error;
  }
  return undefined;
}

const found = (total: number) => encodeReplyHeader({ status: 0, total });

test("content travels between nodes that know only the bootstrap peer, found through the DHT", async () => {
  const boot = await startHost();
  const [a, b] = [await peer(boot.addresses()), await peer(boot.addresses())];
  const content = blob(1, 3_000_000);
  a.served.set(hex(sha256(content)), content);
  assert.ok((await a.content.provide(sha256(content))) > 0);
  assert.ok(same(await b.content.fetch(sha256(content), { maxBytes: MAX }), content));
  const empty = new Uint8Array();
  a.served.set(hex(sha256(empty)), empty);
  await a.content.provide(sha256(empty));
  assert.equal(await b.content.fetch(sha256(empty), { maxBytes: MAX }), empty);
  assert.equal(b.rejected, []);
});

test("what a lone node announces is found once it has peers", async () => {
  const boot = await startHost();
  const a = await peer([]);
  const content = blob(4, 1000);
  a.served.set(hex(sha256(content)), content);
  a.content.announce(sha256(content));
  const b = await peer(boot.addresses());
  await a.host.libp2p.dial(boot.libp2p.getMultiaddrs());
  let fetched: Uint8Array | undefined;
  await until("found", async () => {
    await code(
      b.content.fetch(sha256(content), { maxBytes: MAX }).then((bytes) => {
        fetched = bytes;
      }),
    );
    return fetched !== undefined;
  });
  assert.ok(same(fetched!, content));
});

test("a connected peer is asked without any announcement", async () => {
  const a = await peer([]);
  const b = await peer(a.host.addresses(), { askNeighbours: 4 });
  await until("connected", () => connected(b.host, a.host));
  const content = blob(2, 100_000);
  a.served.set(hex(sha256(content)), content);
  assert.ok(same(await b.content.fetch(sha256(content), { maxBytes: MAX }), content));
});

test("absent content ends within the bound, also without any peer, and blames nobody", async () => {
  const boot = await startHost();
  const a = await peer(boot.addresses(), { lookupTimeoutMs: 300, askNeighbours: 4 });
  await until("connected", () => connected(a.host, boot));
  assert.is(await code(a.content.fetch(sha256(blob(3, 10)), { maxBytes: MAX })), "content_not_found");
  assert.equal(a.rejected, []);
  const alone = await peer([], { lookupTimeoutMs: 300 });
  assert.is(await code(alone.content.fetch(sha256(blob(3, 10)), { maxBytes: MAX })), "content_not_found");
});

const content = blob(7, 1_000_000);
const hash = sha256(content);

const misdeeds: [string, (stream: Stream) => void][] = [
  ["poisoned", (stream) => void stream.send(Buffer.concat([found(content.length), blob(8, content.length)]))],
  [
    "truncated",
    (stream) => {
      stream.send(Buffer.concat([found(content.length), content.subarray(0, 5000)]));
      void stream.close();
    },
  ],
  ["oversized", (stream) => void stream.send(found(MAX + 1))],
  ["malformed", (stream) => void stream.send(Buffer.concat([found(10), content.subarray(0, 11)]))],
  ["malformed", (stream) => void stream.send(Buffer.from("HTTP/1.1 200 OK"))],
  ["missing", (stream) => void stream.send(encodeReplyHeader({ status: 1, total: 0 }))],
  ["busy", (stream) => void stream.send(encodeReplyHeader({ status: 2, total: 0 }))],
  ["stalled", (stream) => void stream.send(Buffer.concat([found(content.length), content.subarray(0, 10)]))],
  ["truncated", (stream) => stream.abort(new Error("no"))],
];

for (const [reason, answer] of misdeeds) {
  test(`a provider is rejected as ${reason}, and the next one serves`, async () => {
    const boot = await startHost();
    const bad = await liar(boot.addresses(), answer);
    const asking = await peer(boot.addresses(), { stallMs: 300 });
    await announce(bad.host, hash);
    const expected = reason === "oversized" ? "content_too_large" : "content_unavailable";
    assert.is(await code(asking.content.fetch(hash, { maxBytes: MAX })), expected);
    const attribution = `${hex(bad.host.publicKey)} ${reason}`;
    assert.ok(asking.rejected.includes(attribution), asking.rejected.join());

    const good = await peer(boot.addresses());
    good.served.set(hex(hash), content);
    await good.content.provide(hash);
    assert.ok(same(await asking.content.fetch(hash, { maxBytes: MAX }), content));
    assert.ok(
      asking.rejected.every((rejection) => rejection === attribution),
      asking.rejected.join(),
    );
  });
}

test("a transfer that breaks is continued in the middle by the next provider", async () => {
  const boot = await startHost();
  const half = content.length / 2;
  const announced = Promise.withResolvers<void>();
  const breaks = await liar(boot.addresses(), async (stream, { offset }) => {
    stream.send(Buffer.concat([found(content.length), content.subarray(offset, Math.max(offset, half))]));
    await announced.promise;
    void stream.close();
  });
  const asking = await peer(boot.addresses());
  await announce(breaks.host, hash);
  const offsets: number[] = [];
  const good = await liar(boot.addresses(), (stream, { offset }) => {
    offsets.push(offset);
    stream.send(Buffer.concat([found(content.length), content.subarray(offset)]));
  });
  // The good one is announced only once the first has been asked, so that the order is sure.
  const fetched = asking.content.fetch(hash, { maxBytes: MAX });
  await until("asked", () => breaks.requests.length > 0);
  await announce(good.host, hash);
  announced.resolve();
  assert.ok(same(await fetched, content));
  assert.equal(offsets, [half]);
  assert.equal([...new Set(asking.rejected)], [`${hex(breaks.host.publicKey)} truncated`]);
});

test("when a mixture is wrong, the one who lied is named, not the one who continued", async () => {
  const boot = await startHost();
  const half = content.length / 2;
  const announced = Promise.withResolvers<void>();
  const lies = await liar(boot.addresses(), async (stream, { offset }) => {
    stream.send(Buffer.concat([found(content.length), blob(9, content.length).subarray(offset, half)]));
    await announced.promise;
    void stream.close();
  });
  const asking = await peer(boot.addresses());
  await announce(lies.host, hash);
  const good = await peer(boot.addresses());
  good.served.set(hex(hash), content);
  const fetched = asking.content.fetch(hash, { maxBytes: MAX });
  await until("asked", () => lies.requests.length > 0);
  await good.content.provide(hash);
  announced.resolve();
  assert.ok(same(await fetched, content));
  assert.ok(asking.rejected.includes(`${hex(lies.host.publicKey)} poisoned`), asking.rejected.join());
  assert.not.ok(asking.rejected.some((rejection) => rejection.startsWith(hex(good.host.publicKey))));
});

test("fetches of one hash at the same time share a transfer, and each may leave on its own", async () => {
  const boot = await startHost();
  const released = Promise.withResolvers<void>();
  const good = await liar(boot.addresses(), async (stream) => {
    await released.promise;
    stream.send(Buffer.concat([found(content.length), content]));
  });
  const asking = await peer(boot.addresses(), { stallMs: 60_000 });
  await announce(good.host, hash);
  const leaving = new AbortController();
  const [first, second] = [1, 2].map(() => asking.content.fetch(hash, { maxBytes: MAX }));
  const third = code(asking.content.fetch(hash, { maxBytes: MAX, signal: leaving.signal }));
  const small = code(asking.content.fetch(hash, { maxBytes: 10 }));
  await until("asked", () => good.requests.length > 0);
  leaving.abort();
  assert.is(await third, "content_aborted");
  released.resolve();
  assert.ok(same((await first)!, content));
  assert.is(await first, await second);
  assert.is(await small, "content_too_large");
  assert.is(good.requests.length, 1);
});

test("when everybody has left, the transfer ends", async () => {
  const boot = await startHost();
  let closed = false;
  const silent = await liar(boot.addresses(), (stream) => {
    stream.addEventListener("close", () => {
      closed = true;
    });
    stream.send(found(content.length));
  });
  const asking = await peer(boot.addresses(), { stallMs: 60_000 });
  await announce(silent.host, hash);
  const leaving = new AbortController();
  const fetched = code(asking.content.fetch(hash, { maxBytes: MAX, signal: leaving.signal }));
  await until("asked", () => silent.requests.length > 0);
  leaving.abort();
  assert.is(await fetched, "content_aborted");
  await until("the stream ended", () => closed);
  assert.is(await code(asking.content.fetch(hash, { maxBytes: MAX, signal: leaving.signal })), "content_aborted");
});

test("malformed requests cost the asker", async () => {
  const a = await peer([]);
  const b = await peer(a.host.addresses());
  await until("connected", () => connected(a.host, b.host));
  const open = () => b.host.libp2p.dialProtocol(a.host.libp2p.peerId, a.host.names.contentProtocol);
  const rubbish = await open();
  rubbish.send(new Uint8Array(REQUEST_BYTES + 1));
  await until("aborted", () => rubbish.status !== "open");
  assert.is(Math.round(a.host.peers()[0]?.penaltyPoints ?? 0), 50);
});

test("uploads to one peer at once are bounded, and a refused asker is told so", async () => {
  const reading = Promise.withResolvers<void>();
  let reads = 0;
  const source = {
    get: async () => {
      reads++;
      await reading.promise;
      return content;
    },
  };
  const a = await peer([], { source });
  const b = await peer(a.host.addresses());
  await until("connected", () => connected(a.host, b.host));
  const statuses: number[] = [];
  for (let i = 0; i < MAX_CONTENT_UPLOADS_PER_PEER + 2; i++) {
    const stream = await b.host.libp2p.dialProtocol(a.host.libp2p.peerId, a.host.names.contentProtocol);
    stream.addEventListener("message", (event) => statuses.push(event.data.subarray()[0]!), { once: true });
    stream.send(encodeRequest({ hash, offset: 0, length: 1 }));
  }
  await until("two were told", () => statuses.length === 2);
  assert.equal(statuses, [STATUS_BUSY, STATUS_BUSY]);
  assert.is(reads, MAX_CONTENT_UPLOADS_PER_PEER);
  reading.resolve();
  await until("the others were served", () => statuses.length === MAX_CONTENT_UPLOADS_PER_PEER + 2);
  assert.is(statuses.filter((status) => status === STATUS_BUSY).length, 2);
});

test.run();
