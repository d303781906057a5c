/** Shares of a charge: signers, whoever built the code, whoever keeps the secrets. The money model plays them at random. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, type ExecutionRequest, type NetworkOptions } from "../../client/index.ts";
import { activateKeystore, buildArgs, RECIPE, REPOSITORY } from "./build-world.ts";
import { answerArgs, BASE_FEE, CODE_HASH, expectOk, NEAR, NODES, TGAS, textResponse, World } from "./world.ts";

const SECRETS = { secrets_ref: { profile: "p", account_id: "alice.test" } };
/** Nothing but the base fee is charged. */
const RESPONSE = { ...textResponse("x"), instructions: 0n };
const SIGNERS = ["n0.test", "n1.test", "n2.test"];
const BUILDERS = ["n3.test", "n4.test", "n5.test"];
const TEN = Array.from({ length: 10 }, () => 1);
const view = (world: World, method: string, args: object = {}) => JSON.parse(world.view(method, JSON.stringify(args)));

function earned(world: World): bigint[] {
  return NODES.slice(0, 10).map((account_id) => BigInt(view(world, "get_earnings", { account_id })));
}

function started(network: NetworkOptions): World {
  const world = World.started(TEN, { replaySeats: 144, ...network });
  expectOk(world.call("owner.test", "add_recipe", JSON.stringify({ recipe_id: Buffer.from(RECIPE).toString("hex") })));
  return world;
}

/** Asks, binds where `built`, and answers; what everybody earned by it. */
function play(world: World, requestId: number, request: Partial<ExecutionRequest>, built = false): bigint[] {
  world.ask(request);
  world.advance(30);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId, seat: 0, leaseEpoch: 0 })));
  if (built) {
    const args = buildArgs(world, { requestId, signers: BUILDERS });
    expectOk(world.call("bob.test", "bind_build", args, { depositYocto: NEAR }));
  }
  const before = earned(world);
  expectOk(
    world.call("bob.test", "resolve_execution", answerArgs(world, { requestId, response: RESPONSE, signers: SIGNERS })),
  );
  return earned(world).map((amount, i) => amount - before[i]!);
}

/** `[n0, n1, …]` with what three signers share of an amount, at 60 % for the holder. */
function signersOf(amount: bigint): bigint[] {
  const other = (amount * 4_000n) / 10_000n / 2n;
  return [amount - 2n * other, other, other, ...Array.from({ length: 7 }, () => 0n)];
}
const sum = (...parts: readonly bigint[][]) =>
  parts[0]!.map((_, i) => parts.reduce((total, part) => total + part[i]!, 0n));
const at = (places: readonly number[], amount: bigint) =>
  Array.from({ length: 10 }, (_, i) => (places.includes(i) ? amount / BigInt(places.length) : 0n));

test("without shares, and where there is nobody to get them, the signers get all", () => {
  const plain = started({});
  assert.equal(play(plain, 0, { source: REPOSITORY, ...SECRETS }, true), signersOf(BASE_FEE));
  const shared = started({ builderShareBps: 1_500, keystoreShareBps: 600 });
  assert.equal(play(shared, 0, SECRETS), signersOf(BASE_FEE), "code by hash, no keystore");
  activateKeystore(shared, [["n6.test", 1]]);
  assert.equal(play(shared, 1, {}), signersOf(BASE_FEE), "no secrets");
});

test("who signed the build earns its share while the code is bound, once a request", () => {
  const world = started({ builderShareBps: 1_500 });
  const builders = at([3, 4, 5], (BASE_FEE * 1_500n) / 10_000n);
  const expected = sum(signersOf(BASE_FEE - (BASE_FEE * 1_500n) / 10_000n), builders);
  assert.equal(play(world, 0, { source: REPOSITORY }, true), expected);
  assert.equal(play(world, 1, { source: REPOSITORY }), expected);
  assert.equal(play(world, 2, {}), signersOf(BASE_FEE));
});

test("who keeps the secrets earns a share of requests that have some", () => {
  const world = started({ keystoreShareBps: 600 });
  activateKeystore(world, [
    ["n6.test", 1],
    ["n7.test", 2],
    ["n8.test", 1],
  ]);
  assert.is(view(world, "get_network").active_keystore_epoch, 1);
  const part = (BASE_FEE * 600n) / 10_000n;
  // Four shares, all of them paid: n7 holds two.
  const keepers = sum(at([6, 8], part / 2n), at([7], part / 2n));
  assert.equal(play(world, 0, SECRETS), sum(signersOf(BASE_FEE - part), keepers));
  assert.equal(play(world, 1, {}), signersOf(BASE_FEE));
});

test("more than four are paid in turns, so that all earn the same in the end", () => {
  const world = started({ keystoreShareBps: 600 });
  activateKeystore(world, [
    ["n4.test", 1],
    ["n5.test", 2],
    ["n6.test", 1],
    ["n7.test", 1],
    ["n8.test", 1],
  ]);
  const part = (BASE_FEE * 600n) / 10_000n;
  const paid = [0, 1, 2].map((id) => play(world, id, SECRETS));
  assert.equal(paid[0]!.slice(4), [part / 4n, part / 2n, part / 4n, 0n, 0n, 0n]);
  // Twelve parts for six shares.
  assert.equal(
    sum(...paid).slice(4),
    [2n, 4n, 2n, 2n, 2n, 0n].map((parts) => (parts * part) / 4n),
  );
});

test("the owner sets the shares, at most a quarter of a charge each", () => {
  const world = started({});
  const set = (prices: object, who = "owner.test") => world.call(who, "set_pricing", JSON.stringify(prices)).panic;
  assert.is(set({ builder_share_bps: 2_501 }), "BadNetwork");
  assert.is(set({ keystore_share_bps: 2_501 }), "BadNetwork");
  assert.is(set({ keystore_share_bps: 1 }, "alice.test"), "OwnerOnly");
  assert.is(set({ builder_share_bps: 2_500, keystore_share_bps: 7 }), undefined);
  assert.is(set({ base_fee: "5" }), undefined);
  const network = view(world, "get_network");
  assert.equal([network.builder_share_bps, network.keystore_share_bps], [2_500, 7]);
});

test("the callback pays the most builders and keepers there can be within its gas", () => {
  const world = started({ builderShareBps: 2_500, keystoreShareBps: 2_500 });
  activateKeystore(
    world,
    NODES.slice(0, 10).map((name) => [name, 12]),
  );
  play(world, 0, { source: REPOSITORY, ...SECRETS }, true);
  const asked = world.ask({ source: REPOSITORY, ...SECRETS });
  world.advance(30);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 1, seat: 0, leaseEpoch: 0 })));
  const long = textResponse("\u0001".repeat(249_000));
  expectOk(
    world.call(
      "bob.test",
      "resolve_execution",
      answerArgs(world, { requestId: 1, response: long, codeHash: CODE_HASH }),
    ),
  );
  const callback = world
    .outcomes(asked.hash)
    .find(({ logs }) => logs.some((line) => line.includes("execution_completed")))!;
  console.log(`callback of the longest answer with all shares: ${callback.gasBurnt / TGAS} Tgas`);
  assert.ok(callback.gasBurnt / TGAS < 50);
});

test.run();
