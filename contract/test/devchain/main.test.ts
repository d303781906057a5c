/** The chain as a process: it says where it listens, ends when it is told, and comes back after SIGKILL. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Account, JsonRpcProvider, KeyPair, KeyPairSigner } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";

const MAIN = join(import.meta.dirname, "../../devchain/main.ts");
const keyPair = KeyPair.fromRandom("ed25519");

async function startWith(flags: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(MAIN, [...flags, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const [message] = await once(child, "message");
  const [line] = await once(child.stdout!, "data");
  assert.equal(JSON.parse(String(line)), message);
  return { child, url: (message as { url: string }).url };
}

function start(directory: string): Promise<{ child: ChildProcess; url: string }> {
  const flags = ["--data-dir", join(directory, "chain"), "--genesis", join(directory, "genesis.json")];
  return startWith([...flags, "--block-interval-ms", "10", "--chain-id", "process"]);
}

async function end(child: ChildProcess, how: () => void): Promise<readonly unknown[]> {
  const exit = once(child, "exit");
  how();
  return exit;
}

test("a transfer survives SIGKILL; SIGTERM and a parent's end are heard", async () => {
  const directory = mkdtempSync(join(tmpdir(), "devchain-main-"));
  const children: ChildProcess[] = [];
  try {
    const accounts = ["alice.test", "bob.test"].map((accountId) => ({
      accountId,
      balanceYocto: (10n ** 25n).toString(),
      publicKey: keyPair.getPublicKey().toString(),
    }));
    writeFileSync(join(directory, "genesis.json"), JSON.stringify({ accounts }));
    const first = await start(directory);
    children.push(first.child);
    const alice = new Account("alice.test", new JsonRpcProvider({ url: first.url }), new KeyPairSigner(keyPair));
    await alice.transfer({ receiverId: "bob.test", amount: 7n });
    const [, signal] = await end(first.child, () => first.child.kill("SIGKILL"));
    assert.is(signal, "SIGKILL");

    const second = await start(directory);
    children.push(second.child);
    const provider = new JsonRpcProvider({ url: second.url });
    const { amount } = await provider.viewAccount({ accountId: "bob.test" });
    assert.is(amount, 10n ** 25n + 7n);
    assert.equal(await end(second.child, () => second.child.kill("SIGTERM")), [0, null]);

    const third = await start(directory);
    children.push(third.child);
    assert.equal(await end(third.child, () => third.child.disconnect()), [0, null]);
  } finally {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});

test("a fork of a served chain, on demand and on a virtual clock, comes back with its own blocks", async () => {
  const directory = mkdtempSync(join(tmpdir(), "devchain-fork-"));
  const children: ChildProcess[] = [];
  const publicKey = keyPair.getPublicKey().toString();
  const accounts = [{ accountId: "alice.test", balanceYocto: (10n ** 25n).toString(), publicKey }];
  writeFileSync(join(directory, "genesis.json"), JSON.stringify({ accounts }));
  const clock = ["--on-demand", "--virtual-clock"];
  const transfer = (url: string, amount: bigint) =>
    new Account("alice.test", new JsonRpcProvider({ url }), new KeyPairSigner(keyPair)).transfer({
      receiverId: "a".repeat(64),
      amount,
    });
  const amountAt = async (url: string) => {
    const query = { accountId: "a".repeat(64), blockQuery: { finality: "optimistic" } as const };
    return (await new JsonRpcProvider({ url }).viewAccount(query)).amount;
  };
  try {
    const original = await startWith([...clock, "--seed", "of its own", "--genesis", join(directory, "genesis.json")]);
    children.push(original.child);
    await transfer(original.url, 5n);
    const taken = await (await fetch(`${original.url}/snapshot`)).arrayBuffer();
    const file = join(directory, "taken.snapshot");
    writeFileSync(file, Buffer.from(taken));
    await transfer(original.url, 100n);

    const flags = ["--fork", file, "--data-dir", join(directory, "fork"), ...clock];
    const first = await startWith(flags);
    children.push(first.child);
    assert.is(await amountAt(first.url), 5n);
    await transfer(first.url, 2n);
    await end(first.child, () => first.child.kill("SIGKILL"));
    const second = await startWith(flags);
    children.push(second.child);
    assert.is(await amountAt(second.url), 7n);
    assert.is(await amountAt(original.url), 105n);
  } finally {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});

test.run();
