import { encode } from "@outlayer/protocol/wire/borsh";
import { nodeRecord, seatsForRequest, seatsInEpoch } from "@outlayer/protocol/wire/records";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, parseNetwork, parseNode, parseNodes, stateKeys } from "../../client/index.ts";
import { eventsIn, expectOk, keyOf, NEAR, OUTLAYER, registration, World } from "./world.ts";

const EPOCHS = { stakeEpochBlocks: 200, bootstrapBlocks: 20 };
const network = (world: World) => parseNetwork(world.view("get_network"));
const seats = (world: World, name: string) => {
  const node = world.node(name)!;
  return [node.epoch, node.seatsPrevious, node.seatsCurrent, node.seatsNext];
};

function register(world: World, name: string, stakeYocto: bigint) {
  return world.call(name, "register_node", world.registration(name), { depositYocto: stakeYocto });
}

test("a node's record is the shared one, and its stake counts in whole seats", () => {
  const world = World.started([]);
  const result = expectOk(register(world, "n0.test", 3n * NEAR + NEAR / 2n));
  const node = world.node("n0.test")!;
  assert.equal(encode(nodeRecord, node), world.stored(stateKeys.node("n0.test")));
  assert.equal(node, {
    accountId: "n0.test",
    publicKey: keyOf("n0.test").publicKey,
    stakeYocto: (7n * NEAR) / 2n,
    epoch: 0,
    seatsPrevious: 0,
    seatsCurrent: 3,
    seatsNext: 3,
    draining: false,
    registeredHeight: result.outcome.blockHeight,
  });
  assert.equal(
    eventsIn(result.logs).map(({ event, data }) => [event, data]),
    [
      [
        "node_registered",
        {
          account_id: "n0.test",
          public_key: keyOf("n0.test").text,
          stake: ((7n * NEAR) / 2n).toString(),
          epoch: 0,
          seats_current: 3,
          seats_next: 3,
          draining: false,
        },
      ],
    ],
  );
  const view = world.view("get_node", '{"account_id":"n0.test"}');
  assert.equal(parseNode(view), node);
  assert.is(JSON.parse(view).public_key, keyOf("n0.test").text);
  assert.is(parseNode(world.view("get_node", '{"account_id":"n1.test"}')), undefined);
});

test("registrations that may not be are refused by name", () => {
  const world = World.started([1]);
  const refused = (name: string, key: string, stake = NEAR, proof = JSON.parse(registration(name)).proof) =>
    world.call(name, "register_node", JSON.stringify({ public_key: key, proof }), { depositYocto: stake }).panic;
  assert.is(refused("n0.test", keyOf("n1.test").text), "AlreadyRegistered");
  assert.is(refused("n1.test", keyOf("n0.test").text), "KeyTaken");
  // A key that signed nothing, that signed for another account, and a proof that is none.
  assert.is(refused("n1.test", keyOf("n2.test").text), "BadProof");
  assert.is(refused("n1.test", keyOf("n2.test").text, NEAR, JSON.parse(registration("n2.test")).proof), "BadProof");
  assert.is(refused("n1.test", keyOf("n1.test").text, NEAR, Buffer.alloc(64).toString("base64")), "BadProof");
  assert.is(refused("n1.test", keyOf("n1.test").text, NEAR, "AAAA"), "BadSignatureEncoding");
  const other = World.started([], { chainId: "another-chain" });
  const args = registration("n1.test");
  assert.is(other.call("n1.test", "register_node", args, { depositYocto: NEAR }).panic, "BadProof");
  assert.is(refused("n1.test", keyOf("n1.test").text, NEAR - 1n), "StakeTooSmall");
  assert.is(refused("n1.test", keyOf("n1.test").text, 1_025n * NEAR), "TooManySeats");
  for (const key of [
    "",
    "ed25519:",
    keyOf("n1.test").text.slice(8),
    keyOf("n1.test").text.replace("ed25519", "secp256"),
    `${keyOf("n1.test").text}1`,
    `ed25519:1${keyOf("n1.test").text.slice(8)}`,
    `ed25519:0${keyOf("n1.test").text.slice(9)}`,
    `ed25519:${"z".repeat(44)}`,
  ]) {
    assert.is(refused("n1.test", key), "BadPublicKey", key);
  }
  assert.is(refused("n1.test", keyOf("n1.test").text, 1_024n * NEAR), undefined);
  assert.is(network(world).nodeCount, 2);
});

