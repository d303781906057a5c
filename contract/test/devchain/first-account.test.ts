/** A chain that nobody gave accounts to: it has one, with a key that is found, kept and not shown to others. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Account, JsonRpcProvider, KeyPair, KeyPairSigner, type KeyPairString } from "near-api-js";
import { test } from "uvu";
import * as assert from "uvu/assert";

const MAIN = join(import.meta.dirname, "../../devchain/main.ts");

interface Running {
  readonly url: string;
  readonly keyFile?: string;
  readonly said: string;
  end(): Promise<void>;
}

async function withChains(use: (start: (...flags: string[]) => Promise<Running>, directory: string) => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), "devchain-first-"));
  const children: ChildProcess[] = [];
  const start = async (...flags: string[]): Promise<Running> => {
    const child = fork(MAIN, [...flags, "--port", "0", "--block-interval-ms", "10"], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    children.push(child);
    let said = "";
    child.stderr!.on("data", (chunk) => (said += chunk));
    const [ready] = (await once(child, "message")) as [{ url: string; keyFile?: string }];
    const end = async () => {
      const over = once(child, "close");
      child.kill("SIGTERM");
      await over;
    };
    return {
      ...ready,
      get said() {
        return said;
      },
      end,
    };
  };
  try {
    await use(start, directory);
  } finally {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
}

const keyOf = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;

function accountOf(running: Running): Account {
  const { account_id, private_key } = keyOf(running.keyFile!);
  const signer = new KeyPairSigner(KeyPair.fromString(private_key as KeyPairString));
  return new Account(account_id!, new JsonRpcProvider({ url: running.url }), signer);
}

test("in memory: a key that works, in a file for its owner alone, gone with the chain", () =>
  withChains(async (start) => {
    const running = await start();
    assert.is(statSync(running.keyFile!).mode & 0o777, 0o600);
    const publicKey = KeyPair.fromRandom("ed25519").getPublicKey();
    await accountOf(running).createSubAccount({ accountOrPrefix: "app", publicKey });
    const provider = new JsonRpcProvider({ url: running.url });
    const query = { accountId: "app.test.near", blockQuery: { finality: "optimistic" } as const };
    assert.is((await provider.viewAccount(query)).amount, 0n);
    const { keyFile } = running;
    await running.end();
    assert.not.ok(existsSync(keyFile!));
    const [line, ...others] = running.said.trimEnd().split("\n");
    assert.equal(others, []);
    assert.match(line!, `test.near has the key in ${keyFile}`);
    assert.match(line!, /curl -d '\{.*"account\/test\.near".*\}' http:\/\/127\.0\.0\.1:\d+$/);
  }));

test("in a directory: the same key after a restart, and the example of the line answers", () =>
  withChains(async (start, directory) => {
    const data = join(directory, "chain");
    const first = await start("--data-dir", data);
    assert.is(first.keyFile, join(data, "test.near.json"));
    assert.is(statSync(first.keyFile!).mode & 0o777, 0o600);
    const key = keyOf(first.keyFile!);
    await accountOf(first).transfer({ receiverId: "a".repeat(64), amount: 5n });
    await first.end();
    const second = await start("--data-dir", data);
    assert.equal(keyOf(second.keyFile!), key);
    await accountOf(second).transfer({ receiverId: "a".repeat(64), amount: 2n });
    const body = /curl -d '(.*)' /.exec(first.said)![1]!;
    const answer = (await (await fetch(second.url, { method: "POST", body })).json()) as { result: { amount: string } };
    assert.ok(BigInt(answer.result.amount) > 10n ** 29n);
    await second.end();
    writeFileSync(join(data, "test.near.json"), '{"account_id":"test.near"}');
    let refused = "";
    const child = fork(MAIN, ["--data-dir", data, "--port", "0"], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    child.stderr!.on("data", (chunk) => (refused += chunk));
    const [code] = await once(child, "close");
    assert.ok(code !== 0);
    assert.match(refused, "is not the key file of test.near");
  }));

test("with --seed the key follows from it, also on a virtual clock; with --genesis there is none", () =>
  withChains(async (start, directory) => {
    const keyFrom = async (...flags: string[]) => {
      const running = await start(...flags);
      const { private_key } = keyOf(running.keyFile!);
      const block = await new JsonRpcProvider({ url: running.url }).viewBlock({ blockId: 1 });
      await running.end();
      return { private_key, genesis: block.header.hash };
    };
    const one = await keyFrom("--seed", "one", "--virtual-clock");
    assert.equal(await keyFrom("--seed", "one", "--virtual-clock"), one);
    assert.is((await keyFrom("--seed", "one")).private_key, one.private_key);
    assert.is.not((await keyFrom("--seed", "two")).private_key, one.private_key);
    assert.equal(await keyFrom("--virtual-clock"), await keyFrom("--virtual-clock"));
    assert.is.not((await keyFrom()).private_key, (await keyFrom()).private_key);

    const genesis = join(directory, "genesis.json");
    writeFileSync(genesis, '{"accounts":[]}');
    const given = await start("--genesis", genesis, "--data-dir", join(directory, "given"));
    assert.is(given.keyFile, undefined);
    await given.end();
    assert.is(given.said, "");
    const again = await start("--data-dir", join(directory, "given"));
    assert.is(again.keyFile, undefined);
    await again.end();
    assert.not.ok(existsSync(join(directory, "given", "test.near.json")));
  }));

test.run();
