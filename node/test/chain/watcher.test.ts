import { requestExecutionArgs } from "@outlayer/contract/client";
import type { WorkerEvent } from "@outlayer/protocol/worker/events";
import { actions } from "near-api-js";
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

  ids(kind: "requestOpened"): number[] {
    return this.events.flatMap((event) => (event.kind === kind ? [event.record.requestId] : []));
  }

  heights(): number[] {
    return this.events.flatMap((event) => (event.kind === "blockObserved" ? [event.height] : []));
  }
}

async function request(chain: ContractChain): Promise<void> {
  const hash = "ab".repeat(32);
  const args = requestExecutionArgs({
    source: { WasmUrl: { url: "ipfs://x", hash } },
    resource_limits: { max_instructions: 1_000_000, max_memory_mb: 16, max_execution_seconds: 1 },
    input_data: "hi",
  });
  const user = chain.account(USER_ID);
  const transaction = await user.createSignedTransaction({
    receiverId: CONTRACT_ID,
    actions: [
      actions.functionCall("request_execution", new TextEncoder().encode(args), 300_000_000_000_000n, 10n ** 24n),
    ],
  });
  await user.provider.sendTransactionUntil(transaction, "INCLUDED_FINAL");
}

test("reads what is there, then every block in order, and misses no request", async ({ chain }) => {
  await request(chain);
  const listener = new Listener(chain.url);
  await listener.watcher.start();
  assert.equal(listener.ids("requestOpened"), [0]);
  assert.equal(
    listener.events.filter((event) => event.kind === "pendingListed").map((event) => event.requestIds),
    [[0]],
  );
  await request(chain);
  await listener.until(() => listener.ids("requestOpened").includes(1));
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
  await listener.until(() => listener.ids("requestOpened").includes(0));
  assert.is(listener.contact.at(-1), true);
  await listener.watcher.stop();
});

test("a gap too long to walk is read from the contract's views", async ({ chain }) => {
  const listener = new Listener(chain.url);
  await listener.watcher.start();
  await request(chain);
  await listener.until(() => listener.ids("requestOpened").includes(0));
  await chain.stop();
  for (let block = 0; block < 150; block++) chain.chain.produceBlock();
  const listed = () => listener.events.filter((event) => event.kind === "pendingListed").length;
  const before = listed();
  await chain.restart();
  await listener.until(() => listed() > before);
  await listener.watcher.stop();
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
  assert.is(await rpc.stateChanges(CONTRACT_ID, 1_000_000), undefined);
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
