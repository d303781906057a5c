import { createHash, sign } from "node:crypto";
import { encode } from "@outlayer/protocol/wire/borsh";
import { requestDigest, responseHash } from "@outlayer/protocol/wire/records";
import { REPLAY_CLASS_PURE, RESULT_DOMAIN, resultStatement } from "@outlayer/protocol/wire/statement";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type AttestedResult,
  claimLeaseArgs,
  disputeArgs,
  type NetworkOptions,
  objectArgs,
  proveEquivocationArgs,
  type SignedStatement,
  stateKeys,
} from "../../client/index.ts";
import {
  type Answer,
  answerArgs,
  attest,
  CHAIN_ID,
  CODE_HASH,
  eventsIn,
  expectOk,
  keyOf,
  NEAR,
  NODES,
  OUTLAYER,
  TAPE_HASH,
  textResponse,
  World,
} from "./world.ts";

const WRONG = textResponse("wrong");
const RIGHT = textResponse("right");

/** Five nodes of two seats; n0 holds the request. Three attestations answer, the highest level needs four. */
function leased(network: NetworkOptions = {}): World {
  const world = World.started([2, 2, 2, 2, 2], { quorum: 3, ...network });
  world.ask();
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  return world;
}

const resolve = (world: World, answer: Answer) =>
  world.call("bob.test", "resolve_execution", answerArgs(world, answer));
const earnings = (world: World, account: string) =>
  BigInt(JSON.parse(world.view("get_earnings", JSON.stringify({ account_id: account }))));
const liabilities = (world: World) => BigInt(JSON.parse(world.view("get_network")).liabilities);

function attested(world: World, answer: Answer): AttestedResult {
  const lease = world.lease(0)!;
  return {
    leaseEpoch: lease.leaseEpoch,
    holder: lease.holder,
    codeHash: CODE_HASH,
    responseHash: responseHash(answer.response!),
    tapeHash: TAPE_HASH,
    attestations: answer.signers!.map((signer) => attest(world, signer, answer)),
  };
}

const THREE = NODES.slice(0, 3);
const FOUR = NODES.slice(1, 5);

test("an answer waits for objections, and without one anybody makes it final", () => {
  const world = leased({ challengeBlocks: 40 });
  const proposed = expectOk(resolve(world, { response: RIGHT, signers: THREE }));
  assert.is(world.outcome(0), undefined);
  const { final_height } = JSON.parse(world.view("get_proposal", '{"request_id":0}'));
  assert.is(final_height, proposed.outcome.blockHeight + 40);
  assert.is(resolve(world, { response: RIGHT, signers: THREE }).panic, "AlreadyProposed");
  const finalize = (atHeight?: number) =>
    world.call("alice.test", "finalize_execution", '{"request_id":0}', atHeight === undefined ? {} : { atHeight });
  assert.is(finalize(final_height).panic, "StillOpen");
  expectOk(finalize());
  assert.is(world.view("get_stats").startsWith("[1,"), true);
  assert.is(world.call("alice.test", "finalize_execution", '{"request_id":0}').panic, "NoSuchRequest");
});

test("an answer that everybody signed does not wait", () => {
  const world = leased({ challengeBlocks: 40 });
  expectOk(resolve(world, { response: RIGHT, signers: NODES.slice(0, 5) }));
  assert.is(world.request(0), undefined);
});

test("an answer that nobody made final stands when the yield runs out", () => {
  const world = World.started([2, 2, 2, 2, 2], { quorum: 3, challengeBlocks: 40 });
  const total = world.totalYocto();
  const asked = world.ask();
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  expectOk(resolve(world, { response: RIGHT, signers: THREE }));
  world.advance(200);
  assert.is(world.finalValue(asked.hash), '"right"');
  assert.ok(earnings(world, "n1.test") > 0n);
  assert.is(world.totalYocto(), total);
});

const bond = { depositYocto: NEAR };

