import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, type ExecutionRequest } from "../../client/index.ts";
import {
  answerArgs,
  type CallOptions,
  CODE,
  eventsIn,
  expectOk,
  GITHUB,
  LIMITS,
  NEAR,
  OUTLAYER,
  textResponse,
  World,
} from "./world.ts";

const HASH = "ab".repeat(32);
const WASM = { WasmUrl: { url: "https://example.org/a.wasm", hash: HASH } };
const free = (world: World) =>
  world.balance(OUTLAYER) -
  BigInt(JSON.parse(world.view("get_network")).liabilities) -
  BigInt(world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!.storageUsage) * 10n ** 19n;

const call = (world: World, who: string, method: string, args: object, options: CallOptions = {}) =>
  world.call(who, method, JSON.stringify(args), options);
const view = (world: World, method: string, args: object = {}) => JSON.parse(world.view(method, JSON.stringify(args)));
const paid = { depositYocto: NEAR / 10n };

function withProject(): World {
  const world = World.started([1, 1, 1]);
  expectOk(call(world, "alice.test", "create_project", { name: "app", source: GITHUB }, paid));
  return world;
}

test("a project has versions, one of them active, and the owner pays for exactly its bytes", () => {
  const world = World.started([1, 1, 1]);
  const before = free(world);
  expectOk(call(world, "alice.test", "create_project", { name: "app", source: GITHUB }, paid));
  const key = `${GITHUB.GitHub.repo}@main`;
  const project = view(world, "get_project", { project_id: "alice.test/app" });
  assert.is(project.uuid, `p${"0".repeat(15)}1`);
  assert.equal([project.owner, project.name, project.active_version], ["alice.test", "app", key]);
  expectOk(call(world, "alice.test", "add_version", { project_name: "app", source: WASM, set_active: true }, paid));
  assert.is(view(world, "get_project", { project_id: "alice.test/app" }).active_version, HASH);
  assert.is(view(world, "get_version_count", { project_id: "alice.test/app" }), 2);
  assert.equal(
    view(world, "list_versions", { project_id: "alice.test/app" }).map((v: { is_active: boolean }) => v.is_active),
    [false, true],
  );
  assert.is(
    view(world, "get_version", { project_id: "alice.test/app", version_key: key }).source.GitHub.commit,
    "main",
  );
  assert.is(
    call(world, "alice.test", "remove_version", { project_name: "app", version_key: HASH }).panic,
    "ActiveVersion",
  );
  expectOk(call(world, "alice.test", "set_active_version", { project_name: "app", version_key: key }, paid));
  expectOk(call(world, "alice.test", "remove_version", { project_name: "app", version_key: HASH }));
  assert.is(free(world), before);
  expectOk(call(world, "alice.test", "transfer_project", { project_name: "app", new_owner: "bob.test" }, paid));
  expectOk(call(world, "bob.test", "accept_project", { from: "alice.test", project_name: "app" }, paid));
  assert.is(view(world, "get_project", { project_id: "alice.test/app" }), null);
  assert.is(view(world, "list_user_projects", { account_id: "bob.test" })[0].uuid, project.uuid);
  assert.is(call(world, "alice.test", "delete_project", { project_name: "app" }).panic, "NoSuchProject");
  const { logs } = expectOk(call(world, "bob.test", "delete_project", { project_name: "app" }));
  assert.equal(eventsIn(logs)[0]!.data, {
    ProjectStorageCleanup: { project_id: "bob.test/app", project_uuid: project.uuid },
  });
  assert.is(view(world, "get_version_count", { project_id: "bob.test/app" }), 0);
  assert.is(free(world), before);
});

test("a project changes hands when both want it, and nobody gets another's code under its name", () => {
  const world = withProject();
  const before = free(world);
  const offer = (new_owner: string) =>
    call(world, "alice.test", "transfer_project", { project_name: "app", new_owner }, paid);
  const accept = (who: string, from = "alice.test") =>
    call(world, who, "accept_project", { from, project_name: "app" }, paid);
  assert.is(accept("bob.test").panic, "NotOffered");
  expectOk(offer("bob.test"));
  assert.is(view(world, "get_project", { project_id: "bob.test/app" }), null);
  assert.is(view(world, "get_project", { project_id: "alice.test/app" }).owner, "alice.test");
  assert.is(accept("owner.test").panic, "NotOffered");
  // Another offer takes its place, one to oneself takes it back.
  expectOk(offer("owner.test"));
  assert.is(accept("bob.test").panic, "NotOffered");
  expectOk(offer("alice.test"));
  assert.is(accept("owner.test").panic, "NotOffered");
  assert.is(free(world), before);
  // A name of one's own is not overwritten.
  expectOk(offer("bob.test"));
  expectOk(call(world, "bob.test", "create_project", { name: "app", source: CODE }, paid));
  assert.is(accept("bob.test").panic, "ProjectExists");
  expectOk(call(world, "bob.test", "delete_project", { project_name: "app" }));
  // An offer goes with its project: a later one of its name is another one.
  expectOk(call(world, "alice.test", "delete_project", { project_name: "app" }));
  expectOk(call(world, "alice.test", "create_project", { name: "app", source: WASM }, paid));
  assert.is(accept("bob.test").panic, "NotOffered");
  expectOk(offer("bob.test"));
  const had = world.balance("alice.test");
  expectOk(accept("bob.test"));
  // What the offer's bytes cost comes back to who paid them.
  assert.ok(world.balance("alice.test") > had);
  assert.is(view(world, "get_project", { project_id: "bob.test/app" }).active_version, HASH);
  assert.is(accept("bob.test").panic, "NoSuchProject");
  expectOk(call(world, "bob.test", "delete_project", { project_name: "app" }));
  assert.is(free(world), before);
});

