/** Who holds a lease after any run of claims and renewals, against the rules in a page and the shared arithmetic. */
import { drawTicket, isEligible, leaseSeats } from "@outlayer/protocol/lease/sortition";
import type { RequestRecord } from "@outlayer/protocol/wire/records";
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { claimLeaseArgs, renewLeaseArgs } from "../../client/index.ts";
import { NODES, OUTLAYER, World } from "./world.ts";

interface Lease {
  readonly leaseEpoch: number;
  readonly holder: string;
  readonly ticket: bigint;
  readonly claimed: number;
  readonly until: number;
  readonly renewed: boolean;
  readonly former: readonly string[];
}

const LEASE_BLOCKS = 11;

/** The lease after a claim in block `height`; undefined where the claim is refused. */
function claimed(
  request: RequestRecord,
  lease: Lease | undefined,
  claim: { holder: string; seat: number; leaseEpoch: number },
  height: number,
): Lease | undefined {
  const { holder, seat, leaseEpoch } = claim;
  if (height > request.deadlineHeight || holder === lease?.holder || lease?.former.includes(holder)) return undefined;
  const ticket = drawTicket(OUTLAYER, request.seed, { kind: "lease", leaseEpoch }, holder, seat);
  const over = lease === undefined || height > lease.until;
  if (leaseEpoch !== (lease === undefined ? 0 : lease.leaseEpoch + (over ? 1 : 0))) return undefined;
  if (over) {
    const seats = leaseSeats(lease?.until ?? request.height, height, request.seatsTotal);
    if (!isEligible(ticket, seats, request.seatsTotal)) return undefined;
  } else if (height > lease.claimed + 1 || ticket >= lease.ticket) return undefined;
  const former = over && lease ? [...lease.former, lease.holder] : (lease?.former ?? []);
  const until = Math.min(request.deadlineHeight, height + LEASE_BLOCKS);
  return { leaseEpoch, holder, ticket, claimed: height, until, renewed: false, former };
}

function renewed(request: RequestRecord, lease: Lease, holder: string, height: number): Lease | undefined {
  const until = Math.min(request.deadlineHeight, lease.until + LEASE_BLOCKS);
  const may = holder === lease.holder && height <= lease.until && !lease.renewed && until > lease.until;
  return may ? { ...lease, until, renewed: true } : undefined;
}

const step = fc.record({
  renew: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  holder: fc.constantFrom(...NODES.slice(0, 5)),
  seat: fc.integer({ min: 0, max: 2 }),
  /** Relative to the lease epoch that a claim would have. */
  ahead: fc.constantFrom(0, 0, 0, 1, -1),
  wait: fc.constantFrom(0, 0, 1, 3, 9, 20, 60),
});

test("every claim and renewal ends as the rules say", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 10 }), (steps) => {
      const world = World.started([3, 3, 3, 3, 3], { leasePenaltyYocto: 0n });
      world.ask();
      const request = world.request(0)!;
      let lease: Lease | undefined;
      for (const { renew, holder, seat, ahead, wait } of steps) {
        const height = world.height + wait + 3;
        if (height > request.height + 195) break;
        if (renew && lease) {
          const args = renewLeaseArgs({ requestId: 0, leaseEpoch: lease.leaseEpoch });
          const { panic, outcome } = world.call(holder, "renew_lease", args, { atHeight: height });
          assert.is(outcome.blockHeight, height);
          const next = renewed(request, lease, holder, height);
          assert.is(panic === undefined, next !== undefined, `${panic}`);
          lease = next ?? lease;
        } else {
          const due = lease === undefined ? 0 : lease.leaseEpoch + (height > lease.until ? 1 : 0);
          const leaseEpoch = Math.max(0, due + ahead);
          const args = claimLeaseArgs({ requestId: 0, seat, leaseEpoch });
          const { panic } = world.call(holder, "claim_lease", args, { atHeight: height });
          const next = claimed(request, lease, { holder, seat, leaseEpoch }, height);
          assert.is(panic === undefined, next !== undefined, `${panic}`);
          lease = next ?? lease;
        }
        const stored = world.lease(0);
        assert.equal(
          stored && [stored.leaseEpoch, stored.holder, stored.untilHeight, stored.former],
          lease && [lease.leaseEpoch, lease.holder, lease.until, lease.former],
        );
        if (lease) accepted++;
      }
    }),
    { numRuns: 25, seed: 20_261_123 },
  );
  assert.ok(accepted > 20);
});

test.run();
