import { type Draw, drawAll, drawTicket, isEligible, leaseSeats } from "@outlayer/protocol/lease/sortition";
import { encode } from "@outlayer/protocol/wire/borsh";
import { leaseRecord } from "@outlayer/protocol/wire/records";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, renewLeaseArgs, requestExecutionArgs, stateKeys } from "../../client/index.ts";
import { type CallResult, eventsIn, expectOk, GITHUB, LIMITS, NEAR, NODES, OUTLAYER, World } from "./world.ts";

/** Everybody's best ticket for a lease epoch, best first, as peers compute it. */
function draws(world: World, leaseEpoch: number, requestId = 0): readonly Draw[] {
  const nodes = NODES.map((name) => world.node(name)).filter((node) => node !== undefined);
  return drawAll(OUTLAYER, world.request(requestId)!, { kind: "lease", leaseEpoch }, nodes);
}

function claim(world: World, draw: Draw, leaseEpoch: number, atHeight?: number, requestId = 0): CallResult {
  const args = claimLeaseArgs({ requestId, seat: draw.seat, leaseEpoch });
  return world.call(draw.accountId, "claim_lease", args, atHeight === undefined ? {} : { atHeight });
}

test("the best ticket may claim in the first block, and the record is the shared one", () => {
  const world = World.started([3, 2, 4, 1, 2]);
  world.ask();
  const [best] = draws(world, 0);
  const result = expectOk(claim(world, best!, 0));
  const lease = world.lease(0)!;
  assert.equal(encode(leaseRecord, lease), world.stored(stateKeys.lease(0)));
  const height = result.outcome.blockHeight;
  assert.equal(lease, {
    leaseEpoch: 0,
    holder: best!.accountId,
    seat: best!.seat,
    ticket: drawTicket(OUTLAYER, world.request(0)!.seed, { kind: "lease", leaseEpoch: 0 }, best!.accountId, best!.seat),
    claimedHeight: height,
    untilHeight: height + 10 + 1,
    former: [],
  });
  assert.equal(eventsIn(result.logs), [
    {
      event: "lease_claimed",
      data: {
        request_id: 0,
        lease_epoch: 0,
        holder: best!.accountId,
        seat: best!.seat,
        until_height: lease.untilHeight,
      },
      raw: result.logs[0]!,
    },
  ]);
  const view = JSON.parse(world.view("get_lease", '{"request_id":0}'));
  assert.is(view.ticket, lease.ticket.toString());
  assert.is(world.view("get_lease", '{"request_id":9}'), "null");
});

/** A request at height 20 and one claim `waited` blocks later, on a chain that is the same every time. */
function claimAfter(waited: number, draw: Draw | undefined): { world: World; result: CallResult | undefined } {
  const world = World.started([40, 40, 40, 40, 40]);
  const args = requestExecutionArgs({ source: GITHUB, resource_limits: LIMITS });
  const asked = { signer: "alice.test", method: "request_execution", args, depositYocto: NEAR, atHeight: 40 };
  if (!draw) {
    world.schedule([asked]);
    return { world, result: undefined };
  }
  const claimed = claimLeaseArgs({ requestId: 0, seat: draw.seat, leaseEpoch: 0 });
  const [, result] = world.schedule([
    asked,
    { signer: draw.accountId, method: "claim_lease", args: claimed, atHeight: 40 + waited },
  ]);
  return { world, result };
}

test("who may claim in which block is what the shared arithmetic says, block by block", () => {
  const { world } = claimAfter(0, undefined);
  const request = world.request(0)!;
  assert.is(request.height, 40);
  const nodes = NODES.slice(0, 5).map((name) => world.node(name)!);
  const role = { kind: "lease", leaseEpoch: 0 } as const;
  const all = nodes.flatMap((node) =>
    Array.from({ length: node.seatsNext }, (_, seat) => ({
      accountId: node.accountId,
      seat,
      ticket: drawTicket(OUTLAYER, request.seed, role, node.accountId, seat),
    })),
  );
  const ranked = all.sort((a, b) => (a.ticket < b.ticket ? -1 : 1));
  let granted = 0;
  for (const waited of [1, 2, 4, 5, 7, 8, 11, 14]) {
    const seats = leaseSeats(request.height, request.height + waited, request.seatsTotal);
    const count = ranked.filter((draw) => isEligible(draw.ticket, seats, request.seatsTotal)).length;
    // The boundary itself: the worst ticket that may claim, and the best that may not.
    if (count > 0) {
      const { result } = claimAfter(waited, ranked[count - 1]);
      assert.is(result!.outcome.blockHeight, request.height + waited);
      assert.is(result!.panic, undefined, `${waited} blocks, ticket ${count - 1}`);
      granted++;
    }
    if (count < ranked.length) {
      assert.is(claimAfter(waited, ranked[count]).result!.panic, "NotEligible", `${waited} blocks, ticket ${count}`);
    }
  }
  assert.ok(granted > 3);
});

