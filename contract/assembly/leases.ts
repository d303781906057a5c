/**
 * Leases: who runs a request. The first claims are open to the best tickets only and widen with every few blocks
 * without a claim; a strictly better ticket displaces a claim for one block; a lease that runs out opens the next
 * lease epoch, in which its holder may not claim.
 */
import { ClaimArguments } from "./answers";
import { same } from "./buffer";
import { emitLease } from "./events";
import { blockHeight, check, currentAccount, panic, predecessor } from "./host";
import { callArguments } from "./json";
import { MAX_FORMER_HOLDERS } from "./limits";
import { Message } from "./message";
import { LeaseRecord, NodeRecord, OutcomeRecord, RequestRecord } from "./records";
import { ProposalRecord } from "./proposals";
import { penaliseHolder } from "./slashing";
import { Draw, isEligible, leaseSeats, ROLE_LEASE } from "./sortition";
import { State } from "./state";

export function wrongEpoch(expected: u32): void {
  new Message("WrongLeaseEpoch: the lease epoch is ").number(expected).panic();
}

/** Blocks that a run of this many instructions may take. */
function leaseLength(state: State, maxInstructions: u64): u64 {
  const whole = maxInstructions / state.instructionsPerBlock;
  return state.leaseBlocks + whole + (maxInstructions % state.instructionsPerBlock == 0 ? 0 : 1);
}

/** The lease as it would stand after this claim, without holder; panics where the lease is not to be had. */
function nextLease(current: LeaseRecord | null, leaseEpoch: u32, height: u64, ticket: u64): LeaseRecord {
  const next = new LeaseRecord();
  next.leaseEpoch = leaseEpoch;
  next.ticket = ticket;
  if (!current) {
    if (leaseEpoch != 0) wrongEpoch(0);
    return next;
  }
  next.former = current.former;
  if (height > current.untilHeight) {
    if (leaseEpoch != current.leaseEpoch + 1) wrongEpoch(current.leaseEpoch + 1);
    check(next.former.length < MAX_FORMER_HOLDERS, "TooManyLeases: this request has had all the leases it may have");
    next.former.push(current.holder);
    return next;
  }
  if (leaseEpoch != current.leaseEpoch) wrongEpoch(current.leaseEpoch);
  check(height <= current.claimedHeight + 1, "LeaseHeld: the lease is held and can no longer be displaced");
  check(ticket < current.ticket, "TicketNotBetter: the holder's ticket is as good or better");
  return next;
}

/** The sender's claim, stored. */
export function takeLease(state: State, request: RequestRecord, leaseEpoch: u32, seat: u32): LeaseRecord {
  const height = blockHeight();
  check(height <= request.deadlineHeight, "DeadlinePassed: the request can no longer be resolved");
  const account = predecessor();
  const node = NodeRecord.load(account);
  check(!node.draining, "Draining: a draining node takes no leases");
  check(seat < node.seatsFor(request), "NoSuchSeat: not a seat of this account for this request");
  const current = LeaseRecord.find(request.requestId);
  if (current) {
    check(!same(current.holder, account), "AlreadyHolder: the account holds or held this lease");
    for (let i = 0; i < current.former.length; i++) {
      check(!same(current.former[i], account), "FormerHolder: a former holder may not claim again");
    }
  }
  const ticket = new Draw(currentAccount(), request.seed, ROLE_LEASE, leaseEpoch).ticket(account, seat);
  const lease = nextLease(current, leaseEpoch, height, ticket);
  // Whoever displaces is eligible already: the threshold only grows, and the ticket is below one that passed it.
  if (!current || height > current.untilHeight) {
    const freeSince = current ? current.untilHeight : request.height;
    check(
      isEligible(ticket, leaseSeats(freeSince, height, request.seatsTotal), request.seatsTotal),
      "NotEligible: the ticket is not among those that may claim in this block",
    );
    if (current) {
      penaliseHolder(state, request.requestId, current);
      state.save();
    }
  }
  lease.holder = account;
  lease.seat = seat;
  lease.claimedHeight = height;
  lease.untilHeight = endOf(state, request, height);
  lease.save(request.requestId);
  emitLease(state, "lease_claimed", request.requestId, lease);
  return lease;
}

/** The last block of a lease that begins here, and never one after the deadline. */
function endOf(state: State, request: RequestRecord, from: u64): u64 {
  return min<u64>(request.deadlineHeight, from + leaseLength(state, request.maxInstructions));
}

export function claim_lease(): void {
  const claim = ClaimArguments.read();
  const state = State.load();
  const request = RequestRecord.load(claim.requestId);
  check(!OutcomeRecord.exists(claim.requestId), "AlreadyResolved: the request has its result");
  // Its lease may run out meanwhile, and nobody is to take it over from a holder that has answered.
  check(!state.answersMayWait || !ProposalRecord.exists(claim.requestId), "AlreadyProposed: an answer waits for objections");
  takeLease(state, request, claim.leaseEpoch, claim.seat);
  state.assertSolvent();
}

/** Once, by its holder, while the lease lasts: as long again as the first time. */
export function renew_lease(): void {
  const fields = callArguments();
  const requestId = fields.required("request_id").u64();
  const leaseEpoch = fields.required("lease_epoch").u64();
  const state = State.load();
  const request = RequestRecord.load(requestId);
  check(!OutcomeRecord.exists(requestId), "AlreadyResolved: the request has its result");
  const lease = LeaseRecord.find(requestId);
  if (!lease) {
    panic("NoLease: nobody holds the request");
    return;
  }
  if (leaseEpoch != lease.leaseEpoch) wrongEpoch(lease.leaseEpoch);
  check(same(lease.holder, predecessor()), "NotTheHolder: only the lease's holder may renew it");
  check(blockHeight() <= lease.untilHeight, "LeaseOver: the lease has run out");
  // A lease that ends elsewhere than its claim alone explains has been renewed.
  check(lease.untilHeight == endOf(state, request, lease.claimedHeight), "AlreadyRenewed: a lease is renewed once");
  const until = endOf(state, request, lease.untilHeight);
  check(until > lease.untilHeight, "AlreadyRenewed: the lease lasts until the deadline");
  lease.untilHeight = until;
  lease.save(requestId);
  state.assertSolvent();
  emitLease(state, "lease_renewed", requestId, lease);
}
