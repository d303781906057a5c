/** Sums that are no u128 and no u64, by nearcore's names (runtime/runtime/src/verifier.rs, config.rs, actions.rs). */
import { actions } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DevChain, type StatePatch } from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { refusal } from "./fixtures/transactions.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "./fixtures/wallet.ts";

const U128_MAX = 2n ** 128n - 1n;
const U64_MAX = 2n ** 64n - 1n;

const alice = new Wallet("alice.test");
const probe = { accountId: "other.test", balanceYocto: NEAR, code: await compileProbe() };
const chain = new DevChain({ ...CHAIN_OPTIONS, accounts: [alice.genesis(), probe] });
const none = new Uint8Array();

test("a transaction that costs more than a u128 is a CostOverflow, whoever signed it", () => {
  const send = (from: Wallet, ...amounts: bigint[]) =>
    refusal(() =>
      chain.submit(
        from.sign(
          chain,
          "bob.test",
          amounts.map((amount) => actions.transfer(amount)),
        ),
      ),
    );
  assert.is(send(alice, U128_MAX, U128_MAX), '"CostOverflow"');
  // The deposit fits, its fees do not.
  assert.is(send(alice, U128_MAX), '"CostOverflow"');
  assert.is(send(new Wallet("nobody.test"), U128_MAX, 1n), '"CostOverflow"');
  assert.match(send(alice, U128_MAX - NEAR), "NotEnoughBalance");
  assert.match(send(new Wallet("nobody.test"), U128_MAX - NEAR), "SignerDoesNotExist");
});

test("gas that is no u64 is an IntegerOverflow, gas that is one exceeds the limit", () => {
  const call = (...gas: bigint[]) =>
    refusal(() =>
      chain.submit(
        alice.sign(
          chain,
          "other.test",
          gas.map((each) => actions.functionCall("get", none, each, 0n)),
        ),
      ),
    );
  assert.is(call(U64_MAX, U64_MAX), '{"ActionsValidation":"IntegerOverflow"}');
  assert.is(call(2n ** 63n, 2n ** 63n), '{"ActionsValidation":"IntegerOverflow"}');
  assert.match(call(U64_MAX), "TotalPrepaidGasExceeded");
  assert.match(call(2n ** 63n, 2n ** 62n), "TotalPrepaidGasExceeded");
});

test("an allowance that gas comes back to stays at the most of a u128", () => {
  const limited = new Wallet("alice.test", "limited");
  const permission = { kind: "FunctionCall", allowance: U128_MAX, receiverId: "other.test", methodNames: [] } as const;
  const patch: StatePatch = {
    column: "accessKey",
    accountId: "alice.test",
    key: limited.publicKey,
    value: { nonce: 0n, permission },
  };
  chain.produceBlock(undefined, [patch]);
  const hash = chain.submit(limited.call(chain, "other.test", "get"));
  chain.produceBlock();
  // The key has paid; now it gets more than it had, and the refund comes on top.
  chain.produceBlock(undefined, [patch]);
  const before = chain.stateAt("optimistic").get("accessKey", "alice.test", limited.publicKey)!;
  for (let blocks = 0; blocks < 3; blocks++) chain.produceBlock();
  assert.ok(chain.transactions.transaction(hash)!.receiptOutcomes.length > 1, "there was a refund");
  assert.equal(chain.stateAt("optimistic").get("accessKey", "alice.test", limited.publicKey), before);
});

test.run();
