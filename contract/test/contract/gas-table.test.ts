/**
 * The gas of every method, against `gas.json`. A growth fails until the file is updated with its reason:
 * `OUTLAYER_GAS_REASON="why it costs more" node contract/test/contract/gas-table.test.ts`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { METHODS } from "../../client/index.ts";
import { everyCall } from "./every-method.ts";

interface Entry {
  /** Burnt by the contract's own receipt, in units of 10^9: what changes with every compilation is below. */
  readonly ggas: number;
  readonly reason: string;
}

const file = join(import.meta.dirname, "gas.json");
const golden: Record<string, Entry> = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
const reason = process.env.OUTLAYER_GAS_REASON;

/** They need a failed callback or a token that pays developers; what they do others here do too. */
const UNMEASURED = ["cancel_stale_execution", "withdraw_developer_earnings"];
/** A compilation moves figures a little; a method that does more moves them more. */
const SLACK = 1.01;

test("no method costs more than its golden figure", () => {
  const measured = new Map<string, number>();
  for (const { method, result } of everyCall()) {
    measured.set(method, Math.max(measured.get(method) ?? 0, Math.ceil(result.gas / 1e9)));
  }
  const callable = Object.entries(METHODS).filter(([, { by, view }]) => by !== "nobody" && !view);
  assert.equal([...measured.keys(), ...UNMEASURED].sort(), callable.map(([name]) => name).sort());
  const names = [...measured.keys()].sort();
  const grown = names.filter((name) => measured.get(name)! > (golden[name]?.ggas ?? 0) * SLACK);
  if (reason !== undefined) {
    const entries = names.map((name) => {
      const kept = golden[name] && !grown.includes(name) ? golden[name].reason : reason;
      return [name, { ggas: measured.get(name)!, reason: kept }];
    });
    writeFileSync(file, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
    return;
  }
  const told = grown.map((name) => `${name}: ${measured.get(name)} Ggas, was ${golden[name]?.ggas}`);
  assert.equal(told, []);
});

test("the figures that callers and nodes rely on", () => {
  const most: Record<string, number> = { request_execution: 3_000, claim_lease: 2_000, resolve_execution: 4_000 };
  for (const [name, ggas] of Object.entries(most))
    assert.ok(golden[name]!.ggas <= ggas, `${name}: ${golden[name]!.ggas}`);
});

test.run();
