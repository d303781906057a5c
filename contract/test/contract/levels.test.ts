/** Levels: what a deposit chooses, what is pinned with a request, and what it costs in the end. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, type LevelOptions, setLevelsArgs } from "../../client/index.ts";
import { answerArgs, BASE_FEE, eventsIn, expectOk, NEAR, NODES, World } from "./world.ts";

const LEVELS: readonly LevelOptions[] = [
  { replaySeats: 12, quorum: 4, challengeBlocks: 5, baseFeeYocto: 2n * BASE_FEE },
  { replaySeats: 144, quorum: 6, baseFeeYocto: 6n * BASE_FEE },
];
const SEATS = Array.from({ length: 9 }, () => 1);

function world(levels: readonly LevelOptions[] = LEVELS): World {
  return World.started(SEATS, { levels, replaySeats: 9, quorum: 3, replicas: 3 });
}
const view = (w: World, method: string, args = "{}") => JSON.parse(w.view(method, args));
const level = (w: World, id: number) => view(w, "get_request", JSON.stringify({ request_id: id })).level;
/** A deposit for the limits of a request that costs nothing but its base fee. */
const FREE = { resource_limits: {} };
const ask = (w: World, depositYocto: bigint) => w.ask(FREE, depositYocto);

test("a deposit that meets the estimate is never refused, and chooses the highest level that it covers", () => {
  const w = world();
  const deposits = [BASE_FEE, 2n * BASE_FEE - 1n, 2n * BASE_FEE, 6n * BASE_FEE - 1n, 6n * BASE_FEE, NEAR];
  const asked = deposits.map((deposit) => ask(w, deposit));
  assert.equal(
    deposits.map((_, id) => level(w, id).number),
    [0, 0, 1, 1, 2, 2],
  );
  const events = asked.map(({ logs }) => JSON.parse(eventsIn(logs)[0]!.data.request_data as string).level);
  assert.equal(events, [0, 0, 1, 1, 2, 2]);
  assert.equal(
    [0, 2, 4].map((id) => w.request(id)!.level),
    [
      { replaySeats: 9, replicas: 3, quorum: 3 },
      { replaySeats: 9, replicas: 4, quorum: 4 },
      { replaySeats: 9, replicas: 6, quorum: 6 },
    ],
  );
  assert.is(
    w.call("alice.test", "request_execution", JSON.stringify({ source: { GitHub: { repo: "r", commit: "c" } } }), {
      depositYocto: BASE_FEE - 1n,
    }).panic,
    "InsufficientPayment",
  );
  assert.is(view(w, "get_network").levels.length, 3);
  const estimates = [0, 1, 2].map((n) =>
    view(w, "estimate_execution_cost", JSON.stringify({ resource_limits: {}, level: n })),
  );
  assert.equal(estimates, [BASE_FEE, 2n * BASE_FEE, 6n * BASE_FEE].map(String));
  assert.is(w.viewPanic("estimate_execution_cost", '{"level":3}'), "BadLevels");
});

test("a level that nobody can pay refuses nobody", () => {
  const most = { replaySeats: 144, quorum: 6, baseFeeYocto: 2n ** 128n - 1n };
  const w = world([LEVELS[0]!, most]);
  w.ask({}, NEAR);
  assert.is(level(w, 0).number, 1);
  const priced = JSON.stringify({ resource_limits: { max_execution_seconds: 1 }, level: 2 });
  assert.is(w.viewPanic("estimate_execution_cost", priced), "AmountOverflow");
});

test("limits count in the estimate of every level", () => {
  const w = world();
  const limits = { max_instructions: 10_000_000, max_execution_seconds: 0 };
  const fuel = 10n * 10n ** 14n;
  w.ask({ resource_limits: limits }, 2n * BASE_FEE + fuel - 1n);
  w.ask({ resource_limits: limits }, 2n * BASE_FEE + fuel);
  assert.equal([level(w, 0).number, level(w, 1).number], [0, 1]);
});

function answered(w: World, id: number, signers: number): void {
  w.advance(30);
  expectOk(w.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: id, seat: 0, leaseEpoch: 0 })));
  const names = (count: number) => NODES.slice(0, count);
  assert.is(
    w.call("bob.test", "resolve_execution", answerArgs(w, { requestId: id, signers: names(signers - 1) })).panic,
    "BelowQuorum",
  );
  expectOk(w.call("bob.test", "resolve_execution", answerArgs(w, { requestId: id, signers: names(signers) })));
}

