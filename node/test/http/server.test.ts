/** The local server over real sockets: what it answers, what it refuses, and by which name. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_CODE_BYTES } from "@outlayer/protocol/limits";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isOperatingError, OperatingError } from "../../src/errors.ts";
import { MAX_EVENT_LISTENERS, MAX_STATUS_REQUESTS } from "../../src/http/limits.ts";
import { type HttpServer, startHttpServer } from "../../src/http/server.ts";
import { createLogger } from "../../src/logger.ts";
import { DrivenFacade, keptReceipt, openRequest } from "./driven-facade.ts";
import { EventReader } from "./event-reader.ts";

interface Context {
  facade: DrivenFacade;
  server: HttpServer;
}

const TOKEN = "a-token-of-the-test";
const logger = createLogger({ level: "silent" });
const assetsDirectory = mkdtempSync(join(tmpdir(), "outlayer-page-"));
const http = suite<Context>("http server");

http.before(() => {
  writeFileSync(join(assetsDirectory, "index.html"), "<!doctype html><title>page</title>");
  writeFileSync(join(assetsDirectory, "main-ABCDEF12.js"), "export {};");
  writeFileSync(join(assetsDirectory, "source.sha256"), "not served");
});
http.after(() => rmSync(assetsDirectory, { recursive: true, force: true }));

http.before.each(async (context) => {
  context.facade = new DrivenFacade();
  context.server = await start(context.facade);
});
http.after.each(async ({ server }) => server.stop());

function start(facade: DrivenFacade, port = 0): Promise<HttpServer> {
  return startHttpServer({ facade, host: "127.0.0.1", port, token: TOKEN, logger, assetsDirectory });
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** `fetch` neither sends a Host header of one's choice nor a path that is not normal; this does. */
function call(url: string, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, path, headers, method }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => (body += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function refused(answer: Promise<Response>): Promise<string> {
  const given = await answer;
  const { status } = given;
  const body = await given.json();
  assert.equal(Object.keys(body), ["error"]);
  assert.equal(Object.keys(body.error), ["code", "message"]);
  return `${status} ${body.error.code}`;
}

http("tells who it is, and whether the chain answers", async ({ facade, server }) => {
  const info = await (await fetch(`${server.url}/api/v1/info`)).json();
  assert.is(info.account_id, "alice.test");
  assert.is(info.peer_id, facade.info().peerId);
  const healthy = await fetch(`${server.url}/healthz`);
  assert.is(healthy.status, 200);
  assert.equal(await healthy.json(), { ok: true, height: 1_204 });
  facade.connected = false;
  assert.is(await refused(fetch(`${server.url}/healthz`)), "503 chain_unreachable");
});

http("answers the status with keys as text and every list bounded", async ({ facade, server }) => {
  facade.requests = Array.from({ length: MAX_STATUS_REQUESTS + 5 }, (_, id) => openRequest(id));
  const { worker, chain, peers } = await (await fetch(`${server.url}/api/v1/status`)).json();
  assert.equal(chain, { connected: true, height: 1_204 });
  assert.equal(
    worker.nodes.map((node: { account_id: string }) => node.account_id),
    ["alice.test", "bob.test", "carol.test"],
    "this node first, then by seats",
  );
  // 32 bytes of 1 in base58.
  assert.is(worker.nodes[0].public_key, "ed25519:4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi");
  assert.is(peers[0].public_key, worker.nodes[1].public_key);
  assert.is(peers[0].round_trip_ms, 12.4);
  assert.is(worker.requests.length, MAX_STATUS_REQUESTS);
  assert.is(worker.requests_total, MAX_STATUS_REQUESTS + 5);
  assert.is(worker.requests[0].request_id, MAX_STATUS_REQUESTS + 4, "newest first");
  assert.is(worker.requests[0].holder, null);
});

http("pages through receipts and finds one", async ({ facade, server }) => {
  for (let id = 1; id <= 4; id++) facade.keep(keptReceipt(id));
  const ids = async (query: string) =>
    (await (await fetch(`${server.url}/api/v1/receipts${query}`)).json()).receipts.map(
      (receipt: { request_id: number }) => receipt.request_id,
    );
  assert.equal(await ids(""), [4, 3, 2, 1]);
  assert.equal(await ids("?limit=2"), [4, 3]);
  assert.equal(await ids("?limit=2&before=3"), [2, 1]);
  assert.equal(await (await fetch(`${server.url}/api/v1/receipts/2`)).json(), keptReceipt(2));
});

http("refuses ids, queries, addresses and methods that it does not know, by name", async ({ server }) => {
  const code = (path: string, method = "GET") => refused(fetch(`${server.url}${path}`, { method }));
  assert.is(await code("/api/v1/receipts/9"), "404 receipt_not_found");
  for (const id of ["x", "-1", "1.5", "01", "1e3", "9007199254740993", "%00"]) {
    assert.is(await code(`/api/v1/receipts/${id}`), "400 invalid_request_id", id);
  }
  for (const query of ["limit=0", "limit=101", "limit=", "before=-1", "before=x", "limit=1&limit=2", "order=up"]) {
    assert.is(await code(`/api/v1/receipts?${query}`), "400 invalid_query", query);
  }
  assert.is(await code("/api/v1/nothing"), "404 not_found");
  assert.is(await code("/source.sha256"), "404 not_found", "only files of known types are served");
  assert.is(await code("/api/v1/status", "DELETE"), "405 method_not_allowed");
  assert.is(await code("/api/v1/content"), "405 method_not_allowed");
  assert.is(await code("/", "POST"), "404 not_found");
});

http("takes content with the token only, and of a bounded size", async ({ facade, server }) => {
  const url = `${server.url}/api/v1/content`;
  const post = (body: BodyInit | null, authorization?: string) =>
    fetch(url, { method: "POST", body, headers: authorization === undefined ? {} : { authorization } });
  for (const wrong of [undefined, "", TOKEN, "Bearer", "Bearer wrong", `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
    assert.is(await refused(post("wasm", wrong)), "401 unauthorized", wrong);
  }
  const authorization = `Bearer ${TOKEN}`;
  assert.is(await refused(post(null, authorization)), "400 invalid_body");
  assert.is(await refused(post(new Uint8Array(MAX_CODE_BYTES + 1), authorization)), "413 body_too_large");
  assert.is(facade.published.length, 0);

  const bytes = new Uint8Array(MAX_CODE_BYTES).fill(7);
  const answer = await post(bytes, authorization);
  assert.is(answer.status, 200);
  assert.equal(Object.keys(await answer.json()), ["cid", "sha256"]);
  assert.ok(Buffer.from(facade.published[0]!).equals(bytes));

  facade.publishError = new OperatingError("store_full");
  assert.is(await refused(post("wasm", authorization)), "503 store_full");
  facade.publishError = new Error("the inside of the node");
  const failed = await post("wasm", authorization);
  assert.is(failed.status, 500);
  assert.not.match(await failed.text(), "the inside");
});

http("bounds a body that does not tell its length", async ({ facade, server }) => {
  let sentBytes = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(1 << 16));
      sentBytes += 1 << 16;
      if (sentBytes > 4 * MAX_CODE_BYTES) controller.error(new Error("the server read without end"));
    },
  });
  const options = { method: "POST", body: endless, duplex: "half", headers: { authorization: `Bearer ${TOKEN}` } };
  const end = await refused(fetch(`${server.url}/api/v1/content`, options as RequestInit)).catch(
    (error: Error) => error,
  );
  // Either the answer arrives, or the connection is gone before it could: never a published piece.
  if (typeof end === "string") assert.is(end, "413 body_too_large");
  assert.ok(sentBytes <= 4 * MAX_CODE_BYTES);
  assert.is(facade.published.length, 0);
});

http("answers to its own names only", async ({ server }) => {
  const statusOf = async (host: string) => (await call(server.url, "/api/v1/info", { host })).status;
  const { port } = server;
  for (const own of [`localhost:${port}`, "localhost", `127.0.0.1:${port}`, `[::1]:${port}`, "LOCALHOST"]) {
    assert.is(await statusOf(own), 200, own);
  }
  for (const foreign of ["evil.example", `evil.example:${port}`, "localhost.evil.example", "127.0.0.2"]) {
    assert.is(await statusOf(foreign), 403, foreign);
  }
  assert.is(await statusOf("user@localhost"), 400, "not a host at all");
  const answer = await call(server.url, "/", { host: "evil.example" });
  assert.is(JSON.parse(answer.body).error.code, "foreign_host");
});

http("keeps the scripts of other sites from the API, and lets links through", async ({ server }) => {
  const statusOf = async (site: string, mode: string) =>
    (await call(server.url, "/api/v1/status", { "sec-fetch-site": site, "sec-fetch-mode": mode })).status;
  assert.is(await statusOf("cross-site", "cors"), 403);
  assert.is(await statusOf("same-site", "no-cors"), 403);
  assert.is(await statusOf("same-origin", "cors"), 200);
  assert.is(await statusOf("cross-site", "navigate"), 200);
  const answer = await call(server.url, "/api/v1/status", { origin: "http://evil.example" });
  assert.is(answer.headers["access-control-allow-origin"], undefined);
});

http("serves the page's files with their types, caching and a strict policy", async ({ server }) => {
  const page = await fetch(server.url);
  assert.is(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.is(page.headers.get("cache-control"), "no-cache");
  assert.match(page.headers.get("content-security-policy")!, /default-src 'none'.*script-src 'self'/);
  assert.is(page.headers.get("x-content-type-options"), "nosniff");
  const again = await fetch(server.url, { headers: { "if-none-match": page.headers.get("etag")! } });
  assert.is(again.status, 304);
  const script = await fetch(`${server.url}/main-ABCDEF12.js`);
  assert.is(script.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.match(script.headers.get("cache-control")!, "immutable");
  assert.is((await call(server.url, "/../server.test.ts")).status, 404);
  assert.is((await call(server.url, "/", {}, "HEAD")).body, "");
});

http("says that the page is not built, and works without it", async ({ facade }) => {
  const empty = join(assetsDirectory, "empty");
  mkdirSync(empty, { recursive: true });
  const server = await startHttpServer({
    facade,
    host: "127.0.0.1",
    port: 0,
    token: TOKEN,
    logger,
    assetsDirectory: empty,
  });
  try {
    assert.is(await refused(fetch(server.url)), "503 page_not_built");
    assert.is((await fetch(`${server.url}/api/v1/info`)).status, 200);
  } finally {
    await server.stop();
  }
});

http("tells figures to Prometheus", async ({ facade, server }) => {
  facade.tell(1, "seen");
  facade.tell(2, "seen");
  facade.tell(1, "ran");
  facade.keep(keptReceipt(1));
  const answer = await fetch(`${server.url}/metrics`);
  assert.match(answer.headers.get("content-type")!, "text/plain; version=0.0.4");
  const lines = (await answer.text()).split("\n");
  for (const line of [
    "outlayer_chain_connected 1",
    "outlayer_chain_height 1204",
    "outlayer_peers 1",
    "outlayer_receipts_total 1",
    "outlayer_engine_runs_total 7",
    "outlayer_engine_faults_total 1",
    'outlayer_engine_audits_total{result="different"} 1',
    'outlayer_request_stages_total{stage="seen"} 2',
    'outlayer_request_stages_total{stage="ran"} 1',
    "# TYPE outlayer_request_stages_total counter",
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

http("takes the next free port when its own is taken, and says which", async ({ facade, server }) => {
  const second = await start(facade, server.port);
  try {
    assert.ok(second.port > server.port && second.port < server.port + 10);
    assert.is(second.url, `http://127.0.0.1:${second.port}`);
    assert.is((await fetch(`${second.url}/api/v1/info`)).status, 200);
  } finally {
    await second.stop();
  }
});

http("names the failure when it cannot listen, and leaves no subscription behind", async () => {
  const facade = new DrivenFacade();
  const holder = createServer().listen(65_535, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  try {
    await start(facade, 65_535);
    assert.unreachable();
  } catch (error) {
    assert.ok(isOperatingError(error, "http_listen_failed"), String(error));
  } finally {
    holder.close();
  }
  assert.is(facade.subscriptions, 0);
});

http("streams a snapshot, what is kept and what happens", async ({ facade, server }) => {
  facade.tell(1, "seen", "before anybody listened");
  const events = await EventReader.open(server.url);
  const first = await events.next();
  assert.is(first.event, "status");
  assert.is(first.id, undefined);
  assert.is(first.data.info.account_id, "alice.test");
  const kept = await events.next("progress");
  assert.is(kept.data.detail, "before anybody listened");
  facade.tell(1, "leased", "while somebody does");
  assert.equal((await events.next("progress")).data.stage, "leased");
  facade.keep(keptReceipt(1));
  assert.equal((await events.next("receipt")).data, keptReceipt(1));
  facade.height = 1_205;
  let status = await events.next("status");
  while (status.data.chain.height !== 1_205) status = await events.next("status");
  await events.close();
});

http("goes on after the last event that a listener saw", async ({ facade, server }) => {
  const first = await EventReader.open(server.url);
  facade.tell(1, "seen");
  facade.tell(1, "leased");
  const seen = await first.next("progress");
  await first.close();
  facade.tell(1, "ran");
  const stages = async (lastEventId: string) => {
    const events = await EventReader.open(server.url, lastEventId);
    facade.tell(1, "closed");
    const told: string[] = [];
    while (told.at(-1) !== "closed") told.push((await events.next("progress")).data.stage);
    await events.close();
    return told.join(" ");
  };
  assert.is(await stages(seen.id!), "leased ran closed");
  for (const foreign of ["zzz-1", "nonsense", `${seen.id}999999`]) {
    assert.match(await stages(foreign), /^seen leased ran closed/, foreign);
  }
});

http("bounds its listeners and forgets those who leave", async ({ server }) => {
  const readers = await Promise.all(Array.from({ length: MAX_EVENT_LISTENERS }, () => EventReader.open(server.url)));
  assert.is(await refused(fetch(`${server.url}/api/v1/events`)), "503 too_many_listeners");
  for (let i = 0; i < 5; i++) await call(server.url, "/api/v1/events", {}, "HEAD");
  await Promise.all(readers.map((reader) => reader.close()));
  // The server hears of a closed socket a moment later; the runner's time limit is the bound.
  let listeners = "";
  while (listeners !== "outlayer_event_listeners 0") {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    listeners = metrics.split("\n").find((line) => line.startsWith("outlayer_event_listeners "))!;
  }
});

http("ends its streams when it stops, and lets go of the node", async () => {
  const facade = new DrivenFacade();
  const server = await start(facade);
  const events = await EventReader.open(server.url);
  assert.is(facade.subscriptions, 2);
  await server.stop();
  assert.is(await events.ended(), true);
  assert.is(facade.subscriptions, 0);
});

http.run();
