import { test } from "uvu";
import * as assert from "uvu/assert";
import { type CallOptions, eventsIn, expectOk, NEAR, OUTLAYER, World } from "./world.ts";

const REPO = { Repo: { repo: "github.com/o/r", branch: "main" } };
const ANY_BRANCH = { Repo: { repo: "github.com/o/r", branch: null } };
const SECRET = { accessor: REPO, profile: "default", encrypted_secrets_base64: "AbCd", access: "AllowAll" };
const paid = { depositYocto: NEAR / 10n };

const free = (world: World) =>
  world.balance(OUTLAYER) -
  BigInt(JSON.parse(world.view("get_network")).liabilities) -
  BigInt(world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!.storageUsage) * 10n ** 19n;
const call = (world: World, who: string, method: string, args: object, options: CallOptions = {}) =>
  world.call(who, method, JSON.stringify(args), options);
const view = (world: World, method: string, args: object) => JSON.parse(world.view(method, JSON.stringify(args)));

test("a secret costs what its estimate says, and gives it back", () => {
  const world = World.started([]);
  const before = free(world);
  for (const secret of [
    SECRET,
    { ...SECRET, profile: "other" },
    { ...SECRET, encrypted_secrets_base64: "x".repeat(999) },
  ]) {
    const cost = BigInt(view(world, "estimate_storage_cost", { ...secret, owner: "alice.test" }));
    const held = view(world, "get_secrets", { ...secret, owner: "alice.test" });
    const exact = cost - BigInt(held?.storage_deposit ?? 0);
    const locked = () => BigInt(world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!.storageUsage);
    const bytes = locked();
    if (exact > 0n && !held) {
      assert.is(
        call(world, "alice.test", "store_secrets", secret, { depositYocto: exact - 1n }).panic,
        "InsufficientDeposit",
      );
    }
    expectOk(call(world, "alice.test", "store_secrets", secret, paid));
    if (!held) assert.is((locked() - bytes) * 10n ** 19n, cost);
    assert.is(free(world), before);
  }
  assert.is(view(world, "list_user_secrets", { account_id: "alice.test" }).length, 2);
  assert.equal(view(world, "list_profiles", { accessor: REPO, owner: "alice.test" }), ["default", "other"]);
  assert.is(view(world, "get_secrets", { ...SECRET, owner: "alice.test" }).encrypted_secrets, "x".repeat(999));
  expectOk(call(world, "alice.test", "delete_secrets", SECRET));
  expectOk(call(world, "alice.test", "delete_secrets", { ...SECRET, profile: "other" }));
  assert.is(call(world, "alice.test", "delete_secrets", SECRET).panic, "NoSuchSecret");
  assert.is(free(world), before);
  assert.equal(view(world, "list_user_secrets", { account_id: "alice.test" }), []);
});

test("a secret without a branch is for all of them, and a stranger's is nobody's", () => {
  const world = World.started([]);
  expectOk(call(world, "alice.test", "store_secrets", { ...SECRET, accessor: ANY_BRANCH }, paid));
  const found = view(world, "get_secrets", { ...SECRET, owner: "alice.test" });
  assert.equal([found.branch, found.access], [null, "AllowAll"]);
  assert.is(view(world, "secrets_exist", { ...SECRET, owner: "alice.test" }), false);
  assert.is(view(world, "get_secrets", { ...SECRET, owner: "bob.test" }), null);
  assert.is(call(world, "bob.test", "delete_secrets", { ...SECRET, accessor: ANY_BRANCH }).panic, "NoSuchSecret");
});

test("accessors keep their shapes", () => {
  const world = World.started([]);
  const accessors = [REPO, { WasmHash: { hash: "ab".repeat(32) } }, { Project: { project_id: "alice.test/app" } }];
  for (const accessor of accessors) {
    expectOk(call(world, "alice.test", "store_secrets", { ...SECRET, accessor }, paid));
    assert.equal(view(world, "get_secrets", { accessor, profile: "default", owner: "alice.test" }).accessor, accessor);
  }
  for (const accessor of [
    {},
    { Repo: { repo: "" } },
    { WasmHash: { hash: "x" } },
    { System: "Other" },
    { ...REPO, System: "PaymentKey" },
    "Repo",
  ]) {
    assert.ok(
      call(world, "alice.test", "store_secrets", { ...SECRET, accessor }, paid).panic,
      JSON.stringify(accessor),
    );
  }
  assert.is(
    call(world, "alice.test", "store_secrets", { ...SECRET, vault_id: "v.test" }, paid).panic,
    "VaultsUnavailable",
  );
});

