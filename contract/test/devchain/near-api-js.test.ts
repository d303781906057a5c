/** The chain as near-api-js, unmodified, sees it over HTTP. */
import {
  Account,
  actions,
  JsonRpcProvider,
  KeyPair,
  KeyPairSigner,
  nearToYocto,
  type PublicKey,
  teraToGas,
} from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DevChain, type DevChainServer, startDevChainServer } from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";

const keyPair = KeyPair.fromRandom("ed25519");
const publicKey = keyPair.getPublicKey();
const probe = await compileProbe();

interface Setup {
  chain: DevChain;
  server: DevChainServer;
  provider: JsonRpcProvider;
  account(accountId: string, key?: KeyPair): Account;
  /** Makes blocks until the promise settles: time passes on demand. */
  settle<T>(promise: Promise<T>): Promise<T>;
}

async function withChain(run: (setup: Setup) => Promise<void>): Promise<void> {
  const accounts = ["test", "alice.test", "bob.test", "other.test"].map((accountId) => ({
    accountId,
    balanceYocto: 100n * 10n ** 24n,
    publicKey: publicKey.toString(),
    ...(accountId === "other.test" ? { code: probe } : {}),
  }));
  const chain = new DevChain({
    chainId: "devchain",
    seed: "near-api-js",
    genesisTimestampNs: 1_700_000_000_000_000_000n,
    blockIntervalMs: 600,
    accounts,
  });
  const server = await startDevChainServer(chain, { port: 0, blockIntervalMs: 0 });
  const provider = new JsonRpcProvider({ url: server.url });
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const end = () => {
      settled = true;
    };
    promise.then(end, end);
    while (!settled) {
      if (!chain.isIdle) chain.produceBlock();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return promise;
  };
  const account = (accountId: string, key = keyPair) => new Account(accountId, provider, new KeyPairSigner(key));
  try {
    await run({ chain, server, provider, account, settle });
  } finally {
    await server.stop();
  }
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}

test("create an account, deploy, call, view, fail", () =>
  withChain(async ({ account, provider, settle, chain }) => {
    const parent = account("test");
    await settle(
      parent.signAndSendTransaction({
        receiverId: "sub.test",
        actions: [
          actions.createAccount(),
          actions.transfer(nearToYocto("10")),
          actions.addFullAccessKey(publicKey as PublicKey),
        ],
      }),
    );
    const sub = account("sub.test");
    await settle(sub.deployContract(probe));
    await settle(
      account("alice.test").callFunctionRaw({
        contractId: "sub.test",
        methodName: "set",
        args: new TextEncoder().encode("hello"),
      }),
    );
    chain.produceBlock();
    chain.produceBlock();
    const viewed = await provider.callFunctionRaw({
      contractId: "sub.test",
      method: "get",
      args: new Uint8Array(),
      blockQuery: { finality: "final" },
    });
    assert.is(Buffer.from(viewed.result).toString(), "hello");

    const before = await provider.viewAccount({ accountId: "sub.test" });
    const failed = await rejection(
      settle(
        account("alice.test").callFunction({
          contractId: "sub.test",
          methodName: "fail",
          args: {},
          deposit: nearToYocto("1"),
        }),
      ),
    );
    assert.match(failed.message, "refused on purpose");
    const after = await provider.viewAccount({ accountId: "sub.test" });
    assert.equal(
      { amount: after.amount, storage: after.storage_usage },
      { amount: before.amount, storage: before.storage_usage },
    );
  }));

test("a cross-contract call returns through its callback, failed or not", () =>
  withChain(async ({ account, settle }) => {
    await settle(account("bob.test").deployContract(probe));
    const relay = async (text: string) => {
      const outcome = await settle(
        account("alice.test").signAndSendTransaction({
          receiverId: "bob.test",
          actions: [actions.functionCall("relay", new TextEncoder().encode(text), teraToGas("100"), 0n)],
        }),
      );
      const status = outcome.status as { SuccessValue: string };
      return Buffer.from(status.SuccessValue, "base64").toString();
    };
    assert.is(await relay("through"), "got through");
    assert.is(await relay("fail"), "failed");
  }));

test("a yield waits for its resume", () =>
  withChain(async ({ account, settle, provider, chain }) => {
    const alice = account("alice.test");
    const transaction = await alice.createSignedTransaction({
      receiverId: "other.test",
      actions: [actions.functionCall("wait", new Uint8Array(), teraToGas("50"), 0n)],
    });
    const sent = await settle(provider.sendTransactionUntil(transaction, "INCLUDED"));
    const answer = provider.viewTransactionStatus({
      txHash: sent.transaction.hash,
      accountId: "alice.test",
      waitUntil: "EXECUTED",
    });
    for (let blocks = 0; blocks < 5; blocks++) chain.produceBlock();
    const resumed = await settle(
      account("bob.test").callFunctionRaw({
        contractId: "other.test",
        methodName: "resume",
        args: new TextEncoder().encode("now"),
      }),
    );
    assert.is(Buffer.from((resumed.status as { SuccessValue: string }).SuccessValue, "base64").toString(), "accepted");
    chain.produceBlock();
    chain.produceBlock();
    const outcome = await settle(answer);
    const status = outcome.status as { SuccessValue: string };
    assert.is(Buffer.from(status.SuccessValue, "base64").toString(), "got now");
  }));

test.run();
