import { test } from "uvu";
import * as assert from "uvu/assert";
import { METHODS, nearAbi } from "../../client/index.ts";

interface AbiFunction {
  readonly name: string;
  readonly kind: string;
  readonly modifiers?: readonly string[];
  readonly params?: { readonly args: readonly { readonly name: string; readonly type_schema: object }[] };
}
const abi = nearAbi("0.2.0") as {
  body: { functions: AbiFunction[]; root_schema: { definitions: Record<string, unknown> } };
};

test("the ABI has every method, with its kind and modifiers", () => {
  const { functions } = abi.body;
  assert.equal(functions.map(({ name }) => name).sort(), Object.keys(METHODS).sort());
  const of = (name: string) => functions.find((entry) => entry.name === name)!;
  assert.equal(of("new").modifiers, ["init"]);
  assert.equal(of("on_refund").modifiers, ["private"]);
  assert.equal(of("request_execution").modifiers, ["payable"]);
  assert.is(of("get_lease").kind, "view");
});

test("every reference has its definition", () => {
  const text = JSON.stringify(abi);
  for (const [, name] of text.matchAll(/#\/definitions\/(\w+)/g))
    assert.ok(name! in abi.body.root_schema.definitions, name);
});

test.run();
