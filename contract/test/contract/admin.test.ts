import { bool, encode, height, option, struct, text, u8, u16, u32, u64, u128 } from "@outlayer/protocol/wire/borsh";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, parseNetwork } from "../../client/index.ts";
import {
  answerArgs,
  BASE_FEE,
  type CallOptions,
  CHAIN_ID,
  eventsIn,
  expectOk,
  NEAR,
  OUTLAYER,
  outlayerWasm,
  World,
} from "./world.ts";

const call = (world: World, who: string, method: string, args: object, options: CallOptions = {}) =>
  world.call(who, method, JSON.stringify(args), options);
const view = (world: World, method: string, args: object = {}) => JSON.parse(world.view(method, JSON.stringify(args)));

test("under a timelock an owner's call announces, and the same call does it when the lock is over", () => {
  const world = World.started([1], { timelockBlocks: 50 });
  const pricing = { base_fee: "7" };
  const announced = expectOk(call(world, "owner.test", "set_pricing", pricing));
  const [event] = eventsIn(announced.logs);
  assert.is(event!.event, "owner_action_announced");
  assert.equal([event!.data.method, event!.data.from_height], ["set_pricing", announced.outcome.blockHeight + 50]);
  assert.not.equal(view(world, "get_pricing")[0], "7");
  assert.is(call(world, "owner.test", "set_pricing", pricing).panic, "TimeLocked");
  assert.is(call(world, "alice.test", "set_pricing", pricing).panic, "OwnerOnly");
  world.advance(50);
  // Other arguments are another action, and begin its own wait in place of the first.
  expectOk(call(world, "owner.test", "set_pricing", { base_fee: "8" }));
  assert.not.equal(view(world, "get_pricing")[0], "8");
  assert.is(call(world, "owner.test", "set_pricing", { base_fee: "8" }).panic, "TimeLocked");
  world.advance(50);
  expectOk(call(world, "owner.test", "set_pricing", { base_fee: "8" }));
  assert.is(view(world, "get_pricing")[0], "8");
  // Done once: the next time is a new announcement.
  expectOk(call(world, "owner.test", "set_owner", { new_owner_id: "bob.test" }));
  assert.equal(view(world, "get_config")[0], "owner.test");
  // A pause is for at once.
  expectOk(call(world, "owner.test", "set_paused", { paused: true }));
  assert.is(view(world, "is_paused"), true);
});

test("an announcement holds for a while, and the owner can take it back", () => {
  const world = World.started([1], { timelockBlocks: 50 });
  const setOwner = () => call(world, "owner.test", "set_owner", { new_owner_id: "bob.test" });
  const cancel = (who: string, method = "set_owner") => call(world, who, "cancel_announcement", { method });
  const owner = () => view(world, "get_config")[0];
  assert.is(cancel("owner.test").panic, "NothingAnnounced");
  const { from_height, until_height } = eventsIn(expectOk(setOwner()).logs)[0]!.data;
  assert.is(Number(until_height), Number(from_height) + 43_200);
  assert.is(cancel("alice.test").panic, "OwnerOnly");
  assert.is(cancel("owner.test", "set_pricing").panic, "NothingAnnounced");
  const [event] = eventsIn(expectOk(cancel("owner.test")).logs);
  assert.equal([event!.event, event!.data.method], ["owner_action_cancelled", "set_owner"]);
  world.advanceTo(Number(from_height));
  // Not done, but announced again; and what nobody does in its time is announced once more.
  const again = eventsIn(expectOk(setOwner()).logs)[0]!;
  assert.is(again.event, "owner_action_announced");
  world.chain.fastForward(Number(again.data.until_height) - world.height);
  assert.is(eventsIn(expectOk(setOwner()).logs)[0]!.event, "owner_action_announced");
  assert.is(owner(), "owner.test");
  const last = Number(world.height) + 50;
  world.advanceTo(last);
  expectOk(setOwner());
  assert.is(owner(), "bob.test");
});

test("an announcement can be acted on until its last block", () => {
  const world = World.started([1], { timelockBlocks: 50 });
  const args = JSON.stringify({ new_owner_id: "bob.test" });
  const { until_height } = eventsIn(expectOk(world.call("owner.test", "set_owner", args)).logs)[0]!.data;
  world.chain.fastForward(Number(until_height) - 2 - world.height);
  expectOk(world.call("owner.test", "set_owner", args, { atHeight: Number(until_height) }));
  assert.is(view(world, "get_config")[0], "bob.test");
});

