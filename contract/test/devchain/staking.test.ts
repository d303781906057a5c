/** State staking (balance for bytes) and validator staking, with nearcore's errors. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { type Action, actions, PublicKey as NearPublicKey, type PublicKey } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeBase58 } from "../../devchain/codec/base58.ts";
import { DevChain, type DevChainOptions } from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { failure, finalStatus, refusal, run } from "./fixtures/transactions.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "./fixtures/wallet.ts";

const probe = await compileProbe();
const MILLI = NEAR / 1_000n;
/** 100 bytes of account, 82 of its full-access key. */
const BARE_BYTES = 182n;
const YOCTO_PER_BYTE = 10n ** 19n;

function start(options: Partial<DevChainOptions> = {}) {
  const alice = new Wallet("alice.test");
  const poor = new Wallet("poor.test");
  const accounts = [
    alice.genesis(),
    poor.genesis(20n * MILLI),
    { ...new Wallet("app.test").genesis(MILLI), code: probe },
  ];
  const chain = new DevChain({ ...CHAIN_OPTIONS, accounts, ...options });
  const account = (id: string) => chain.stateAt("optimistic").get("account", id, "")!;
  return { chain, alice, poor, account };
}

const keyOf = (wallet: Wallet) => NearPublicKey.from(wallet.publicKey) as PublicKey;
const otherKey = keyOf(new Wallet("nobody.test"));
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const lacking = (id: string) =>
  new RegExp(`"index":null,"kind":{"LackBalanceForState":{"account_id":"${id}","amount":"\\d+"`);

test("every action that adds bytes needs a balance for them, and fails whole", () => {
  const keyWithMethods = actions.addFunctionCallAccessKey(
    otherKey,
    "app.test",
    Array.from({ length: 70 }, (_, index) => `method_${index}_of_the_contract`),
    NEAR,
  );
  const attempts: readonly [name: string, made: Action[]][] = [
    ["DeployContract", [actions.deployContract(new Uint8Array(2_100))]],
    ["AddKey", [keyWithMethods]],
  ];
  for (const [name, made] of attempts) {
    const { chain, poor, account } = start();
    const before = account("poor.test").storageUsage;
    assert.match(failure(run(chain, poor.sign(chain, "poor.test", made))), lacking("poor.test"), name);
    assert.is(account("poor.test").storageUsage, before, name);
  }
});

test("a contract that stores more than its balance covers fails with what is missing", () => {
  const { chain, alice, account } = start();
  const { amount, storageUsage } = account("app.test");
  const value = bytes("x".repeat(5_000));
  const record = run(chain, alice.call(chain, "app.test", "set", value));
  // The key "value" has 5 bytes, a record 40 of its own.
  const missing = BigInt(storageUsage + 5_000 + 5 + 40) * YOCTO_PER_BYTE - amount;
  const kind = { LackBalanceForState: { account_id: "app.test", amount: missing.toString() } };
  const status = finalStatus(record);
  assert.equal(status.kind === "failure" && status.error, { ActionError: { index: null, kind } });
  assert.equal(chain.stateAt("optimistic").entries("data", "app.test"), []);
  // With the deposit it is covered.
  const paid = run(chain, alice.call(chain, "app.test", "set", value, { deposit: missing }));
  assert.is(finalStatus(paid).kind, "value");
  assert.is(account("app.test").amount, amount + missing);
});

test("up to 770 bytes need no balance, one more needs it for all", () => {
  const { chain, alice, account } = start();
  const create = (name: string, codeBytes: number, deposit: bigint) =>
    run(
      chain,
      alice.sign(chain, name, [
        actions.createAccount(),
        actions.addFullAccessKey(otherKey),
        actions.deployContract(new Uint8Array(codeBytes)),
        ...(deposit > 0n ? [actions.transfer(deposit)] : []),
      ]),
    );
  const exempt = 770 - Number(BARE_BYTES);
  assert.is(finalStatus(create("zero.alice.test", exempt, 0n)).kind, "value");
  assert.equal([account("zero.alice.test").amount, account("zero.alice.test").storageUsage], [0n, 770]);
  assert.match(failure(create("one.alice.test", exempt + 1, 0n)), `"amount":"${771n * YOCTO_PER_BYTE}"`);
  assert.match(failure(create("less.alice.test", exempt + 1, 771n * YOCTO_PER_BYTE - 1n)), '"amount":"1"');
  assert.is(finalStatus(create("covered.alice.test", exempt + 1, 771n * YOCTO_PER_BYTE)).kind, "value");
});

test("a transaction that would leave too little for the signer's bytes is refused", () => {
  const { chain, alice } = start();
  run(chain, alice.sign(chain, "alice.test", [actions.deployContract(new Uint8Array(100_000))]));
  const { amount, storageUsage } = chain.stateAt("optimistic").get("account", "alice.test", "")!;
  const reserved = BigInt(storageUsage) * YOCTO_PER_BYTE;
  const text = refusal(() => chain.submit(alice.sign(chain, "poor.test", [actions.transfer(amount - reserved)])));
  assert.match(text, /^{"LackBalanceForState":{"signer_id":"alice.test","amount":"\d+"}}$/);
});

