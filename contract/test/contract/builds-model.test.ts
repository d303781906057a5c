/** What is bound for a source, against a model of the rules in the specification: who may replace what, and whose deposit is where. */
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs } from "../../client/index.ts";
import { buildArgs, REPOSITORY } from "./build-world.ts";
import { answerArgs, BASE_FEE, expectOk, NEAR, NODES, OUTLAYER, World } from "./world.ts";

const hash = (byte: number) => new Uint8Array(32).fill(byte);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const RECIPES = [hash(0x11), hash(0x22)] as const;
const CODES = [hash(0xaa), hash(0xbb)] as const;
const HIGHER = { replaySeats: 144, quorum: 5, baseFeeYocto: 10n * BASE_FEE };
const SEATS = Array.from({ length: 8 }, () => 1);

type Step =
  | { readonly kind: "ask"; readonly isHigher: boolean }
  | { readonly kind: "list" | "retire"; readonly recipe: 0 | 1 }
  | {
      readonly kind: "bind";
      readonly recipe: 0 | 1;
      readonly code: 0 | 1;
      readonly signers: number;
      readonly payer: string;
      readonly deposit: bigint;
    }
  | { readonly kind: "answer"; readonly code: 0 | 1 }
  | { readonly kind: "wait" };

const either = fc.constantFrom<0 | 1>(0, 1);
const bind = fc.record({
  kind: fc.constant("bind" as const),
  recipe: either,
  code: either,
  signers: fc.constantFrom(2, 3, 5, 5),
  payer: fc.constantFrom("alice.test", "bob.test"),
  deposit: fc.constantFrom(0n, NEAR, NEAR, NEAR),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("ask" as const), isHigher: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("list" as const, "retire" as const), recipe: either }) },
  { weight: 5, arbitrary: bind },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("answer" as const), code: either }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const) }) },
);

interface Bound {
  readonly recipe: 0 | 1;
  readonly code: 0 | 1;
  readonly quorum: number;
  readonly payer: string;
}

class Model {
  readonly world = World.started(SEATS, { replaySeats: 144, levels: [HIGHER] });
  readonly listed = new Set<0 | 1>();
  readonly returned = new Map<string, bigint>();
  readonly open: { readonly id: number; readonly quorum: number }[] = [];
  bound: Bound | undefined;
  asked = 0;
  /** How often anything was bound, and refused. */
  static readonly seen = { bound: 0, refused: 0, answered: 0 };

