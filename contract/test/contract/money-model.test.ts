/**
 * The contract's money against a model of a page: after every step the contract owes what the model says, and has it;
 * when nothing is on its way any more, all money is where it was, or burnt.
 */
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs } from "../../client/index.ts";
import { activateKeystore, buildArgs, REPOSITORY } from "./build-world.ts";
import { answerArgs, CODE, expectOk, NEAR, NODES, OUTLAYER, textResponse, World } from "./world.ts";

const MAX_U128 = 2n ** 128n - 1n;
const HOLDER_BPS = 6_000n;
const BUILDER_BPS = 1_500n;
const KEYSTORE_BPS = 700n;
/** Shares of the keystore's members, in their order. */
const KEYSTORE: readonly (readonly [string, number])[] = [
  ["n1.test", 1],
  ["n2.test", 4],
];
const MOST_PAID = 4n;
/** Of the one level above the lowest: three executions instead of two. */
const HIGHER_FEE = NEAR / 50n;

type Step =
  | {
      readonly kind: "ask";
      readonly payment: bigint;
      readonly payer: string;
      readonly built: boolean;
      readonly sealed: boolean;
    }
  | { readonly kind: "answer"; readonly success: boolean; readonly instructions: bigint }
  | { readonly kind: "wait" }
  | { readonly kind: "withdraw"; readonly account: string }
  | { readonly kind: "stake"; readonly node: string; readonly yocto: bigint }
  | { readonly kind: "exit"; readonly node: string }
  | { readonly kind: "price"; readonly baseFee: bigint; readonly perMillion: bigint };

const extremes = fc.constantFrom(0n, 1n, 10n ** 14n, 10n ** 21n, MAX_U128 - 1n, MAX_U128);
const node = fc.constantFrom(...NODES.slice(0, 3));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("ask" as const),
    payment: fc.constantFrom(0n, 1n, 10n ** 21n, NEAR / 10n, 7n * NEAR),
    payer: fc.constantFrom("alice.test", "nobody.test"),
    built: fc.boolean(),
    sealed: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("answer" as const),
    success: fc.boolean(),
    instructions: fc.constantFrom(0n, 1n, 999_999n, 10n ** 12n, 2n ** 64n - 1n),
  }),
  fc.record({ kind: fc.constant("wait" as const) }),
  fc.record({ kind: fc.constant("withdraw" as const), account: node }),
  fc.record({ kind: fc.constant("stake" as const), node, yocto: fc.constantFrom(0n, 1n, NEAR, 2n * NEAR) }),
  fc.record({ kind: fc.constant("exit" as const), node }),
  fc.record({ kind: fc.constant("price" as const), baseFee: extremes, perMillion: extremes }),
);

const least = (a: bigint, b: bigint) => (a < b ? a : b);

/** What the contract owes to whom, by the rules of the specification and nothing of the contract's code. */
class Model {
  readonly world = World.started([1, 1, 1], {
    leasePenaltyYocto: 0n,
    replicas: 2,
    levels: [{ replaySeats: 12, quorum: 3, baseFeeYocto: HIGHER_FEE }],
    builderShareBps: Number(BUILDER_BPS),
    keystoreShareBps: Number(KEYSTORE_BPS),
  });
  readonly stakes = new Map(NODES.slice(0, 3).map((name) => [name, NEAR]));
  readonly exited = new Set<string>();
  readonly earnings = new Map<string, bigint>();
  /** Each with the prices that it was made under. */
  readonly open = new Map<number, Extract<Step, { kind: "ask" }> & { baseFee: bigint; perMillion: bigint }>();
  /** Who signed the build of the one repository; nobody before it is built. */
  builders: readonly string[] = [];
  baseFee = 10n ** 21n;
  perMillion = 10n ** 14n;
  asked = 0;

  constructor() {
    expectOk(this.world.call("owner.test", "add_recipe", JSON.stringify({ recipe_id: "11".repeat(32) })));
    activateKeystore(this.world, KEYSTORE);
  }

