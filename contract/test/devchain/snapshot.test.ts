/** Going back, forks, and patches of the state: in the process, as a file, behind JSON-RPC, and over a restart. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { actions, JsonRpcProvider, PublicKey as NearPublicKey, type PublicKey } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sha256, toHash } from "../../devchain/codec/hash.ts";
import {
  type ChainSnapshot,
  DevChain,
  DevChainError,
  decodeSnapshotFile,
  encodeSnapshotFile,
  openDevChain,
  SnapshotFileError,
} from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { type Json, withServer } from "./fixtures/served-chain.ts";
import { finalStatus, run } from "./fixtures/transactions.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "./fixtures/wallet.ts";

const probe = await compileProbe();
const bytes = (text: string) => new Uint8Array(Buffer.from(text));

function start() {
  const alice = new Wallet("alice.test");
  const bob = new Wallet("bob.test");
  const other = { accountId: "other.test", balanceYocto: 10n * NEAR, code: probe };
  const options = {
    ...CHAIN_OPTIONS,
    minimumStakeYocto: NEAR,
    epochBlocks: 30,
    accounts: [alice.genesis(), { ...bob.genesis(), code: probe }, other],
  };
  return { alice, bob, options, chain: new DevChain(options) };
}

const stored = (chain: DevChain) => Buffer.from(chain.view("other.test", "get", bytes("")).result).toString();

/** Leaves a yield that waits, a call between its receipts, a stake, keys of both kinds and a waiting transaction. */
function makeBusy({ alice, bob, chain }: ReturnType<typeof start>): void {
  const key = NearPublicKey.from(new Wallet("limited").publicKey) as PublicKey;
  run(chain, alice.sign(chain, "alice.test", [actions.stake(5n * NEAR, key)]));
  run(chain, alice.sign(chain, "alice.test", [actions.addFunctionCallAccessKey(key, "other.test", ["echo"], NEAR)]));
  run(chain, alice.call(chain, "other.test", "set", bytes("kept")));
  chain.submit(alice.call(chain, "other.test", "wait"));
  chain.produceBlock();
  chain.produceBlock();
  chain.submit(bob.call(chain, "bob.test", "relay", bytes("on its way")));
  chain.produceBlock();
  chain.submit(bob.call(chain, "other.test", "resume", bytes("late")));
}

/** What a chain is from here on: its hashes, over the end of the yield and of two epochs. */
function future(chain: DevChain, blocks = 80): string[] {
  return Array.from({ length: blocks }, () => chain.produceBlock().hash);
}

test("a fork from a file goes on like the chain it was taken from, with everything that was on its way", () => {
  const setup = start();
  makeBusy(setup);
  const file = encodeSnapshotFile(setup.options, setup.chain.snapshot());
  const { options, snapshot } = decodeSnapshotFile(file);
  assert.is(options.seed, setup.options.seed);
  const fork = new DevChain({ ...options, genesisTimestampNs: 0n, accounts: [] }, snapshot);
  assert.equal(fork.head, setup.chain.head);
  assert.is(fork.genesisHash, setup.chain.genesisHash);
  assert.equal([fork.pendingTransactions, fork.isIdle], [1, false]);
  assert.equal(future(fork), future(setup.chain));
  // What was under way when it was taken can be asked for in the fork as well.
  const open = snapshot.open[0]!.record.transaction.hash;
  const [ours, theirs] = [fork, setup.chain].map((chain) => chain.transactions.transaction(open)!);
  assert.equal(ours!.receiptOutcomes, theirs!.receiptOutcomes);
  assert.equal([ours!.openReceipts, ours!.openRefunds], [theirs!.openReceipts, theirs!.openRefunds]);
});

test("a snapshot is not touched by what happens after it, and can be gone back to again and again", () => {
  const setup = start();
  makeBusy(setup);
  const { chain, alice } = setup;
  const { head } = chain;
  const id = chain.takeSnapshot();
  const first = future(chain, 10);
  for (let attempt = 0; attempt < 2; attempt++) {
    chain.revertTo(id);
    assert.equal(chain.head, head);
    assert.is(stored(chain), "kept");
    run(chain, alice.call(chain, "other.test", "set", bytes(`attempt ${attempt}`)));
    assert.is(stored(chain), `attempt ${attempt}`);
    // The client's nonces are behind: what was sent before can be sent again, it never was.
    chain.revertTo(id);
    assert.equal(future(chain, 10), first);
  }
});

test("later snapshots go when an older one comes back, and there is a bound on them", () => {
  const { chain } = start();
  const [first, second] = [chain.takeSnapshot(), chain.takeSnapshot()];
  chain.revertTo(first!);
  const code = (expected: string) => (error: unknown) => error instanceof DevChainError && error.code === expected;
  assert.throws(() => chain.revertTo(second!), code("UNKNOWN_SNAPSHOT"));
  for (let taken = 1; taken < 64; taken++) chain.takeSnapshot();
  assert.throws(() => chain.takeSnapshot(), code("TOO_MANY_SNAPSHOTS"));
  chain.revertTo(first!);
  assert.ok(chain.takeSnapshot() > second!);
});

