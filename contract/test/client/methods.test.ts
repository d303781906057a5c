import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { METHODS, methodArgs } from "../../client/index.ts";
import { outlayerWasm } from "../contract/world.ts";

const root = join(import.meta.dirname, "../../assembly");
const sources = globSync("**/*.ts", { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"));

test("the contract exports the methods of the table, and nothing else", () => {
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(outlayerWasm)).map(({ name }) => name);
  assert.equal(exported.filter((name) => name !== "memory").sort(), Object.keys(METHODS).sort());
});

test("every argument of the table is one that the contract reads", () => {
  const source = sources.join("\n");
  for (const [name, { args }] of Object.entries(METHODS)) {
    for (const field of Object.keys(args)) assert.ok(source.includes(`"${field}"`), `${name}: ${field}`);
  }
});

test("arguments are typed, and large numbers keep their digits", () => {
  assert.is(
    methodArgs("claim_lease", { request_id: 2n ** 64n - 1n, seat: 1, lease_epoch: 0 }),
    '{"request_id":18446744073709551615,"seat":1,"lease_epoch":0}',
  );
  assert.is(methodArgs("set_pricing", { base_fee: "1" }), '{"base_fee":"1"}');
  // @ts-expect-error: a field is missing
  methodArgs("claim_lease", { request_id: 1 });
  // @ts-expect-error: an amount is a string
  methodArgs("set_pricing", { base_fee: 1 });
});

test.run();