  owed(): bigint {
    const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, amount) => total + amount, 0n);
    return sum(this.stakes.values()) + sum(this.earnings.values()) + sum([...this.open.values()].map((o) => o.payment));
  }

  earn(account: string, amount: bigint): void {
    if (amount > 0n) this.earnings.set(account, (this.earnings.get(account) ?? 0n) + amount);
  }

  #end(id: number, charged: bigint): void {
    const { payment, payer } = this.open.get(id)!;
    this.open.delete(id);
    if (payer === "nobody.test") this.earn(payer, payment - charged);
  }

  play(step: Step): void {
    const { world } = this;
    switch (step.kind) {
      case "ask": {
        // Absent limits are estimated at the base fee alone.
        const args = JSON.stringify({
          source: step.built ? REPOSITORY : CODE,
          resource_limits: {},
          payer_account_id: step.payer,
          secrets_ref: step.sealed ? { profile: "p", account_id: "alice.test" } : null,
        });
        const { panic } = world.call("alice.test", "request_execution", args, { depositYocto: step.payment });
        assert.is(panic, step.payment < this.baseFee ? "InsufficientPayment" : undefined);
        if (panic === undefined) {
          const { number } = JSON.parse(world.view("get_request", JSON.stringify({ request_id: this.asked }))).level;
          assert.is(number, step.payment >= HIGHER_FEE ? 1 : 0);
        }
        const { baseFee, perMillion } = this;
        if (panic === undefined) this.open.set(this.asked++, { ...step, baseFee, perMillion });
        break;
      }
      case "answer":
        this.#answer(step);
        break;
      case "wait": {
        world.advance(220);
        for (const [id, { payment, baseFee }] of [...this.open]) this.#end(id, least(baseFee, payment));
        break;
      }
      case "withdraw": {
        const { panic } = world.call(step.account, "withdraw_earnings");
        assert.is(panic, this.earnings.has(step.account) ? undefined : "NothingToWithdraw");
        this.earnings.delete(step.account);
        break;
      }
      case "stake": {
        const { panic } = world.call(step.node, "add_stake", "{}", { depositYocto: step.yocto });
        assert.is(panic, step.yocto === 0n ? "StakeTooSmall" : undefined);
        this.stakes.set(step.node, this.stakes.get(step.node)! + step.yocto);
        if (step.yocto > 0n) this.exited.delete(step.node);
        break;
      }
      case "exit": {
        const { panic } = world.call(step.node, "begin_exit");
        assert.is(panic, this.exited.has(step.node) ? "AlreadyExiting" : undefined);
        this.exited.add(step.node);
        break;
      }
      case "price": {
        const prices = { base_fee: step.baseFee.toString(), per_instruction_fee: step.perMillion.toString() };
        expectOk(world.call("owner.test", "set_pricing", JSON.stringify(prices)));
        this.baseFee = step.baseFee;
        this.perMillion = step.perMillion;
        break;
      }
    }
  }

  /** The oldest open request, by whoever may claim it; the two signers share the charge. */
  #answer(step: Extract<Step, { kind: "answer" }>): void {
    const { world } = this;
    const [id] = this.open.keys();
    if (id === undefined) return;
    world.advance(12);
    const request = world.request(id)!;
    const able = NODES.slice(0, 3).filter((name) => world.node(name)!.registeredHeight < request.height);
    const holder = able.find((name) => !world.node(name)!.draining);
    if (holder === undefined || able.length < request.level.quorum) return;
    const claimed = world.call(holder, "claim_lease", claimLeaseArgs({ requestId: id, seat: 0, leaseEpoch: 0 }));
    if (claimed.panic !== undefined) return;
    const response = { ...textResponse("x"), success: step.success, instructions: step.instructions };
    const signers = able.slice(0, Math.max(1, request.level.quorum));
    if (!signers.includes(holder)) signers[0] = holder;
    const { payment, built, sealed, baseFee, perMillion } = this.open.get(id)!;
    if (built && this.builders.length === 0) {
      // The deposit is for bytes: it is nobody's claim while the build is bound.
      const args = buildArgs(world, { requestId: id, signers });
      expectOk(world.call("bob.test", "bind_build", args, { depositYocto: NEAR }));
      this.builders = signers;
    }
    const resolved = world.call(
      "bob.test",
      "resolve_execution",
      answerArgs(world, { requestId: id, response, signers }),
    );
    assert.is(resolved.panic, undefined);
    const fuel = step.success ? (step.instructions / 1_000_000n) * perMillion : 0n;
    const charged = least((payment >= HIGHER_FEE ? HIGHER_FEE : baseFee) + fuel, payment);
    const keepers = KEYSTORE.flatMap(([name, shares]) => Array.from({ length: shares }, () => name));
    const left =
      charged -
      (built ? this.#payInTurns(this.builders, id, (charged * BUILDER_BPS) / 10_000n) : 0n) -
      (sealed ? this.#payInTurns(keepers, id, (charged * KEYSTORE_BPS) / 10_000n) : 0n);
    const others = BigInt(signers.length - 1);
    const share = others === 0n ? 0n : (left * (10_000n - HOLDER_BPS)) / 10_000n / others;
    for (const name of signers) this.earn(name, name === holder ? left - share * others : share);
    this.#end(id, charged);
  }

  /** At most four of them, who follow one another from request to request; the first gets what does not divide. */
  #payInTurns(names: readonly string[], id: number, amount: bigint): bigint {
    const count = least(MOST_PAID, BigInt(names.length));
    for (let i = 0n; i < count; i++) {
      const name = names[Number((BigInt(id) * count + i) % BigInt(names.length))]!;
      this.earn(name, i === 0n ? amount - (amount / count) * (count - 1n) : amount / count);
    }
    return amount;
  }

  check(): void {
    const { amount, storageUsage } = this.world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!;
    assert.is(BigInt(JSON.parse(this.world.view("get_network")).liabilities), this.owed());
    assert.ok(amount >= this.owed() + BigInt(storageUsage) * 10n ** 19n);
    for (const account of [...NODES.slice(0, 3), "nobody.test"]) {
      const seen = BigInt(JSON.parse(this.world.view("get_earnings", JSON.stringify({ account_id: account }))));
      assert.is(seen, this.earnings.get(account) ?? 0n, account);
    }
  }
}

test("the contract owes what the model says after every step, and no money is made or lost", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 12 }), (steps) => {
      const model = new Model();
      const total = model.world.totalYocto();
      for (const next of steps) {
        model.play(next);
        model.check();
      }
      model.play({ kind: "wait" });
      model.check();
      assert.is(model.world.totalYocto(), total);
    }),
    { numRuns: 40, seed: 20_261_123 },
  );
});

test("stablecoins of 2^128 − 1 are one too many for one more", () => {
  const world = World.started([]);
  expectOk(world.call("owner.test", "set_payment_token_contract", '{"token_contract":"bob.test"}'));
  const deposit = (amount: bigint) =>
    world.call(
      "bob.test",
      "ft_on_transfer",
      JSON.stringify({ sender_id: "alice.test", amount: amount.toString(), msg: '{"action":"deposit_balance"}' }),
    ).panic;
  assert.is(deposit(MAX_U128), undefined);
  assert.is(deposit(0n), undefined);
  assert.is(deposit(1n), "AmountOverflow");
  const balance = world.view("get_user_stablecoin_balance", '{"account_id":"alice.test"}');
  assert.is(balance, `"${MAX_U128}"`);
});

test.run();
