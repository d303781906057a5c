/** Contracts are ready before they are called: those of genesis, and those in transactions that wait for a block. */
import { actions } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sha256 } from "../../../devchain/codec/hash.ts";
import { buildModule, call } from "../../../devchain/oracle/module-builder.ts";
import { isPrepared } from "../../../devchain/vm/module-cache.ts";
import { withServer } from "../fixtures/served-chain.ts";
import { failure, finalStatus, run } from "../fixtures/transactions.ts";

/** A contract of about this many bytes whose method `main` calls each of its functions; `salt` makes it another one. */
function contractOf(bytes: number, salt: number): Uint8Array<ArrayBuffer> {
  const body = Array.from({ length: 100 }, () => 0x01);
  const count = Math.ceil(bytes / 103);
  const functions = Array.from({ length: count }, () => ({ body }));
  const main = { export: "main", body: [...functions.keys()].flatMap(call) };
  return buildModule({ functions: [...functions, main], memory: [1, 2048], data: [{ at: 0, bytes: [salt] }] });
}

async function prepared(code: Uint8Array): Promise<void> {
  for (const deadline = Date.now() + 20_000; !isPrepared(sha256(code)); ) {
    assert.ok(Date.now() < deadline, "it was not prepared");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a deployed contract is ready before its block is made, and runs as if it had not been", () =>
  withServer(async ({ chain, alice, call: rpc }) => {
    const code = contractOf(40_000, 1);
    const deploy = alice.sign(chain, "alice.test", [actions.deployContract(code)]);
    const signed_tx_base64 = Buffer.from(deploy).toString("base64");
    await rpc("broadcast_tx_async", { signed_tx_base64 });
    await prepared(code);
    assert.is(chain.head.height, 1);
    chain.produceBlock();
    const record = run(chain, alice.call(chain, "alice.test", "main"));
    assert.is(finalStatus(record).kind, "value");
    // The same contract, prepared by the call itself, burns the same.
    const other = contractOf(40_000, 2);
    run(chain, alice.sign(chain, "alice.test", [actions.deployContract(other)]));
    const again = run(chain, alice.call(chain, "alice.test", "main"));
    assert.is(again.receiptOutcomes[0]!.gasBurnt, record.receiptOutcomes[0]!.gasBurnt);
  }));

test("contracts of genesis are prepared at the start, and what is no contract fails as it would", () => {
  const good = contractOf(20_000, 3);
  const bad = new Uint8Array(20_000).fill(7);
  const accounts = [
    { accountId: "good.test", balanceYocto: 10n ** 27n, code: good },
    { accountId: "bad.test", balanceYocto: 10n ** 27n, code: bad },
  ];
  return withServer(
    async ({ chain, alice }) => {
      await prepared(good);
      await prepared(bad);
      assert.is(finalStatus(run(chain, alice.call(chain, "good.test", "main"))).kind, "value");
      assert.match(failure(run(chain, alice.call(chain, "bad.test", "main"))), '{"PrepareError":"Deserialization"}');
    },
    { moreAccounts: accounts },
  );
});

test.run();
