/** The Borsh form of the methods that nodes send often: the same effects as JSON's, for less gas, and as strict. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  claimAndResolveArgs,
  claimAndResolveBorsh,
  claimLeaseArgs,
  claimLeaseBorsh,
  resolveExecutionArgs,
  resolveExecutionBorsh,
} from "../../client/index.ts";
import { expectOk, NODES, resolutionOf, textResponse, World } from "./world.ts";

const CLAIM = { requestId: 0, seat: 0, leaseEpoch: 0 };
const HOLDER = { leaseEpoch: 0, holder: "n0.test" };

function asked(challengeBlocks = 0): World {
  const world = World.started([1, 1, 1], { challengeBlocks });
  world.ask();
  world.advance(30);
  return world;
}

function leased(): World {
  const world = asked();
  expectOk(world.call("n0.test", "claim_lease", claimLeaseBorsh(CLAIM)));
  return world;
}

test("a claim in Borsh is the claim in JSON, for less gas", () => {
  const [one, two] = [asked(), asked()];
  const json = expectOk(one.call("n0.test", "claim_lease", claimLeaseArgs(CLAIM)));
  const borsh = expectOk(two.call("n0.test", "claim_lease", claimLeaseBorsh(CLAIM)));
  assert.equal(two.lease(0), one.lease(0));
  assert.ok(borsh.gas < json.gas, `${borsh.gas} and ${json.gas}`);
});

test("an answer in Borsh is the answer in JSON, for less gas, alone and with its claim", () => {
  const outputs = [
    textResponse('text "quoted" \u00e9'),
    { ...textResponse("x"), output: { kind: "Json", json: '{"a": [1, 2]}' } } as const,
    { ...textResponse("x"), output: { kind: "Bytes", bytes: Uint8Array.of(0, 255) } } as const,
  ];
  for (const response of outputs) {
    const results = [resolveExecutionArgs, resolveExecutionBorsh].map((spell) => {
      const world = leased();
      const result = expectOk(world.call("bob.test", "resolve_execution", spell(resolutionOf(world, { response }))));
      return { gas: result.gas, logs: result.logs, stats: world.view("get_stats"), world };
    });
    assert.equal(results[1]!.logs, results[0]!.logs);
    assert.is(results[1]!.stats, results[0]!.stats);
    assert.ok(results[1]!.gas < results[0]!.gas, `${results[1]!.gas} and ${results[0]!.gas}`);
    const fused = [claimAndResolveArgs, claimAndResolveBorsh].map((spell) => {
      const world = asked();
      const resolution = { ...resolutionOf(world, { response, lease: HOLDER }), seat: 0 };
      return expectOk(world.call("n0.test", "claim_and_resolve", spell(resolution)));
    });
    assert.equal(fused[1]!.logs, fused[0]!.logs);
    assert.ok(fused[1]!.gas < fused[0]!.gas);
  }
});

test("bytes that are not the form's are refused by name, and change nothing", () => {
  const world = leased();
  const good = resolveExecutionBorsh(resolutionOf(world, { response: textResponse("output") }));
  const refused = (bytes: Uint8Array, method = "resolve_execution") => world.call("n0.test", method, bytes).panic;
  for (let length = 1; length < good.length; length += 23) assert.is(refused(good.slice(0, length)), "BadBorsh");
  assert.is(refused(Uint8Array.from([...good, 0])), "BadBorsh");
  assert.is(refused(Uint8Array.of(1)), "BadBorsh");
  assert.is(refused(Uint8Array.of(2, 0)), "BadJson");
  assert.is(refused(Uint8Array.from([...claimLeaseBorsh(CLAIM), 0]), "claim_lease"), "BadBorsh");
  const at = (place: number, value: number) => Uint8Array.from(good, (byte, i) => (i === place ? value : byte));
  // Version, id, lease epoch, two hashes, the response's length; then success, whether there is an output, its kind.
  const response = 1 + 8 + 4 + 32 + 32 + 4;
  assert.is(refused(at(response, 2)), "BadBorsh");
  assert.is(refused(at(response + 2, 3)), "BadOutput");
  assert.is(refused(at(response + 2, 2)), "BadJson");
  assert.is(refused(at(response + 7, 0xff)), "BadBorsh");
  assert.is(refused(at(response + 7, 0x41)), "BadSignature");
  const name = good.indexOf(0x6e, response + 20);
  assert.is(refused(at(name, 0xff)), "BadAccountId");
  assert.is(refused(at(name, 0x61)), "NotRegistered");
  const count = name - 8;
  assert.is(refused(at(count + 3, 0x7f)), "BadBorsh");
  assert.is(world.outcome(0), undefined);
  expectOk(world.call("bob.test", "resolve_execution", good));
});

test("more attestations than a resolve may bring are refused", () => {
  const world = leased();
  const resolution = resolutionOf(world);
  const attestations = Array.from({ length: 40 }, (_, i) => ({
    ...resolution.attestations[0]!,
    accountId: NODES[i % 18]!,
  }));
  const bytes = resolveExecutionBorsh({ ...resolution, attestations });
  assert.is(world.call("bob.test", "resolve_execution", bytes).panic, "TooLong");
});

test.run();