test("a right objection escalates; the false answer's signers are slashed and the objector paid", () => {
  const total = World.started([2, 2, 2, 2, 2]).totalYocto();
  const world = leased({ challengeBlocks: 40 });
  const args = objectArgs({ requestId: 0, seat: 0 });
  assert.is(world.call("n3.test", "object", args, bond).panic, "NoProposal");
  expectOk(resolve(world, { response: WRONG, signers: THREE }));
  assert.is(world.call("n1.test", "object", args, bond).panic, "SignedIt");
  assert.is(world.call("alice.test", "object", args, bond).panic, "NotRegistered");
  assert.is(world.call("n3.test", "object", args, { depositYocto: NEAR - 1n }).panic, "BondTooSmall");
  const before = liabilities(world);
  expectOk(world.call("n3.test", "object", args, bond));
  assert.is(liabilities(world), before + NEAR);
  assert.is(resolve(world, { response: RIGHT, signers: NODES.slice(2, 5) }).panic, "BelowQuorum");
  const { logs } = expectOk(resolve(world, { response: RIGHT, signers: FOUR }));
  const slashed = eventsIn(logs).filter(({ event }) => event === "node_slashed");
  assert.equal(
    slashed.map(({ data }) => data.account_id),
    THREE,
  );
  assert.is(earnings(world, "n3.test") >= NEAR + 3n * ((2n * NEAR) / 50n), true);
  assert.is(world.node("n0.test")!.stakeYocto, 2n * NEAR - (2n * NEAR) / 10n);
  assert.is(world.node("n0.test")!.seatsNext, 0);
  assert.is(world.view("get_proposal", '{"request_id":0}'), "null");
  assert.is(world.totalYocto(), total);
});

test("a false objection loses its bond, and one that nobody judges comes back", () => {
  const world = leased({ challengeBlocks: 40 });
  expectOk(resolve(world, { response: RIGHT, signers: THREE }));
  expectOk(world.call("n3.test", "object", objectArgs({ requestId: 0, seat: 1 }), bond));
  const before = liabilities(world);
  expectOk(resolve(world, { response: RIGHT, signers: ["n0.test", "n1.test", "n2.test", "n4.test"] }));
  assert.is(earnings(world, "n3.test"), 0n);
  assert.ok(liabilities(world) <= before - NEAR);

  const silent = leased({ challengeBlocks: 40 });
  expectOk(resolve(silent, { response: RIGHT, signers: THREE }));
  expectOk(silent.call("n3.test", "object", objectArgs({ requestId: 0, seat: 1 }), bond));
  silent.advance(220);
  assert.is(earnings(silent, "n3.test"), NEAR);
  assert.is(silent.node("n0.test")!.stakeYocto, 2n * NEAR);
  assert.is(liabilities(silent), 11n * NEAR);
});

test("an objection comes in time or not at all", () => {
  const world = leased({ challengeBlocks: 40 });
  expectOk(resolve(world, { response: WRONG, signers: THREE }));
  const { final_height } = JSON.parse(world.view("get_proposal", '{"request_id":0}'));
  const late = { ...bond, atHeight: final_height + 1 };
  assert.is(world.call("n3.test", "object", objectArgs({ requestId: 0, seat: 0 }), late).panic, "TooLate");
});

test("a dispute slashes the signers of a resolved answer that the highest level contradicts, once", () => {
  const world = leased();
  const record = world.stored(stateKeys.request(0))!;
  const wrong = attested(world, { response: WRONG, signers: THREE });
  const right = attested(world, { response: RIGHT, signers: FOUR });
  const few = attested(world, { response: RIGHT, signers: FOUR.slice(1) });
  expectOk(resolve(world, { response: WRONG, signers: THREE }));
  assert.is(world.request(0), undefined);
  const dispute = (args: string) => world.call("alice.test", "dispute", args);
  assert.is(dispute(disputeArgs(record, wrong, wrong)).panic, "SameResult");
  assert.is(dispute(disputeArgs(record, wrong, few)).panic, "BelowQuorum");
  assert.is(dispute(disputeArgs(record, few, wrong)).panic, "BelowQuorum");
  const other = Uint8Array.from(record);
  other[20]! ^= 1;
  assert.is(dispute(disputeArgs(other, wrong, right)).panic !== undefined, true);
  const before = liabilities(world);
  expectOk(dispute(disputeArgs(record, wrong, right)));
  assert.is(earnings(world, "alice.test"), 3n * (NEAR / 25n));
  assert.is(before - liabilities(world), 3n * (NEAR / 5n - NEAR / 25n));
  // Their seats are gone, so the same signatures prove nothing any more.
  assert.is(dispute(disputeArgs(record, wrong, right)).panic, "NoSuchSeat");
});

