/** `query` by a path and base58 data, as nearcore's chain/jsonrpc/src/api/query.rs reads it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeBase58 } from "../../../devchain/codec/base58.ts";
import { withServer } from "../fixtures/served-chain.ts";
import { run } from "../fixtures/transactions.ts";

const base58 = (text: string) => encodeBase58(Buffer.from(text));

test("every path answers what the query by names answers", () =>
  withServer(async ({ call, chain, alice }) => {
    run(chain, alice.call(chain, "other.test", "set", Buffer.from("stored")));
    const state = { request_type: "view_state", account_id: "other.test", prefix_base64: "" };
    const get = { request_type: "call_function", account_id: "other.test", method_name: "get", args_base64: "" };
    const echo = { ...get, method_name: "echo", args_base64: Buffer.from("\0said").toString("base64") };
    const keys = { request_type: "view_access_key_list", account_id: "alice.test" };
    const rows: (readonly [path: string, data: string, named: object])[] = [
      ["account/alice.test", "", { request_type: "view_account", account_id: "alice.test" }],
      ["access_key/alice.test", "", keys],
      [
        `access_key/alice.test/${alice.publicKey}`,
        "",
        { ...keys, request_type: "view_access_key", public_key: alice.publicKey },
      ],
      ["code/other.test", "", { request_type: "view_code", account_id: "other.test" }],
      ["contract/other.test", "", state],
      ["contract/other.test", base58("val"), { ...state, prefix_base64: Buffer.from("val").toString("base64") }],
      ["contract/other.test", base58("none"), { ...state, prefix_base64: Buffer.from("none").toString("base64") }],
      ["call/other.test/get", "", get],
      ["call/other.test/echo", base58("\0said"), echo],
    ];
    for (const [path, data, named] of rows) {
      const { result } = await call("query", [path, data]);
      assert.ok(result, path);
      assert.equal(result, (await call("query", { ...named, finality: "optimistic" })).result, path);
    }
    const missing = await call("query", ["call/other.test/a/b", ""]);
    assert.equal(missing.error!.cause.info.error, { MethodResolveError: "MethodNotFound" });
    assert.is((await call("query", ["account/nobody.test", ""])).error!.cause.name, "UNKNOWN_ACCOUNT");
  }));

test("what is not a path with its data is a parse error", () =>
  withServer(async ({ call }) => {
    const wrong = [
      [],
      ["account/alice.test"],
      ["account/alice.test", "", ""],
      [1, ""],
      ["account/alice.test", null],
      ["account", ""],
      ["account/A", ""],
      ["accounts/alice.test", ""],
      ["call/other.test", ""],
      ["call/other.test/echo", "0"],
      ["access_key/alice.test/ed25519:x", ""],
      ["contract/other.test", "1".repeat(10 * 1024)],
      ["call/other.test/echo", "z".repeat(9 * 1024 * 1024)],
    ];
    for (const params of wrong) {
      const { error } = await call("query", params);
      assert.is(error?.cause.name, "PARSE_ERROR", JSON.stringify(params).slice(0, 60));
    }
    const most = 10 * 1024 - "contract/other.test".length;
    assert.equal((await call("query", ["contract/other.test", "1".repeat(most)])).result.values, []);
  }));

test.run();
