import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, initializeArgs, parseAmount, parseNetwork, parsePendingRecords } from "../../client/index.ts";
import { answerArgs, BASE_FEE, CHAIN_ID, expectOk, NEAR, World } from "./world.ts";

test("pending requests come in pages, in order, and settle out of them", () => {
  const world = World.started([1, 1, 1]);
  for (let i = 0; i < 7; i++) world.ask({ input_data: `request ${i}` });
  const ids = (args: string) => JSON.parse(world.view("get_pending_request_ids", args));
  assert.equal(ids("{}"), [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(ids('{"from_index":2,"limit":3}'), [2, 3, 4]);
  assert.equal(ids('{"from_index":7,"limit":3}'), []);
  assert.equal(ids('{"from_request_id":5}'), [5, 6]);
  assert.equal(ids('{"limit":0}'), []);

  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 3, seat: 0, leaseEpoch: 0 })));
  const records = parsePendingRecords(world.view("get_pending_records", '{"from_index":2,"limit":3}'));
  assert.equal(
    records.map(({ request }) => request.requestId),
    [2, 3, 4],
  );
  assert.equal(records[0]!.lease, undefined);
  assert.equal(records[1]!.lease, world.lease(3));
  assert.equal(records[1]!.request, world.request(3));
  assert.equal(records[1]!.proposal, undefined);
  assert.is(records[1]!.objected, false);
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world, { requestId: 3 })));
  assert.equal(ids("{}"), [0, 1, 2, 4, 5, 6]);
  assert.equal(ids('{"from_request_id":3,"limit":2}'), [4, 5]);
  world.advance(220);
  assert.equal(ids("{}"), []);
  assert.is(parseNetwork(world.view("get_network")).pendingCount, 0);
});

test("the index of pending requests stays right over many pages of ids", () => {
  const world = World.started([]);
  const args = JSON.stringify({ source: { GitHub: { repo: "r", commit: "c" } } });
  const batch = (count: number) =>
    world.schedule(
      Array.from({ length: count }, () => ({
        signer: "alice.test",
        method: "request_execution",
        args,
        depositYocto: BASE_FEE,
        tgas: 60,
        atHeight: world.height + 2,
      })),
    );
  batch(130);
  batch(130);
  world.advance(120);
  batch(40);
  const ids = (request = "{}") => JSON.parse(world.view("get_pending_request_ids", request));
  assert.equal(
    ids(),
    Array.from({ length: 300 }, (_, i) => i),
  );
  assert.equal(ids('{"from_index":254,"limit":4}'), [254, 255, 256, 257]);
  world.advance(90);
  // The first 260 have timed out, and with them the first page of the index.
  assert.equal(
    ids(),
    Array.from({ length: 40 }, (_, i) => 260 + i),
  );
  assert.equal(ids('{"from_index":38}'), [298, 299]);
  world.advance(200);
  assert.equal(ids(), []);
  batch(1);
  assert.equal(ids(), [300]);
});

test("a page of large records ends early instead of failing", () => {
  const world = World.started([], {}, 10_000n * NEAR);
  for (let i = 0; i < 4; i++) world.ask({ input_data: "x".repeat(1 << 20) });
  const seen: number[] = [];
  for (;;) {
    const from = seen.length === 0 ? 0 : seen.at(-1)! + 1;
    const page = parsePendingRecords(world.view("get_pending_records", `{"from_request_id":${from}}`));
    if (page.length === 0) break;
    assert.ok(page.length < 4);
    seen.push(...page.map(({ request }) => request.requestId));
  }
  assert.equal(seen, [0, 1, 2, 3]);
});

test("the surface's views have the surface's shapes", () => {
  const world = World.started([]);
  assert.is(world.view("get_stats"), '[0,"0"]');
  assert.is(
    world.view("get_pricing"),
    '["1000000000000000000000","100000000000000","100000000000000000","100000000000000000"]',
  );
  assert.is(world.view("get_max_limits"), "[500000000000,180,300]");
  assert.is(world.view("is_paused"), "false");
  assert.is(world.view("get_config"), '["owner.test","operator.test"]');
  assert.is(parseAmount(world.view("estimate_execution_cost")), BASE_FEE + 10n ** 17n + 6n * 10n ** 21n);
  assert.is(parseAmount(world.view("estimate_execution_cost", '{"resource_limits":{}}')), BASE_FEE);
  assert.is(parseAmount(world.view("get_earnings", '{"account_id":"n0.test"}')), 0n);
});

