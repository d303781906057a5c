/** Code that accounts share (NEP-591), and accounts that follow from their state (NEP-616). */
import { type Action, actions, JsonRpcProvider, PublicKey as NearPublicKey, type PublicKey } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { deterministicAccountId } from "../../devchain/codec/global-contract.ts";
import { sha256, toHash, ZERO_HASH } from "../../devchain/codec/hash.ts";
import { DevChain } from "../../devchain/index.ts";
import { compileAssemblyScript, compileProbe } from "./fixtures/probe.ts";
import { type Json, withServer } from "./fixtures/served-chain.ts";
import { failure, finalStatus, refusal, run } from "./fixtures/transactions.ts";
import { CHAIN_OPTIONS, NEAR, TERA, Wallet } from "./fixtures/wallet.ts";

const probe = new Uint8Array(await compileProbe());
const probeDigest = sha256(probe);
const probeHash = toHash(probeDigest);
const YOCTO_PER_SHARED_BYTE = 10n ** 20n;

/** Answers `text`, and says where its code is from. */
const answering = async (text: string) =>
  new Uint8Array(
    await compileAssemblyScript(`
      @external("env", "value_return") declare function value_return(length: u64, pointer: u64): void;
      @external("env", "current_contract_code") declare function current_contract_code(register: u64): u64;
      export function get(): void {
        const text = String.UTF8.encode("${text} " + current_contract_code(0).toString());
        value_return(text.byteLength, changetype<usize>(text));
      }`),
  );

function start() {
  const [alice, bob] = [new Wallet("alice.test"), new Wallet("bob.test")];
  const chain = new DevChain({ ...CHAIN_OPTIONS, accounts: [alice.genesis(), { ...bob.genesis(), code: probe }] });
  const account = (id: string) => chain.stateAt("optimistic").get("account", id, "")!;
  const get = (id: string) => Buffer.from(chain.view(id, "get", new Uint8Array()).result).toString();
  const act = (wallet: Wallet, made: Action[], receiver = wallet.accountId) => {
    const record = run(chain, wallet.sign(chain, receiver, made));
    chain.produceBlock(); // the code is on its way for a block
    return record;
  };
  return { alice, bob, chain, account, get, act };
}

test("code is shared by its hash: paid for once by the byte, used for 32 bytes", () => {
  const { alice, bob, chain, account, act } = start();
  const code = probe.slice();
  const before = account("alice.test").amount;
  const record = act(alice, [actions.deployGlobalContract(code, "codeHash")]);
  const price = YOCTO_PER_SHARED_BYTE * BigInt(code.length);
  const burnt = [record.outcome, ...record.receiptOutcomes].reduce((sum, { tokensBurnt }) => sum + tokensBurnt, 0n);
  assert.is(before - account("alice.test").amount, price + burnt);
  assert.is(account("alice.test").codeHash, ZERO_HASH);

  const owned = account("bob.test").storageUsage;
  assert.is(finalStatus(act(bob, [actions.useGlobalContract({ codeHash: probeDigest })])).kind, "value");
  assert.is(account("bob.test").storageUsage, owned - probe.length + 32);
  assert.is(chain.stateAt("optimistic").get("code", "bob.test", ""), undefined);
  run(chain, alice.call(chain, "bob.test", "set", Buffer.from("shared")));
  assert.is(Buffer.from(chain.view("bob.test", "get", new Uint8Array()).result).toString(), "shared");
  // Code of its own takes the place of the shared one.
  act(bob, [actions.deployContract(probe)]);
  assert.is(account("bob.test").globalContract, undefined);
  assert.is(account("bob.test").codeHash, probeHash);
});

test("code shared by account changes for everybody who uses it", async () => {
  const { alice, bob, get, act } = start();
  act(alice, [actions.deployGlobalContract(await answering("first"), "accountId")]);
  act(bob, [actions.useGlobalContract({ accountId: "alice.test" })]);
  assert.is(get("bob.test"), "first 3");
  act(alice, [actions.deployGlobalContract(await answering("second"), "accountId")]);
  assert.is(get("bob.test"), "second 3");
  act(bob, [actions.deployContract(await answering("own"))]);
  assert.is(get("bob.test"), "own 1");
  const code = await answering("hashed");
  act(alice, [actions.deployGlobalContract(code, "codeHash")]);
  act(bob, [actions.useGlobalContract({ codeHash: sha256(code) })]);
  assert.is(get("bob.test"), "hashed 2");
});