  play(step: Step): void {
    const { world } = this;
    switch (step.kind) {
      case "ask": {
        const id = this.asked++;
        world.ask({ source: REPOSITORY, resource_limits: {} }, step.isHigher ? 10n * BASE_FEE : BASE_FEE);
        world.advance(24);
        expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: id, seat: 0, leaseEpoch: 0 })));
        this.open.push({ id, quorum: step.isHigher ? 5 : 3 });
        break;
      }
      case "list":
      case "retire": {
        const isListed = this.listed.has(step.recipe);
        const args = JSON.stringify({ recipe_id: hex(RECIPES[step.recipe]) });
        const { panic } = world.call("owner.test", step.kind === "list" ? "add_recipe" : "retire_recipe", args);
        if (step.kind === "list") assert.is(panic, isListed ? "RecipeExists" : undefined);
        else assert.is(panic, isListed ? undefined : "NoSuchRecipe");
        if (step.kind === "list") this.listed.add(step.recipe);
        else this.listed.delete(step.recipe);
        break;
      }
      case "bind":
        this.#bind(step);
        break;
      case "answer":
        this.#answer(step.code);
        break;
      case "wait":
        world.advance(220);
        this.open.length = 0;
    }
    // A lease of n0 lasts as long as its request at most; those that are over are nobody's business here.
    while (this.open.length > 0 && world.height + 20 > world.request(this.open[0]!.id)!.deadlineHeight)
      this.open.shift();
  }

  #bind(step: Extract<Step, { kind: "bind" }>): void {
    const request = this.open.at(-1);
    if (request === undefined) return;
    const { recipe, code, payer } = step;
    const args = buildArgs(this.world, {
      requestId: request.id,
      recipeId: RECIPES[recipe],
      codeHash: CODES[code],
      signers: NODES.slice(0, step.signers),
    });
    const { panic } = this.world.call(payer, "bind_build", args, { depositYocto: step.deposit });
    const before = this.bound;
    const isKept = before !== undefined && before.quorum >= request.quorum && this.listed.has(before.recipe);
    if (!this.listed.has(recipe)) assert.is(panic, "NoSuchRecipe");
    else if (step.signers < request.quorum) assert.is(panic, "BelowQuorum");
    else if (isKept) assert.is(panic, "AlreadyBound");
    else if (step.deposit === 0n) assert.is(panic, "InsufficientDeposit");
    else {
      assert.is(panic, undefined);
      if (before) this.returned.set(before.payer, (this.returned.get(before.payer) ?? 0n) + this.deposit);
      this.bound = { recipe, code, quorum: request.quorum, payer };
      this.deposit = this.#depositOf(step.signers, payer);
      Model.seen.bound++;
    }
    if (panic !== undefined) Model.seen.refused++;
  }

  deposit = 0n;
  /** Key, 40 bytes of the protocol, and the record, field by field. */
  #depositOf(signers: number, payer: string): bigint {
    const names = NODES.slice(0, signers).reduce((sum, name) => sum + 4 + name.length, 0);
    const record = 1 + 3 * 32 + 8 + 2 + 8 + (4 + payer.length) + 16 + 4 + names;
    return BigInt(33 + 40 + record) * 10n ** 19n;
  }

  #answer(code: 0 | 1): void {
    const request = this.open.at(-1);
    if (request === undefined) return;
    const signers = NODES.slice(0, request.quorum);
    const args = answerArgs(this.world, { requestId: request.id, codeHash: CODES[code], signers });
    const { panic } = this.world.call("bob.test", "resolve_execution", args);
    const counts = this.bound !== undefined && this.bound.quorum >= request.quorum;
    assert.is(panic, !counts ? "NotBuilt" : this.bound!.code === code ? undefined : "WrongCode");
    if (panic === undefined) {
      this.open.pop();
      Model.seen.answered++;
    }
  }

  check(): void {
    const { world, bound } = this;
    const seen = JSON.parse(world.view("get_build", JSON.stringify({ source: REPOSITORY })));
    assert.equal(
      seen && [seen.code_hash, seen.recipe_id, seen.quorum, seen.payer, seen.deposit],
      bound
        ? [hex(CODES[bound.code]), hex(RECIPES[bound.recipe]), bound.quorum, bound.payer, this.deposit.toString()]
        : null,
    );
    const earned = (account_id: string) =>
      BigInt(JSON.parse(world.view("get_earnings", JSON.stringify({ account_id }))));
    for (const payer of ["alice.test", "bob.test"]) assert.is(earned(payer), this.returned.get(payer) ?? 0n, payer);
    const network = JSON.parse(world.view("get_network"));
    const { amount, storageUsage } = world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!;
    const stakes = BigInt(SEATS.length) * NEAR;
    const payments = JSON.parse(world.view("get_pending_request_ids")).reduce(
      (sum: bigint, id: number) => sum + world.request(id)!.paymentYocto,
      0n,
    );
    const owed = [...NODES, "alice.test", "bob.test"].reduce((sum, name) => sum + earned(name), stakes + payments);
    // A lease that ran out costs its holder a penalty, which is owed to nobody any more.
    const penalties =
      BigInt(SEATS.length) * NEAR - NODES.slice(0, 8).reduce((sum, name) => sum + world.node(name)!.stakeYocto, 0n);
    assert.is(BigInt(network.liabilities), owed - penalties);
    assert.ok(amount >= BigInt(network.liabilities) + BigInt(storageUsage) * 10n ** 19n);
  }
}

test("builds, deposits and what answers may name follow the rules", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 6, maxLength: 18 }), (steps) => {
      const model = new Model();
      const total = World.started([]).totalYocto();
      model.play({ kind: "list", recipe: 0 });
      for (const next of steps) {
        model.play(next);
        model.check();
      }
      model.play({ kind: "wait" });
      model.check();
      assert.is(model.world.totalYocto(), total);
    }),
    { numRuns: 30, seed: 20_261_125 },
  );
  const { bound, refused, answered } = Model.seen;
  assert.ok(bound > 10 && refused > 20 && answered > 3, JSON.stringify(Model.seen));
});

test.run();