test("locked money covers bytes as well", () => {
  const { chain, alice, account } = start({ minimumStakeYocto: 1n });
  run(chain, alice.sign(chain, "alice.test", [actions.deployContract(new Uint8Array(100_000))]));
  const staked = account("alice.test").amount - NEAR / 100n;
  const record = run(chain, alice.sign(chain, "alice.test", [actions.stake(staked, keyOf(alice))]));
  assert.is(finalStatus(record).kind, "value");
  assert.ok(account("alice.test").amount < BigInt(account("alice.test").storageUsage) * YOCTO_PER_BYTE);
});

test("staking fails by nearcore's names", () => {
  const { chain, alice, account } = start({ minimumStakeYocto: 10n * NEAR });
  const attempt = (amount: bigint) =>
    failure(run(chain, alice.sign(chain, "alice.test", [actions.stake(amount, keyOf(alice))])));
  assert.match(attempt(0n), '{"TriesToUnstake":{"account_id":"alice.test"}}');
  assert.match(
    attempt(NEAR),
    `{"InsufficientStake":{"account_id":"alice.test","stake":"${NEAR}","minimum_stake":"${10n * NEAR}"}}`,
  );
  const tooMuch = attempt(2_000n * NEAR);
  assert.match(
    tooMuch,
    `{"TriesToStake":{"account_id":"alice.test","stake":"${2_000n * NEAR}","locked":"0","balance":"`,
  );
  assert.match(
    failure(run(chain, alice.sign(chain, "poor.test", [actions.stake(10n * NEAR, keyOf(alice))]))),
    '{"ActorNoPermission":{"account_id":"poor.test","actor_id":"alice.test"}}',
  );
  assert.is(account("alice.test").locked, 0n);
  assert.is(attempt(20n * NEAR), "it did not fail");
  assert.is(account("alice.test").locked, 20n * NEAR);
  const gone = run(chain, alice.sign(chain, "alice.test", [actions.deleteAccount("poor.test")]));
  assert.match(failure(gone), '{"DeleteAccountStaking":{"account_id":"alice.test"}}');
});

test("a key that cannot be a validator's is refused", () => {
  const { chain, alice } = start();
  const stakeWith = (text: string) => {
    const action = actions.stake(NEAR, NearPublicKey.from(text) as PublicKey);
    return refusal(() => chain.submit(alice.sign(chain, "alice.test", [action], 1n)));
  };
  const lowOrder = `ed25519:${encodeBase58(ed25519.Point.ZERO.negate().toBytes())}`;
  assert.is(stakeWith(lowOrder), "it was accepted"); // the neutral point is free of torsion
  const torsion = Uint8Array.from([236, ...new Array(30).fill(255), 127]); // (0, -1), of order 2
  const secp = `secp256k1:${encodeBase58(new Uint8Array(64).fill(1))}`;
  for (const text of [`ed25519:${encodeBase58(torsion)}`, secp]) {
    assert.is(stakeWith(text), `{"ActionsValidation":{"UnsuitableStakingKey":{"public_key":"${text}"}}}`);
  }
});

test("a stake counts two epochs later and comes back three epochs after it is taken out", () => {
  const { chain, alice, account } = start({ epochBlocks: 10, minimumStakeYocto: NEAR });
  const until = (epoch: number) => {
    while (chain.epochHeight(chain.head.height) < epoch) chain.produceBlock();
  };
  const stakeOf = () => chain.stateAt("optimistic").get("stake", "alice.test", "");
  const put = (amount: bigint) => run(chain, alice.sign(chain, "alice.test", [actions.stake(amount, keyOf(alice))]));
  put(30n * NEAR);
  assert.is(chain.epochHeight(chain.head.height), 1);
  assert.equal([stakeOf()!.current, stakeOf()!.next, stakeOf()!.proposed], [0n, 0n, 30n * NEAR]);
  until(2);
  assert.equal([stakeOf()!.current, stakeOf()!.next, stakeOf()!.proposed], [0n, 30n * NEAR, undefined]);
  until(3);
  assert.is(stakeOf()!.current, 30n * NEAR);
  put(0n);
  assert.is(account("alice.test").locked, 30n * NEAR);
  until(5);
  assert.equal([account("alice.test").locked, stakeOf()!.current], [30n * NEAR, 0n]);
  const before = account("alice.test").amount;
  until(6);
  assert.equal([account("alice.test").locked, account("alice.test").amount], [0n, before + 30n * NEAR]);
  assert.is(stakeOf(), undefined);
  assert.ok(chain.changes(chain.head.height).every(({ cause }) => cause.kind === "epoch"));
});

test.run();
