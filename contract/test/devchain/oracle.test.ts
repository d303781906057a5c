/**
 * The embedded chain against what near-vm-runner 0.38.0 answered to the same calls. Each file says which command made
 * it. Gas burnt and used, storage, logs, return, errors and promises are equal in every call.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compareAnswers, type OracleScenario } from "../../devchain/oracle/scenario.ts";

interface Fixture {
  readonly command: string;
  readonly scenarios: readonly (OracleScenario & { readonly answers: readonly object[] })[];
}

/** Calls that a file has at least, so that an empty one cannot pass. */
const SETS = { contracts: 25, modules: 150, "host-calls": 100 } as const;

for (const [name, atLeast] of Object.entries(SETS)) {
  test(`${name}: every call as near-vm-runner answers it`, () => {
    const path = join(import.meta.dirname, `fixtures/oracle/${name}.json`);
    const { scenarios } = JSON.parse(readFileSync(path, "utf8")) as Fixture;
    let calls = 0;
    for (const { answers, ...scenario } of scenarios) {
      const lines = answers.map((answer) => JSON.stringify(answer));
      assert.is(lines.length, scenario.calls.length);
      const [first] = compareAnswers(scenario, lines);
      if (first !== undefined) assert.equal(first.ours, first.theirs, JSON.stringify(first.call));
      calls += lines.length;
    }
    assert.ok(calls >= atLeast, `${calls} calls`);
  });
}

test("a difference is seen", () => {
  const path = join(import.meta.dirname, "fixtures/oracle/contracts.json");
  const [{ answers, ...scenario }] = (JSON.parse(readFileSync(path, "utf8")) as Fixture).scenarios as [
    Fixture["scenarios"][number],
  ];
  const lines = answers.map((answer, index) =>
    JSON.stringify(index === 1 ? { ...answer, burnt: (answer as { burnt: number }).burnt + 1 } : answer),
  );
  assert.is(compareAnswers(scenario, lines).length, 1);
});

test.run();