test("what a project may not be is refused by name", () => {
  const world = withProject();
  const create = (args: object, options: CallOptions = paid) =>
    call(world, "alice.test", "create_project", args, options).panic;
  assert.is(create({ name: "app", source: GITHUB }), "ProjectExists");
  for (const name of ["", "a b", "a/b", "é", "a.b"]) assert.is(create({ name, source: GITHUB }), "BadName", name);
  assert.is(create({ name: "x".repeat(65), source: GITHUB }), "TooLong");
  assert.is(create({ name: "b", source: GITHUB }, {}), "InsufficientDeposit");
  assert.is(create({ name: "b", source: { Project: { project_id: "alice.test/app" } } }), "BadSource");
  const version = { project_name: "app", source: GITHUB, set_active: false };
  assert.is(call(world, "alice.test", "add_version", version, paid).panic, "VersionExists");
  assert.is(call(world, "bob.test", "add_version", version, paid).panic, "NoSuchProject");
  const missing = { project_name: "app", version_key: "nothing" };
  assert.is(call(world, "alice.test", "set_active_version", missing).panic, "NoSuchVersion");
  assert.is(call(world, "alice.test", "remove_version", missing).panic, "NoSuchVersion");
});

const ask = (world: World, request: Partial<ExecutionRequest>) =>
  call(
    world,
    "bob.test",
    "request_execution",
    { source: { Project: { project_id: "alice.test/app" } }, resource_limits: LIMITS, ...request },
    { depositYocto: NEAR / 10n },
  );

test("a request of a project runs the version that is active, or the one that it names", () => {
  const world = withProject();
  expectOk(call(world, "alice.test", "add_version", { project_name: "app", source: WASM, set_active: false }, paid));
  expectOk(ask(world, {}));
  assert.is(world.request(0)!.source.kind, "GitHub");
  assert.is(world.request(0)!.projectId, "alice.test/app");
  expectOk(ask(world, { source: { Project: { project_id: "alice.test/app", version_key: HASH } } }));
  assert.is(world.request(1)!.source.kind, "WasmUrl");
  const seen = view(world, "get_request", { request_id: 1 });
  assert.equal(seen.execution_source, { Project: { project_id: "alice.test/app", version_key: HASH } });
  assert.is(ask(world, { source: { Project: { project_id: "alice.test/none" } } }).panic, "NoSuchProject");
});

const PRICING = {
  author_account_id: "n0.test",
  operations: [
    { operation: "send", price_usd: "1000", developer_share_bp: 2_500 },
    { operation: "read", price_usd: "0", developer_share_bp: 0 },
  ],
};

/** `operator.test` stands for the token's contract: what it says of deposits is believed, and only that. */
function withToken(balance: string): World {
  const world = withProject();
  expectOk(call(world, "alice.test", "add_version", { project_name: "app", source: CODE, set_active: true }, paid));
  expectOk(call(world, "owner.test", "set_payment_token_contract", { token_contract: "operator.test" }));
  const deposit = { sender_id: "bob.test", amount: balance, msg: '{"action":"deposit_balance"}' };
  assert.is(call(world, "alice.test", "ft_on_transfer", deposit).panic, "WrongToken");
  expectOk(call(world, "operator.test", "ft_on_transfer", deposit));
  return world;
}

