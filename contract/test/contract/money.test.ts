import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs } from "../../client/index.ts";
import { answerArgs, BASE_FEE, eventsIn, expectOk, NEAR, NODES, OUTLAYER, World } from "./world.ts";

const PAYMENT = NEAR / 10n;
const CHARGED = BASE_FEE + 6n * 10n ** 14n;

function earnings(world: World, account: string): bigint {
  return BigInt(JSON.parse(world.view("get_earnings", JSON.stringify({ account_id: account }))));
}

const liabilities = (world: World) => BigInt(JSON.parse(world.view("get_network")).liabilities);

test("a refund to an account that does not exist waits for its name, and is nobody else's", () => {
  const world = World.started([1, 1, 1]);
  const total = world.totalYocto();
  const asked = world.ask({ payer_account_id: "nobody.test" }, PAYMENT);
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world)));
  assert.is(world.finalValue(asked.hash), '"hello"');
  assert.is(earnings(world, "nobody.test"), PAYMENT - CHARGED);
  assert.is(liabilities(world), 3n * NEAR + PAYMENT);
  assert.is(world.totalYocto(), total);
  const bounced = world.outcomes(asked.hash).flatMap(({ logs }) => eventsIn(logs));
  assert.equal(bounced.at(-1)!.data, { account_id: "nobody.test", amount: (PAYMENT - CHARGED).toString() });
  assert.is(bounced.at(-1)!.event, "refund_bounced");
});

test("a timeout's refund to a missing account is kept too, and one that arrives is not", () => {
  const world = World.started([1, 1, 1]);
  world.ask({ payer_account_id: "nobody.test" }, PAYMENT);
  world.ask({ payer_account_id: "bob.test" }, PAYMENT);
  const before = world.balance("bob.test");
  world.advance(220);
  assert.is(earnings(world, "nobody.test"), PAYMENT - BASE_FEE);
  assert.is(earnings(world, "bob.test"), 0n);
  assert.is(world.balance("bob.test") - before, PAYMENT - BASE_FEE);
  assert.is(liabilities(world), 3n * NEAR + PAYMENT - BASE_FEE);
});

test("nobody but the contract says that a refund bounced", () => {
  const world = World.started([1]);
  const args = JSON.stringify({ account_id: "alice.test", amount: "1" });
  assert.is(world.call("alice.test", "on_refund", args).panic, "Private");
});

test("what is withdrawn is what was earned, once, and the contract keeps nothing of it", () => {
  const world = World.started([1, 1, 1], { holderShareBps: 5_000 });
  world.ask({}, PAYMENT);
  world.advance(40);
  expectOk(world.call("n1.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world)));
  const share = (CHARGED * 5_000n) / 10_000n / 2n;
  assert.is(earnings(world, "n1.test"), CHARGED - 2n * share);
  const freeBefore = world.balance(OUTLAYER) - liabilities(world);
  for (const name of NODES.slice(0, 3)) expectOk(world.call(name, "withdraw_earnings"));
  assert.is(liabilities(world), 3n * NEAR);
  // Bytes that were locked for earnings are free again, and calls leave nothing behind.
  assert.is(world.balance(OUTLAYER) - liabilities(world), freeBefore);
});

test.run();
