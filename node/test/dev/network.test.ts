/** The whole network as real processes: the main job, and what must not break it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CALLER_ID, DevNetwork } from "../../src/dev/network.ts";
import { type DevReceipt, type RequestOptions, requestOnce } from "../../src/dev/request.ts";
import { isOperatingError } from "../../src/errors.ts";
import type { ProgressJson } from "../../src/http/status.ts";

interface World {
  directory: string;
  network: DevNetwork;
  busy: Server;
  busyPort: number;
  said: string[];
}

const test = suite<World>("development network");

test.before(async (world) => {
  world.directory = await mkdtemp(join(tmpdir(), "outlayer-network-"));
  world.busy = createServer();
  await new Promise<void>((resolve) => world.busy.listen(0, "127.0.0.1", resolve));
  world.busyPort = (world.busy.address() as { port: number }).port;
  world.said = [];
  world.network = new DevNetwork({
    directory: world.directory,
    nodes: 4,
    blockIntervalMs: 200,
    challengeBlocks: 0,
    httpPort: world.busyPort,
    verbose: false,
    say: (text) => world.said.push(text),
  });
  await world.network.start();
});

test.after(async (world) => {
  await world.network?.stop();
  world.busy?.close();
  await rm(world.directory, { recursive: true, force: true });
});

const REQUEST: RequestOptions = {
  guest: "random-ark",
  input: '{"min":1,"max":6}',
  format: "Json",
  maxInstructions: 1_000_000_000,
  killHolder: false,
};

const BASE_FEE_YOCTO = (10n ** 21n).toString();

async function ask(
  world: World,
  change: Partial<RequestOptions> = {},
): Promise<{ receipt: DevReceipt; stages: string[] }> {
  const steps: ProgressJson[] = [];
  const receipt = await requestOnce(world.network, { ...REQUEST, ...change }, (_node, progress) =>
    steps.push(progress),
  );
  // A node tells the steps of earlier requests too to whoever begins to listen.
  const own = steps.filter((step) => step.request_id === receipt.request_id);
  return { receipt, stages: own.map((step) => step.stage) };
}

async function balanceOf(world: World, accountId: string): Promise<bigint> {
  return (await world.network.provider.viewAccount({ accountId })).amount;
}

test("a request is leased, run, replayed, resolved, and its caller gets the answer", async (world) => {
  const { receipt, stages } = await ask(world);
  assert.is(receipt.status, "resolved");
  assert.ok(Number.isInteger(receipt.output) && Number(receipt.output) >= 1 && Number(receipt.output) <= 6);
  assert.equal(receipt.caller_answer, receipt.output);
  assert.ok(receipt.attestations.length >= 2);
  assert.is(new Set(receipt.attestations.map(({ node }) => node)).size, receipt.attestations.length);
  assert.ok(receipt.transactions.length >= 2);
  assert.ok(BigInt(receipt.fuel) > 0n);
  const { requested, leased, resolved } = receipt.blocks;
  assert.ok(requested < leased && leased <= resolved);
  for (const stage of [
    "seen",
    "intent",
    "leased",
    "fetched",
    "ran",
    "committed",
    "revealed",
    "attested",
    "resolveSent",
  ]) {
    assert.ok(stages.includes(stage), `no node said ${stage}`);
  }
});

test("guests that fail end as failed with a reason, and cost the caller the base fee and their fuel", async (world) => {
  const cases: [input: string, reason: RegExp][] = [
    ["trap", /trapped/],
    ["exit 3", /exited with code 3/],
    ["loop", /out of fuel/],
    ["flood", /printed more than/],
    ["recursion", /exhausted its stack/],
  ];
  for (const [input, reason] of cases) {
    const { receipt } = await ask(world, { guest: "failing", input, format: "Text", maxInstructions: 50_000_000 });
    assert.is(receipt.status, "failed", input);
    assert.match(receipt.error ?? "", reason, input);
    assert.is(receipt.caller_answer, null, input);
    assert.is(receipt.charged_yocto, BASE_FEE_YOCTO, input);
  }
});

test("a guest that asks for 4 GB gets none of it and the nodes live on", async (world) => {
  const { receipt } = await ask(world, {
    guest: "failing",
    input: "memory",
    format: "Text",
    maxInstructions: 50_000_000,
  });
  assert.ok(receipt.status === "failed" || typeof receipt.output === "string");
  assert.ok(world.network.nodes.every((node) => node.child.running));
});

test("bytes that are not WebAssembly are refused by name, and what was paid less the base fee goes back", async (world) => {
  const file = join(world.directory, "not-a-module.wasm");
  await writeFile(file, "this is not a module");
  const before = await balanceOf(world, CALLER_ID);
  const { receipt } = await ask(world, { guest: file, input: "" });
  assert.is(receipt.status, "failed");
  assert.match(receipt.error ?? "", /not an acceptable module/);
  // The caller paid with what the user attached, so the refund makes it richer than before.
  assert.ok((await balanceOf(world, CALLER_ID)) > before);
});

test("code whose bytes no peer has under the hash that the request names ends as failed", async (world) => {
  const { receipt, stages } = await ask(world, { hash: "ab".repeat(32) });
  assert.is(receipt.status, "failed");
  assert.match(receipt.error ?? "", /no peer has bytes with the hash/);
  assert.is(receipt.charged_yocto, BASE_FEE_YOCTO);
  assert.not.ok(stages.includes("running"));
});

test("a chain process that is killed comes back, and the nodes go on", async (world) => {
  const before = world.network.chainPid;
  assert.ok(before !== undefined);
  process.kill(before!, "SIGKILL");
  for (let tries = 0; tries < 300 && !(await chainAnswers(world, before!)); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { receipt } = await ask(world);
  assert.is(receipt.status, "resolved");
});

async function chainAnswers(world: World, oldPid: number): Promise<boolean> {
  if (world.network.chainPid === oldPid) return false;
  try {
    await world.network.provider.viewBlock({ finality: "optimistic" });
    return true;
  } catch (error) {
    assert.ok(error instanceof Error);
    return false;
  }
}

test("the page makes way for whoever has its port already", async (world) => {
  const page = world.network.nodes[0]!;
  assert.is.not(Number(new URL(page.httpUrl).port), world.busyPort);
  const answer = await fetch(page.httpUrl);
  assert.is(answer.status, 200);
  assert.match(await answer.text(), /<html/i);
});

test("an unknown guest is refused before anything is sent", async (world) => {
  try {
    await ask(world, { guest: "no-such-guest" });
    assert.unreachable();
  } catch (error) {
    assert.ok(isOperatingError(error, "dev_guest_unusable"));
  }
});

test("a holder that is killed in the middle loses its lease, and another node answers", async (world) => {
  const { receipt, stages } = await ask(world, { killHolder: true, maxInstructions: 3_000_000_000 });
  assert.is(receipt.status, "resolved");
  assert.is(receipt.lease_epoch, 1);
  assert.ok(stages.filter((stage) => stage === "leased").length >= 2);
  assert.is(world.network.nodes.filter((node) => node.child.running).length, 3);
});

test.run();