test("a strictly better ticket displaces for one block, and no other", () => {
  const world = World.started([1, 1, 1, 1, 1]);
  world.ask();
  const ranked = draws(world, 0);
  const first = expectOk(claim(world, ranked[2]!, 0, world.request(0)!.height + 8)).outcome.blockHeight;
  assert.is(claim(world, ranked[3]!, 0).panic, "LeaseHeld");

  const other = World.started([1, 1, 1, 1, 1]);
  other.ask();
  expectOk(claim(other, ranked[2]!, 0, first));
  assert.is(claim(other, ranked[2]!, 0).panic, "AlreadyHolder");

  const third = World.started([1, 1, 1, 1, 1]);
  third.ask();
  const args = (draw: Draw) => claimLeaseArgs({ requestId: 0, seat: draw.seat, leaseEpoch: 0 });
  const at = { method: "claim_lease", atHeight: first };
  const inOneBlock = third.schedule([
    { ...at, signer: ranked[2]!.accountId, args: args(ranked[2]!) },
    { ...at, signer: ranked[3]!.accountId, args: args(ranked[3]!) },
    { ...at, signer: ranked[0]!.accountId, args: args(ranked[0]!), atHeight: first + 1 },
    { ...at, signer: ranked[1]!.accountId, args: args(ranked[1]!), atHeight: first + 1 },
  ]);
  assert.is(third.lease(0)!.holder, ranked[0]!.accountId);
  assert.is(third.lease(0)!.claimedHeight, first + 1);
  assert.is(third.lease(0)!.leaseEpoch, 0);
  assert.equal(third.lease(0)!.former, []);
  assert.is(inOneBlock[2]!.panic, undefined);
  for (const { panic } of inOneBlock) assert.ok(panic === undefined || panic === "TicketNotBetter");

  const fourth = World.started([1, 1, 1, 1, 1]);
  fourth.ask();
  const [held, worse] = fourth.schedule([
    { ...at, signer: ranked[0]!.accountId, args: args(ranked[0]!) },
    { ...at, signer: ranked[1]!.accountId, args: args(ranked[1]!), atHeight: first + 1 },
  ]);
  assert.equal([held!.panic, worse!.panic], [undefined, "TicketNotBetter"]);
});

test("a lease that ran out opens the next lease epoch, without its holder", () => {
  const world = World.started([1, 1, 1]);
  world.ask();
  const [holder] = draws(world, 0);
  expectOk(claim(world, holder!, 0));
  const { untilHeight } = world.lease(0)!;
  const next = draws(world, 1).filter((draw) => draw.accountId !== holder!.accountId);
  assert.is(claim(world, next[0]!, 1).panic, "WrongLeaseEpoch");
  assert.is(claim(world, next[0]!, 0, untilHeight).panic, "LeaseHeld");
  assert.is(claim(world, next[0]!, 0).panic, "WrongLeaseEpoch");
  const own = draws(world, 1).find((draw) => draw.accountId === holder!.accountId)!;
  assert.is(claim(world, own, 1).panic, "AlreadyHolder");
  const taken = expectOk(claim(world, next[0]!, 1));
  assert.equal(world.lease(0)!.former, [holder!.accountId]);
  assert.is(world.lease(0)!.leaseEpoch, 1);
  assert.is(world.lease(0)!.claimedHeight, taken.outcome.blockHeight);

  world.advanceTo(world.lease(0)!.untilHeight + 8);
  const back = draws(world, 2).find((draw) => draw.accountId === holder!.accountId)!;
  assert.is(claim(world, back, 2).panic, "FormerHolder");
});

test("a lease never outlives the deadline, and after it there is none", () => {
  const world = World.started([1, 1, 1]);
  world.ask({ resource_limits: { max_instructions: 500_000_000_000 } }, 10n ** 24n);
  const request = world.request(0)!;
  const [first, second] = draws(world, 0);
  expectOk(claim(world, first!, 0));
  assert.is(world.lease(0)!.untilHeight, request.deadlineHeight);
  assert.is(claim(world, second!, 1, request.deadlineHeight + 1).panic, "DeadlinePassed");

  const late = World.started([1, 1, 1]);
  late.ask();
  expectOk(claim(late, draws(late, 0)[0]!, 0, late.request(0)!.deadlineHeight));
  assert.is(late.lease(0)!.untilHeight, late.request(0)!.deadlineHeight);
});

test("claims that are nobody's to make are refused by name", () => {
  const world = World.started([2, 1, 1]);
  world.ask();
  const args = (seat: number, leaseEpoch = 0, requestId = 0) => claimLeaseArgs({ requestId, seat, leaseEpoch });
  assert.is(world.call("n0.test", "claim_lease", args(0, 0, 7)).panic, "NoSuchRequest");
  assert.is(world.call("alice.test", "claim_lease", args(0)).panic, "NotRegistered");
  assert.is(world.call("n0.test", "claim_lease", args(2)).panic, "NoSuchSeat");
  assert.is(world.call("n0.test", "claim_lease", args(0, 1)).panic, "WrongLeaseEpoch");
  assert.is(
    world.call("n0.test", "claim_lease", '{"request_id":0,"seat":4294967296,"lease_epoch":0}').panic,
    "TooLarge",
  );
  expectOk(world.call("n0.test", "set_node_status", '{"draining":true}'));
  assert.is(world.call("n0.test", "claim_lease", args(0)).panic, "Draining");
  expectOk(world.call("n0.test", "set_node_status", '{"draining":false}'));
  world.advance(8);
  expectOk(world.call("n0.test", "claim_lease", args(1)));
});

