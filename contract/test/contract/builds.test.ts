/** Builds: recipes, what binds, what an answer about a repository must name, and how a wrong build ends. */
import { sign } from "node:crypto";
import { encode } from "@outlayer/protocol/wire/borsh";
import { buildStatement, buildStatementDigest, canonicalSourceOf } from "@outlayer/protocol/wire/builds";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  claimLeaseArgs,
  disputeArgs,
  type ExecutionRequest,
  type NetworkOptions,
  parseBuild,
  parseRecipes,
  proveEquivocationArgs,
  stateKeys,
} from "../../client/index.ts";
import {
  attestedBuild,
  type Built,
  buildArgs,
  COMMIT,
  RECIPE,
  REPOSITORY,
  statementOf,
  storedBuild,
} from "./build-world.ts";
import {
  answerArgs,
  BASE_FEE,
  CODE_HASH,
  eventsIn,
  expectOk,
  keyOf,
  NEAR,
  NODES,
  OUTLAYER,
  textResponse,
  World,
} from "./world.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const OTHER = new Uint8Array(32).fill(0x22);
const WRONG = new Uint8Array(32).fill(0xbd);
const TEN = Array.from({ length: 10 }, () => 1);
const paid = { depositYocto: NEAR };

const recipe = (world: World, method: string, id = RECIPE, who = "owner.test") =>
  world.call(who, method, JSON.stringify({ recipe_id: hex(id) }));
const view = (world: World, method: string, args: object = {}) => JSON.parse(world.view(method, JSON.stringify(args)));
const bound = (world: World, source: object = REPOSITORY) => view(world, "get_build", { source });
const bind = (world: World, built: Built = {}, options = paid) =>
  world.call("bob.test", "bind_build", buildArgs(world, built), options);

/** A request of the repository that n0.test holds, and a recipe. */
function leased(network: NetworkOptions = {}, request: Partial<ExecutionRequest> = {}, seats = TEN): World {
  const world = World.started(seats, { replaySeats: 144, ...network });
  expectOk(recipe(world, "add_recipe"));
  asked(world, 0, request);
  return world;
}

function asked(world: World, requestId: number, request: Partial<ExecutionRequest> = {}, depositYocto?: bigint): void {
  world.ask({ source: REPOSITORY, ...request }, depositYocto);
  world.advance(30);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId, seat: 0, leaseEpoch: 0 })));
}

const resolve = (world: World, requestId = 0, codeHash = CODE_HASH) =>
  world.call("bob.test", "resolve_execution", answerArgs(world, { requestId, codeHash })).panic;

test("an answer about a repository needs code that is bound, and names it; a failure needs none", () => {
  const world = leased();
  assert.is(resolve(world), "NotBuilt");
  const bindings = expectOk(bind(world));
  const event = eventsIn(bindings.logs)[0]!;
  assert.equal(
    [event.event, event.data.code_hash, event.data.recipe_id, event.data.quorum],
    ["build_bound", hex(CODE_HASH), hex(RECIPE), 3],
  );
  assert.is(resolve(world, 0, WRONG), "WrongCode");
  assert.is(resolve(world), undefined);
  asked(world, 1);
  assert.is(resolve(world, 1), undefined);
  const fails = World.started([1, 1, 1]);
  asked(fails, 0);
  const failure = { ...textResponse(""), success: false, output: undefined, error: "no recipe fits" };
  assert.is(fails.call("bob.test", "resolve_execution", answerArgs(fails, { response: failure })).panic, undefined);
});