const deep = (levels: number): object | string =>
  levels === 0 ? "AllowAll" : { Not: { condition: deep(levels - 1) } };

test("conditions keep their spelling, and what is none is refused", () => {
  const world = World.started([]);
  const good = [
    "AllowAll",
    { Whitelist: { accounts: ["bob.test", "n0.test"] } },
    { AccountPattern: { pattern: ".*\\.gov\\.near" } },
    { AccountPattern: { pattern: "[a-z(]+(?:x|y)?" } },
    { NearBalance: { operator: "Gte", value: "340282366920938463463374607431768211455" } },
    { FtBalance: { contract: "ft.test", operator: "Ne", value: "0" } },
    { NftOwned: { contract: "nft.test", token_id: null } },
    { DaoMember: { dao_contract: "dao.test", role: "council" } },
    { Logic: { operator: "And", conditions: ["AllowAll", { Not: { condition: "AllowAll" } }] } },
    deep(8),
  ];
  for (const access of good) {
    expectOk(call(world, "alice.test", "store_secrets", { ...SECRET, access }, paid));
    assert.equal(view(world, "get_secrets", { ...SECRET, owner: "alice.test" }).access, access);
  }
  const bad = [
    "Allow",
    {},
    { Whitelist: { accounts: ["Not an account"] } },
    { Whitelist: { accounts: Array.from({ length: 101 }, () => "bob.test") } },
    { NearBalance: { operator: "Is", value: "1" } },
    { NearBalance: { operator: "Gte", value: 1 } },
    { NearBalance: { operator: "Gte", value: "340282366920938463463374607431768211456" } },
    { Logic: { operator: "And", conditions: [] } },
    { Logic: { operator: "Xor", conditions: ["AllowAll"] } },
    { Logic: { operator: "Or", conditions: Array.from({ length: 32 }, () => "AllowAll") } },
    { Not: {} },
    deep(9),
    ...["", "(a", "a)", "(a+)+", "(a|b)*", "(x){9}", "(a)\\1", "(?=a)", "(?<n>a)", "[a", "é", "a*b*c*d*e*f*g*h*i*"].map(
      (pattern) => ({
        AccountPattern: { pattern },
      }),
    ),
  ];
  for (const access of bad) {
    const update = { accessor: REPO, profile: "default", new_access: access };
    assert.ok(call(world, "alice.test", "update_access", update, paid).panic, JSON.stringify(access).slice(0, 80));
  }
  expectOk(
    call(world, "alice.test", "update_access", { accessor: REPO, profile: "default", new_access: good[1] }, paid),
  );
  assert.equal(view(world, "get_secrets", { ...SECRET, owner: "alice.test" }).access, good[1]);
});

test("the operator resumes top-ups and nothing else: the data ids of requests are public", () => {
  const world = World.started([1, 1, 1]);
  const asked = world.ask();
  const requested = eventsIn(asked.logs)[0]!.data as { data_id: number[] };
  const kill = { data_id: Buffer.from(requested.data_id).toString("hex"), result: { Error: { message: "x" } } };
  assert.is(call(world, "operator.test", "resume_topup", kill).panic, "NoSuchTopUp");
  world.settle();
  assert.is(world.request(0)?.requestId, 0);

  const used = () => world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!.storageUsage;
  expectOk(call(world, "owner.test", "set_payment_token_contract", { token_contract: "bob.test" }));
  expectOk(call(world, "alice.test", "store_secrets", key(1), paid));
  const msg = JSON.stringify({ action: "top_up_payment_key", nonce: 1 });
  const topUp = { sender_id: "alice.test", amount: "1000000", msg };
  // The first one leaves the count of top-ups behind.
  const ends: (string | undefined)[] = [];
  const sizes = ["late", "late"].map(() => {
    const { hash } = expectOk(call(world, "bob.test", "ft_on_transfer", topUp));
    world.advance(220);
    ends.push(world.finalValue(hash));
    return used();
  });
  assert.equal(ends, ['"1000000"', '"1000000"']);
  assert.is(sizes[1], sizes[0]);
});