test("without a timelock the owner's calls take effect at once", () => {
  const world = World.started([1]);
  expectOk(call(world, "owner.test", "set_event_metadata", { standard: "my-outlayer", version: "2.0.0" }));
  assert.equal(view(world, "get_event_metadata"), ["my-outlayer", "2.0.0"]);
  const { logs } = world.ask();
  assert.ok(
    logs[0]!.startsWith('EVENT_JSON:{"standard":"my-outlayer","version":"2.0.0","event":"execution_requested"'),
  );
  expectOk(call(world, "owner.test", "set_payment_token_contract", { token_contract: "ft.test" }));
  assert.is(view(world, "get_payment_token_contract"), "ft.test");
  expectOk(call(world, "owner.test", "set_payment_token_contract", { token_contract: null }));
  assert.is(view(world, "get_payment_token_contract"), null);
  expectOk(call(world, "owner.test", "set_owner", { new_owner_id: "bob.test" }));
  assert.is(call(world, "owner.test", "set_operator", { new_operator_id: "owner.test" }).panic, "OwnerOnly");
  expectOk(call(world, "bob.test", "set_operator", { new_operator_id: "alice.test" }));
  assert.equal(view(world, "get_config"), ["bob.test", "alice.test"]);
});

test("new prices hold for new requests: what is open is charged by those that it was made under", () => {
  const world = World.started([1, 1, 1]);
  const total = world.totalYocto();
  const kept = () => world.stored(new TextEncoder().encode("h")) !== undefined;
  const price = (base_fee: bigint, per_instruction_fee?: bigint) =>
    call(world, "owner.test", "set_pricing", {
      base_fee: String(base_fee),
      ...(per_instruction_fee === undefined ? {} : { per_instruction_fee: String(per_instruction_fee) }),
    });
  expectOk(price(BASE_FEE));
  assert.is(kept(), false);
  // Two ends of requests before each change: answered, and timed out.
  const asked = [world.ask(), world.ask()];
  expectOk(price(2n * BASE_FEE, NEAR));
  expectOk(price(3n * BASE_FEE, 10n ** 14n));
  asked.push(world.ask(), world.ask());
  expectOk(price(NEAR, NEAR));
  world.advance(40);
  for (const requestId of [0, 2]) {
    expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId, seat: 0, leaseEpoch: 0 })));
    expectOk(world.call("bob.test", "resolve_execution", answerArgs(world, { requestId })));
  }
  world.advance(220);
  const charged = asked.map(({ hash }) => {
    const events = eventsIn(world.outcomes(hash).flatMap(({ logs }) => logs));
    return BigInt(String(events.find(({ event }) => event === "execution_completed")!.data.payment_charged));
  });
  const fuel = 6n * 10n ** 14n;
  assert.equal(charged, [BASE_FEE + fuel, BASE_FEE, 3n * BASE_FEE + fuel, 3n * BASE_FEE]);
  assert.is(kept(), true);
  assert.is(world.totalYocto(), total);

  // A price is kept for its last request and no longer, and no more of them than fit.
  expectOk(price(BASE_FEE, 10n ** 14n));
  assert.is(kept(), false);
  for (let i = 0n; i < 8n; i++) {
    world.ask();
    expectOk(price(BASE_FEE + i));
  }
  world.ask();
  assert.is(price(BASE_FEE).panic, "TooManyPrices");
  expectOk(call(world, "owner.test", "set_pricing", { per_ms_fee: "1" }));
  expectOk(call(world, "owner.test", "emergency_cancel_execution", { request_id: 5 }));
  expectOk(price(BASE_FEE));
});

test("an emergency cancel gives the whole payment back, and the yield's own end finds nothing to do", () => {
  const world = World.started([1]);
  const total = world.totalYocto();
  const asked = world.ask({ payer_account_id: "bob.test" });
  const before = world.balance("bob.test");
  assert.is(call(world, "alice.test", "emergency_cancel_execution", { request_id: 0 }).panic, "OwnerOnly");
  expectOk(call(world, "owner.test", "emergency_cancel_execution", { request_id: 0 }));
  assert.is(world.balance("bob.test") - before, NEAR / 10n);
  assert.is(call(world, "owner.test", "emergency_cancel_execution", { request_id: 0 }).panic, "NoSuchRequest");
  world.advance(220);
  assert.is(world.finalValue(asked.hash), "null");
  assert.is(world.totalYocto(), total);
  assert.is(view(world, "get_stats")[0], 1);
});