test("a compile-only request is answered by a build, and the code stays bound when it is over", () => {
  const world = leased({}, { resource_limits: null });
  assert.ok(world.request(0)!.compileOnly);
  expectOk(bind(world));
  assert.is(resolve(world), undefined);
  assert.is(world.request(0), undefined);
  const build = bound(world);
  assert.equal(
    [build.code_hash, build.signers, build.payer],
    [hex(CODE_HASH), ["n0.test", "n1.test", "n2.test"], "bob.test"],
  );
  assert.is(storedBuild(world)!.requestId, 0n);
  const { quorum, boundHeight, ...seen } = parseBuild(world.view("get_build", JSON.stringify({ source: REPOSITORY })))!;
  const { codeHash, recipeId, detailsHash } = storedBuild(world)!;
  assert.equal(seen, { codeHash, recipeId, detailsHash, requestId: 0 });
  assert.ok(quorum === 3 && boundHeight < world.height);
  assert.equal(parseRecipes(world.view("get_recipes")), [RECIPE]);
});

test("a bound output of many bytes is held to the bound code as well", () => {
  const world = leased();
  const announce = { ...JSON.parse(answerArgs(world)), response_hash: "00".repeat(32), response_bytes: 9 };
  // The digest is signed under the result's own domain: only its signatures are wrong here.
  assert.is(world.call("bob.test", "submit_execution_output", JSON.stringify(announce)).panic, "BadSignature");
});

test("signatures of another build, kind, chain or too few of them bind nothing", () => {
  const world = leased();
  const good = buildArgs(world);
  const change = (from: string, to: string) => world.call("bob.test", "bind_build", good.replace(from, to), paid).panic;
  assert.is(change(hex(CODE_HASH), hex(WRONG)), "BadSignature");
  assert.is(change(`"details_hash":"`, `"details_hash":"00`), "BadHash");
  assert.is(change(hex(RECIPE), hex(OTHER)), "NoSuchRecipe");
  assert.is(change('"lease_epoch":0', '"lease_epoch":1'), "WrongLeaseEpoch");
  assert.is(bind(world, { chainId: "elsewhere" }).panic, "BadSignature");
  assert.is(bind(world, { signers: NODES.slice(0, 2) }).panic, "BelowQuorum");
  assert.is(bind(world, { signers: ["n0.test", "n1.test", "n12.test"] }).panic, "NotRegistered");
  // A result's signatures are no build's.
  const { attestations } = JSON.parse(answerArgs(world));
  const foreign = JSON.stringify({ ...JSON.parse(good), attestations });
  assert.is(world.call("bob.test", "bind_build", foreign, paid).panic, "BadSignature");
  assert.is(bind(world, {}, { depositYocto: 1n }).panic, "InsufficientDeposit");
  assert.is(bound(world), null);
  expectOk(world.call("bob.test", "bind_build", good, paid));
});

test("what can be built is a whole commit at github.com; nothing else is bound", () => {
  const world = World.started(TEN, { replaySeats: 144 });
  expectOk(recipe(world, "add_recipe"));
  const sources = [
    { GitHub: { repo: "https://github.com/near/guest", commit: "main" } },
    { GitHub: { repo: "https://gitlab.com/near/guest", commit: COMMIT } },
    { WasmUrl: { url: "https://example.org/a.wasm", hash: hex(CODE_HASH) } },
  ];
  sources.forEach((source, requestId) => {
    asked(world, requestId, { source });
    assert.is(bind(world, { requestId }).panic, "BadSource");
  });
});

test("recipes are listed and retired by the owner; without one nothing is bound", () => {
  const world = World.started(TEN, { replaySeats: 144 });
  asked(world, 0);
  assert.is(bind(world).panic, "NoSuchRecipe");
  assert.is(recipe(world, "add_recipe", RECIPE, "alice.test").panic, "OwnerOnly");
  expectOk(recipe(world, "add_recipe"));
  assert.is(recipe(world, "add_recipe").panic, "RecipeExists");
  expectOk(recipe(world, "add_recipe", OTHER));
  assert.equal(view(world, "get_recipes"), [hex(RECIPE), hex(OTHER)]);
  expectOk(recipe(world, "retire_recipe"));
  assert.is(recipe(world, "retire_recipe").panic, "NoSuchRecipe");
  assert.is(bind(world).panic, "NoSuchRecipe");
  expectOk(bind(world, { recipeId: OTHER }));
});

