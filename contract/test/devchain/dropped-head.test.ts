/**
 * Heads that are taken back, as a network does with an optimistic block that loses. The referee is a twin chain that
 * never makes them: after each replacement both are one, block hash by block hash.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Account, JsonRpcProvider, KeyPair, KeyPairSigner } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DevChain, type DevChainOptions, openDevChain, startDevChainServer } from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "./fixtures/wallet.ts";

const probe = await compileProbe();
const bytes = (value: string) => new Uint8Array(Buffer.from(value));
const SECOND_NS = 1_000_000_000n;

function optionsWith(more: Partial<DevChainOptions> = {}): DevChainOptions {
  const accounts = [
    new Wallet("alice.test").genesis(),
    { ...new Wallet("bob.test").genesis(), code: probe },
    { accountId: "other.test", balanceYocto: 10n * NEAR, code: probe },
  ];
  return { ...CHAIN_OPTIONS, accounts, ...more };
}

/** One call of each kind that leaves something between blocks: state, receipts, data, yields, failures, refunds. */
const CALLS: readonly (readonly [receiver: string, method: string, args: string])[] = [
  ["other.test", "set", "one"],
  ["bob.test", "relay", "x"],
  ["other.test", "wait", ""],
  ["bob.test", "relay", "fail"],
  ["other.test", "fail", ""],
  ["other.test", "set", "two"],
  ["other.test", "nothing", ""],
  ["other.test", "remove", ""],
];

for (const trieNodes of [false, true]) {
  test(`a chain that drops heads is the chain that never made them${trieNodes ? ", trie nodes included" : ""}`, () => {
    const chain = new DevChain(optionsWith({ droppableHead: true, trieNodes }));
    const twin = new DevChain(optionsWith({ trieNodes }));
    const alice = new Wallet("alice.test");
    for (let block = 0; block < 60; block++) {
      const call = CALLS[block];
      if (call !== undefined) {
        const [receiver, method, args] = call;
        const transaction = alice.call(twin, receiver, method, bytes(args), { deposit: 5n });
        chain.submit(transaction);
        twin.submit(transaction);
      }
      const before = chain.head;
      const first = chain.produceBlock(before.timestampNs + SECOND_NS);
      if (block % 3 !== 2) {
        assert.is(chain.dropHead().hash, first.hash);
        assert.equal(chain.head, before);
        assert.throws(() => chain.block(first.hash), /DB Not Found/);
        chain.produceBlock(before.timestampNs + 2n * SECOND_NS);
      }
      const made = twin.produceBlock(chain.head.timestampNs);
      assert.equal(chain.head, made, `block ${block}`);
      assert.equal(chain.changes(made.height), twin.changes(made.height));
    }
    assert.equal(chain.snapshot(), twin.snapshot());
  });
}

test("a transaction of a dropped head is unknown until it lands again, and then once", () => {
  const chain = new DevChain(optionsWith({ droppableHead: true }));
  const hash = chain.submit(new Wallet("alice.test").call(chain, "other.test", "set", bytes("x")));
  chain.produceBlock();
  chain.produceBlock();
  assert.ok(chain.transactions.transaction(hash)!.receiptOutcomes.length > 0);
  chain.dropHead();
  assert.is(chain.transactions.transaction(hash)!.receiptOutcomes.length, 0);
  assert.throws(() => chain.dropHead(), /NOTHING_TO_DROP|cannot be taken back/);
  chain.produceBlock();
  assert.is(chain.transactions.transaction(hash)!.receiptOutcomes.length, 1);
});

test("only a chain that was made for it drops its head, and none whose head is final", () => {
  for (const options of [optionsWith(), optionsWith({ droppableHead: true, finalityLagBlocks: 0 })]) {
    const chain = new DevChain(options);
    chain.produceBlock();
    assert.is(chain.canDropHead, false);
    assert.throws(() => chain.dropHead(), /cannot be taken back/);
  }
});

test("a log with drops in it comes back as the same chain", () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), "devchain-drops-"));
  try {
    const first = openDevChain({ ...optionsWith({ droppableHead: true }), dataDirectory });
    const alice = new Wallet("alice.test");
    for (let block = 0; block < 6; block++) {
      first.chain.submit(alice.call(first.chain, "other.test", "set", bytes(`${block}`)));
      first.chain.produceBlock();
      if (block % 2 === 0) {
        first.chain.dropHead();
        first.chain.produceBlock();
      }
    }
    const { head } = first.chain;
    first.close();
    const second = openDevChain({ ...optionsWith(), dataDirectory });
    assert.equal(second.chain.head, head);
    second.close();
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true });
  }
});

test("near-api-js gets its transactions through a chain that drops every third head", async () => {
  const keyPair = KeyPair.fromRandom("ed25519");
  const options = optionsWith({ droppableHead: true });
  const carol = { accountId: "carol.test", balanceYocto: 10n * NEAR, publicKey: keyPair.getPublicKey().toString() };
  const chain = new DevChain({ ...options, accounts: [...options.accounts, carol] });
  const faults = { seed: "drops", droppedBlocks: 0.34 };
  const server = await startDevChainServer(chain, { port: 0, blockIntervalMs: 50, faults });
  let dropped = 0;
  const stop = chain.onInput(({ kind }) => {
    if (kind === "drop") dropped++;
  });
  try {
    const provider = new JsonRpcProvider({ url: server.url });
    const account = new Account("carol.test", provider, new KeyPairSigner(keyPair));
    let calls = 0;
    for (; calls < 3 || dropped === 0; calls++) {
      await account.callFunction({ contractId: "other.test", methodName: "set", args: bytes(`${calls}`) });
    }
    // What was executed on a head may be waiting again: it lands with the next one.
    while (!chain.isIdle) await new Promise((resolve) => setTimeout(resolve, 20));
    const { result } = chain.view("other.test", "get", new Uint8Array());
    assert.is(Buffer.from(result).toString(), `${calls - 1}`);
  } finally {
    stop();
    await server.stop();
  }
});

test.run();
