import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as protocol from "@outlayer/protocol/limits";
import { test } from "uvu";
import * as assert from "uvu/assert";

const source = readFileSync(join(import.meta.dirname, "../../assembly/limits.ts"), "utf8");
const shared = new Map<string, unknown>(Object.entries(protocol));
const figures = new Map(
  [...source.matchAll(/^export const (\w+): \w+ = ([\d_]+);/gm)].map((match) => [
    match[1]!,
    Number(match[2]!.replaceAll("_", "")),
  ]),
);

test("the contract's bounds are the protocol's", () => {
  const names = [
    "MAX_ACCOUNT_ID_BYTES",
    "MAX_INPUT_BYTES",
    "MAX_URL_BYTES",
    "MAX_NAME_BYTES",
    "MAX_ERROR_BYTES",
    "MAX_OUTPUT_BYTES",
    "MAX_FORMER_HOLDERS",
    "MAX_ATTESTATIONS",
  ];
  for (const name of names) assert.is(figures.get(name), shared.get(name), name);
  // A figure of the same name has the same value, whichever list it is added to.
  for (const [name, value] of figures) {
    if (shared.has(name)) assert.is(value, shared.get(name), name);
  }
});

test("the record of former holders has room for every lease that the shortest ones allow", () => {
  const shortest = figures.get("MIN_LEASE_BLOCKS")! + 1;
  assert.ok(figures.get("YIELD_BLOCKS")! / shortest <= figures.get("MAX_FORMER_HOLDERS")!);
});

test.run();
