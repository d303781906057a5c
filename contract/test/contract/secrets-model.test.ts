/**
 * The storage of secrets against a model of a page: whatever owners store, change and delete, with whatever deposit,
 * each finds its own and no other's, and has exactly the bytes of its own in deposit.
 */
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type CallResult, expectOk, NEAR, OUTLAYER, World } from "./world.ts";

const OWNERS = ["alice.test", "bob.test"] as const;
const PROFILES = ["default", "other"] as const;
/** Accessors that are easily confused: no branch, a branch, the hash of a module. */
const ACCESSORS = [
  { Repo: { repo: "github.com/o/r", branch: null } },
  { Repo: { repo: "github.com/o/r", branch: "main" } },
  { WasmHash: { hash: "ab".repeat(32) } },
] as const;
const ACCESS = ["AllowAll", { Whitelist: { accounts: ["carol.test"] } }, { Not: { condition: "AllowAll" } }] as const;
const BYTE_YOCTO = 10n ** 19n;
/** An owner's list, which begins with its first secret and goes with its last: a record of 40 bytes, its key, its length. */
const listCost = (owner: string) => BigInt(40 + 1 + owner.length + 4) * BYTE_YOCTO;
const RUNS = 25;

interface Step {
  readonly kind: "store" | "update" | "delete";
  readonly owner: (typeof OWNERS)[number];
  readonly profile: (typeof PROFILES)[number];
  readonly accessor: number;
  readonly access: number;
  readonly length: number;
  /** Beside what it costs: a yocto too little, nothing, too much, or nothing at all. */
  readonly deposit: "short" | "exact" | "ample" | "none";
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("store" as const, "store" as const, "update" as const, "delete" as const),
    owner: fc.constantFrom(...OWNERS),
    profile: fc.constantFrom(...PROFILES),
    accessor: fc.nat(ACCESSORS.length - 1),
    access: fc.nat(ACCESS.length - 1),
    length: fc.constantFrom(4, 40, 400, 4_000),
    deposit: fc.constantFrom("short" as const, "exact" as const, "ample" as const, "none" as const),
  }),
  { minLength: 5, maxLength: 30 },
);

interface Secret {
  readonly text: string;
  readonly access: unknown;
  /** Of its own bytes and its place in the owner's list; the list itself is extra. */
  readonly cost: bigint;
}

const nameOf = ({ owner, accessor, profile }: Step) => `${owner}/${accessor}/${profile}`;
const view = (world: World, method: string, args: object) => JSON.parse(world.view(method, JSON.stringify(args)));
const storageOf = (world: World) =>
  BigInt(world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!.storageUsage);

class Play {
  readonly world = World.started([]);
  readonly model = new Map<string, Secret>();
  readonly #empty = storageOf(this.world);

  step(step: Step): void {
    const held = this.model.get(nameOf(step));
    const key = { accessor: ACCESSORS[step.accessor], profile: step.profile };
    if (step.kind === "delete") {
      const before = this.#locked(step.owner);
      this.model.delete(nameOf(step));
      const price = this.#locked(step.owner) - before;
      const result = this.#call(step.owner, "delete_secrets", key, 0n, price);
      return assert.is(result.panic, held ? undefined : "NoSuchSecret");
    }
    const access = ACCESS[step.access];
    const text = step.kind === "store" ? "x".repeat(step.length) : held?.text;
    const secret = { ...key, encrypted_secrets_base64: text ?? "", access };
    const args = step.kind === "store" ? secret : { ...key, new_access: access };
    const method = step.kind === "store" ? "store_secrets" : "update_access";
    if (text === undefined) return assert.is(this.#call(step.owner, method, args, NEAR).panic, "NoSuchSecret");
    const estimate = BigInt(view(this.world, "estimate_storage_cost", { ...secret, owner: step.owner }));
    const others = this.#countOf(step.owner) - (held ? 1 : 0);
    const cost = estimate - (others === 0 ? listCost(step.owner) : 0n);
    const more = cost - (held?.cost ?? 0n) + (others === 0 && !held ? listCost(step.owner) : 0n);
    const attached = this.#deposit(step.deposit, more);
    const enough = attached >= more;
    const result = this.#call(step.owner, method, args, attached, enough ? more : undefined);
    assert.is(result.panic, enough ? undefined : "InsufficientDeposit", `${method} with ${attached} of ${more}`);
    if (enough) this.model.set(nameOf(step), { text, access, cost });
  }

  #countOf(owner: string): number {
    return [...this.model.keys()].filter((name) => name.startsWith(`${owner}/`)).length;
  }

  /** What the model says that an owner has in deposit. */
  #locked(owner: string): bigint {
    const own = [...this.model].filter(([name]) => name.startsWith(`${owner}/`));
    if (own.length === 0) return 0n;
    return own.reduce((sum, [, { cost }]) => sum + cost, listCost(owner));
  }

  #deposit(kind: Step["deposit"], cost: bigint): bigint {
    if (kind === "none" || cost <= 0n) return 0n;
    return kind === "short" ? cost - 1n : kind === "exact" ? cost : cost + NEAR;
  }

  /** A call that costs its sender `price` beside the gas; nothing where it is refused. */
  #call(owner: string, method: string, args: object, depositYocto: bigint, price = 0n): CallResult {
    const before = this.world.balance(owner);
    const result = this.world.call(owner, method, JSON.stringify(args), { depositYocto });
    const record = this.world.chain.transactions.transaction(result.hash)!;
    const burnt = [record.outcome, ...record.receiptOutcomes].reduce((sum, outcome) => sum + outcome.tokensBurnt, 0n);
    assert.is(before - this.world.balance(owner) - burnt, price, `${method} by ${owner}`);
    return result;
  }

  /** Everybody finds its own, and the contract locks the bytes of what there is. */
  check(): void {
    for (const owner of OWNERS) {
      const own = [...this.model].filter(([name]) => name.startsWith(`${owner}/`));
      assert.is(view(this.world, "list_user_secrets", { account_id: owner }).length, own.length);
      for (const [index, accessor] of ACCESSORS.entries()) {
        const profiles = PROFILES.filter((profile) => this.model.has(`${owner}/${index}/${profile}`));
        assert.equal(view(this.world, "list_profiles", { accessor, owner }).sort(), profiles);
        for (const profile of PROFILES) {
          const secret = this.model.get(`${owner}/${index}/${profile}`);
          assert.is(view(this.world, "secrets_exist", { accessor, profile, owner }), secret !== undefined);
          if (secret === undefined) continue;
          const found = view(this.world, "get_secrets", { accessor, profile, owner });
          assert.is(found.encrypted_secrets, secret.text);
          assert.equal(found.access, secret.access);
        }
      }
    }
    const costs = OWNERS.reduce((sum, owner) => sum + this.#locked(owner), 0n);
    assert.is((storageOf(this.world) - this.#empty) * BYTE_YOCTO, costs);
  }

  deleteAll(): void {
    for (const name of this.model.keys()) {
      const [owner, accessor, profile] = name.split("/") as [string, string, string];
      const args = JSON.stringify({ accessor: ACCESSORS[Number(accessor)], profile });
      expectOk(this.world.call(owner, "delete_secrets", args));
    }
    assert.is(storageOf(this.world), this.#empty);
  }
}

test("secrets are found by their owner alone, cost their bytes, and give them back", () => {
  fc.assert(
    fc.property(steps, (played) => {
      const play = new Play();
      for (const step of played) {
        play.step(step);
        play.check();
      }
      play.deleteAll();
    }),
    { numRuns: RUNS },
  );
});

test.run();