test("a build is not replaced by as many signatures, but by more, and by any when its recipe is retired", () => {
  const levels = [{ replaySeats: 144, quorum: 5, baseFeeYocto: 20n * BASE_FEE }];
  const world = leased({ levels }, { resource_limits: {} });
  assert.is(world.request(0)!.level.quorum, 5);
  world.ask({ source: REPOSITORY, resource_limits: {} }, BASE_FEE);
  world.advance(30);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 1, seat: 0, leaseEpoch: 0 })));
  const total = World.started([]).totalYocto();
  expectOk(bind(world, { requestId: 1, codeHash: WRONG }));
  const owed = () => BigInt(view(world, "get_network").liabilities);
  const before = owed();
  assert.is(bind(world, { requestId: 1 }).panic, "AlreadyBound");
  // The request of five signatures does not take what three have bound.
  assert.is(
    world.call("bob.test", "resolve_execution", answerArgs(world, { codeHash: WRONG, signers: NODES.slice(0, 5) }))
      .panic,
    "NotBuilt",
  );
  expectOk(bind(world, { signers: NODES.slice(0, 5) }));
  assert.equal([bound(world).code_hash, bound(world).quorum], [hex(CODE_HASH), 5]);
  // The first one's deposit waits for who paid it.
  const back = BigInt(view(world, "get_earnings", { account_id: "bob.test" }));
  assert.ok(back > 0n && owed() === before + back);
  assert.is(bind(world, { requestId: 1, codeHash: WRONG }).panic, "AlreadyBound");
  assert.is(resolve(world, 1), undefined);
  asked(world, 2, { resource_limits: {} }, BASE_FEE);
  expectOk(recipe(world, "retire_recipe"));
  expectOk(recipe(world, "add_recipe", OTHER));
  expectOk(bind(world, { requestId: 2, recipeId: OTHER, codeHash: WRONG }));
  assert.is(bound(world).quorum, 3);
  world.advance(220);
  expectOk(world.call("bob.test", "withdraw_earnings"));
  assert.is(world.totalYocto(), total);
});

test("the deposit is what the bytes of the record lock", () => {
  const world = leased();
  const before = account(world).storageUsage;
  expectOk(bind(world));
  assert.is(BigInt(bound(world).deposit), BigInt(account(world).storageUsage - before) * 10n ** 19n);
});

function account(world: World) {
  return world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!;
}

test("the highest level strikes a wrong build: its signers are slashed, and the right code takes its place", () => {
  const world = leased();
  expectOk(bind(world, { codeHash: WRONG }));
  const record = world.stored(stateKeys.request(0))!;
  const wrong = attestedBuild(world, { codeHash: WRONG });
  const right = attestedBuild(world, { signers: NODES.slice(3, 10) });
  const dispute = (w: typeof wrong, r: typeof wrong) => world.call("alice.test", "dispute", disputeArgs(record, w, r));
  assert.is(dispute(wrong, wrong).panic, "SameResult");
  const foreign = attestedBuild(world, { signers: NODES.slice(3, 10), recipeId: OTHER });
  assert.is(dispute(wrong, foreign).panic, "SameResult", "another recipe cannot be compared");
  const details = attestedBuild(world, { codeHash: WRONG, detailsHash: OTHER, signers: NODES.slice(3, 10) });
  assert.is(dispute(wrong, details).panic, "SameResult", "the same code");
  const few = attestedBuild(world, { signers: NODES.slice(4, 10) });
  assert.is(dispute(wrong, few).panic, "BelowQuorum");
  const { logs } = expectOk(dispute(wrong, right));
  assert.equal(
    eventsIn(logs).map(({ event }) => event),
    ["node_slashed", "node_slashed", "node_slashed", "build_replaced"],
  );
  for (const name of NODES.slice(0, 3)) assert.is(world.node(name)!.seatsCurrent, 0);
  const now = bound(world);
  assert.equal([now.code_hash, now.quorum, now.signers, now.payer], [hex(CODE_HASH), 65_535, [], "bob.test"]);
  assert.is(dispute(wrong, right).panic, "NoSuchSeat");
  // What the highest level has signed is not replaced by less.
  assert.is(bind(world, { signers: NODES.slice(3, 6), codeHash: WRONG }).panic, "AlreadyBound");
});

