/** A chain that is killed comes back with the same head; damage that is not a torn tail is named. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type DevChain, type OpenedDevChain, openDevChain } from "../../devchain/index.ts";
import { compileProbe } from "./fixtures/probe.ts";
import { CHAIN_OPTIONS, Wallet } from "./fixtures/wallet.ts";

const probe = await compileProbe();
const wallet = new Wallet("alice.test");
const options = {
  ...CHAIN_OPTIONS,
  accounts: [wallet.genesis(), { accountId: "probe.test", balanceYocto: 10n ** 25n, code: probe }],
};

function withDirectory(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "devchain-"));
  try {
    run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function work(chain: DevChain, blocks: number): void {
  for (let index = 0; index < blocks; index++) {
    chain.submit(wallet.call(chain, "probe.test", "set", Buffer.from(`value ${chain.head.height}`)));
    chain.produceBlock();
  }
}

/** What `kill -9` leaves: the lock of a process that is gone. */
function abandon(opened: OpenedDevChain, directory: string): void {
  opened.close();
  writeFileSync(join(directory, "lock"), "999999999");
}

test("a killed chain comes back with its head and its state", () =>
  withDirectory((dataDirectory) => {
    const first = openDevChain({ ...options, dataDirectory });
    work(first.chain, 5);
    first.chain.produceBlock();
    const { head } = first.chain;
    abandon(first, dataDirectory);
    const second = openDevChain({ ...options, dataDirectory });
    assert.is(second.replayedBlocks, 6);
    assert.equal(second.chain.head, head);
    const { result } = second.chain.view("probe.test", "get", new Uint8Array());
    assert.is(Buffer.from(result).toString(), "value 5");
    work(second.chain, 1);
    second.close();
    const third = openDevChain({ ...options, dataDirectory });
    assert.is(third.replayedBlocks, 7);
    third.close();
  }));

test("a record that was cut short is dropped, whatever its length", () =>
  withDirectory((dataDirectory) => {
    const log = join(dataDirectory, "blocks.log");
    const opened = openDevChain({ ...options, dataDirectory });
    work(opened.chain, 1);
    const kept = readFileSync(log).length;
    const { head } = opened.chain;
    opened.chain.produceBlock();
    opened.close();
    const full = readFileSync(log);
    for (let length = kept; length < full.length; length += 7) {
      writeFileSync(log, full);
      truncateSync(log, length);
      const again = openDevChain({ ...options, dataDirectory });
      assert.equal(again.chain.head, head);
      again.close();
      assert.is(readFileSync(log).length, kept);
    }
  }));

test("damage before the end, another chain's log and a directory in use are refused", () =>
  withDirectory((dataDirectory) => {
    const log = join(dataDirectory, "blocks.log");
    const opened = openDevChain({ ...options, dataDirectory });
    work(opened.chain, 2);
    const code = (expected: string) => (error: { code: string }) => error.code === expected;
    assert.throws(() => openDevChain({ ...options, dataDirectory }), code("DATA_DIRECTORY_IN_USE"));
    opened.close();
    assert.throws(() => openDevChain({ ...options, chainId: "another", dataDirectory }), code("OTHER_CHAIN"));
    const bytes = readFileSync(log);
    const middle = bytes.length - 400;
    bytes[middle] = bytes[middle]! ^ 1;
    writeFileSync(log, bytes);
    assert.throws(() => openDevChain({ ...options, dataDirectory }), code("LOG_CORRUPT"));
    writeFileSync(log, "");
    appendFileSync(log, Buffer.alloc(3));
    const fresh = openDevChain({ ...options, dataDirectory });
    assert.is(fresh.replayedBlocks, 0);
    fresh.close();
  }));

test.run();
