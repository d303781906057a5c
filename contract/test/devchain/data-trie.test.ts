/** Trie nodes: their number against a plain model of nearcore's trie, and what a chain that charges for them charges. */
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DataTrie } from "../../devchain/chain/data-trie.ts";
import { DevChain } from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { run } from "./fixtures/transactions.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "./fixtures/wallet.ts";

const ACCOUNT = "a.test";
const hex = (key: string) => Buffer.from(`${ACCOUNT},${key}`, "latin1").toString("hex");

/** What a lookup visits below the column, by the definition: leaf, or extension and branch, over all keys. */
function visited(keys: readonly string[], wanted: string): number {
  if (keys.length === 0) return 0;
  if (keys.length === 1) return 1; // a leaf
  let shared = 0;
  while (keys.every((key) => shared < key.length && key[shared] === keys[0]![shared])) shared++;
  if (!wanted.startsWith(keys[0]!.slice(0, shared))) return 1; // the extension, where they part
  const below = keys.map((key) => key.slice(shared));
  const rest = wanted.slice(shared);
  const here = shared > 0 ? 2 : 1;
  if (rest === "") return here;
  const further = below.filter((key) => key[0] === rest[0]).map((key) => key.slice(1));
  return here + visited(further, rest.slice(1));
}

const keyOf = fc.string({ minLength: 0, maxLength: 4, unit: fc.constantFrom("a", "b", "q", "\0", "\u00ff") });

test("the number of nodes is that of the definition, whatever was put in and taken out", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), keyOf), { maxLength: 40 }), keyOf, (steps, asked) => {
      const trie = new DataTrie();
      const kept = new Set<string>();
      for (const [added, key] of steps) {
        if (added) {
          trie.insert(ACCOUNT, key);
          kept.add(key);
        } else {
          trie.remove(ACCOUNT, key);
          kept.delete(key);
        }
      }
      const keys = [...kept].map(hex);
      for (const key of [asked, ...kept, ...steps.map(([, other]) => other)]) {
        const expected = { nodes: 2 + visited(keys, hex(key)), found: kept.has(key) };
        assert.equal(trie.lookup(ACCOUNT, key), expected);
      }
    }),
    { numRuns: 2_000 },
  );
});

const probe = await compileProbe();
const NODE_GAS = 2_280_000_000;

function gasOf(trieNodes: boolean) {
  const alice = new Wallet("alice.test");
  const others = ["other.test", "otter.test"].map((accountId) => ({
    accountId,
    balanceYocto: 10n * NEAR,
    code: probe,
  }));
  const chain = new DevChain({ ...CHAIN_OPTIONS, trieNodes, accounts: [alice.genesis(), ...others] });
  const call = (method: string, receiver = "other.test") =>
    run(chain, alice.call(chain, receiver, method, Buffer.from("v"))).receiptOutcomes[0]!.gasBurnt;
  return { chain, alice, call };
}

test("a write pays 2.28 Ggas for each node, two where the contract has no record yet", () => {
  const [charged, free] = [gasOf(true), gasOf(false)];
  const nodes = (method: string, receiver?: string) =>
    (charged.call(method, receiver) - free.call(method, receiver)) / NODE_GAS;
  // Root and branch over the columns: as near-sdk-js publishes it for its smallest contract in a sandbox.
  assert.is(nodes("set"), 2);
  // Now there is a leaf, and its value is read.
  assert.is(nodes("set"), 4);
  assert.is(nodes("get"), 0);
  // Another contract: its name parts from the first one's within the leaf's key.
  assert.is(nodes("set", "otter.test"), 3);
  // Extension "ot", branch, leaf and value.
  assert.is(nodes("set"), 6);
  assert.is(nodes("remove"), 6);
  assert.is(nodes("remove"), 3);
});

test("a record that the block wrote before is looked up without the trie", () => {
  const { chain, alice, call } = gasOf(true);
  call("set");
  const hashes = [1, 2].map(() => chain.submit(alice.call(chain, "other.test", "set", Buffer.from("v"))));
  for (let blocks = 0; blocks < 4; blocks++) chain.produceBlock();
  const [first, second] = hashes.map((hash) => chain.transactions.transaction(hash)!.receiptOutcomes[0]!);
  assert.is(first!.blockHeight, second!.blockHeight);
  assert.is(first!.gasBurnt - second!.gasBurnt, 4 * NODE_GAS);
});

test("a fork charges what the chain would have", () => {
  const { chain, alice, call } = gasOf(true);
  call("set");
  call("set", "otter.test");
  const fork = new DevChain({ ...CHAIN_OPTIONS, trieNodes: true, accounts: [] }, chain.snapshot());
  const signed = alice.call(chain, "other.test", "set", Buffer.from("w"));
  for (const each of [chain, fork]) {
    each.submit(signed);
    for (let blocks = 0; blocks < 3; blocks++) each.produceBlock();
  }
  assert.is(fork.head.hash, chain.head.hash);
});

test.run();