test("another seed makes another fork of the same past", () => {
  const { chain, options } = start();
  const snapshot = chain.snapshot();
  const fork = (seed: string) => new DevChain({ ...options, accounts: [], seed }, snapshot);
  assert.equal(future(fork("tests"), 3), future(chain, 3));
  assert.not.equal(future(fork("another"), 3), future(fork("tests"), 3));
  assert.throws(() => new DevChain({ ...options, chainId: "another", accounts: [] }, snapshot), /is of chain/);
});

/** The file with its digest made to fit again, so that only what it says is wrong. */
function forged(file: Buffer, change: (body: Json) => void): Buffer {
  const content = file.toString("utf8");
  const [head, text] = content.split("\n") as [string, string];
  const body = JSON.parse(text);
  change(body);
  const changed = JSON.stringify(body);
  const digest = Buffer.from(sha256(bytes(changed))).toString("hex");
  return Buffer.from(`${head.slice(0, head.lastIndexOf(" "))} ${digest}\n${changed}\n`);
}

test("files that are no snapshots are refused by name", () => {
  const setup = start();
  makeBusy(setup);
  const file = encodeSnapshotFile(setup.options, setup.chain.snapshot());
  const codeOf = (content: Buffer) => {
    try {
      decodeSnapshotFile(content);
      return "accepted";
    } catch (error) {
      if (error instanceof SnapshotFileError) return error.code;
      throw error;
    }
  };
  assert.is(codeOf(file), "accepted");
  assert.is(codeOf(Buffer.alloc(0)), "NOT_A_SNAPSHOT");
  assert.is(codeOf(Buffer.from("{}")), "NOT_A_SNAPSHOT");
  for (const length of [30, 100, 101, 200, file.length / 2, file.length - 2]) {
    assert.is(codeOf(file.subarray(0, Math.floor(length))), "SNAPSHOT_CORRUPT");
  }
  const flipped = Buffer.from(file);
  flipped[file.length - 100]! ^= 1;
  assert.is(codeOf(flipped), "SNAPSHOT_CORRUPT");
  const changes: ((body: Json) => void)[] = [
    (body) => delete body.snapshot,
    (body) => {
      body.stray = 1;
    },
    (body) => {
      body.options.blockIntervalMs = "600";
    },
    (body) => {
      body.snapshot.head.height = -1;
    },
    (body) => {
      body.snapshot.head.timestampNs = "1e9";
    },
    (body) => {
      body.snapshot.records[0].column = "toString";
    },
    (body) => {
      body.snapshot.records = {};
    },
    (body) => {
      body.snapshot.records.find((record: Json) => record.column === "account").value.amount = "9".repeat(40);
    },
    (body) => {
      body.snapshot.records.find((record: Json) => record.column === "code").value = "not base64";
    },
    (body) => {
      body.snapshot.queue.yielded[0].kind = "data";
    },
    (body) => {
      body.snapshot.open[0].record.transaction.actions[0].kind = "Unknown";
    },
  ];
  for (const change of changes) assert.is(codeOf(forged(file, change)), "MALFORMED_SNAPSHOT", String(change));
});

