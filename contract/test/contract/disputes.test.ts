import { decode, encode } from "@outlayer/protocol/wire/borsh";
import { type GuestResponse, requestRecord, responseHash } from "@outlayer/protocol/wire/records";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  type AttestedResult,
  appealArgs,
  claimLeaseArgs,
  disputeArgs,
  type NetworkOptions,
  objectArgs,
  parsePendingRecords,
  proveEquivocationArgs,
  type SignedStatement,
  stateKeys,
} from "../../client/index.ts";
import {
  type Answer,
  answerArgs,
  attestAll,
  CODE_HASH,
  eventsIn,
  expectOk,
  NEAR,
  NODES,
  signedStatement,
  TAPE_HASH,
  textResponse,
  World,
} from "./world.ts";

const WRONG = textResponse("wrong");
const RIGHT = textResponse("right");

/** Five nodes of two seats; n0 holds the request. Three attestations answer, the highest level needs seven seats. */
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
const penalties = (world: World, account: string) =>
  JSON.parse(world.view("get_penalties", JSON.stringify({ account_id: account })));
const take = (world: World, account: string) =>
  world.call("bob.test", "take_slashed", JSON.stringify({ account_id: account }));
const liabilities = (world: World) => BigInt(JSON.parse(world.view("get_network")).liabilities);

function attested(world: World, answer: Answer): AttestedResult {
  const lease = world.lease(0)!;
  return {
    leaseEpoch: lease.leaseEpoch,
    holder: lease.holder,
    codeHash: CODE_HASH,
    responseHash: responseHash(answer.response!),
    tapeHash: TAPE_HASH,
    attestations: attestAll(world, answer.signers!, answer),
  };
}

const THREE = NODES.slice(0, 3);
const FOUR = NODES.slice(1, 5);

test("signers of a higher level lose together what its committee stands for", () => {
  const level = { replaySeats: 144, quorum: 3, baseFeeYocto: NEAR / 50n };
  const world = World.started([28, 28, 28, 28, 28], { replaySeats: 4, quorum: 3, levels: [level] });
  world.ask();
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  assert.is(world.request(0)!.level.replaySeats, 140);
  const record = world.stored(stateKeys.request(0))!;
  const wrong = attested(world, { response: WRONG, signers: THREE });
  const right = attested(world, { response: RIGHT, signers: FOUR, seats: 24 });
  expectOk(world.call("alice.test", "dispute", disputeArgs(record, wrong, right)));
  const frozen = THREE.map((name) => BigInt(penalties(world, name).frozen[0].amount));
  // A tenth of 28 NEAR each; the lowest level's committee would be worth 4 together.
  assert.equal(
    frozen,
    [28n, 28n, 28n].map((tenths) => (tenths * NEAR) / 10n),
  );
});

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