test("after the bootstrap a stake acts from the next epoch, in the node's record and in the totals", () => {
  const world = World.started([2], EPOCHS);
  const { genesisHeight } = network(world);
  world.advanceTo(genesisHeight + 30);
  expectOk(register(world, "n1.test", 3n * NEAR));
  assert.equal(seats(world, "n1.test"), [0, 0, 0, 3]);
  assert.equal([network(world).seatsCurrent, network(world).seatsNext], [2, 5]);
  world.advanceTo(genesisHeight + 199);
  assert.equal([network(world).stakeEpoch, network(world).seatsCurrent], [0, 2]);
  world.advanceTo(genesisHeight + 200);
  const after = network(world);
  assert.equal([after.stakeEpoch, after.seatsPrevious, after.seatsCurrent, after.seatsNext], [1, 2, 5, 5]);

  expectOk(world.call("n1.test", "add_stake", "{}", { depositYocto: NEAR }));
  assert.equal(seats(world, "n1.test"), [1, 0, 3, 4]);
  const record = world.node("n1.test")!;
  assert.equal(
    [0, 1, 2, 9].map((epoch) => seatsInEpoch(record, epoch)),
    [0, 3, 4, 4],
  );
  world.advanceTo(genesisHeight + 600);
  assert.equal([network(world).stakeEpoch, network(world).seatsPrevious, network(world).seatsCurrent], [3, 6, 6]);
});

test("whoever leaves keeps its stake locked until its seats are two epochs away, and then gets all of it", () => {
  const world = World.started([1, 2, 3], EPOCHS);
  const total = world.totalYocto();
  const { genesisHeight } = network(world);
  expectOk(world.call("n1.test", "begin_exit"));
  assert.equal(seats(world, "n1.test"), [0, 0, 2, 0]);
  assert.is(world.node("n1.test")!.draining, true);
  assert.is(world.call("n1.test", "begin_exit").panic, "AlreadyExiting");
  for (const height of [100, 250, 399]) {
    world.advanceTo(genesisHeight + height - 2);
    const result = world.call("n1.test", "withdraw_stake", "{}", { atHeight: genesisHeight + height });
    assert.is(result.panic, "StakeLocked");
  }
  const before = world.balance("n1.test");
  expectOk(world.call("n1.test", "withdraw_stake", "{}", { atHeight: genesisHeight + 402 }));
  assert.ok(world.balance("n1.test") > before + 2n * NEAR - NEAR / 100n);
  assert.is(world.node("n1.test"), undefined);
  assert.equal(
    parseNodes(world.view("get_nodes")).map((node) => node.accountId),
    ["n0.test", "n2.test"],
  );
  assert.is(network(world).liabilitiesYocto, 4n * NEAR);
  assert.is(network(world).seatsCurrent, 4);
  assert.is(world.call("n1.test", "withdraw_stake").panic, "NotRegistered");
  // Its name and its key are free again, and the last of the index can leave too.
  expectOk(register(world, "n1.test", NEAR));
  expectOk(world.call("n2.test", "begin_exit"));
  world.advanceTo(genesisHeight + 1_000);
  expectOk(world.call("n2.test", "withdraw_stake"));
  assert.equal(
    parseNodes(world.view("get_nodes")).map((node) => node.accountId),
    ["n0.test", "n1.test"],
  );
  assert.is(world.totalYocto(), total);
  assert.ok(world.balance(OUTLAYER) > 1_000n * NEAR);
});

test("during the bootstrap a registration acts at once, but not for requests whose seed is known, and added stake later", () => {
  const world = World.started([1, 1]);
  world.ask();
  expectOk(register(world, "n2.test", NEAR));
  expectOk(world.call("n1.test", "add_stake", "{}", { depositYocto: NEAR }));
  world.ask();
  world.advance(40);
  const claim = (name: string, seat: number, requestId: number) =>
    world.call(name, "claim_lease", claimLeaseArgs({ requestId, seat, leaseEpoch: 0 })).panic;
  const [first, second] = [world.request(0)!, world.request(1)!];
  assert.equal(
    ["n0.test", "n1.test", "n2.test"].map((name) => seatsForRequest(world.node(name)!, first)),
    [1, 1, 0],
  );
  assert.equal(
    ["n0.test", "n1.test", "n2.test"].map((name) => seatsForRequest(world.node(name)!, second)),
    [1, 1, 1],
  );
  for (const [name, seat] of [
    ["n2.test", 0],
    ["n1.test", 1],
  ] as const) {
    assert.is(claim(name, seat, 0), "NoSuchSeat");
  }
  assert.is(claim("n0.test", 0, 0), undefined);
  assert.is(claim("n1.test", 1, 1), "NoSuchSeat");
  assert.is(claim("n1.test", 0, 1), undefined);
});

test("nodes come in pages", () => {
  const world = World.started([1, 1, 1, 1, 1]);
  const page = (args: string) => parseNodes(world.view("get_nodes", args)).map((node) => node.accountId);
  assert.equal(page('{"from_index":0,"limit":2}'), ["n0.test", "n1.test"]);
  assert.equal(page('{"from_index":2,"limit":2}'), ["n2.test", "n3.test"]);
  assert.equal(page('{"from_index":4,"limit":2}'), ["n4.test"]);
  assert.equal(page('{"from_index":5}'), []);
  assert.equal(page('{"from_index":18446744073709551615,"limit":18446744073709551615}'), []);
  assert.is(page("{}").length, 5);
});

test.run();