test("clearing leaves requests alone that may still be answered", () => {
  const world = World.started([1]);
  world.ask();
  assert.is(call(world, "alice.test", "clear_all_pending_requests", {}).panic, "OwnerOnly");
  const { hash } = expectOk(call(world, "owner.test", "clear_all_pending_requests", { limit: 5 }));
  assert.is(world.finalValue(hash), "0");
  assert.equal(view(world, "get_pending_request_ids"), [0]);
});

test("methods that have no place here say so", () => {
  const world = World.started([]);
  for (const method of ["store_wallet_policy", "set_subscription_plans", "cancel_pending_requests"]) {
    assert.is(call(world, "owner.test", method, {}).panic, "Refused");
  }
  assert.equal(view(world, "get_subscription_plans"), []);
});

const u8s = (...bytes: number[]) => bytes;
const name = (value: string) => u8s(value.length, ...Buffer.from(value));
const section = (id: number, ...bytes: number[]) => u8s(id, bytes.length, ...bytes);
const I64 = 0x7e;
const i64 = (value: number) => u8s(0x42, value);
const imported = (method: string, type: number) => u8s(...name("env"), ...name(method), 0, type);

/** `put`: writes its input under `STATE`. What an older contract left behind is put there with it. */
const WRITER = Uint8Array.from([
  ...u8s(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
  ...section(
    1,
    5,
    0x60,
    1,
    I64,
    0,
    0x60,
    2,
    I64,
    I64,
    0,
    0x60,
    1,
    I64,
    1,
    I64,
    0x60,
    5,
    I64,
    I64,
    I64,
    I64,
    I64,
    1,
    I64,
    0x60,
    0,
    0,
  ),
  ...section(
    2,
    4,
    ...imported("input", 0),
    ...imported("read_register", 1),
    ...imported("register_len", 2),
    ...imported("storage_write", 3),
  ),
  ...section(3, 1, 4),
  ...section(5, 1, 0, 1),
  ...section(7, 1, ...name("put"), 0, 4),
  ...((body) => section(10, 1, body.length + 1, 0, ...body))([
    ...u8s(...i64(0), 0x10, 0, ...i64(0), ...i64(32), 0x10, 1),
    ...u8s(...i64(5), ...i64(0), ...i64(0), 0x10, 2, ...i64(32), ...i64(1), 0x10, 3, 0x1a, 0x0b),
  ]),
  ...section(11, 1, 0, 0x41, 0, 0x0b, ...name("STATE")),
]);

const layout1Fields = {
  version: u8,
  owner: text(64),
  operator: text(64),
  paused: bool,
  baseFee: u128,
  perMillion: u128,
  perMs: u128,
  perCompileMs: u128,
  chainId: text(64),
  seatStake: u128,
  genesisHeight: height,
  stakeEpochBlocks: u64,
  bootstrapBlocks: u64,
  leaseBlocks: u32,
  instructionsPerBlock: u64,
  replaySeats: u32,
  replicas: u16,
  quorum: u16,
  reserve: u32,
  nextRequestId: u64,
  pending: u64,
  firstPage: u64,
  seatsEpoch: u64,
  seatsPrevious: u32,
  seatsCurrent: u32,
  seatsNext: u32,
  nodeCount: u32,
  executions: u64,
  charged: u128,
  liabilities: u128,
};
const layout1 = struct(layout1Fields);
const layout2 = struct({
  ...layout1Fields,
  nodesCurrent: u32,
  nodesNext: u32,
  holderShareBps: u16,
  challengeBlocks: u16,
  leasePenalty: u128,
  objectionBond: u128,
  timelock: u64,
  standard: text(64),
  eventVersion: text(64),
  paymentToken: option(text(64)),
  nextProject: u64,
  pricedProjects: u32,
  keystoreEpoch: u64,
});
/** A state of layout 1. */
const OLD = {
  version: 1,
  owner: "owner.test",
  operator: "operator.test",
  paused: false,
  baseFee: 9n,
  perMillion: 8n,
  perMs: 7n,
  perCompileMs: 6n,
  chainId: CHAIN_ID,
  seatStake: NEAR,
  genesisHeight: 1,
  stakeEpochBlocks: 43_200n,
  bootstrapBlocks: 43_200n,
  leaseBlocks: 10,
  instructionsPerBlock: 5n,
  replaySeats: 12,
  replicas: 3,
  quorum: 3,
  reserve: 10,
  nextRequestId: 77n,
  pending: 0n,
  firstPage: 0n,
  seatsEpoch: 0n,
  seatsPrevious: 0,
  seatsCurrent: 4,
  seatsNext: 4,
  nodeCount: 2,
  executions: 76n,
  charged: 5n,
  liabilities: 3n,
};

test("a state of the first layout is brought up to this one, by the contract's own account alone", () => {
  const world = new World(1_000n * NEAR, WRITER);
  expectOk(world.call("alice.test", "put", encode(layout1, OLD)));
  world.deploy(OUTLAYER, outlayerWasm);
  assert.is(world.viewPanic("get_network", "{}"), "OldState");
  assert.is(world.call("owner.test", "migrate").panic, "Private");
  expectOk(world.call(OUTLAYER, "migrate"));
  const network = parseNetwork(world.view("get_network"));
  assert.equal(
    [network.nextRequestId, network.seatsCurrent, network.nodeCount, network.liabilitiesYocto, network.chainId],
    [77, 4, 2, 3n, CHAIN_ID],
  );
  assert.equal([view(world, "get_network").nodes_current, view(world, "get_network").holder_share_bps], [2, 6_000]);
  assert.equal(view(world, "get_event_metadata"), ["near-outlayer", "1.0.0"]);
  // Once more changes nothing.
  const before = world.stored(new TextEncoder().encode("STATE"));
  expectOk(world.call(OUTLAYER, "migrate"));
  assert.equal(world.stored(new TextEncoder().encode("STATE")), before);
});

test("a state of the second layout keeps all that it says, and knows its own name", () => {
  const world = new World(1_000n * NEAR, WRITER);
  const old = encode(layout2, {
    ...OLD,
    version: 2,
    nodesCurrent: 2,
    nodesNext: 2,
    holderShareBps: 5_000,
    challengeBlocks: 4,
    leasePenalty: 11n,
    objectionBond: 12n,
    timelock: 13n,
    standard: "s",
    eventVersion: "v",
    paymentToken: "bob.test",
    nextProject: 14n,
    pricedProjects: 0,
    keystoreEpoch: 15n,
  });
  expectOk(world.call("alice.test", "put", old));
  world.deploy(OUTLAYER, outlayerWasm);
  assert.is(world.viewPanic("get_network", "{}"), "OldState");
  expectOk(world.call(OUTLAYER, "migrate"));
  const network = view(world, "get_network");
  assert.equal(
    [network.holder_share_bps, network.challenge_blocks, network.lease_penalty, network.timelock_blocks],
    [5_000, 4, "11", 13],
  );
  assert.is(network.levels.length, 1);
  assert.is(view(world, "get_payment_token_contract"), "bob.test");
  // What it owes of the token is not known, so it keeps that token.
  const unset = () => call(world, "owner.test", "set_payment_token_contract", { token_contract: null });
  expectOk(unset());
  world.advance(13);
  assert.is(unset().panic, "StablecoinsOwed");
  const stored = Buffer.from(world.stored(new TextEncoder().encode("STATE"))!);
  assert.is(stored[0], 4);
  assert.ok(stored.includes(OUTLAYER));
});

test("an upgrade brings code and migration in one receipt, and one that cannot start changes nothing", () => {
  const world = World.started([1], { timelockBlocks: 10 });
  assert.is(world.call("alice.test", "upgrade", outlayerWasm).panic, "OwnerOnly");
  expectOk(world.call("owner.test", "upgrade", outlayerWasm));
  assert.is(world.call("owner.test", "upgrade", outlayerWasm).panic, "TimeLocked");
  world.advance(10);
  const { hash } = expectOk(world.call("owner.test", "upgrade", outlayerWasm));
  assert.ok(!world.finalValue(hash)?.startsWith("failed"));
  const broken = World.started([1]);
  // The writer has no `migrate`.
  const failed = expectOk(broken.call("owner.test", "upgrade", WRITER));
  assert.ok(broken.finalValue(failed.hash)?.startsWith("failed"));
  assert.is(view(broken, "get_network").node_count, 1);
});

test.run();
