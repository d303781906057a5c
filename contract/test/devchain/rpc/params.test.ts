/** What parameters are taken, up to the size of a whole request. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Params } from "../../../devchain/rpc/params.ts";
import { RpcError } from "../../../devchain/rpc/rpc-error.ts";
import { withServer } from "../fixtures/served-chain.ts";

const MIB = 1024 * 1024;

function refusalOf(text: string): string {
  try {
    Params.parse({ bytes: text }).base64("bytes");
  } catch (error) {
    if (error instanceof RpcError) return JSON.stringify(error.body.cause);
    throw error;
  }
  return "it was taken";
}

test("base64 is taken to the last byte of a request, and nothing else is", () => {
  for (const length of [0, 1, 2, 3, 4, 7 * MIB, 7 * MIB + 1, 7 * MIB + 2]) {
    const bytes = Buffer.alloc(length, 0xfb);
    assert.is(Buffer.compare(Params.parse({ bytes: bytes.toString("base64") }).base64("bytes"), bytes), 0);
  }
  const whole = "A".repeat(8 * MIB);
  for (const wrong of ["A", "AA", "AAA", "A===", "====", "AA=A", "=AAA", "AAA-", "AAA\n", " AAA", `${whole}A`]) {
    assert.match(refusalOf(wrong), "PARSE_ERROR", wrong.slice(0, 8));
  }
  for (const wrong of [`${whole}AAA?`, `?${whole}AAA`, `${whole}=AAA`]) assert.match(refusalOf(wrong), "PARSE_ERROR");
});

test("the largest arguments of a call and the largest contract of a patch are taken", () =>
  withServer(async ({ call, chain }) => {
    const largest = Buffer.alloc(4 * MIB, 7).toString("base64");
    const view = { request_type: "call_function", finality: "optimistic", account_id: "other.test" };
    const { error } = await call("query", { ...view, method_name: "nothing", args_base64: largest });
    assert.is(error!.cause.name, "CONTRACT_EXECUTION_ERROR");
    const wrong = await call("query", { ...view, method_name: "get", args_base64: `${"A".repeat(8 * MIB)}AA?A` });
    assert.is(wrong.error!.cause.name, "PARSE_ERROR");
    const records = [{ Contract: { account_id: "other.test", code: largest } }];
    assert.equal((await call("sandbox_patch_state", { records })).result, {});
    assert.is(chain.stateAt("optimistic").get("code", "other.test", "")!.length, 4 * MIB);
  }));

test.run();