function signed(world: World, signer: string, response = WRONG, change: object = {}): SignedStatement {
  const request = world.request(0)!;
  const lease = world.lease(0)!;
  const statement = encode(resultStatement, {
    domain: RESULT_DOMAIN,
    chainId: CHAIN_ID,
    contractId: OUTLAYER,
    requestId: 0,
    requestDigest: requestDigest(request),
    leaseEpoch: lease.leaseEpoch,
    holder: lease.holder,
    codeHash: CODE_HASH,
    replayClass: REPLAY_CLASS_PURE,
    costVersion: request.costVersion,
    inputHash: request.inputHash,
    seed: request.seed,
    responseHash: responseHash(response),
    tapeHash: TAPE_HASH,
    ...change,
  });
  const digest = createHash("sha256").update(statement).digest();
  return { statement, signature: new Uint8Array(sign(null, digest, keyOf(signer).privateKey)) };
}

test("two statements of one node about one request and lease cost it a tenth of its stake and all its seats", () => {
  const world = leased();
  const total = world.totalYocto();
  const first = signed(world, "n1.test", WRONG);
  const second = signed(world, "n1.test", RIGHT);
  const prove = (one: SignedStatement, two: SignedStatement, who = "n1.test") =>
    world.call("alice.test", "prove_equivocation", proveEquivocationArgs(who, one, two));
  assert.is(prove(first, first).panic, "NotAContradiction");
  assert.is(prove(first, signed(world, "n1.test", RIGHT, { leaseEpoch: 1 })).panic, "NotAContradiction");
  assert.is(prove(first, signed(world, "n1.test", RIGHT, { requestId: 1 })).panic, "NotAContradiction");
  assert.is(prove(first, signed(world, "n2.test", RIGHT)).panic, "BadSignature");
  assert.is(prove(first, second, "n2.test").panic, "BadSignature");
  assert.is(prove(first, second, "bob.test").panic, "NotRegistered");
  const foreign = { chainId: "mainnet" };
  assert.is(
    prove(signed(world, "n1.test", WRONG, foreign), signed(world, "n1.test", RIGHT, foreign)).panic,
    "ForeignStatement",
  );
  const odd = { domain: "outlayer/other/v1" };
  assert.is(prove(signed(world, "n1.test", WRONG, odd), signed(world, "n1.test", RIGHT, odd)).panic, "NotAStatement");

  const { logs } = expectOk(prove(first, second));
  assert.equal(eventsIn(logs)[0]!.data, { request_id: 0, account_id: "n1.test", amount: (NEAR / 5n).toString() });
  assert.is(earnings(world, "alice.test"), NEAR / 25n);
  const node = world.node("n1.test")!;
  assert.is(node.stakeYocto, 2n * NEAR - NEAR / 5n);
  assert.equal([node.seatsPrevious, node.seatsCurrent, node.seatsNext, node.draining], [0, 0, 0, true]);
  assert.is(JSON.parse(world.view("get_network")).seats_current, 8);
  assert.is(prove(first, second).panic, "AlreadyPunished");
  // Its stake stays as long as that of anybody who leaves.
  assert.is(world.call("n1.test", "withdraw_stake").panic, "StakeLocked");
  assert.is(resolve(world, { response: RIGHT, signers: THREE }).panic, "NoSuchSeat");
  assert.is(world.totalYocto(), total);
});

test.run();