test("a key's top-ups are its owner's when it is deleted, whoever paid them, and one on its way goes back", () => {
  const world = World.started([]);
  const usd = (account_id: string) => view(world, "get_user_stablecoin_balance", { account_id });
  expectOk(call(world, "owner.test", "set_payment_token_contract", { token_contract: "bob.test" }));
  for (const nonce of [1, 2]) expectOk(call(world, "alice.test", "store_secrets", key(nonce), paid));
  const topUp = (sender_id: string, nonce: number, amount: string) => {
    const msg = JSON.stringify({ action: "top_up_payment_key", nonce, owner: "alice.test" });
    const { hash, logs } = expectOk(call(world, "bob.test", "ft_on_transfer", { sender_id, amount, msg }));
    const event = eventsIn(logs)[0]!.data.TopUpPaymentKey as { data_id: number[] };
    return { hash, data_id: Buffer.from(event.data_id).toString("hex") };
  };
  const answer = (data_id: string) =>
    call(world, "operator.test", "resume_topup", { data_id, result: { Success: { new_encrypted_data: "EfGh" } } });
  expectOk(answer(topUp("alice.test", 1, "1000000").data_id));
  expectOk(answer(topUp("owner.test", 1, "2000000").data_id));
  expectOk(answer(topUp("alice.test", 2, "4000000").data_id));
  const onItsWay = topUp("owner.test", 1, "8000000");
  const drop = (nonce: number) =>
    expectOk(call(world, "alice.test", "delete_payment_key", { nonce }, { depositYocto: 1n }));
  drop(1);
  assert.is(usd("alice.test"), "3000000");
  expectOk(answer(onItsWay.data_id));
  assert.is(world.finalValue(onItsWay.hash), '"8000000"');
  expectOk(call(world, "alice.test", "delete_secrets", { accessor: { System: "PaymentKey" }, profile: "2" }));
  assert.equal([usd("alice.test"), usd("owner.test"), usd("operator.test")], ["7000000", "0", "0"]);
  // All of it is still owed, until it is withdrawn.
  const unset = call(world, "owner.test", "set_payment_token_contract", { token_contract: null });
  assert.is(unset.panic, "StablecoinsOwed");
});

const key = (nonce: number | string) => ({ ...SECRET, accessor: { System: "PaymentKey" }, profile: String(nonce) });

test("a payment key's number is used once, and its top-up waits for the operator or comes back", () => {
  const world = World.started([]);
  expectOk(call(world, "owner.test", "set_payment_token_contract", { token_contract: "bob.test" }));
  for (const nonce of ["0", "01", "x", "4294967296"]) {
    assert.is(call(world, "alice.test", "store_secrets", key(nonce), paid).panic, "BadNonce", nonce);
  }
  expectOk(call(world, "alice.test", "store_secrets", key(3), paid));
  assert.is(view(world, "get_next_payment_key_nonce", { account_id: "alice.test" }), 4);
  assert.is(call(world, "alice.test", "store_secrets", key(2), paid).panic, "NonceUsed");
  const topUp = (nonce: number, amount: string) =>
    call(world, "bob.test", "ft_on_transfer", {
      sender_id: "alice.test",
      amount,
      msg: JSON.stringify({ action: "top_up_payment_key", nonce }),
    });
  assert.is(topUp(3, "999999").panic, "TopUpTooSmall");
  assert.is(topUp(9, "1000000").panic, "NoSuchPaymentKey");
  const asked = expectOk(topUp(3, "1000000"));
  const event = eventsIn(asked.logs)[0]!.data.TopUpPaymentKey as { data_id: number[]; encrypted_data: string };
  assert.is(event.encrypted_data, "AbCd");
  const answer = {
    data_id: Buffer.from(event.data_id).toString("hex"),
    result: { Success: { new_encrypted_data: "EfGh" } },
  };
  assert.is(call(world, "alice.test", "resume_topup", answer).panic, "OperatorOnly");
  expectOk(call(world, "operator.test", "resume_topup", answer));
  assert.is(world.finalValue(asked.hash), '"0"');
  assert.is(view(world, "get_secrets", { ...key(3), owner: "alice.test" }).encrypted_secrets, "EfGh");
  assert.is(call(world, "operator.test", "resume_topup", answer).panic, "NoSuchTopUp");
  const late = expectOk(topUp(3, "1000000"));
  world.advance(220);
  assert.is(world.finalValue(late.hash), '"1000000"');

  assert.is(call(world, "alice.test", "delete_payment_key", { nonce: 3 }).panic, "OneYocto");
  const deleted = expectOk(call(world, "alice.test", "delete_payment_key", { nonce: 3 }, { depositYocto: 1n }));
  assert.equal(eventsIn(deleted.logs)[0]!.data, { DeletePaymentKey: { owner: "alice.test", nonce: 3 } });
  // The one top-up that was answered; the late one went back to the token.
  assert.is(view(world, "get_user_stablecoin_balance", { account_id: "alice.test" }), "1000000");
  assert.is(call(world, "alice.test", "store_secrets", key(3), paid).panic, "NonceUsed");
  assert.is(view(world, "get_next_payment_key_nonce", { account_id: "alice.test" }), 4);
});

test.run();
