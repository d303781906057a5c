import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PANIC_CODES, panicCode } from "../../client/index.ts";

test("the codes are those of the contract's sources, no more and no fewer", () => {
  const root = join(import.meta.dirname, "../../assembly");
  const found = new Set<string>();
  for (const file of globSync("**/*.ts", { cwd: root })) {
    const source = readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
    for (const match of source.matchAll(/"([A-Z][A-Za-z]+): /g)) found.add(match[1]!);
    for (const match of source.matchAll(/refuse\("([A-Z][A-Za-z]+)"/g)) found.add(match[1]!);
  }
  assert.equal([...found].sort(), [...PANIC_CODES].sort());
});

test("a code is found in what an RPC makes of a panic, and nowhere else", () => {
  const wrapped = JSON.stringify({
    ActionError: {
      index: 0,
      kind: { FunctionCallError: { ExecutionError: "Smart contract panicked: LeaseHeld: the lease is held" } },
    },
  });
  assert.is(panicCode(wrapped), "LeaseHeld");
  assert.is(panicCode("Smart contract panicked: something else"), undefined);
  assert.is(panicCode("Exceeded the prepaid gas."), undefined);
  assert.is(panicCode("NotLeaseHeld: x"), undefined);
});

test.run();
