/** Scenarios over the real contract and the product's own worker machine; each seed is a different run of the same faults. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { SCENARIOS, type Scenario, simulate } from "../src/index.ts";

const SEEDS = ["1", "2", "3"];

function named(name: string): Scenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (!scenario) throw new Error(`no scenario ${name}`);
  return scenario;
}

for (const scenario of SCENARIOS) {
  for (const seed of SEEDS) {
    test(`${scenario.name}, seed ${seed}: every request is answered once and rightly`, () => {
      const report = simulate(scenario, seed);
      assert.equal(report.violations, []);
      assert.is(report.requests.length, scenario.requests.length);
      assert.ok(report.requests.every(({ status }) => status === "resolved"));
    });
  }
}

test("a seed replays bit for bit, another seed does not", () => {
  const crashes = named("crashes");
  const traces: string[][] = [[], []];
  const [first, second] = traces.map((lines) => simulate(crashes, "7", { onTrace: (line) => lines.push(line) }));
  assert.equal(traces[0], traces[1]);
  assert.is(first?.traceHash, second?.traceHash);
  assert.is.not(simulate(crashes, "8").traceHash, first?.traceHash);
});

test("a holder that dies loses its lease to another node", () => {
  const report = simulate(named("crashes"), "1");
  const first = report.requests[0];
  assert.is(first?.status, "resolved");
  assert.is(first?.leases, 2);
});

test("a short run is answered within three blocks, claim and answer in one transaction; a long one takes longer", () => {
  const calm = named("calm");
  const { requests } = simulate(calm, "1");
  for (const [i, { openedHeight, endedHeight }] of requests.entries()) {
    const blocks = (endedHeight ?? Infinity) - openedHeight;
    assert.ok(calm.requests[i]?.run === "short" ? blocks <= 4 : blocks > 4, `request ${i}: ${blocks} blocks`);
  }
});

test("nobody answers where no quorum is alive, and the simulator says so", () => {
  const scenario: Scenario = {
    ...named("calm"),
    name: "too few",
    nodes: 3,
    requests: [{ atMs: 700, run: "short" }],
    faults: [
      { kind: "crash", atMs: 10, node: 0 },
      { kind: "crash", atMs: 10, node: 1 },
    ],
  };
  const report = simulate(scenario, "1");
  assert.is(report.requests[0]?.status, "open");
  assert.ok(report.violations.some((violation) => violation.includes("was not answered")));
});

test("a request that nobody can answer is refunded when its yield ends", () => {
  const scenario: Scenario = {
    ...named("calm"),
    name: "refund",
    nodes: 2,
    blocks: 215,
    requests: [{ atMs: 700, run: "short" }],
    faults: [{ kind: "crash", atMs: 10, node: 0 }],
  };
  const report = simulate(scenario, "1");
  assert.is(report.requests[0]?.status, "refunded");
});

test.run();
