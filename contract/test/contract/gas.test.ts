/** What the methods cost and how large the contract is: the figures that its readers rely on, and their bounds. */
import type { GuestResponse } from "@outlayer/protocol/wire/records";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, resolveExecutionBorsh } from "../../client/index.ts";
import {
  answerArgs,
  CODE,
  expectOk,
  NEAR,
  NODES,
  outlayerWasm,
  resolutionOf,
  TGAS,
  textResponse,
  World,
} from "./world.ts";

const CLAIM = claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 });

function tgas(gas: number): number {
  return Math.round(gas / (TGAS / 100)) / 100;
}

interface Costs {
  request: number;
  claim: number;
  resolve: number;
  callback: number;
  answer: string;
}

/** What a node sends: the figure that design and economics rely on, to the unit of gas. */
function resolveInBorsh(signers: number): number {
  const world = World.started(
    NODES.slice(0, signers).map(() => 1),
    { replaySeats: 144, quorum: signers },
    10_000n * NEAR,
  );
  world.ask();
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", CLAIM));
  const resolution = resolutionOf(world, { response: textResponse("output"), signers: NODES.slice(0, signers) });
  return expectOk(world.call("bob.test", "resolve_execution", resolveExecutionBorsh(resolution))).gas;
}

test("a resolve as nodes send it costs at most 3.5 Tgas with 3 attestations, and 10 with 18", () => {
  const [three, eighteen] = [resolveInBorsh(3), resolveInBorsh(18)];
  console.log(`resolve in Borsh: ${three} and ${eighteen} gas`);
  assert.ok(three <= 3.5 * TGAS && eighteen <= 10 * TGAS);
});

/** One request through all of its life; `signers` nodes attest. */
function life(input: string, response: GuestResponse, signers = 3, requestTgas = 300): Costs {
  const world = World.started(
    NODES.slice(0, signers).map(() => 1),
    { replaySeats: 144, quorum: signers },
    10_000n * NEAR,
  );
  const args = JSON.stringify({
    source: CODE,
    resource_limits: { max_instructions: 1_000_000_000 },
    input_data: input,
  });
  const asked = expectOk(
    world.call("alice.test", "request_execution", args, { depositYocto: NEAR, tgas: requestTgas }),
  );
  world.advance(40);
  const claimed = expectOk(world.call("n0.test", "claim_lease", CLAIM));
  const answer = answerArgs(world, { response, signers: NODES.slice(0, signers) });
  const resolved = expectOk(world.call("bob.test", "resolve_execution", answer));
  const callback = world
    .outcomes(asked.hash)
    .find(({ logs }) => logs.some((line) => line.includes("execution_completed")));
  return {
    request: tgas(asked.gas),
    claim: tgas(claimed.gas),
    resolve: tgas(resolved.gas),
    callback: tgas(callback!.gasBurnt),
    answer: world.finalValue(asked.hash)!,
  };
}

test("the contract is at most 80 kB", () => {
  console.log(`outlayer.wasm: ${outlayerWasm.length} bytes`);
  assert.ok(outlayerWasm.length <= 80_000);
});

test("a small request costs little, with 3 attestations and with 18", () => {
  const three = life("input", textResponse("output"));
  const eighteen = life("input", textResponse("output"), 18);
  console.log("Tgas with 3 attestations:", three);
  console.log("Tgas with 18 attestations:", eighteen);
  assert.ok(three.request < 3 && three.claim < 2 && three.resolve < 3.5 && three.callback < 3.2);
  assert.ok(eighteen.resolve < 10);
});

test("the callback of the longest input and of the longest answer fits what is kept for it", () => {
  // 50 Tgas, and 50 Mgas a byte of input: what a caller gets who attaches no more than has to be.
  const escapes = life("input", textResponse("\u0001".repeat(249_000)), 3, 56);
  console.log("Tgas, longest answer:", { ...escapes, answer: escapes.answer.length });
  // Not `assert.is`: a difference of this length takes a minute to print.
  assert.ok(escapes.answer === JSON.stringify("\u0001".repeat(249_000)));
  const input = "x".repeat(1 << 20);
  const long = life(input, textResponse("y".repeat(256 << 10)), 3, 200);
  console.log("Tgas, longest input:", { ...long, answer: long.answer.length });
  assert.ok(long.answer === JSON.stringify("y".repeat(256 << 10)));
  assert.ok(escapes.callback < 50 && long.callback < 102);
});

test("an honest holder does not lose: its share of the base fee pays for claim and resolve", () => {
  const world = World.started([1, 1, 1, 1, 1, 1], { replaySeats: 144 });
  world.ask();
  world.advance(40);
  assert.is(world.request(0)!.level.quorum, 3);
  const spent = (hash: string) => {
    const { outcome, receiptOutcomes } = world.chain.transactions.transaction(hash)!;
    return [outcome, ...receiptOutcomes].reduce((sum, { tokensBurnt }) => sum + tokensBurnt, 0n);
  };
  const claimed = expectOk(world.call("n0.test", "claim_lease", CLAIM));
  const failed = { ...textResponse(""), success: false, output: undefined, error: "exit 1" };
  const resolved = expectOk(world.call("n0.test", "resolve_execution", answerArgs(world, { response: failed })));
  const earned = BigInt(JSON.parse(world.view("get_earnings", '{"account_id":"n0.test"}')));
  console.log("yocto spent and earned:", spent(claimed.hash) + spent(resolved.hash), earned);
  assert.ok(spent(claimed.hash) + spent(resolved.hash) <= earned);
});

test("registering and the views", () => {
  const world = World.started([1, 1, 1]);
  const { gas } = expectOk(
    world.call("n3.test", "register_node", world.registration("n3.test"), { depositYocto: NEAR }),
  );
  console.log(`register_node: ${tgas(gas)} Tgas`);
  assert.ok(tgas(gas) < 2);
});

test.run();
