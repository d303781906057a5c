/** `sandbox_fast_forward`: others are answered meanwhile, and its blocks are those of a chain that does it at once. */
import { actions } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DevChain, type DevChainServer, startDevChainServer } from "../../../devchain/index.ts";
import { type Setup, withServer } from "../fixtures/served-chain.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "../fixtures/wallet.ts";

const BLOCKS = 10_000;

/** Begins, and returns when some of the blocks are made. */
async function begin({ call, chain }: Setup, blocks = BLOCKS) {
  const { height } = chain.head;
  let over = false;
  const answer = call("sandbox_fast_forward", { delta_height: blocks }).finally(() => {
    over = true;
  });
  while (chain.head.height === height) await new Promise((resume) => setImmediate(resume));
  return { height, answer, isOver: () => over };
}

test("queries are answered between its blocks", () =>
  withServer(async (setup) => {
    const { height, answer, isOver } = await begin(setup);
    const seen: number[] = [];
    while (!isOver()) seen.push((await setup.call("block", { finality: "optimistic" })).result.header.height);
    assert.ok(
      seen.some((each) => each > height && each < height + BLOCKS),
      String(seen),
    );
    assert.equal((await answer).result, {});
    assert.is(setup.chain.head.height, height + BLOCKS);
  }));

test("what changes the chain waits for its end", () =>
  withServer(async (setup) => {
    const { call, chain, alice } = setup;
    const signed = Buffer.from(alice.sign(chain, "other.test", [actions.transfer(NEAR)])).toString("base64");
    const { height, answer } = await begin(setup);
    const sent = call("broadcast_tx_async", [signed]);
    await answer;
    await sent;
    assert.equal([chain.head.height, chain.pendingTransactions], [height + BLOCKS, 1]);

    const second = await begin(setup);
    const taken = call("sandbox_snapshot");
    const patched = call("sandbox_patch_state", { records: [] });
    const third = call("sandbox_fast_forward", { delta_height: 5 });
    assert.equal((await second.answer).result, {});
    assert.is((await taken).result.snapshot_id, 1);
    assert.equal([(await patched).result, (await third).result], [{}, {}]);
    assert.is(chain.head.height, height + 2 * BLOCKS + 6);

    const same = new DevChain({ ...CHAIN_OPTIONS, accounts: [alice.genesis(), chainAccount(chain)] });
    same.fastForward(BLOCKS);
    same.submit(Buffer.from(signed, "base64"));
    same.fastForward(BLOCKS + 6);
    assert.is(same.head.hash, chain.head.hash);
  }));

/** The other account that `withServer` gives its chain. */
function chainAccount(chain: DevChain) {
  return {
    accountId: "other.test",
    balanceYocto: 10n * NEAR,
    code: chain.stateAt("optimistic").get("code", "other.test", "")!,
  };
}

test("the timer makes no blocks in between", async () => {
  const chain = new DevChain({ ...CHAIN_OPTIONS, accounts: [new Wallet("alice.test").genesis()] });
  let [run, longest] = [0, 0];
  let before = chain.head.timestampNs;
  chain.onBlock(({ timestampNs }) => {
    run = timestampNs - before === 600_000_000n ? run + 1 : 0;
    longest = Math.max(longest, run);
    before = timestampNs;
  });
  const server = await startDevChainServer(chain, { port: 0, blockIntervalMs: 1 });
  try {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "sandbox_fast_forward", params: [3_000] });
    assert.is((await fetch(server.url, { method: "POST", body })).status, 200);
    const { height } = chain.head;
    while (chain.head.height === height) await new Promise((resume) => setImmediate(resume));
    assert.is(longest, 3_000);
  } finally {
    await server.stop();
  }
});

test("a server that stops ends it", () =>
  withServer(async (setup) => {
    const { answer, height } = await begin(setup, 100_000);
    const ended = answer.catch(() => undefined);
    await (setup.server as DevChainServer).stop();
    const stoppedAt = setup.chain.head.height;
    assert.ok(stoppedAt < height + 100_000);
    await ended;
    await new Promise((resume) => setTimeout(resume, 20));
    assert.is(setup.chain.head.height, stoppedAt);
  }));

test.run();
