import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bestSeat, drawAll, drawTicket, isEligible, leaseSeats } from "../../src/lease/sortition.ts";
import { CONTRACT_ID, nodeRecordOf, requestRecordOf } from "../worker/harness.ts";

const seedOf = (n: number) => new Uint8Array(32).fill(n);
const GOLDEN_TICKET = 4313073874297448253n;
const replay = { kind: "replay" } as const;

test("tickets are fixed by contract, seed, role, lease epoch, account and seat", () => {
  const base = drawTicket("c.near", seedOf(1), { kind: "lease", leaseEpoch: 0 }, "a.near", 0);
  // A golden value: the contract and every peer must come to the same one for ever.
  assert.is(base, GOLDEN_TICKET);
  for (const other of [
    drawTicket("d.near", seedOf(1), { kind: "lease", leaseEpoch: 0 }, "a.near", 0),
    drawTicket("c.near", seedOf(2), { kind: "lease", leaseEpoch: 0 }, "a.near", 0),
    drawTicket("c.near", seedOf(1), replay, "a.near", 0),
    drawTicket("c.near", seedOf(1), { kind: "lease", leaseEpoch: 1 }, "a.near", 0),
    drawTicket("c.near", seedOf(1), { kind: "lease", leaseEpoch: 0 }, "b.near", 0),
    drawTicket("c.near", seedOf(1), { kind: "lease", leaseEpoch: 0 }, "a.near", 1),
  ]) {
    assert.is.not(other, base);
  }
});
test("on average as many seats are eligible as are wanted", () => {
  const seatsTotal = 400;
  const wanted = 9;
  const requests = 100;
  let eligible = 0;
  for (let request = 0; request < requests; request++) {
    const seed = seedOf(0).map((_, i) => (request >> (8 * (i % 2))) & 255);
    for (let seat = 0; seat < seatsTotal; seat++) {
      if (isEligible(drawTicket("c.near", seed, replay, "a.near", seat), wanted, seatsTotal)) eligible++;
    }
  }
  // Poisson with mean 900: ±5 standard deviations.
  assert.ok(Math.abs(eligible - wanted * requests) < 5 * Math.sqrt(wanted * requests), `${eligible}`);
});

test("splitting stake over accounts draws exactly as many tickets", () => {
  const whole = nodeRecordOf("alice.test", 6);
  const parts = ["bob.test", "carol.test", "dave.test"].map((accountId) => nodeRecordOf(accountId, 2));
  const seats = (nodes: readonly { seatsNext: number }[]) => nodes.reduce((sum, node) => sum + node.seatsNext, 0);
  assert.is(seats([whole]), seats(parts));
  assert.is(drawAll(CONTRACT_ID, requestRecordOf(), replay, parts).length, 3);
});

test("eligibility is monotone: more seats never exclude a ticket, and all seats include every one", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.nat(999_999),
      (ticket, total, c) => {
        assert.ok(isEligible(ticket, total, total));
        if (isEligible(ticket, c, total)) assert.ok(isEligible(ticket, c + 1, total));
      },
    ),
  );
});

test("eligibility for a lease starts at 3 seats and doubles after one block, then every third", () => {
  const seats = Array.from({ length: 12 }, (_, waited) => leaseSeats(100, 100 + waited, 1_000));
  assert.equal(seats, [3, 3, 6, 6, 6, 12, 12, 12, 24, 24, 24, 48]);
  assert.is(leaseSeats(100, 300, 1_000), 1_000);
  assert.is(leaseSeats(0, 1_000_000, 7), 7);
});

test("an account's best seat is its lowest ticket, and an account without seats has none", () => {
  const record = requestRecordOf();
  const node = nodeRecordOf("alice.test", 40);
  const tickets = Array.from({ length: 40 }, (_, seat) =>
    drawTicket(CONTRACT_ID, record.seed, replay, "alice.test", seat),
  );
  const [least] = tickets.toSorted((a, b) => (a < b ? -1 : 1));
  assert.is(bestSeat(CONTRACT_ID, record, replay, node)?.ticket, least);
  assert.is(bestSeat(CONTRACT_ID, record, replay, nodeRecordOf("alice.test", 0)), undefined);
});

test.run();
