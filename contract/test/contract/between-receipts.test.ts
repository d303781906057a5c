/**
 * What comes while a promise of the contract is under way, or with too little gas for what follows, or too large to
 * come at all: each leaves money and state as they were, but for its own gas.
 */
import { InvalidTransactionError } from "@outlayer/contract/devchain";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, requestExecutionArgs } from "../../client/index.ts";
import { answerArgs, CODE, expectOk, LIMITS, NEAR, OUTLAYER, textResponse, World } from "./world.ts";

const view = (world: World, method: string, args: object = {}) => JSON.parse(world.view(method, JSON.stringify(args)));
const request = requestExecutionArgs({ source: CODE, resource_limits: LIMITS });

/** Two calls of one method in one block, the second before any promise of the first has run. */
function twice(world: World, signer: string, method: string, args = "{}") {
  const call = { signer, method, args, atHeight: world.height + 3 };
  return world.schedule([{ ...call }, { ...call }]).map(({ panic }) => panic);
}

test("stablecoins asked for twice, before the token has answered, are sent once and come back once", () => {
  const world = World.started([1, 1, 1]);
  const deposit = { sender_id: "bob.test", amount: "50", msg: '{"action":"deposit_balance"}' };
  // operator.test is no contract: what is sent to it fails, and is put back by the callback.
  expectOk(world.call("owner.test", "set_payment_token_contract", '{"token_contract":"operator.test"}'));
  expectOk(world.call("operator.test", "ft_on_transfer", JSON.stringify(deposit)));
  assert.equal(twice(world, "bob.test", "withdraw_stablecoin_balance"), [undefined, "NothingToWithdraw"]);
  assert.is(view(world, "get_user_stablecoin_balance", { account_id: "bob.test" }), "50");
});

test("earnings asked for twice in one block are paid once", () => {
  const world = World.started([1, 1, 1]);
  world.ask();
  world.advance(40);
  expectOk(world.call("n1.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world)));
  const total = world.totalYocto();
  const owed = BigInt(view(world, "get_network").liabilities);
  const earned = BigInt(view(world, "get_earnings", { account_id: "n1.test" }));
  assert.equal(twice(world, "n1.test", "withdraw_earnings"), [undefined, "NothingToWithdraw"]);
  assert.is(owed - BigInt(view(world, "get_network").liabilities), earned);
  assert.is(world.totalYocto(), total);
});

test("an answer, a cancellation and a claim that come while the callback is due find the request answered", () => {
  const world = World.started([1, 1, 1]);
  const total = world.totalYocto();
  const asked = world.ask();
  world.advance(40);
  expectOk(world.call("n1.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  const atHeight = world.height + 3;
  const answers = ["right", "late"].map((text) => ({
    ...{ signer: "bob.test", method: "resolve_execution", atHeight },
    args: answerArgs(world, { response: textResponse(text) }),
  }));
  const claim = claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 1 });
  const panics = world
    .schedule([
      ...answers,
      { signer: "n2.test", method: "claim_lease", args: claim, atHeight },
      { signer: "alice.test", method: "cancel_stale_execution", args: '{"request_id":0}', atHeight },
    ])
    .map(({ panic }) => panic ?? "done");
  assert.is(panics.filter((panic) => panic === "done").length, 1);
  assert.ok(panics.includes("AlreadyResolved") || panics.includes("YieldOver"), panics.join());
  assert.match(world.finalValue(asked.hash)!, /right|late/);
  assert.is(world.totalYocto(), total);
});

test("a call whose gas does not reach for the callback that it must keep gas for does nothing", () => {
  const world = World.started([1, 1, 1]);
  const before = { balance: world.balance(OUTLAYER), stats: world.view("get_stats"), total: world.totalYocto() };
  const { failure } = world.call("alice.test", "request_execution", request, { depositYocto: NEAR, tgas: 40 });
  assert.match(failure!, /[Ee]xceeded the prepaid gas|NotEnoughGas|GasLimit|GasExceeded/);
  assert.is(world.balance(OUTLAYER), before.balance);
  assert.is(world.view("get_stats"), before.stats);
  assert.is(world.totalYocto(), before.total);
});

test("arguments larger than a transaction never become one", () => {
  const world = World.started([1, 1, 1]);
  const before = world.balance("alice.test");
  for (const method of ["request_execution", "resolve_execution", "store_secrets"]) {
    try {
      world.call("alice.test", method, "x".repeat(3_000_000));
      assert.unreachable(method);
    } catch (error) {
      assert.instance(error, InvalidTransactionError);
      assert.match(JSON.stringify((error as InvalidTransactionError).error), /TransactionSizeExceeded/);
    }
  }
  assert.is(world.balance("alice.test"), before);
});

test.run();
