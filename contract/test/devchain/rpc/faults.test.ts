/** What public RPC nodes do to their clients, on request, and near-api-js's own retries against it. */
import { createHash } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { Account, JsonRpcProvider, KeyPair, KeyPairSigner } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeBase58 } from "../../../devchain/codec/base58.ts";
import {
  DevChain,
  type DevChainOptions,
  InvalidTransactionError,
  type RpcFaults,
  startDevChainServer,
} from "../../../devchain/index.ts";
import { CHAIN_OPTIONS, Wallet } from "../fixtures/wallet.ts";

interface Answer {
  readonly status: number;
  readonly body: { result?: Record<string, unknown>; error?: { cause: { name: string } } };
}

async function withServer(
  faults: RpcFaults | undefined,
  run: (chain: DevChain, ask: (method: string, params: object) => Promise<Answer>, url: string) => Promise<void>,
  options: Partial<DevChainOptions> = {},
): Promise<void> {
  const accounts = ["alice.test", "bob.test"].map((accountId) => new Wallet(accountId).genesis());
  const chain = new DevChain({ ...CHAIN_OPTIONS, accounts, ...options });
  for (let i = 0; i < 10; i++) chain.produceBlock();
  const server = await startDevChainServer(chain, { port: 0, blockIntervalMs: 0, ...(faults ? { faults } : {}) });
  const ask = async (method: string, params: object) => {
    const response = await fetch(server.url, {
      method: "POST",
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  };
  try {
    await run(chain, ask, server.url);
  } finally {
    await server.stop();
  }
}

const headOf = ({ body }: Answer) => (body.result as { header: { height: number } }).header.height;

test("without faults there are none; with them, each kind is what a node would answer", async () => {
  await withServer(undefined, async (chain, ask) => {
    assert.is(headOf(await ask("block", { finality: "optimistic" })), chain.head.height);
  });
  await withServer({ seed: "a", tooManyRequests: 1 }, async (_, ask) => {
    assert.is((await ask("status", [])).status, 429);
  });
  await withServer({ seed: "a", timeouts: 1 }, async (_, ask) => {
    const { status, body } = await ask("block", { finality: "final" });
    assert.equal([status, body.error!.cause.name], [408, "TIMEOUT_ERROR"]);
  });
  await withServer({ seed: "a", staleHeads: 1, staleBlocks: 4 }, async (chain, ask) => {
    assert.is(headOf(await ask("block", { finality: "optimistic" })), chain.head.height - 4);
    assert.is(headOf(await ask("block", { finality: "final" })), chain.finalHead.height - 4);
    assert.is(headOf(await ask("block", { block_id: chain.head.height })), chain.head.height);
  });
  await withServer({ seed: "a", unknownBlocks: 1 }, async (chain, ask) => {
    const { status, body } = await ask("block", { block_id: chain.head.hash });
    assert.equal([status, body.error!.cause.name], [422, "UNKNOWN_BLOCK"]);
    assert.is((await ask("block", { finality: "final" })).status, 200);
  });
});

test("a share is hit, the same requests with the same seed", async () => {
  const run = async (seed: string) => {
    let hits = "";
    await withServer({ seed, tooManyRequests: 0.3 }, async (_, ask) => {
      for (let i = 0; i < 60; i++) hits += (await ask("status", [])).status === 429 ? "x" : ".";
    });
    return hits;
  };
  const first = await run("one");
  assert.is(await run("one"), first);
  assert.is.not(await run("two"), first);
  const share = first.replaceAll(".", "").length / first.length;
  assert.ok(share > 0.1 && share < 0.5, first);
});

test("shares beyond 0 to 1 are refused", async () => {
  const chain = new DevChain({ ...CHAIN_OPTIONS, accounts: [] });
  for (const timeouts of [-0.1, 1.1, Number.NaN]) {
    try {
      await startDevChainServer(chain, { port: 0, blockIntervalMs: 0, faults: { seed: "", timeouts } });
      assert.unreachable();
    } catch (error) {
      assert.instance(error, RangeError);
    }
  }
});

test("near-api-js sends again by itself when a stale node gave it a nonce that is used", async () => {
  const secret = createHash("sha256").update("alice.test").digest();
  const text = `ed25519:${encodeBase58(Buffer.concat([secret, ed25519.getPublicKey(secret)]))}` as const;
  await withServer({ seed: "nonces", staleHeads: 0.5, staleBlocks: 9 }, async (chain, _, url) => {
    const submit = chain.submit.bind(chain);
    let refused = 0;
    chain.submit = (bytes) => {
      try {
        return submit(bytes);
      } catch (error) {
        if (error instanceof InvalidTransactionError && JSON.stringify(error.error).includes("InvalidNonce")) refused++;
        throw error;
      }
    };
    const timer = setInterval(() => chain.produceBlock(), 5);
    try {
      const provider = new JsonRpcProvider({ url });
      const signer = new KeyPairSigner(KeyPair.fromString(text));
      let sent = 0;
      for (let i = 0; i < 10; i++) {
        // Each from the start: an account that has sent before knows its nonce without asking.
        await new Account("alice.test", provider, signer).transfer({ receiverId: "bob.test", amount: 1n });
        sent++;
      }
      assert.is(sent, 10);
      assert.ok(refused > 0, "no nonce was used");
    } finally {
      clearInterval(timer);
    }
  });
});

test("shuffled transactions: a nonce that lands too early kills the lower ones, and the seed says which", () => {
  const land = (seed: string) => {
    const alice = new Wallet("alice.test");
    const accounts = [alice.genesis(), new Wallet("bob.test").genesis()];
    const chain = new DevChain({ ...CHAIN_OPTIONS, seed, accounts, shuffleTransactions: true });
    const hashes = Array.from({ length: 8 }, () => chain.submit(alice.call(chain, "bob.test", "none")));
    chain.produceBlock();
    return hashes.map((hash) => (chain.transactions.transaction(hash) === undefined ? "lost" : "landed"));
  };
  const first = land("one");
  assert.ok(first.includes("lost") && first.includes("landed"));
  assert.equal(land("one"), first);
});

test("sandbox_fast_forward makes blocks, and a yield's time comes with them", async () => {
  await withServer(undefined, async (chain, ask) => {
    const { height, timestampNs } = chain.head;
    assert.equal((await ask("sandbox_fast_forward", { delta_height: 250 })).body.result, {});
    assert.is(chain.head.height, height + 250);
    assert.is(chain.head.timestampNs - timestampNs, 250n * 600_000_000n);
    assert.is((await ask("sandbox_fast_forward", { delta_height: 0 })).status, 400);
    assert.is((await ask("sandbox_fast_forward", { delta_height: 10 ** 9 })).status, 400);
  });
});

test.run();
