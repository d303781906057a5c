import { test } from "uvu";
import * as assert from "uvu/assert";
import { isOperatingError, type OperatingErrorCode } from "../../src/errors.ts";
import { NodeKey } from "../../src/keys/index.ts";
import { MAX_GOSSIP_BYTES, type P2pHost, type PeerEvent } from "../../src/p2p/index.ts";
import { bytes, connected, meshed, NETWORK_ID, same, startHost, stopAll, text, until } from "./cluster.ts";

test.after.each(stopAll);

async function code(work: () => unknown): Promise<OperatingErrorCode | undefined> {
  try {
    await work();
  } catch (error) {
    if (isOperatingError(error)) return error.code;
    throw error;
  }
  return undefined;
}

/** Hosts of which each knows only the first. */
async function cluster(count: number): Promise<P2pHost[]> {
  const boot = await startHost();
  const others = Array.from({ length: count - 1 }, () => startHost({ bootstrap: boot.addresses() }));
  const hosts = [boot, ...(await Promise.all(others))];
  await until("all in the mesh with the first", () => hosts.slice(1).every((host) => meshed(boot, host)));
  return hosts;
}

test("gossip reaches everybody once, also when several publish the same bytes", async () => {
  const hosts = await cluster(4);
  const delivered = hosts.map(() => [] as string[]);
  hosts.forEach((host, i) => {
    host.onGossip((_, payload) => {
      delivered[i]?.push(text(payload));
      return "accept";
    });
  });
  const [boot, a, b] = hosts as [P2pHost, P2pHost, P2pHost, P2pHost];
  await Promise.all([a.publish(bytes("one")), b.publish(bytes("one")), boot.publish(bytes("two"))]);
  assert.is(await a.publish(bytes("one")), 0, "known bytes are not sent again");
  await a.publish(bytes("last"));
  await until("the last message everywhere", () =>
    [boot, b, hosts[3]].every((host) => delivered[hosts.indexOf(host as P2pHost)]?.includes("last")),
  );
  await until("both others where they were not made", () => delivered[3]?.length === 3);
  for (const messages of delivered) assert.is(new Set(messages).size, messages.length);
  assert.equal(delivered[3]?.sort(), ["last", "one", "two"]);
});

test("the judge learns who passed the message on, and what it ignores is not forwarded", async () => {
  const hosts = await cluster(3);
  const [boot, a, b] = hosts as [P2pHost, P2pHost, P2pHost];
  const seenByB: string[] = [];
  let from: Uint8Array | undefined;
  boot.onGossip((peer, payload) => {
    from = peer;
    return text(payload) === "stale" ? "ignore" : "accept";
  });
  b.onGossip((_, payload) => {
    seenByB.push(text(payload));
    return "accept";
  });
  await a.publish(bytes("stale"));
  await a.publish(bytes("fresh"));
  await until("the fresh message", () => seenByB.includes("fresh"));
  assert.ok(from && same(from, a.publicKey));
  // The two may be neighbours by now; then the message came straight from its author.
  if (!connected(a, b)) assert.equal(seenByB, ["fresh"]);
});

test("a peer whose messages are rejected loses score, leaves the mesh and is heard no more", async () => {
  const [boot, bad] = (await cluster(2)) as [P2pHost, P2pHost];
  const heard: string[] = [];
  boot.onGossip((_, payload) => {
    heard.push(text(payload));
    return text(payload).startsWith("bad") ? "reject" : "accept";
  });
  const score = () => boot.peers().find((peer) => same(peer.publicKey, bad.publicKey))?.gossipScore ?? 0;
  for (let i = 0; score() > -160 && i < 50; i++) {
    await bad.publish(bytes(`bad ${i}`));
    await until("it was judged or ignored", () => heard.includes(`bad ${i}`) || score() <= -160);
  }
  await until("pruned", () => !meshed(boot, bad));
  assert.ok(score() <= -160, `${score()}`);
  // A direct frame that follows on the same connection shows that the gossip before it has arrived. Peers of good
  // standing are let through for a moment without a look at their score, so the first few may still be judged.
  let after = 0;
  boot.onDirect(() => after++);
  await until("a message arrived and nobody judged it", async () => {
    const before = [heard.length, after] as const;
    await bad.publish(bytes(`good ${after}`));
    await bad.send(boot.publicKey, bytes("after"));
    await until("arrived", () => after > before[1]);
    return heard.length === before[0];
  });
});

test("a handler that throws is nobody's offence", async () => {
  const [boot, a] = (await cluster(2)) as [P2pHost, P2pHost];
  let calls = 0;
  boot.onGossip(() => {
    calls++;
    throw new Error("our own fault");
  });
  await a.publish(bytes("x"));
  await until("judged", () => calls === 1);
  await a.publish(bytes("y"));
  await until("judged", () => calls === 2);
  assert.ok(boot.peers().every((peer) => peer.gossipScore >= 0 && peer.penaltyPoints === 0));
});

test("publishing what the network does not carry is refused by name", async () => {
  const host = await startHost();
  assert.is(await code(() => host.publish(new Uint8Array(MAX_GOSSIP_BYTES + 1))), "gossip_too_large");
  assert.is(await code(() => host.publish(new Uint8Array())), "gossip_too_large");
  assert.is(await host.publish(new Uint8Array(MAX_GOSSIP_BYTES)), 0, "a node alone");
  await host.stop();
  assert.is(await code(() => host.publish(bytes("x"))), "p2p_not_running");
  assert.is(await code(() => host.send(new Uint8Array(32), bytes("x"))), "p2p_not_running");
});

