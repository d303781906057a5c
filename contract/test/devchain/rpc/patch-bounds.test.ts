/** Patches go past the rules of transactions, but not to a state that the chain could not go on from. */
import { actions } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DevChain, DevChainError } from "../../../devchain/index.ts";
import { withServer } from "../fixtures/served-chain.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "../fixtures/wallet.ts";

const U128_MAX = 2n ** 128n - 1n;
/** As the accounts of `withServer` leave it. */
const ROOM = 2n ** 128n - 2n ** 64n - 1_010n * NEAR;

const account = (fields: { amount?: bigint; locked?: bigint; storage_usage?: number }, account_id = "new.test") => ({
  Account: {
    account_id,
    account: {
      amount: String(fields.amount ?? 1n),
      locked: String(fields.locked ?? 0n),
      code_hash: "1".repeat(32),
      storage_usage: fields.storage_usage ?? 182,
    },
  },
});
const key = (allowance: bigint, receiver_id = "other.test") => ({
  AccessKey: {
    account_id: "alice.test",
    public_key: new Wallet("limited").publicKey,
    access_key: {
      nonce: 0,
      permission: { FunctionCall: { allowance: String(allowance), receiver_id, method_names: [] } },
    },
  },
});
const data = (keyBytes: number, valueBytes: number, account_id = "other.test") => ({
  Data: {
    account_id,
    data_key: Buffer.alloc(keyBytes, 1).toString("base64"),
    value: Buffer.alloc(valueBytes, 2).toString("base64"),
  },
});
const contract = (bytes: number, account_id = "other.test") => ({
  Contract: { account_id, code: Buffer.alloc(bytes, 3).toString("base64") },
});

test("what could not be is refused by its name, and no block is made", () =>
  withServer(async ({ call, chain }) => {
    const { height } = chain.head;
    const rows: (readonly [records: object[], reason: string | RegExp])[] = [
      [[account({ amount: U128_MAX + 1n })], "`amount` is above"],
      [[account({ locked: 10n ** 39n - 1n })], "`locked` is above"],
      [[key(U128_MAX + 1n)], "`allowance` is above"],
      [[key(1n, "No Account")], "`receiver_id` is not an account id"],
      [[account({ amount: ROOM + 1n })], "all accounts would have"],
      [[account({ amount: ROOM, locked: 1n })], "all accounts would have"],
      [[account({ amount: ROOM }), account({}, "more.test")], "all accounts would have"],
      [[account({ storage_usage: 10 ** 14 + 1 })], "storage usage 100000000000001"],
      [[account({ storage_usage: 2 ** 53 - 1 })], "storage usage"],
      [[account({}, "system")], "system: belongs to the chain itself"],
      [[data(1, 1, "system")], "system: belongs to the chain itself"],
      [[contract(1, "system")], "system: belongs to the chain itself"],
      [[data(2049, 1)], "a key of 2049 bytes"],
      [[data(1, 4_194_305)], "a value of 4194305 bytes"],
      [[contract(4_194_305)], "4194305 bytes of code"],
    ];
    for (const [records, reason] of rows) {
      const { status, error } = await call("sandbox_patch_state", { records });
      assert.equal([status, error?.cause.name], [400, "PARSE_ERROR"], String(reason));
      assert.match(String(error!.data), reason);
    }
    assert.is(chain.head.height, height);
  }));

test("what may just be is taken", () =>
  withServer(async ({ call, chain }) => {
    const records = [account({ amount: ROOM, storage_usage: 10 ** 14 }), key(U128_MAX), data(2048, 4_194_304)];
    assert.equal((await call("sandbox_patch_state", { records })).result, {});
    assert.is(chain.stateAt("optimistic").get("account", "new.test", "")!.amount, ROOM);
    // In the place of what it had, not beside it.
    assert.equal((await call("sandbox_patch_state", { records: [account({ amount: ROOM })] })).result, {});
  }));

test("money that is on its way counts: no balance can grow beyond a u128", () =>
  withServer(async ({ call, chain, alice }) => {
    chain.submit(alice.sign(chain, "new.test", [actions.transfer(100n * NEAR)]));
    await call("sandbox_patch_state", { records: [account({})] });
    const left = chain.stateAt("optimistic").get("account", "alice.test", "")!.amount;
    assert.ok(left < 900n * NEAR);
    // The transfer's receipt arrives in the very next block.
    const all = 2n ** 128n - 2n ** 64n - 10n * NEAR - left;
    const refused = await call("sandbox_patch_state", { records: [account({ amount: all })] });
    assert.match(String(refused.error!.data), "all accounts would have");
    const most = all - 101n * NEAR;
    assert.equal((await call("sandbox_patch_state", { records: [account({ amount: most })] })).result, {});
    for (let blocks = 0; blocks < 3; blocks++) chain.produceBlock();
    assert.is(chain.stateAt("optimistic").get("account", "new.test", "")!.amount, most + 100n * NEAR);
  }));

test("a genesis is bounded in the same way", () => {
  const refused = (accountId: string, balanceYocto: bigint) => {
    const accounts = [{ accountId, balanceYocto }, new Wallet("alice.test").genesis(1n)];
    try {
      new DevChain({ ...CHAIN_OPTIONS, accounts });
      return "taken";
    } catch (error) {
      return error instanceof DevChainError ? error.code : String(error);
    }
  };
  assert.is(refused("rich.test", 2n ** 128n - 2n ** 64n), "INVALID_OPTIONS");
  assert.is(refused("rich.test", 2n ** 128n - 2n ** 64n - 1n), "taken");
  assert.is(refused("system", 1n), "INVALID_OPTIONS");
});

test.run();