test("seats that came after the request's epoch do not claim it", () => {
  const world = World.started([1, 1], { bootstrapBlocks: 50, stakeEpochBlocks: 200 });
  world.advanceTo(120);
  expectOk(world.call("n2.test", "register_node", world.registration("n2.test"), { depositYocto: 10n ** 24n }));
  assert.equal([world.node("n2.test")!.seatsCurrent, world.node("n2.test")!.seatsNext], [0, 1]);
  world.ask();
  assert.is(world.request(0)!.seatsTotal, 2);
  world.advance(10);
  const args = (requestId: number) => claimLeaseArgs({ requestId, seat: 0, leaseEpoch: 0 });
  assert.is(world.call("n2.test", "claim_lease", args(0)).panic, "NoSuchSeat");
  const genesis = JSON.parse(world.view("get_network")).genesis_height;
  world.advanceTo(genesis + 200);
  world.ask();
  assert.is(world.request(1)!.stakeEpoch, 1);
  assert.is(world.request(1)!.seatsTotal, 3);
  world.advance(10);
  expectOk(world.call("n2.test", "claim_lease", args(1)));
});

test("a lease is renewed once, by its holder, while it lasts", () => {
  const world = World.started([1, 1, 1]);
  world.ask();
  const [holder, other] = draws(world, 0);
  const renew = (who: string, leaseEpoch = 0, atHeight?: number) =>
    world.call(who, "renew_lease", renewLeaseArgs({ requestId: 0, leaseEpoch }), atHeight ? { atHeight } : {});
  assert.is(renew(holder!.accountId).panic, "NoLease");
  expectOk(claim(world, holder!, 0));
  const { untilHeight } = world.lease(0)!;
  assert.is(renew(other!.accountId).panic, "NotTheHolder");
  assert.is(renew(holder!.accountId, 1).panic, "WrongLeaseEpoch");
  const { logs } = expectOk(renew(holder!.accountId, 0, untilHeight));
  assert.is(world.lease(0)!.untilHeight, untilHeight + 11);
  assert.is(eventsIn(logs)[0]!.event, "lease_renewed");
  assert.is(renew(holder!.accountId).panic, "AlreadyRenewed");

  const late = World.started([1, 1, 1]);
  late.ask();
  expectOk(claim(late, draws(late, 0)[0]!, 0));
  const over = late.lease(0)!.untilHeight + 1;
  const args = renewLeaseArgs({ requestId: 0, leaseEpoch: 0 });
  assert.is(late.call(late.lease(0)!.holder, "renew_lease", args, { atHeight: over }).panic, "LeaseOver");

  const long = World.started([1, 1, 1]);
  long.ask({ resource_limits: { max_instructions: 500_000_000_000 } }, 10n ** 24n);
  expectOk(claim(long, draws(long, 0)[0]!, 0));
  assert.is(long.call(long.lease(0)!.holder, "renew_lease", args).panic, "AlreadyRenewed");
});

test("a lease that runs out costs its holder, at the takeover or at the end, and never more than its stake", () => {
  const penalty = NEAR / 100n;
  const world = World.started([1, 1, 1], { leasePenaltyYocto: penalty });
  const total = world.totalYocto();
  world.ask();
  const [holder] = draws(world, 0);
  expectOk(claim(world, holder!, 0));
  world.advanceTo(world.lease(0)!.untilHeight + 20);
  const next = draws(world, 1).find((draw) => draw.accountId !== holder!.accountId)!;
  const taken = expectOk(claim(world, next, 1));
  assert.is(world.node(holder!.accountId)!.stakeYocto, NEAR - penalty);
  assert.equal(eventsIn(taken.logs)[0]!.data, {
    request_id: 0,
    account_id: holder!.accountId,
    amount: penalty.toString(),
  });
  world.advance(220);
  assert.is(world.node(next.accountId)!.stakeYocto, NEAR - penalty);
  assert.is(BigInt(JSON.parse(world.view("get_network")).liabilities), 3n * NEAR - 2n * penalty);
  assert.is(world.totalYocto(), total);

  const poor = World.started([1, 1], { leasePenaltyYocto: 5n * NEAR });
  poor.ask();
  expectOk(claim(poor, draws(poor, 0)[0]!, 0));
  poor.advance(230);
  assert.is(NODES.filter((name) => poor.node(name)?.stakeYocto === 0n).length, 1);
});

test.run();