test("the largest message that may be published arrives", async () => {
  const [boot, a] = (await cluster(2)) as [P2pHost, P2pHost];
  let received = 0;
  boot.onGossip((_, payload) => {
    received = payload.length;
    return "accept";
  });
  await a.publish(new Uint8Array(MAX_GOSSIP_BYTES).fill(1));
  await until("it arrived", () => received === MAX_GOSSIP_BYTES);
});

test("networks with different ids do not hear each other", async () => {
  const boot = await startHost();
  const stranger = await startHost({ bootstrap: boot.addresses(), networkId: `${NETWORK_ID}2` });
  await until("connected", () => connected(boot, stranger) && connected(stranger, boot));
  const answer = await code(() => stranger.send(boot.publicKey, bytes("x")));
  assert.is(answer, "peer_unreachable");
  assert.is(await stranger.publish(bytes("x")), 0);
});

test("a bootstrap peer that comes back is found again", async () => {
  const nodeKey = NodeKey.generate();
  const boot = await startHost({ nodeKey });
  const listen = boot.addresses().map((address) => address.replace(/\/p2p\/.*/, ""));
  const events: PeerEvent["type"][] = [];
  const host = await startHost({ bootstrap: boot.addresses() });
  host.onPeer((event) => events.push(event.type));
  await until("connected", () => connected(host, boot));
  await boot.stop();
  await until("gone", () => host.peers().length === 0);
  const again = await startHost({ nodeKey, listen });
  await until("back in the mesh", () => meshed(host, again));
  assert.ok(events.indexOf("disconnected") < events.lastIndexOf("connected"));
});

test("a bootstrap peer that starts last is found", async () => {
  const nodeKey = NodeKey.generate();
  const first = await startHost({ nodeKey });
  const [address] = first.addresses() as [string];
  await first.stop();
  const host = await startHost({ bootstrap: [address] });
  assert.is(host.peers().length, 0);
  const late = await startHost({ nodeKey, listen: [address.replace(/\/p2p\/.*/, "")] });
  await until("meshed", () => meshed(host, late));
});

test("an offender is cut off and may not come back", async () => {
  const [boot, bad] = (await cluster(2)) as [P2pHost, P2pHost];
  boot.penalise(bad.publicKey, "poisoned_content");
  assert.is(Math.round(boot.peers()[0]?.penaltyPoints ?? 0), 50);
  boot.penalise(bad.publicKey, "poisoned_content");
  await until("cut", () => boot.peers().length === 0 && bad.peers().length === 0);
  const refused = await bad.libp2p.dial(boot.libp2p.getMultiaddrs()).then(
    async (connection) => {
      // The refusal may reach the dialler only after its own handshake is through.
      await until("closed", () => connection.status !== "open");
      return true;
    },
    () => true,
  );
  assert.ok(refused);
  assert.is(boot.peers().length, 0);
});

test("whoever is banned does not knock without a pause", async () => {
  const judge = await startHost();
  const offender = await startHost({ bootstrap: judge.addresses() });
  await until("connected", () => connected(judge, offender) && connected(offender, judge));
  let connections = 0;
  offender.onPeer(({ type }) => {
    if (type === "connected") connections++;
  });
  judge.penalise(offender.publicKey, "poisoned_content");
  judge.penalise(offender.publicKey, "poisoned_content");
  await until("it has knocked again", () => connections > 0);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  // The pauses in between are one second, then two: without them it is some hundred connections.
  assert.ok(connections <= 3, `${connections} connections in three seconds`);
});

test("nodes that know only the bootstrap peer come to know each other", async () => {
  const boot = await startHost();
  const hosts = await Promise.all([1, 2, 3].map(() => startHost({ bootstrap: boot.addresses(), minPeers: 3 })));
  await until("everybody has three peers", () => hosts.every((host) => host.peers().length === 3));
});

test("addresses and network ids that are none are refused by name, and a taken port too", async () => {
  assert.is(await code(() => startHost({ listen: ["127.0.0.1:7000"] })), "p2p_address_invalid");
  assert.is(await code(() => startHost({ bootstrap: ["nowhere"] })), "p2p_address_invalid");
  assert.is(await code(() => startHost({ networkId: "a b" })), "p2p_network_id_invalid");
  const host = await startHost();
  const taken = host.addresses().map((address) => address.replace(/\/p2p\/.*/, ""));
  assert.is(await code(() => startHost({ listen: taken })), "p2p_listen_failed");
});

test("a peer that fell out of gossip is reconnected", async () => {
  const [boot, a] = (await cluster(2)) as [P2pHost, P2pHost];
  const heard: string[] = [];
  boot.onGossip((_, payload) => {
    heard.push(text(payload));
    return "accept";
  });
  // A frame beyond the limit, as only a faulty node sends it: the reader gives the peer up but keeps the connection.
  const [connection] = a.libp2p.getConnections(boot.libp2p.peerId);
  const stream = await connection!.newStream([...a.libp2p.services.pubsub.protocols]);
  stream.send(Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 1, 2, 3));
  await until("the connection was replaced", () => connection!.status !== "open" && meshed(boot, a));
  await a.publish(bytes("again"));
  await until("gossip flows again", () => heard.includes("again"));
});

test.run();
