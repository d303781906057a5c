/** What web pages may do to a developer's chain: read it and send transactions, and nothing past the rules. */
import { request } from "node:http";
import { actions } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Json, withServer } from "../fixtures/served-chain.ts";

/** With the headers that a browser sets: `fetch` here would leave them out. */
function post(url: string, method: string, params: unknown, headers: Record<string, string>) {
  return new Promise<{ status: number; body: Json; allowed: unknown }>((resolve, reject) => {
    const sent = request(url, { method: "POST", headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          body: JSON.parse(Buffer.concat(chunks).toString()),
          allowed: response.headers["access-control-allow-origin"],
        }),
      );
    });
    sent.on("error", reject);
    sent.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  });
}

const FOREIGN: readonly Record<string, string>[] = [
  { origin: "https://example.com", "content-type": "text/plain" },
  { origin: "https://example.com", "content-type": "application/json" },
  { origin: "null" },
  { origin: "http://localhost.example.com" },
  { origin: "http://127.0.0.1.example.com:3030" },
  { origin: "http://192.168.1.5:5173" },
  { origin: "" },
  { "sec-fetch-site": "cross-site" },
];
const LOCAL: readonly Record<string, string>[] = [
  {},
  { origin: "http://localhost:5173" },
  { origin: "http://app.localhost" },
  { origin: "http://127.0.0.1:3030" },
  { origin: "http://[::1]:8080" },
  { "sec-fetch-site": "same-origin" },
];

test("a page of another machine calls no sandbox method", () =>
  withServer(async ({ chain, server }) => {
    const { height } = chain.head;
    for (const headers of FOREIGN) {
      for (const [method, params] of [
        ["sandbox_fast_forward", { delta_height: 1 }],
        ["sandbox_patch_state", { records: [] }],
        ["sandbox_snapshot", []],
        ["sandbox_revert", [1]],
      ] as const) {
        const { status, body } = await post(server.url, method, params, headers);
        assert.equal([status, body.error?.cause.name], [403, "FOREIGN_ORIGIN"], `${method} ${JSON.stringify(headers)}`);
      }
    }
    assert.is(chain.head.height, height);
  }));

test("programs and pages of this machine call them", () =>
  withServer(async ({ chain, server }) => {
    for (const headers of LOCAL) {
      const { height } = chain.head;
      const { body } = await post(server.url, "sandbox_fast_forward", { delta_height: 1 }, headers);
      assert.equal(body.result, {}, JSON.stringify(headers));
      assert.is(chain.head.height, height + 1);
    }
  }));

test("every page queries and sends transactions", () =>
  withServer(async ({ chain, server, alice }) => {
    for (const headers of FOREIGN) {
      const account = { request_type: "view_account", finality: "final", account_id: "alice.test" };
      const found = await post(server.url, "query", account, headers);
      assert.equal([found.status, found.allowed, found.body.result.locked], [200, "*", "0"]);
      const signed = alice.sign(chain, "other.test", [actions.transfer(1n)]);
      const sent = await post(server.url, "broadcast_tx_async", [Buffer.from(signed).toString("base64")], headers);
      assert.is(typeof sent.body.result, "string");
    }
    const preflight = await fetch(server.url, { method: "OPTIONS" });
    assert.is(preflight.headers.get("access-control-allow-headers"), "content-type");
  }));

test.run();