test("get_network tells every parameter; what new was not told is the default", () => {
  const world = new World();
  expectOk(world.call("owner.test", "new", initializeArgs("owner.test", undefined, { chainId: CHAIN_ID })));
  const { genesisHeight, height, ...rest } = parseNetwork(world.view("get_network"));
  assert.ok(genesisHeight > 0 && height >= genesisHeight);
  assert.equal(rest, {
    version: "0.3.0",
    chainId: CHAIN_ID,
    seatStakeYocto: 10n * NEAR,
    stakeEpochBlocks: 43_200,
    bootstrapBlocks: 43_200,
    leaseBlocks: 10,
    instructionsPerBlock: 1_000_000_000,
    replaySeats: 12,
    replicas: 3,
    quorum: 3,
    deadlineReserveBlocks: 10,
    stakeEpoch: 0,
    seatsPrevious: 0,
    seatsCurrent: 0,
    seatsNext: 0,
    nodeCount: 0,
    pendingCount: 0,
    nextRequestId: 0,
    liabilitiesYocto: 0n,
    levels: [{ number: 0, replaySeats: 12, replicas: 3, quorum: 3, challengeBlocks: 0, baseFeeYocto: BASE_FEE }],
  });
});

test("networks that could not work are refused", () => {
  const world = new World();
  const refused = (network: object) =>
    world.call("owner.test", "new", initializeArgs("owner.test", undefined, network)).panic;
  assert.is(refused({ seatStakeYocto: 0n }), "BadNetwork");
  assert.is(refused({ stakeEpochBlocks: 199 }), "BadNetwork");
  assert.is(refused({ leaseBlocks: 3 }), "BadNetwork");
  assert.is(refused({ instructionsPerBlock: 0n }), "BadNetwork");
  assert.is(refused({ replaySeats: 0 }), "BadNetwork");
  assert.is(refused({ quorum: 145 }), "BadNetwork");
  assert.is(refused({ quorum: 0 }), "BadNetwork");
  assert.is(refused({ deadlineReserveBlocks: 200 }), "BadNetwork");
  assert.is(world.call("owner.test", "new", '{"owner_id":"Owner"}').panic, "BadAccountId");
  assert.is(world.viewPanic("get_network", "{}"), "NotInitialized");
});

test("only the owner administers, and the operator's name gives no power", () => {
  const world = World.started([]);
  const changes: [string, string][] = [
    ["set_owner", '{"new_owner_id":"bob.test"}'],
    ["set_operator", '{"new_operator_id":"bob.test"}'],
    ["set_paused", '{"paused":true}'],
    ["set_pricing", '{"base_fee":"1","per_instruction_fee":"2","per_ms_fee":"3","per_compile_ms_fee":"4"}'],
  ];
  for (const [method, args] of changes) {
    assert.is(world.call("operator.test", method, args).panic, "OwnerOnly");
    assert.is(world.call("bob.test", method, args).panic, "OwnerOnly");
  }
  for (const [method, args] of [...changes].reverse()) expectOk(world.call("owner.test", method, args));
  assert.is(world.view("get_config"), '["bob.test","bob.test"]');
  assert.is(world.view("is_paused"), "true");
  assert.is(world.view("get_pricing"), '["1","2","3","4"]');
  expectOk(world.call("bob.test", "set_pricing", '{"base_fee":"5"}'));
  assert.is(world.view("get_pricing"), '["5","2","3","4"]');
});

test("money that does not fit 128 bits ends the call by name", () => {
  const world = World.started([]);
  const most = (2n ** 128n - 1n).toString();
  expectOk(world.call("owner.test", "set_pricing", JSON.stringify({ base_fee: most })));
  assert.is(world.viewPanic("estimate_execution_cost", "{}"), "AmountOverflow");
  const over = JSON.stringify({ base_fee: (2n ** 128n).toString() });
  assert.is(world.call("owner.test", "set_pricing", over).panic, "AmountOverflow");
  for (const amount of ["", "1.5", "-1", "0x1", "1e3", "9".repeat(40)]) {
    assert.is(world.call("owner.test", "set_pricing", JSON.stringify({ base_fee: amount })).panic, "BadAmount");
  }
  assert.is(world.call("owner.test", "set_pricing", '{"base_fee":5}').panic, "BadType");
});

test.run();