test("the pinned level decides quorum, challenge blocks and charge, whatever the table says later", () => {
  const w = world();
  const fuel = 6n * 10n ** 14n;
  ask(w, 3n * BASE_FEE);
  ask(w, 7n * BASE_FEE);
  ask(w, BASE_FEE + fuel);
  expectOk(w.call("owner.test", "set_levels", setLevelsArgs([])));
  assert.is(level(w, 0).base_fee, String(2n * BASE_FEE));
  answered(w, 0, 4);
  // Nine nodes could have signed and four did: it waits.
  assert.is(view(w, "get_proposal", '{"request_id":0}').objector, null);
  w.advance(8);
  expectOk(w.call("bob.test", "finalize_execution", '{"request_id":0}'));
  assert.is(view(w, "get_stats")[1], String(2n * BASE_FEE + fuel));
  answered(w, 1, 6);
  assert.is(view(w, "get_stats")[1], String(8n * BASE_FEE + 2n * fuel));
  answered(w, 2, 3);
  assert.is(view(w, "get_stats")[1], String(9n * BASE_FEE + 3n * fuel));
  // Nothing stays of what was pinned.
  const left = [...w.chain.stateAt("optimistic").entries("data", "outlayer.test")].filter(([key]) =>
    key.startsWith("z"),
  );
  assert.is(left.length, 0);
});

test("nobody's work costs the network's base fee at every level", () => {
  const w = world();
  const before = w.balance("alice.test");
  const { hash } = ask(w, 9n * BASE_FEE);
  w.advance(220);
  const burnt = w
    .outcomes(hash)
    .reduce((sum, { tokensBurnt }) => sum + tokensBurnt, w.chain.transactions.transaction(hash)!.outcome.tokensBurnt);
  assert.is(before - w.balance("alice.test") - burnt, BASE_FEE);
  assert.is(view(w, "get_network").pending_count, 0);
});

test("a level that a small network cannot tell from a cheaper one is not charged", () => {
  const w = World.started([1, 1], { levels: [{ replaySeats: 36, quorum: 18, baseFeeYocto: 5n * BASE_FEE }] });
  ask(w, NEAR);
  assert.equal([level(w, 0).number, level(w, 0).quorum], [0, 2]);
});

test("gas that cannot settle a level's signers chooses a lower one instead of refusing", () => {
  const max = [{ replaySeats: 144, quorum: 72, baseFeeYocto: 2n * BASE_FEE }];
  const w = World.started(
    Array.from({ length: 18 }, () => 2),
    { levels: max, replaySeats: 9 },
  );
  const args = JSON.stringify({ source: { GitHub: { repo: "r", commit: "c" } }, resource_limits: {} });
  for (const tgas of [58, 300]) expectOk(w.call("alice.test", "request_execution", args, { depositYocto: NEAR, tgas }));
  assert.equal([level(w, 0).number, level(w, 1).number], [0, 1]);
});

test("tables that are wrong are refused, and the owner alone sets them", () => {
  const w = world([]);
  const good = LEVELS[0]!;
  const set = (levels: readonly LevelOptions[], who = "owner.test") =>
    w.call(who, "set_levels", setLevelsArgs(levels)).panic;
  assert.is(set([good], "alice.test"), "OwnerOnly");
  assert.is(set([good, good]), "BadLevels");
  assert.is(set([{ ...good, baseFeeYocto: 0n }]), "BadLevels");
  assert.is(set([{ ...good, quorum: 0 }]), "BadNetwork");
  assert.is(set([{ ...good, quorum: 145 }]), "BadNetwork");
  assert.is(set([{ ...good, replaySeats: 0 }]), "BadNetwork");
  assert.is(set([{ ...good, challengeBlocks: 101 }]), "BadNetwork");
  const nine = Array.from({ length: 9 }, (_, i) => ({ ...good, baseFeeYocto: BigInt(i + 1) }));
  assert.is(set(nine), "TooLong");
  assert.is(set(nine.slice(1)), undefined);
  assert.is(view(w, "get_network").levels.length, 9);
});

test.run();
