import { test } from "uvu";
import * as assert from "uvu/assert";
import { type CallOptions, eventsIn, expectOk, NEAR, NODES, outlayerWasm, World } from "./world.ts";

const call = (world: World, who: string, method: string, args: object, options: CallOptions = {}) =>
  world.call(who, method, JSON.stringify(args), options);
const view = (world: World, method: string, args: object = {}) => JSON.parse(world.view(method, JSON.stringify(args)));
const bytes = (length: number, fill = 1) => Buffer.alloc(length, fill).toString("base64");

/** Three members with 4 shares: t = 3. */
const EPOCH = {
  members: [2, 1, 1].map((shares, i) => ({ account_id: NODES[i], shares, encryption_key: bytes(48) })),
  threshold: 3,
  deal_blocks: 30,
  complaint_blocks: 30,
  attest_blocks: 30,
};
const DEAL_BYTES = 2 * 96 + 64 + 3 * 48 + 4 * 48;

function opened(): World {
  const world = World.started([1, 1, 1]);
  expectOk(call(world, "owner.test", "open_epoch", EPOCH));
  return world;
}

const deal = (world: World, who: string, length = DEAL_BYTES) =>
  call(world, who, "post_deal", { epoch: 1, deal: bytes(length) }).panic;
const complain = (world: World, who: string, dealer: string, length = 120) =>
  call(world, who, "post_complaint", { epoch: 1, dealer, complaint: bytes(length) }).panic;
const attest = (world: World, who: string, transcript = bytes(32)) =>
  call(world, who, "attest", {
    epoch: 1,
    transcript_hash: transcript,
    master_public_key: bytes(96),
    own_public_key: bytes(96, 2),
  });

test("an epoch's members, shares and threshold are what they must be", () => {
  const world = World.started([1, 1, 1]);
  const open = (change: object, who = "owner.test") => call(world, who, "open_epoch", { ...EPOCH, ...change }).panic;
  const [first] = EPOCH.members;
  assert.is(open({}, "alice.test"), "OwnerOnly");
  assert.is(open({ threshold: 2 }), "BadThreshold");
  assert.is(open({ threshold: 4 }), "BadThreshold");
  assert.is(open({ members: [] }), "BadThreshold");
  assert.is(open({ members: [first, first] }), "BadMember");
  assert.is(open({ members: [{ ...first, shares: 0 }] }), "BadMember");
  assert.is(open({ members: [{ ...first, encryption_key: bytes(47) }] }), "BadMember");
  assert.is(open({ members: [{ ...first, account_id: "alice.test" }] }), "NotRegistered");
  assert.is(open({ deal_blocks: 4 }), "BadPhase");
  assert.is(open({ members: [{ ...first, shares: 129 }], threshold: 87 }), "TooLarge");
  assert.is(open({}), undefined);
  assert.equal(view(world, "get_keystore_epoch").members, EPOCH.members);
  assert.is(view(world, "get_keystore_epoch", { epoch: 2 }), null);
});

test("deals, complaints and attestations come in their phases, whole and once", () => {
  const world = opened();
  const { deals_until, complaints_until, attest_until } = view(world, "get_keystore_epoch");
  assert.is(deal(world, "alice.test"), "NotAMember");
  assert.is(deal(world, "n0.test", DEAL_BYTES - 1), "BadDeal");
  assert.is(complain(world, "n0.test", "n1.test"), "PhaseOver");
  assert.is(deal(world, "n0.test"), undefined);
  assert.is(deal(world, "n0.test"), "AlreadyPosted");
  world.advanceTo(deals_until);
  assert.is(deal(world, "n1.test"), "PhaseOver");
  assert.is(complain(world, "n1.test", "n2.test"), "NoSuchDeal");
  assert.is(complain(world, "n1.test", "n0.test", 119), "BadComplaint");
  assert.is(attest(world, "n0.test").panic, "PhaseOver");
  assert.is(complain(world, "n1.test", "n0.test"), undefined);
  assert.is(complain(world, "n1.test", "n0.test"), "AlreadyPosted");
  world.advanceTo(complaints_until);
  assert.is(complain(world, "n2.test", "n0.test"), "PhaseOver");
  assert.is(attest(world, "n1.test", bytes(31)).panic, "BadAttestation");
  expectOk(attest(world, "n1.test"));
  assert.is(attest(world, "n1.test", bytes(32, 9)).panic, "AlreadyPosted");
  expectOk(attest(world, "n2.test", bytes(32, 9)));
  assert.is(view(world, "get_keystore_epoch").activated, null);
  const { logs } = expectOk(attest(world, "n0.test"));
  assert.is(eventsIn(logs)[0]!.event, "keystore_epoch_active");
  const activated = Buffer.from(view(world, "get_keystore_epoch").activated, "base64");
  assert.equal(activated, Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(96, 1)]));
  const posts = view(world, "get_keystore_posts", { epoch: 1, account_id: "n1.test" });
  assert.equal([posts.deal, posts.complaints.length, posts.complaints[0].dealer], [null, 1, "n0.test"]);
  assert.is(Buffer.from(posts.attestation, "base64").length, 224);
  world.advanceTo(attest_until);
  assert.is(attest(world, "n2.test").panic, "PhaseOver");
});

test("the largest epoch takes whole deals, and what the free balance does not cover is refused", () => {
  const members = EPOCH.members.map((member) => ({ ...member, shares: 42 }));
  const large = { ...EPOCH, members, threshold: 85 };
  const length = 2 * 96 + 64 + 85 * 48 + 126 * 48;
  for (const [balance, expected] of [
    [100n * NEAR, undefined],
    [BigInt(outlayerWasm.length + 10_000) * 10n ** 19n, "StorageNotCovered"],
  ] as const) {
    const world = World.started([1, 1, 1], {}, balance);
    expectOk(call(world, "owner.test", "open_epoch", large));
    assert.is(deal(world, "n2.test", length), expected);
  }
});

test.run();