test("a build that is not bound is disputed all the same, and what is bound otherwise stays", () => {
  const world = leased();
  expectOk(bind(world, { codeHash: OTHER }));
  const record = world.stored(stateKeys.request(0))!;
  const wrong = attestedBuild(world, { codeHash: WRONG });
  const right = attestedBuild(world, { signers: NODES.slice(3, 10) });
  expectOk(world.call("alice.test", "dispute", disputeArgs(record, wrong, right)));
  assert.is(bound(world).code_hash, hex(OTHER));
});

test("two builds of one node about one request and lease are equivocation", () => {
  const world = leased();
  const signed = (built: Built) => {
    const statement = statementOf(world, built);
    const signature = new Uint8Array(sign(null, buildStatementDigest(statement), keyOf("n4.test").privateKey));
    return { statement: encode(buildStatement, statement), signature };
  };
  const prove = (first: Built, second: Built) =>
    world.call("bob.test", "prove_equivocation", proveEquivocationArgs("n4.test", signed(first), signed(second))).panic;
  assert.is(prove({}, {}), "NotAContradiction");
  const long = signed({});
  const longer = { ...long, statement: Uint8Array.from([...long.statement, 0]) };
  assert.is(
    world.call("bob.test", "prove_equivocation", proveEquivocationArgs("n4.test", longer, long)).panic,
    "BadSignature",
  );
  assert.is(prove({}, { codeHash: WRONG }), undefined);
  assert.is(world.node("n4.test")!.seatsCurrent, 0);
});

const spelling = fc.record({
  host: fc.constantFrom(
    "",
    "https://github.com/",
    "https://www.github.com/",
    "github.com/",
    "www.github.com/",
    "git@github.com:",
    "http://github.com/",
    "https://gitlab.com/",
    "https://",
    "www.",
    "HTTPS://GitHub.com/",
  ),
  owner: fc.constantFrom("near", "NEAR", "ne.ar", "-near", "", "near/x"),
  name: fc.constantFrom("guest", "Guest", "guest.git", "guest.wiki", "..", "guest.git.git", "gu est", "other"),
  end: fc.constantFrom("", "/", ".git", "//", ".git/", "?x", "#x"),
  commit: fc.constantFrom(
    COMMIT,
    COMMIT.toUpperCase(),
    "main",
    COMMIT.slice(1),
    `${COMMIT}0`,
    COMMIT.replace("0", "g"),
  ),
  target: fc.constantFrom(undefined, "wasm32-wasi", "wasm32-wasip1", "wasm32-wasip2"),
});

test("every spelling of a source is found as the protocol spells it, and nothing else is", () => {
  const world = leased();
  expectOk(bind(world));
  let found = 0;
  const canonical = (repo: string, commit: string, buildTarget: string | undefined) =>
    canonicalSourceOf({ kind: "GitHub", repo, commit, buildTarget });
  const expected = canonical(REPOSITORY.GitHub.repo, COMMIT, undefined);
  fc.assert(
    fc.property(spelling, ({ host, owner, name, end, commit, target }) => {
      const repo = `${host}${owner}/${name}${end}`;
      const same = JSON.stringify(canonical(repo, commit, target)) === JSON.stringify(expected);
      const source = { GitHub: { repo, commit, build_target: target ?? null } };
      assert.is(bound(world, source) !== null, same, JSON.stringify(source));
      if (same) found++;
    }),
    { numRuns: 1_500, seed: 20_261_125 },
  );
  assert.ok(found > 10);
});

test.run();
