import { createServer } from "node:http";
import { requestExecutionArgs } from "@outlayer/contract/client";
import { type RequestRecord, requestDigest } from "@outlayer/protocol/wire/records";
import type { WorkerEvent } from "@outlayer/protocol/worker/events";
import { actions, baseDecode, createTransaction, KeyPairSigner, type KeyPairString } from "near-api-js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { z } from "zod";
import { NearRpc } from "../../src/chain/near-rpc.ts";
import { BlockPace, ChainWatcher } from "../../src/chain/watcher.ts";
import { isOperatingError } from "../../src/errors.ts";
import { CONTRACT_ID, type ContractChain, silent, startContractChain, USER_ID } from "./contract-chain.ts";

interface World {
  chain: ContractChain;
}

const test = suite<World>("chain watcher");

test.before.each(async (world) => {
  world.chain = await startContractChain(50);
});

test.after.each(async (world) => {
  await world.chain.stop();
});

class Listener {
  readonly events: WorkerEvent[] = [];
  readonly contact: boolean[] = [];
  readonly watcher: ChainWatcher;

  constructor(url: string) {
    this.watcher = new ChainWatcher({
      rpc: new NearRpc([url]),
      contractId: CONTRACT_ID,
      logger: silent,
      deliver: async (event) => void this.events.push(event),
      onContact: (connected) => this.contact.push(connected),
    });
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  get readings(): number {
    return this.events.filter((event) => event.kind === "contractRead").length;
  }

  /** The requests that are open by what was told so far: digests by their numbers. */
  open(): [requestId: number, digest: string][] {
    const open = new Map<number, string>();
    const learn = (record: RequestRecord) =>
      open.set(record.requestId, Buffer.from(requestDigest(record)).toString("hex"));
    for (const event of this.events) {
      if (event.kind === "requestOpened") learn(event.record);
      if (event.kind === "requestClosed") open.delete(event.requestId);
      if (event.kind !== "contractRead") continue;
      open.clear();
      for (const { record } of event.requests) learn(record);
    }
    return [...open].toSorted(([a], [b]) => a - b);
  }

  has(requestId: number): boolean {
    return this.open().some(([id]) => id === requestId);
  }

  heights(): number[] {
    return this.events.flatMap((event) =>
      event.kind === "blockObserved" || event.kind === "contractRead" ? [event.height] : [],
    );
  }
}

const REQUEST = actions.functionCall(
  "request_execution",
  new TextEncoder().encode(
    requestExecutionArgs({
      source: { WasmUrl: { url: "ipfs://x", hash: "ab".repeat(32) } },
      resource_limits: { max_instructions: 1_000_000, max_memory_mb: 16, max_execution_seconds: 1 },
      input_data: "hi",
    }),
  ),
  300_000_000_000_000n,
  10n ** 24n,
);

async function request(chain: ContractChain): Promise<void> {
  const user = chain.account(USER_ID);
  const transaction = await user.createSignedTransaction({ receiverId: CONTRACT_ID, actions: [REQUEST] });
  await user.provider.sendTransactionUntil(transaction, "INCLUDED_FINAL");
}

/** Past the endpoint, which is the watcher's alone to suffer. */
async function requestBeside({ chain, userKey }: ContractChain, nonce: number): Promise<void> {
  const signer = KeyPairSigner.fromSecretKey(userKey as KeyPairString);
  const block = baseDecode(chain.finalHead.hash);
  const publicKey = await signer.getPublicKey();
  const transaction = createTransaction(USER_ID, publicKey, CONTRACT_ID, nonce, [REQUEST], block);
  const { signedTransaction } = await signer.signTransaction(transaction);
  chain.submit(signedTransaction.encode());
}

test("reads what is there, then every block in order, and misses no request", async ({ chain }) => {
  await request(chain);
  const listener = new Listener(chain.url);
  await listener.watcher.start();
  assert.is(listener.readings, 1);
  assert.ok(listener.has(0));
  await request(chain);
  await listener.until(() => listener.has(1));
  assert.is(listener.readings, 1);
  await listener.watcher.stop();
  const heights = listener.heights();
  assert.equal(
    heights,
    heights.map((_, i) => heights[0]! + i),
  );
});

test("an endpoint that goes away and comes back costs nothing but time", async ({ chain }) => {
  const listener = new Listener(chain.url);
  await listener.watcher.start();
  await chain.stop();
  await listener.until(() => listener.contact.includes(false));
  await chain.restart();
  await request(chain);
  await listener.until(() => listener.has(0));
  await listener.until(() => listener.contact.at(-1) === true);
  await listener.watcher.stop();
});

test("a gap too long to walk is read from the contract's views", async ({ chain }) => {
  const listener = new Listener(chain.url);
  await listener.watcher.start();
  await request(chain);
  await listener.until(() => listener.has(0));
  await chain.stop();
  for (let block = 0; block < 150; block++) chain.chain.produceBlock();
  await chain.restart();
  await listener.until(() => listener.readings > 1);
  assert.is(listener.readings, 2);
  await listener.watcher.stop();
});

interface Question {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

interface Answer {
  readonly result?: { readonly header?: { height: number } };
}

/** An endpoint that lies: the chain's own answers, each changed by `twist` on its way; one without a twist never comes. */
async function startLiar(
  chain: ContractChain,
  twist: (question: Question, answer: Answer) => unknown,
): Promise<{ url: string; stop: () => void }> {
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const answer = await fetch(chain.url, { method: "POST", headers: { "content-type": "application/json" }, body });
    const twisted = twist(JSON.parse(body.toString()), (await answer.json()) as Answer);
    if (twisted !== undefined) response.setHeader("content-type", "application/json").end(JSON.stringify(twisted));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

test("a head that an endpoint made up is given up once it goes on about another one", async ({ chain }) => {
  let lies = 1;
  const liar = await startLiar(chain, ({ method, params }, answer) => {
    if (method === "block" && params.finality !== undefined && lies-- > 0) answer.result!.header!.height = 2 ** 52;
    return answer;
  });
  const listener = new Listener(liar.url);
  await listener.watcher.start();
  assert.is(listener.watcher.height, 2 ** 52);
  await request(chain);
  await listener.until(() => listener.has(0));
  assert.ok(listener.watcher.height < 1_000_000);
  await listener.watcher.stop();
  liar.stop();
});

test("pages that repeat are refused, and a watcher that never read anything stops all the same", async ({ chain }) => {
  await request(chain);
  let first: unknown;
  const liar = await startLiar(chain, ({ params }, answer) => {
    if (params.method_name !== "get_pending_records") return answer;
    first ??= answer;
    return first;
  });
  const listener = new Listener(liar.url);
  const started = listener.watcher.start();
  await listener.until(() => listener.contact.includes(false));
  assert.is(listener.readings, 0);
  await listener.watcher.stop();
  await started;
  liar.stop();
});

test("an endpoint that is no NEAR node is named as such", async ({ chain }) => {
  const rpc = new NearRpc([chain.url]);
  for (const ask of [
    () => rpc.view("nobody.test", "get_network", {}, z.unknown()),
    () => new NearRpc(["http://127.0.0.1:1"]).head("final"),
  ]) {
    try {
      await ask();
      assert.unreachable();
    } catch (error) {
      assert.ok(isOperatingError(error, "rpc_failed"), String(error));
    }
  }
  try {
    await rpc.stateChanges(CONTRACT_ID, "11111111111111111111111111111111");
    assert.unreachable();
  } catch (error) {
    assert.ok(isOperatingError(error, "block_unknown"), String(error));
  }
});

test("what blocks said that gave way to others is taken back, whatever the endpoint does besides", async () => {
  const faults = { seed: "watcher", droppedBlocks: 0.4, unknownBlocks: 0.02, staleHeads: 0.1 };
  const chain = await startContractChain(100, faults);
  const listener = new Listener(chain.url);
  await listener.watcher.start();
  for (let nonce = 1; nonce <= 12; nonce++) {
    await requestBeside(chain, nonce);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const settled = chain.chain.head.height + 12;
  await listener.until(() => listener.watcher.height >= settled);
  await listener.watcher.stop();
  const reading = new Listener(chain.url);
  await reading.watcher.start();
  await reading.watcher.stop();
  await chain.stop();
  assert.is(reading.open().length, 12);
  assert.equal(listener.open(), reading.open());
  assert.ok(listener.readings > 1, "blocks gave way to others");
});

test("asks about twice a block, and soon after each one is due", () => {
  const pace = new BlockPace();
  let now = 0;
  let asked = 0;
  for (let block = 1; block <= 50; block++) {
    for (const due = block * 600; now < due; asked++) now += pace.nextPollMs(Math.floor(now / 600), now);
  }
  assert.ok(asked / 50 <= 4, `${asked / 50} questions a block`);
  assert.ok(asked / 50 >= 1);
});

test.run();