test("sharing and using fail by nearcore's names", () => {
  const { alice, bob, chain, act } = start();
  const poor = new Wallet("poor.alice.test");
  assert.match(
    failure(act(alice, [actions.useGlobalContract({ codeHash: probeDigest })])),
    `{"GlobalContractDoesNotExist":{"identifier":{"hash":"${probeHash}"}}}`,
  );
  assert.match(
    failure(act(alice, [actions.useGlobalContract({ accountId: "bob.test" })])),
    '{"GlobalContractDoesNotExist":{"identifier":{"account_id":"bob.test"}}}',
  );
  for (const made of [
    actions.deployGlobalContract(probe, "codeHash"),
    actions.useGlobalContract({ codeHash: probeDigest }),
  ]) {
    assert.match(failure(act(alice, [made], "bob.test")), "ActorNoPermission");
  }
  const key = actions.addFullAccessKey(NearPublicKey.from(poor.publicKey) as PublicKey);
  act(alice, [actions.createAccount(), actions.transfer(NEAR / 100n), key], "poor.alice.test");
  const nonce = chain.stateAt("optimistic").get("accessKey", "poor.alice.test", poor.publicKey)!.nonce + 1n;
  const deploy = poor.sign(chain, "poor.alice.test", [actions.deployGlobalContract(probe, "codeHash")], nonce);
  const price = YOCTO_PER_SHARED_BYTE * BigInt(probe.length);
  assert.match(
    failure(run(chain, deploy)),
    `{"LackBalanceForState":{"account_id":"poor.alice.test","amount":"${price}"}}`,
  );
  const many = Array.from({ length: 11 }, () => actions.deployGlobalContract(new Uint8Array(1), "codeHash"));
  assert.match(
    refusal(() => chain.submit(bob.sign(chain, "bob.test", many))),
    '{"TotalNumberOfDeployActionsExceeded":{"number_of_deploy_actions":11,"limit":10}}',
  );
});

const framed = (bytes: Uint8Array) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** The Borsh form of action 11, with the records in the order given. */
function stateInit(accountId: string, records: readonly (readonly [string, string])[], deposit: bigint): Uint8Array {
  const amount = Buffer.alloc(16);
  amount.writeBigUInt64LE(deposit & ((1n << 64n) - 1n));
  amount.writeBigUInt64LE(deposit >> 64n, 8);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(records.length);
  const data = records.flatMap((record) => record.map((text) => framed(Buffer.from(text))));
  return Buffer.concat([Uint8Array.of(11, 0, 1), framed(Buffer.from(accountId)), count, ...data, amount]);
}

const idOf = (accountId: string, records: readonly (readonly [string, string])[]) =>
  deterministicAccountId({
    contract: { kind: "account", accountId },
    data: records.map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) })),
  });

test("a state init makes the account that follows from it, with what it needs of the deposit", () => {
  const { alice, bob, chain, account, act } = start();
  act(alice, [actions.deployGlobalContract(probe, "accountId")]);
  const records = [["value", "from its init"]] as const;
  const id = idOf("alice.test", records);
  assert.match(id, /^0s[0-9a-f]{40}$/);
  const init = (deposit: bigint, to = id, made: readonly (readonly [string, string])[] = records) =>
    bob.signEncoded(chain, to, stateInit("alice.test", made, deposit));
  const before = account("bob.test").amount;
  const record = run(chain, init(NEAR));
  assert.is(finalStatus(record).kind, "value");
  assert.is(Buffer.from(chain.view(id, "get", new Uint8Array()).result).toString(), "from its init");
  const { amount, storageUsage } = account(id);
  // 100 for the account, the name of the code, the record with 40 of its own: below 770, nothing is needed.
  assert.equal([amount, storageUsage], [0n, 100 + "alice.test".length + 5 + 13 + 40]);
  assert.ok(before - account("bob.test").amount < NEAR / 50n, "the deposit came back");

  const large = [["value", "x".repeat(1_000)]] as const;
  const largeId = idOf("alice.test", large);
  assert.match(failure(run(chain, init(1n, largeId, large))), '"LackBalanceForState"');
  assert.is(finalStatus(run(chain, init(NEAR, largeId, large))).kind, "value");
  assert.is(account(largeId).amount, BigInt(account(largeId).storageUsage) * 10n ** 19n);
  // Once more: nothing changes, and all of the deposit comes back.
  run(chain, alice.call(chain, largeId, "set", Buffer.from("later"), { gas: 20n * TERA, deposit: NEAR }));
  const held = account(largeId);
  assert.is(finalStatus(run(chain, init(NEAR, largeId, large))).kind, "value");
  assert.equal(account(largeId), held);
});