function withDirectory(use: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "devchain-"));
  try {
    use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("snapshots, reverts and patches stand in the log: a restart comes back to the same chain", () =>
  withDirectory((dataDirectory) => {
    const { options, alice } = start();
    const first = openDevChain({ ...options, dataDirectory });
    const { chain } = first;
    run(chain, alice.call(chain, "other.test", "set", bytes("before")));
    const id = chain.takeSnapshot();
    run(chain, alice.call(chain, "other.test", "set", bytes("undone")));
    chain.revertTo(id);
    const key = Buffer.from("value").toString("latin1");
    chain.produceBlock(undefined, [{ column: "data", accountId: "other.test", key, value: bytes("patched") }]);
    chain.produceBlock();
    const { head } = chain;
    first.close();
    const second = openDevChain({ ...options, dataDirectory });
    assert.equal(second.chain.head, head);
    assert.is(stored(second.chain), "patched");
    second.chain.revertTo(id);
    assert.is(stored(second.chain), "before");
    second.close();
    const third = openDevChain({ ...options, dataDirectory });
    assert.is(stored(third.chain), "before");
    third.close();
  }));

test("a fork keeps a log of its own, and no other directory's", () =>
  withDirectory((dataDirectory) => {
    const setup = start();
    makeBusy(setup);
    const fork = setup.chain.snapshot();
    const options = { ...setup.options, accounts: [], dataDirectory, fork };
    const first = openDevChain(options);
    const made = future(first.chain, 5);
    first.close();
    const second = openDevChain(options);
    assert.is(second.chain.head.hash, made.at(-1));
    assert.equal(future(second.chain, 5), future(setup.chain, 10).slice(5));
    second.close();
    const another: ChainSnapshot = { ...fork, head: { ...fork.head, hash: toHash(sha256("another")) } };
    const code = (expected: string) => (error: { code: string }) => error.code === expected;
    assert.throws(() => openDevChain({ ...options, fork: another }), code("OTHER_CHAIN"));
  }));

test("sandbox_patch_state takes nearcore's records, and the next block has them", () =>
  withServer(async ({ call, server, chain }) => {
    const key = new Wallet("new.test").publicKey;
    const code = Buffer.from(probe).toString("base64");
    const account = { amount: (7n * NEAR).toString(), locked: "0", code_hash: "1".repeat(32), storage_usage: 182 };
    const records = [
      { Account: { account_id: "new.test", account: { ...account, version: "V1" } } },
      { AccessKey: { account_id: "new.test", public_key: key, access_key: { nonce: 5, permission: "FullAccess" } } },
      { Contract: { account_id: "new.test", code } },
      {
        Data: {
          account_id: "new.test",
          data_key: Buffer.from("value").toString("base64"),
          value: Buffer.from("from outside").toString("base64"),
        },
      },
    ];
    const { height } = chain.head;
    assert.equal((await call("sandbox_patch_state", { records })).result, {});
    assert.is(chain.head.height, height + 1);
    const provider = new JsonRpcProvider({ url: server.url });
    const found = await provider.viewAccount({ accountId: "new.test", blockQuery: { finality: "optimistic" } });
    assert.is(BigInt(found.amount), 7n * NEAR);
    assert.is(found.code_hash, chain.stateAt("optimistic").get("account", "new.test", "")!.codeHash);
    assert.is(Buffer.from(chain.view("new.test", "get", bytes("")).result).toString(), "from outside");
    const changes = await call("EXPERIMENTAL_changes", {
      changes_type: "account_changes",
      account_ids: ["new.test"],
      finality: "optimistic",
    });
    assert.ok(changes.result.changes.length > 0);
    assert.ok(changes.result.changes.every((change: Json) => change.cause.type === "migration"));
    for (const wrong of [
      {},
      [{}],
      [{ Account: 1 }],
      [{ Data: { account_id: "A" } }],
      [{ Contract: { account_id: "a.b", code: "?" } }],
    ]) {
      assert.is((await call("sandbox_patch_state", { records: wrong })).error!.cause.name, "PARSE_ERROR");
    }
  }));

test("sandbox_snapshot and sandbox_revert go back behind JSON-RPC", () =>
  withServer(async ({ call, chain, alice }) => {
    run(chain, alice.call(chain, "other.test", "set", bytes("first")));
    const taken = (await call("sandbox_snapshot")).result.snapshot_id;
    const record = run(chain, alice.call(chain, "other.test", "set", bytes("second")));
    assert.is(finalStatus(record).kind, "value");
    assert.equal((await call("sandbox_revert", { snapshot_id: taken })).result, {});
    assert.is(stored(chain), "first");
    const unknown = await call("sandbox_revert", [taken + 1]);
    assert.equal(unknown.error!.cause, { name: "UNKNOWN_SNAPSHOT", info: { snapshot_id: taken + 1 } });
    assert.is((await call("sandbox_revert", { snapshot_id: -1 })).error!.cause.name, "PARSE_ERROR");
  }));

test("GET /snapshot is a file that a fork begins with", () =>
  withServer(async ({ server, chain, alice }) => {
    run(chain, alice.call(chain, "other.test", "set", bytes("served")));
    const response = await fetch(`${server.url}/snapshot`);
    const { options, snapshot } = decodeSnapshotFile(Buffer.from(await response.arrayBuffer()));
    const fork = new DevChain({ ...options, genesisTimestampNs: 0n, accounts: [] }, snapshot);
    assert.is(stored(fork), "served");
    assert.equal(future(fork, 3), future(chain, 3));
  }));

test("blocks on demand come with a transaction and stop when it is final; with a virtual clock they are always the same", async () => {
  const hashes: string[] = [];
  for (let attempt = 0; attempt < 2; attempt++) {
    await withServer(
      async ({ call, chain, alice }) => {
        const signed_tx_base64 = Buffer.from(alice.call(chain, "other.test", "set", bytes("x"))).toString("base64");
        const sent = await call("send_tx", { signed_tx_base64, wait_until: "FINAL" });
        assert.is(sent.result.final_execution_status, "FINAL");
        const settled = async () => {
          const { height } = chain.head;
          await new Promise((resolve) => setTimeout(resolve, 50));
          return chain.head.height === height;
        };
        while (!(await settled()));
        assert.ok(chain.isIdle);
        hashes.push(chain.head.hash);
      },
      {},
      { onDemand: true, virtualClock: true, waitTimeoutMs: 10_000 },
    );
  }
  assert.is(hashes[0], hashes[1]);
});

test.run();