function settle(world: World, response = textResponse("done")): void {
  world.advance(40);
  expectOk(world.call("n1.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world, { response })));
}

const usd = (world: World, account: string) => view(world, "get_user_stablecoin_balance", { account_id: account });
const earned = (world: World, account: string) => view(world, "get_developer_earnings", { account_id: account });

test("a priced operation pays its author and the project's owner; change and the guest's refund come back", () => {
  const world = withToken("5000");
  assert.is(
    call(world, "alice.test", "set_project_pricing", { project_id: "alice.test/app", pricing: PRICING }).panic,
    "OwnerOnly",
  );
  expectOk(call(world, "owner.test", "set_project_pricing", { project_id: "alice.test/app", pricing: PRICING }));
  assert.equal(view(world, "get_project_pricing", { project_id: "alice.test/app" }), PRICING);
  assert.is(view(world, "get_project_max_price", { project_id: "alice.test/app" }), "1000");
  assert.equal(view(world, "get_priced_projects"), ["alice.test/app"]);
  const input_data = '{"operation":"send"}';
  assert.is(ask(world, { input_data, params: { attached_usd: "999" } }).panic, "AttachedUsdTooSmall");
  assert.is(ask(world, { input_data, params: { attached_usd: "5001" } }).panic, "AttachedUsdTooLarge");
  assert.is(ask(world, { input_data: '{"operation":"other"}' }).panic, "NoSuchOperation");
  assert.is(ask(world, { input_data: "send" }).panic, "BadJson");
  assert.is(ask(world, { input_data: `{"operation":"send","x":"${"y".repeat(10_000)}"}` }).panic, "InputTooLong");
  expectOk(ask(world, { input_data, params: { attached_usd: "1500" } }));
  assert.is(usd(world, "bob.test"), "3500");
  settle(world, { ...textResponse("done"), refundUsd: 200n });
  // 800 are earned: a quarter is the author's.
  assert.equal([usd(world, "bob.test"), earned(world, "n0.test"), earned(world, "alice.test")], ["4200", "200", "600"]);
});

test("shares are by the operation, and a failure gives everything back", () => {
  const world = withToken("50000");
  const big = { ...PRICING, operations: [{ operation: "send", price_usd: "40000", developer_share_bp: 2_500 }] };
  expectOk(call(world, "owner.test", "set_project_pricing", { project_id: "alice.test/app", pricing: big }));
  expectOk(ask(world, { input_data: '{"operation":"send"}', params: { attached_usd: "40000" } }));
  settle(world);
  assert.equal(
    [usd(world, "bob.test"), earned(world, "n0.test"), earned(world, "alice.test")],
    ["10000", "10000", "30000"],
  );
  const failing = withToken("50");
  expectOk(ask(failing, { params: { attached_usd: "50" } }));
  settle(failing, { ...textResponse(""), success: false, error: "exit 1", output: undefined });
  assert.equal([usd(failing, "bob.test"), earned(failing, "alice.test")], ["50", "0"]);
  const silent = withToken("50");
  expectOk(ask(silent, { params: { attached_usd: "50" } }));
  silent.advance(220);
  assert.is(usd(silent, "bob.test"), "50");
});

/** A contract whose `ft_transfer` does nothing and succeeds. */
const TOKEN = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0],
  ...[7, 15, 1, 11, ...Buffer.from("ft_transfer"), 0, 0],
  ...[10, 4, 1, 2, 0, 0x0b],
]);

test("the token is not changed while anybody has some of it, wherever it stands", () => {
  const naming = (world: World, token_contract: string | null) =>
    call(world, "owner.test", "set_payment_token_contract", { token_contract }).panic;
  const world = withToken("50");
  // A token of the owner's own would say that the owner has deposited.
  assert.is(naming(world, "owner.test"), "StablecoinsOwed");
  assert.is(naming(world, null), "StablecoinsOwed");
  expectOk(ask(world, { params: { attached_usd: "50" } }));
  assert.is(usd(world, "bob.test"), "0");
  assert.is(naming(world, "owner.test"), "StablecoinsOwed");
  settle(world);
  assert.is(earned(world, "alice.test"), "50");
  assert.is(naming(world, "owner.test"), "StablecoinsOwed");
  // What comes back is still owed, what was sent is not.
  expectOk(call(world, "alice.test", "withdraw_developer_earnings", {}));
  assert.is(naming(world, "owner.test"), "StablecoinsOwed");
  world.deploy("operator.test", TOKEN);
  const { hash } = expectOk(call(world, "alice.test", "withdraw_developer_earnings", {}));
  assert.is(world.finalValue(hash), '"50"');
  assert.is(naming(world, "owner.test"), undefined);
  assert.is(view(world, "get_payment_token_contract"), "owner.test");
});

test("stablecoins that the token does not send come back to whom they belong", () => {
  const world = withToken("50");
  // operator.test is no contract: the transfer fails.
  const { hash } = expectOk(call(world, "bob.test", "withdraw_stablecoin_balance", {}));
  assert.is(world.finalValue(hash), '"0"');
  assert.is(usd(world, "bob.test"), "50");
  assert.is(call(world, "alice.test", "withdraw_developer_earnings", {}).panic, "NothingToWithdraw");
  const args = { account_id: "bob.test", developer: false, amount: "9" };
  assert.is(call(world, "bob.test", "on_stablecoin_sent", args).panic, "Private");
  const bad = { sender_id: "bob.test", amount: "1", msg: '{"action":"buy"}' };
  assert.is(call(world, "operator.test", "ft_on_transfer", bad).panic, "UnknownAction");
});

test.run();
