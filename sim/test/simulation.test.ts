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
  // In some runs it has revealed its result before it dies, and the others answer under its lease.
  const firsts = ["1", "2", "3", "4"].map((seed) => simulate(named("crashes"), seed).requests[0]);
  assert.ok(firsts.every((request) => request?.status === "resolved"));
  assert.ok(firsts.some((request) => request?.leases === 2));
});

test("a short run is answered within three blocks, claim and answer in one transaction; a long one takes longer", () => {
  const calm = named("calm");
  const { requests } = simulate(calm, "1");
  for (const [i, { openedHeight, endedHeight }] of requests.entries()) {
    const blocks = (endedHeight ?? Infinity) - openedHeight;
    assert.ok(calm.requests[i]?.run === "short" ? blocks <= 4 : blocks > 4, `request ${i}: ${blocks} blocks`);
  }
});

test("what the liars of that scenario would get through, were nobody to object", () => {
  const wrong = ["1", "2", "3"].flatMap((seed) => simulate({ ...named("liars"), challengeBlocks: 0 }, seed).violations);
  assert.ok(wrong.some((violation) => violation.includes("answered wrongly")));
});

/** Three nodes of which two die at once: each request's committee keeps one member at most. */
const tooFew: Scenario = {
  ...named("calm"),
  name: "too few",
  nodes: 3,
  requests: [{ atMs: 700, run: "short" }],
  faults: [
    { kind: "crash", atMs: 10, node: 0 },
    { kind: "crash", atMs: 10, node: 1 },
  ],
};

test("a request whose committee has no quorum left is refunded when its yield ends", () => {
  const report = simulate(tooFew, "1");
  const [request] = report.requests;
  assert.is(request?.status, "refunded");
  assert.ok((request?.endedHeight ?? 0) >= (request?.openedHeight ?? 0) + 200);
  assert.equal(report.violations, []);
});

test("a node that lost its disk is silent, so its committee counts it out", () => {
  const restart = { kind: "restart", atMs: 50, node: 1 } as const;
  const kept = simulate({ ...tooFew, faults: [...tooFew.faults, { ...restart, diskLost: false }] }, "1");
  assert.is(kept.requests[0]?.status, "resolved");
  const lost = simulate({ ...tooFew, faults: [...tooFew.faults, { ...restart, diskLost: true }] }, "1");
  assert.is(lost.requests[0]?.status, "refunded");
  assert.equal(lost.violations, []);
});

test.run();