test("a transfer may come first; another state, another code or too many records are refused", () => {
  const { alice, bob, chain, account, act } = start();
  const records = [["a", "1"]] as const;
  const id = idOf("alice.test", records);
  const send = (action: Uint8Array, to = id) => bob.signEncoded(chain, to, action);
  assert.match(
    failure(run(chain, send(stateInit("alice.test", records, 0n)))),
    '{"GlobalContractDoesNotExist":{"identifier":{"account_id":"alice.test"}}}',
  );
  assert.is(chain.stateAt("optimistic").get("account", id, ""), undefined);
  act(alice, [actions.deployGlobalContract(probe, "accountId")]);
  act(bob, [actions.transfer(5n)], id);
  assert.is(account(id).amount, 5n);
  assert.equal(chain.stateAt("optimistic").entries("accessKey", id), []);
  assert.is(finalStatus(run(chain, send(stateInit("alice.test", records, 0n)))).kind, "value");
  assert.is(account(id).amount, 5n);
  const wrong = (action: Uint8Array) => refusal(() => chain.submit(send(action)));
  const other = idOf("alice.test", [["a", "2"]]);
  assert.is(
    wrong(stateInit("alice.test", [["a", "2"]], 0n)),
    `{"ActionsValidation":{"InvalidDeterministicStateInitReceiver":{"receiver_id":"${id}","derived_id":"${other}"}}}`,
  );
  assert.match(wrong(stateInit("Not An Account", records, 0n)), "InvalidAccountId");
  const many = Array.from({ length: 1_501 }, (_, index) => [String(index), ""] as const);
  assert.match(
    wrong(stateInit("alice.test", many, 0n)),
    '"TotalNumberOfStateInitEntriesExceeded":{"number_of_entries":1501',
  );
  const long = [["k".repeat(2_049), ""]] as const;
  const longId = idOf("alice.test", long);
  assert.match(
    refusal(() => chain.submit(send(stateInit("alice.test", long, 0n), longId))),
    '"DeterministicStateInitKeyLengthExceeded":{"length":2049,"limit":2048}',
  );
});

test("JSON-RPC shows shared code, and near-api-js reads it", () =>
  withServer(async ({ chain, alice, server, call }) => {
    const near = new JsonRpcProvider({ url: server.url });
    const at = { finality: "optimistic" } as const;
    const shared = run(chain, alice.sign(chain, "alice.test", [actions.deployGlobalContract(probe, "accountId")]));
    run(chain, alice.sign(chain, "alice.test", [actions.deployGlobalContract(probe, "codeHash")]));
    chain.produceBlock();
    const used = run(chain, alice.sign(chain, "alice.test", [actions.useGlobalContract({ codeHash: probeDigest })]));
    const account = (await call("query", { ...at, request_type: "view_account", account_id: "alice.test" })).result;
    assert.equal([account.global_contract_hash, account.code_hash], [probeHash, ZERO_HASH]);
    for (const identifier of [{ accountId: "alice.test" }, { codeHash: probeHash }]) {
      const viewed = (await near.viewGlobalContractCode({ identifier, blockQuery: at })) as Json;
      assert.is(viewed.hash, probeHash);
    }
    const actionsOf = async (hash: string) => (await call("tx", [hash, "alice.test"])).result.transaction.actions;
    assert.equal(Object.keys((await actionsOf(shared.transaction.hash))[0]), ["DeployGlobalContractByAccountId"]);
    assert.equal(await actionsOf(used.transaction.hash), [{ UseGlobalContract: { code_hash: probeHash } }]);
    const missing = { ...at, request_type: "view_global_contract_code_by_account_id", account_id: "other.test" };
    const { cause } = (await call("query", missing)).error!;
    assert.equal([cause.name, cause.info.identifier], ["NO_GLOBAL_CONTRACT_CODE", { account_id: "other.test" }]);
  }));

test("a fork keeps shared code, on its way and arrived", () => {
  const { alice, bob, chain, act } = start();
  act(alice, [actions.deployGlobalContract(probe, "accountId")]);
  act(bob, [actions.useGlobalContract({ accountId: "alice.test" })]);
  chain.submit(alice.sign(chain, "alice.test", [actions.deployGlobalContract(probe.slice(0, -1), "codeHash")]));
  chain.produceBlock();
  const fork = new DevChain({ ...CHAIN_OPTIONS, accounts: [] }, chain.snapshot());
  for (let blocks = 0; blocks < 3; blocks++) assert.is(fork.produceBlock().hash, chain.produceBlock().hash);
  assert.is(fork.stateAt("optimistic").entries("globalCode", "").length, 2);
});

test.run();
