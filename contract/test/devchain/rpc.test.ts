/** JSON-RPC as a hostile or a careless client speaks it, and the shapes that other clients than near-api-js read. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { actions } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DevChain, startDevChainServer } from "../../devchain/index.ts";
import { withServer } from "./fixtures/served-chain.ts";
import { CHAIN_OPTIONS, Wallet } from "./fixtures/wallet.ts";

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

test("what is not a JSON-RPC request is a parse error, and the server lives on", () =>
  withServer(async ({ post, call, server }) => {
    const bodies = [
      "",
      "{",
      "null",
      "[]",
      '"text"',
      "{}",
      '{"jsonrpc":"1.0","id":1,"method":"status"}',
      '{"jsonrpc":"2.0","id":1}',
      '{"jsonrpc":"2.0","id":{},"method":"status"}',
      '{"jsonrpc":"2.0","id":1,"method":["status"]}',
      Uint8Array.from([0xff, 0xfe, 0x00]),
      `{"jsonrpc":"2.0","id":1,"method":"${"m".repeat(1000)}"}`,
      `${"[".repeat(100_000)}`,
      '[{"jsonrpc":"2.0","id":1,"method":"status"}]',
      '{"jsonrpc":"2.0","id":1,"method":"status\0"',
    ];
    for (const body of bodies) {
      const answer = await post(body);
      assert.is(answer.error?.cause.name, "PARSE_ERROR", String(body).slice(0, 60));
      assert.is(answer.status, 400);
    }
    assert.is((await post("x".repeat(11 * 1024 * 1024))).error?.cause.name, "PARSE_ERROR");
    const unknown = await call("no_such_method");
    assert.equal([unknown.error?.cause.name, unknown.error?.code], ["METHOD_NOT_FOUND", -32601]);
    for (const name of ["constructor", "__proto__", "toString"]) {
      assert.is((await call(name)).error?.cause.name, "METHOD_NOT_FOUND");
    }
    assert.is((await fetch(`${server.url}/health`)).status, 200);
    assert.is((await call("status")).result?.chain_id, "devchain");
  }));

test("NUL, deep nesting and fields that nobody asked for do no harm", () =>
  withServer(async ({ post, call }) => {
    const nested = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
    for (const method of ["block", "query", "send_tx", "sandbox_patch_state", "EXPERIMENTAL_changes"]) {
      for (const params of [nested, `{"records":${nested},"finality":${nested},"signed_tx_base64":${nested}}`]) {
        const answer = await post(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`);
        assert.equal([answer.status, answer.error?.cause.name], [400, "PARSE_ERROR"], method);
      }
    }
    const account = { request_type: "view_account", finality: "final", account_id: "alice.test" };
    for (const account_id of ["alice.test\0", "\0", "ali\0ce.test", "\ud800"]) {
      assert.is((await call("query", { ...account, account_id })).error?.cause.name, "PARSE_ERROR");
    }
    const method = { request_type: "call_function", finality: "final", account_id: "other.test", args_base64: "" };
    const failed = await call("query", { ...method, method_name: "get\0" });
    assert.equal(failed.error?.cause.info.error, { MethodResolveError: "MethodNotFound" });
    const stray = { stray: 1, __proto__: null, constructor: {}, proof: nested };
    assert.is((await call("query", { ...account, ...stray })).result?.locked, "0");
    const large = { ...account, account_id: "a".repeat(9 * 1024 * 1024) };
    assert.is((await call("query", large)).error?.cause.name, "PARSE_ERROR");
    for (const id of [0, -1, "x", null, "\0", 1e300]) {
      assert.is((await post(JSON.stringify({ jsonrpc: "2.0", id, method: "health" }))).id, id);
    }
  }));

test("malformed parameters are parse errors", () =>
  withServer(async ({ call }) => {
    const query = (fields: object) => ["query", { finality: "final", ...fields }] as const;
    const account = "alice.test";
    const calls: (readonly [string, unknown])[] = [
      ["block", {}],
      ["block", { finality: "eventually" }],
      ["block", { finality: "final", block_id: 1 }],
      ["block", { block_id: -1 }],
      ["block", { block_id: 1.5 }],
      ["block", { block_id: "0OIl" }],
      ["block", { block_id: "1".repeat(10_000) }],
      ["block", 7],
      query({}),
      query({ request_type: "view_everything", account_id: account }),
      query({ request_type: "view_account" }),
      query({ request_type: "view_account", account_id: "Not An Account" }),
      query({ request_type: "view_account", account_id: "a".repeat(65) }),
      query({ request_type: "view_access_key", account_id: account, public_key: "ed25519:x" }),
      query({ request_type: "call_function", account_id: "other.test", method_name: "get", args_base64: "*" }),
      query({ request_type: "call_function", account_id: "other.test", method_name: {}, args_base64: "" }),
      ["send_tx", { signed_tx_base64: "AAAA" }],
      ["send_tx", { signed_tx_base64: "////", wait_until: "NONE" }],
      ["send_tx", { signed_tx_base64: "", wait_until: "SOON" }],
      ["tx", { tx_hash: "short", sender_account_id: account }],
      ["EXPERIMENTAL_changes", { finality: "final", changes_type: "data_changes", account_ids: account }],
      [
        "EXPERIMENTAL_changes",
        { finality: "final", changes_type: "account_changes", account_ids: new Array(101).fill(account) },
      ],
      ["EXPERIMENTAL_receipt", {}],
    ];
    for (const [method, params] of calls) {
      const answer = await call(method, params);
      assert.is(answer.error?.cause.name, "PARSE_ERROR", `${method} ${JSON.stringify(params).slice(0, 100)}`);
    }
  }));

test("what is not there is named as nearcore names it", () =>
  withServer(
    async ({ call, chain }) => {
      const hash = "1".repeat(32);
      const query = async (fields: object) => (await call("query", { finality: "optimistic", ...fields })).error?.cause;
      const missing = { account_id: "nobody.test" };
      const unknown = await query({ request_type: "view_account", ...missing });
      assert.equal(unknown, {
        name: "UNKNOWN_ACCOUNT",
        info: { requested_account_id: "nobody.test", block_height: 1, block_hash: chain.head.hash },
      });
      const key = new Wallet("nobody.test").publicKey;
      const keyed = await query({ request_type: "view_access_key", account_id: "alice.test", public_key: key });
      assert.is(keyed?.name, "UNKNOWN_ACCESS_KEY");
      assert.is((await query({ request_type: "view_code", account_id: "alice.test" }))?.name, "NO_CONTRACT_CODE");
      const method = { request_type: "call_function", account_id: "other.test", args_base64: "" };
      const view = await query({ ...method, method_name: "nothing" });
      assert.is(view?.name, "CONTRACT_EXECUTION_ERROR");
      assert.equal(view?.info.error, { MethodResolveError: "MethodNotFound" });
      const writing = await query({ ...method, method_name: "set" });
      const told = writing?.info.error.ExecutionError;
      assert.is(told, "storage_write is not allowed in view calls");
      for (const block_id of [99, hash]) {
        const block = await call("block", { block_id });
        assert.equal([block.status, block.error?.cause.name], [422, "UNKNOWN_BLOCK"]);
      }
      const tx = { tx_hash: hash, sender_account_id: "alice.test" };
      assert.is((await call("tx", tx)).error?.cause.name, "UNKNOWN_TRANSACTION");
      assert.is((await call("EXPERIMENTAL_receipt", { receipt_id: hash })).error?.cause.name, "UNKNOWN_RECEIPT");
      assert.is((await call("chunk", [hash])).error?.cause.name, "UNKNOWN_CHUNK");
      for (let blocks = 0; blocks < 5; blocks++) chain.produceBlock();
      assert.is((await call("block", { block_id: 1 })).error?.cause.name, "UNKNOWN_BLOCK");
      assert.is((await call("block", { block_id: 3 })).result?.header.height, 3);
    },
    { historyBlocks: 4 },
  ));

test("each level of waiting is answered when it is reached, and times out with 408 before", () =>
  withServer(async ({ call, chain, alice }) => {
    const signed_tx_base64 = base64(alice.call(chain, "other.test", "set", Buffer.from("v")));
    const send = (wait_until: string) => call("send_tx", { signed_tx_base64, wait_until });
    assert.equal((await send("NONE")).result, { final_execution_status: "NONE" });
    const early = await send("INCLUDED");
    assert.equal([early.status, early.error?.cause.name], [408, "TIMEOUT_ERROR"]);
    const reached = async () => {
      const levels = ["INCLUDED", "EXECUTED_OPTIMISTIC", "INCLUDED_FINAL", "EXECUTED", "FINAL"];
      const answers = await Promise.all(levels.map(send));
      return levels.filter((_, index) => answers[index]!.result !== undefined);
    };
    chain.produceBlock();
    assert.equal(await reached(), ["INCLUDED"]);
    chain.produceBlock();
    assert.equal(await reached(), ["INCLUDED", "EXECUTED_OPTIMISTIC"]);
    chain.produceBlock();
    assert.equal(await reached(), ["INCLUDED", "EXECUTED_OPTIMISTIC", "INCLUDED_FINAL", "EXECUTED"]);
    chain.produceBlock();
    assert.equal(await reached(), ["INCLUDED", "EXECUTED_OPTIMISTIC", "INCLUDED_FINAL", "EXECUTED", "FINAL"]);
    const { result } = await send("INCLUDED");
    assert.is(result?.final_execution_status, "FINAL");
  }));

test("a transaction that its block drops says why to whoever waits", () =>
  withServer(async ({ call, chain, alice }) => {
    const [first, second] = [1n, 2n].map((amount) => alice.sign(chain, "other.test", [actions.transfer(amount)], 5n));
    const kept = call("broadcast_tx_async", [base64(first!)]);
    assert.type((await kept).result, "string");
    const waiting = call("broadcast_tx_commit", [base64(second!)]);
    while (chain.pendingTransactions < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    chain.produceBlock();
    const { error } = await waiting;
    assert.is(error?.cause.name, "INVALID_TRANSACTION");
    assert.equal(error?.data, {
      TxExecutionError: { InvalidTxError: { InvalidNonce: { tx_nonce: 5, ak_nonce: 5 } } },
    });
  }));

test("changes of a block, by account and prefix of the key", () =>
  withServer(async ({ call, chain, alice }) => {
    chain.submit(alice.call(chain, "other.test", "set", Buffer.from("v")));
    chain.produceBlock();
    const { height } = chain.produceBlock();
    const changes = async (key: string, block_id = height) => {
      const params = { changes_type: "data_changes", account_ids: ["other.test"], block_id };
      const answer = await call("EXPERIMENTAL_changes", { ...params, key_prefix_base64: base64(Buffer.from(key)) });
      return answer.result?.changes as { type: string; change: object }[];
    };
    assert.equal(
      (await changes("val")).map(({ type, change }) => ({ type, change })),
      [
        {
          type: "data_update",
          change: {
            account_id: "other.test",
            key_base64: base64(Buffer.from("value")),
            value_base64: base64(Buffer.from("v")),
          },
        },
      ],
    );
    assert.equal(await changes("other"), []);
    assert.equal(await changes("", height - 1), []);
    const state = await call("query", {
      request_type: "view_state",
      account_id: "other.test",
      prefix_base64: "",
      finality: "optimistic",
    });
    assert.is(state.result?.values.length, 1);
    const accounts = { changes_type: "account_changes", account_ids: ["alice.test"], block_id: height - 1 };
    const charged = (await call("EXPERIMENTAL_changes", accounts)).result?.changes;
    assert.is(charged[0].cause.type, "transaction_processing");
  }));

test("a busy port is passed over", async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
  const { port } = blocker.address() as AddressInfo;
  const chain = new DevChain({ ...CHAIN_OPTIONS, accounts: [] });
  const server = await startDevChainServer(chain, { port, blockIntervalMs: 0 });
  assert.ok(server.port > port);
  assert.is(server.url, `http://127.0.0.1:${server.port}`);
  await server.stop();
  await new Promise((resolve) => blocker.close(resolve));
});

test.run();