test("while an answer waits nobody takes over the lease that runs out meanwhile, and watchers read it with the request", () => {
  const world = leased({ challengeBlocks: 60, leaseBlocks: 10 });
  expectOk(resolve(world, { response: RIGHT, signers: THREE }));
  world.advance(40);
  const claim = () => world.call("n3.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 1 }));
  assert.is(claim().panic, "AlreadyProposed");
  const pending = () => parsePendingRecords(world.view("get_pending_records", "{}"))[0]!;
  assert.equal(pending().proposal?.responseHash, responseHash(RIGHT));
  assert.is(pending().proposal?.outcome.holder, "n0.test");
  assert.is(pending().objected, false);
  expectOk(world.call("n3.test", "object", objectArgs({ requestId: 0, seat: 0 }), { depositYocto: NEAR }));
  assert.equal(pending().proposal, undefined);
  assert.is(pending().objected, true);
  expectOk(claim());
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
  const world = leased({ challengeBlocks: 40, stakeEpochBlocks: 400 });
  const args = objectArgs({ requestId: 0, seat: 0 });
  assert.is(world.call("n3.test", "object", args, bond).panic, "NoProposal");
  expectOk(resolve(world, { response: WRONG, signers: THREE }));
  assert.is(world.call("n1.test", "object", args, bond).panic, "SignedIt");
  assert.is(world.call("alice.test", "object", args, bond).panic, "NotRegistered");
  assert.is(world.call("n3.test", "object", args, { depositYocto: NEAR - 1n }).panic, "BondTooSmall");
  const before = liabilities(world);
  expectOk(world.call("n3.test", "object", args, bond));
  assert.is(liabilities(world), before + NEAR);
  assert.is(resolve(world, { response: RIGHT, signers: NODES.slice(2, 5), seats: 2 }).panic, "BelowQuorum");
  const { logs } = expectOk(resolve(world, { response: RIGHT, signers: FOUR, seats: 2 }));
  const slashed = eventsIn(logs).filter(({ event }) => event === "node_slashed");
  assert.equal(
    slashed.map(({ data }) => data.account_id),
    THREE,
  );
  assert.is(world.node("n0.test")!.seatsNext, 0);
  assert.is(world.node("n0.test")!.stakeYocto, 2n * NEAR);
  const bondBack = earnings(world, "n3.test");
  assert.ok(bondBack >= NEAR);
  world.advanceTo(penalties(world, "n0.test").locked_until);
  for (const account of THREE) expectOk(take(world, account));
  assert.is(earnings(world, "n3.test"), bondBack + 3n * ((2n * NEAR) / 50n));
  assert.is(world.node("n0.test")!.stakeYocto, 2n * NEAR - (2n * NEAR) / 10n);
  assert.is(world.view("get_proposal", '{"request_id":0}'), "null");
  assert.is(world.totalYocto(), total);
});

test("a false objection loses its bond, and one that nobody judges comes back", () => {
  const world = leased({ challengeBlocks: 40 });
  expectOk(resolve(world, { response: RIGHT, signers: THREE }));
  expectOk(world.call("n3.test", "object", objectArgs({ requestId: 0, seat: 1 }), bond));
  const before = liabilities(world);
  expectOk(resolve(world, { response: RIGHT, signers: ["n0.test", "n1.test", "n2.test", "n4.test"], seats: 2 }));
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

test("no more than the bond is at stake: what was attached above it comes back at once", () => {
  const world = leased({ challengeBlocks: 40 });
  expectOk(resolve(world, { response: RIGHT, signers: THREE }));
  const [owed, total, had] = [liabilities(world), world.totalYocto(), world.balance("n3.test")];
  const more = { depositYocto: 50n * NEAR };
  expectOk(world.call("n3.test", "object", objectArgs({ requestId: 0, seat: 0 }), more));
  assert.is(liabilities(world), owed + NEAR);
  assert.ok(world.balance("n3.test") > had - 2n * NEAR);
  assert.is(world.totalYocto(), total);
});

test("an objection comes in time or not at all", () => {
  const world = leased({ challengeBlocks: 40 });
  expectOk(resolve(world, { response: WRONG, signers: THREE }));
  const { final_height } = JSON.parse(world.view("get_proposal", '{"request_id":0}'));
  const late = { ...bond, atHeight: final_height + 1 };
  assert.is(world.call("n3.test", "object", objectArgs({ requestId: 0, seat: 0 }), late).panic, "TooLate");
});

test("every answer waits for a whole window, after which the highest level has time to answer", () => {
  const at = (world: World, atHeight: number, response: GuestResponse) =>
    world.call("bob.test", "resolve_execution", answerArgs(world, { response, signers: THREE }), { atHeight });
  const objecting = (world: World, atHeight: number) =>
    world.call("n3.test", "object", objectArgs({ requestId: 0, seat: 0 }), { ...bond, atHeight });
  const world = leased({ challengeBlocks: 60 });
  const { deadlineHeight, height } = world.request(0)!;
  assert.is(deadlineHeight, height + 200 - 10 - 60 - 10);
  expectOk(at(world, deadlineHeight, WRONG));
  expectOk(objecting(world, deadlineHeight + 60));
  expectOk(resolve(world, { response: RIGHT, signers: FOUR, seats: 2 }));
  assert.is(world.request(0), undefined);
  assert.ok(earnings(world, "n3.test") > NEAR);

  const silent = leased({ challengeBlocks: 60 });
  assert.is(at(silent, deadlineHeight + 1, RIGHT).panic, "DeadlinePassed");
});

/** A wrong answer that three nodes signed, resolved; and the right one of the highest level, not sent. */
function contradicted(network: NetworkOptions = {}) {
  const world = leased({ stakeEpochBlocks: 400, ...network });
  const record = world.stored(stateKeys.request(0))!;
  const wrong = attested(world, { response: WRONG, signers: THREE });
  const right = attested(world, { response: RIGHT, signers: FOUR, seats: 2 });
  const few = attested(world, { response: RIGHT, signers: FOUR.slice(1), seats: 2 });
  const wrongByAll = attested(world, { response: WRONG, signers: FOUR, seats: 2 });
  expectOk(resolve(world, { response: WRONG, signers: THREE }));
  const dispute = (args: string) => world.call("alice.test", "dispute", args);
  return { world, record, wrong, right, few, wrongByAll, dispute };
}

test("a dispute freezes a tenth of the stake of whoever signed what the highest level contradicts, once", () => {
  const { world, record, wrong, right, few, dispute } = contradicted();
  assert.is(world.request(0), undefined);
  assert.is(dispute(disputeArgs(record, wrong, wrong)).panic, "SameResult");
  assert.is(dispute(disputeArgs(record, wrong, few)).panic, "BelowQuorum");
  const other = Uint8Array.from(record);
  other[14]! ^= 1;
  assert.is(dispute(disputeArgs(other, wrong, right)).panic, "UnknownRequest");
  const before = liabilities(world);
  const disputed = expectOk(dispute(disputeArgs(record, wrong, right)));
  assert.is(world.finalValue(disputed.hash), JSON.stringify((3n * (NEAR / 25n)).toString()));
  // Their seats are gone at once, and two of them signed the right answer too; their stake is only frozen.
  assert.is(dispute(disputeArgs(record, wrong, right)).panic, "NoSuchSeat");
  assert.is(liabilities(world), before);
  assert.is(earnings(world, "alice.test"), 0n);
  const { locked_until, frozen } = penalties(world, "n1.test");
  assert.equal(frozen, [
    { request_id: 0, due_height: locked_until, amount: (NEAR / 5n).toString(), reporter: "alice.test" },
  ]);
  assert.is(locked_until, disputed.outcome.blockHeight + 800);
  assert.is(take(world, "n1.test").panic, "NothingDue");
  assert.is(take(world, "n3.test").panic, "NothingDue");
  assert.is(take(world, "bob.test").panic, "NotRegistered");
  world.advanceTo(locked_until);
  for (const account of THREE) expectOk(take(world, account));
  assert.is(take(world, "n1.test").panic, "NothingDue");
  assert.is(earnings(world, "alice.test"), 3n * (NEAR / 25n));
  assert.is(before - liabilities(world), 3n * (NEAR / 5n - NEAR / 25n));
});

test("a dispute counts seats: many accounts of one seat do not outweigh the stake", () => {
  // Three honest nodes of ten seats, six accounts of one: two thirds of the accounts, a sixth of the stake.
  const world = World.started([10, 10, 10, 1, 1, 1, 1, 1, 1], { quorum: 3, replaySeats: 144 });
  world.ask();
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  const record = world.stored(stateKeys.request(0))!;
  const honest = attested(world, { response: RIGHT, signers: THREE });
  const many = attested(world, { response: WRONG, signers: NODES.slice(3, 9) });
  const stake = attested(world, { response: RIGHT, signers: THREE, seats: 10 });
  const twice = { ...stake, attestations: [...stake.attestations, stake.attestations[0]!] };
  const dispute = (wrong: AttestedResult, right: AttestedResult) =>
    world.call("alice.test", "dispute", disputeArgs(record, wrong, right));
  assert.is(dispute(honest, many).panic, "BelowQuorum");
  assert.is(dispute(many, twice).panic, "DuplicateSigner");
  const resigned = stake.attestations.map((one, i) => (i === 1 ? { ...one, signature: new Uint8Array(64) } : one));
  assert.is(dispute(many, { ...stake, attestations: resigned }).panic, "DuplicateSigner");
  expectOk(dispute(many, stake));
});

test("one account alone contradicts nobody, whatever its stake", () => {
  const world = World.started([20, 1, 1, 1], { quorum: 2, replaySeats: 144 });
  world.ask();
  world.advance(40);
  expectOk(world.call("n1.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  const record = world.stored(stateKeys.request(0))!;
  const alone = attested(world, { response: RIGHT, signers: ["n0.test"], seats: 20 });
  const three = attested(world, { response: WRONG, signers: NODES.slice(1, 4) });
  assert.is(world.call("alice.test", "dispute", disputeArgs(record, three, alone)).panic, "BelowQuorum");
});

test("an incident costs all of its signers together no more than a committee's stake", () => {
  // One replay seat: 1 NEAR in all, of which three accounts of eight seats would lose 2.4.
  const world = World.started([8, 8, 8, 16, 16, 16], { quorum: 3, replaySeats: 1, stakeEpochBlocks: 400 });
  world.ask();
  world.advance(40);
  const frozen = () =>
    THREE.map((account) => penalties(world, account).frozen.map((one: { amount: string }) => one.amount));
  for (const account of THREE) {
    const statements = [WRONG, RIGHT].map((response) => signedStatement(world, account, 0, response));
    const args = proveEquivocationArgs(account, statements[0]!, statements[1]!);
    expectOk(world.call("alice.test", "prove_equivocation", args));
  }
  const tenth = ((8n * NEAR) / 10n).toString();
  assert.equal(frozen(), [[tenth], [(NEAR / 5n).toString()], []]);
});

test("what is slashed can be spared by the owner, and by a quorum of the highest level for the very same answer", () => {
  const { world, record, wrong, right, wrongByAll, dispute } = contradicted();
  expectOk(dispute(disputeArgs(record, wrong, right)));
  const appeal = (account: string, answer: AttestedResult) =>
    world.call("n1.test", "appeal", appealArgs(account, record, answer));
  assert.is(appeal("n4.test", wrong).panic, "NotSlashed");
  assert.is(appeal("n1.test", right).panic, "OtherResult");
  // Two of the four have no seats any more.
  assert.is(appeal("n1.test", wrongByAll).panic, "NoSuchSeat");
  const clear = (who: string, account: string) =>
    world.call(who, "clear_slash", JSON.stringify({ account_id: account, request_id: 0 }));
  assert.is(clear("operator.test", "n1.test").panic, "OwnerOnly");
  assert.is(clear("owner.test", "n4.test").panic, "NotSlashed");
  const { logs } = expectOk(clear("owner.test", "n1.test"));
  assert.is(eventsIn(logs)[0]!.event, "slash_cleared");
  assert.is(clear("owner.test", "n1.test").panic, "NotSlashed");
  assert.equal(penalties(world, "n1.test").frozen, []);
  assert.is(world.node("n1.test")!.seatsCurrent, 0);
  world.advance(820);
  const paid = world.balance("n1.test");
  expectOk(world.call("n1.test", "withdraw_stake"));
  assert.ok(world.balance("n1.test") - paid > (19n * NEAR) / 10n);
  // Whoever was not spared loses its tenth at the latest when it leaves.
  const before = earnings(world, "alice.test");
  expectOk(world.call("n2.test", "withdraw_stake"));
  assert.is(earnings(world, "alice.test"), before + NEAR / 25n);
});

test("an answer of the highest level clears who was slashed for it", () => {
  // n0 and n1 signed what the highest level contradicted; then as much of what is left of the stake signs the same.
  const world = World.started([1, 1, 10, 10, 10, 10], { quorum: 2, replaySeats: 144, stakeEpochBlocks: 400 });
  world.ask();
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  const record = world.stored(stateKeys.request(0))!;
  const wrong = attested(world, { response: WRONG, signers: ["n0.test", "n1.test"] });
  const right = attested(world, { response: RIGHT, signers: NODES.slice(2, 5), seats: 10 });
  const same = attested(world, { response: WRONG, signers: NODES.slice(3, 6), seats: 10 });
  expectOk(world.call("alice.test", "dispute", disputeArgs(record, wrong, right)));
  expectOk(world.call("n0.test", "appeal", appealArgs("n0.test", record, same)));
  assert.equal(penalties(world, "n0.test").frozen, []);
  assert.is(penalties(world, "n1.test").frozen.length, 1);
});

function signed(world: World, signer: string, response = WRONG, change: object = {}): SignedStatement {
  const { leaseEpoch, holder } = world.lease(0)!;
  return signedStatement(world, signer, 0, response, { leaseEpoch, holder, ...change });
}

test("nobody names a request of their own making: neither to strike an answer nor to be spared", () => {
  const { world, record, wrong, right, dispute } = contradicted();
  const real = decode(requestRecord, record);
  for (const change of [
    { seatsTotal: 1, level: { replaySeats: 1, replicas: 1, quorum: 1 } },
    { requestId: 1 },
    { seed: new Uint8Array(32) },
  ]) {
    const forged = encode(requestRecord, { ...real, ...change });
    assert.is(dispute(disputeArgs(forged, wrong, right)).panic, "UnknownRequest");
    assert.is(world.call("n0.test", "appeal", appealArgs("n0.test", forged, wrong)).panic, "UnknownRequest");
  }
});

test("signers who give up their seats, or are slashed for something else, do not save each other", () => {
  const { world, record, wrong, right, dispute } = contradicted({ stakeEpochBlocks: 200 });
  expectOk(world.call("n0.test", "begin_exit"));
  expectOk(world.call("n1.test", "add_stake", "{}", { depositYocto: 1n }));
  const { logs } = expectOk(dispute(disputeArgs(record, wrong, right)));
  assert.equal(
    eventsIn(logs).map(({ event, data }) => [event, data.account_id]),
    THREE.map((account) => ["node_slashed", account]),
  );
});

test("an answer other than the one that stood has its seats counted", () => {
  const { record, wrong, right, dispute } = contradicted();
  const fewer = { ...wrong, attestations: wrong.attestations.slice(1) };
  assert.is(dispute(disputeArgs(record, fewer, right)).panic, "BelowQuorum");
});

test("a slashed account gets no seats while anything of its stake is frozen", () => {
  const { world, record, wrong, right, dispute } = contradicted({ stakeEpochBlocks: 200 });
  expectOk(dispute(disputeArgs(record, wrong, right)));
  const add = () => world.call("n1.test", "add_stake", "{}", { depositYocto: NEAR });
  assert.is(add().panic, "StakeFrozen");
  world.advanceTo(penalties(world, "n1.test").locked_until);
  assert.is(add().panic, "StakeFrozen");
  expectOk(take(world, "n1.test"));
  expectOk(add());
  assert.ok(world.node("n1.test")!.seatsNext > 0);
});

test("what requests leave behind goes when they can no longer be disputed", () => {
  const world = World.started([2, 2, 2], { quorum: 2, stakeEpochBlocks: 200 });
  const isThere = (group: number) => world.stored(new Uint8Array([0x67, 0, 0, 0, 0, 0, 0, 0, group])) !== undefined;
  for (let group = 0; group < 5; group++) {
    for (let i = 0; i < 16; i++) world.ask();
    world.advance(210);
  }
  assert.equal([0, 1, 2, 3, 4].map(isThere), [false, false, true, true, true]);
});

test("two statements of one node about one request and lease cost it a tenth of its stake and all its seats", () => {
  const world = leased();
  const total = world.totalYocto();
  const first = signed(world, "n1.test", WRONG);
  const second = signed(world, "n1.test", RIGHT);
  const prove = (one: SignedStatement, two: SignedStatement, who = "n1.test") =>
    world.call("alice.test", "prove_equivocation", proveEquivocationArgs(who, one, two));
  assert.is(prove(first, first).panic, "NotAContradiction");
  assert.is(prove(first, signed(world, "n1.test", RIGHT, { leaseEpoch: 1 })).panic, "NotAContradiction");
  assert.is(prove(first, signed(world, "n1.test", RIGHT, { requestId: 1 })).panic, "UnknownRequest");
  const madeUp = { requestDigest: new Uint8Array(32) };
  assert.is(
    prove(signed(world, "n1.test", WRONG, madeUp), signed(world, "n1.test", RIGHT, madeUp)).panic,
    "UnknownRequest",
  );
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
  const node = world.node("n1.test")!;
  assert.is(node.stakeYocto, 2n * NEAR);
  assert.equal([node.seatsPrevious, node.seatsCurrent, node.seatsNext, node.draining], [0, 0, 0, true]);
  assert.is(JSON.parse(world.view("get_network")).seats_current, 8);
  assert.is(prove(first, second).panic, "AlreadyPunished");
  // Its stake stays as long as that of anybody who leaves.
  assert.is(world.call("n1.test", "withdraw_stake").panic, "StakeLocked");
  assert.is(resolve(world, { response: RIGHT, signers: THREE }).panic, "NoSuchSeat");
  assert.is(world.totalYocto(), total);
});

test.run();
