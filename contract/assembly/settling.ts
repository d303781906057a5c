/**
 * The end of a request: `on_execution_response`, which the protocol calls once for every yield, settles it from what
 * is stored; the cancellations are ways out where that could not happen.
 */
import { decimal, same } from "./buffer";
import { remember } from "./ended";
import { emitCharged, emitCompleted } from "./events";
import { assertPrivate, blockHeight, check, loggedBytes, predecessor, returnBytes, timestampNs } from "./host";
import { callArguments } from "./json";
import { Terms } from "./levels";
import { STALE_NS, YIELD_BLOCKS } from "./limits";
import { refund } from "./money";
import { ownerAction } from "./owner";
import { pendingIds, removePending } from "./pending";
import { Prices } from "./prices";
import { AnnouncedResult, ObjectionRecord, ProposalRecord } from "./proposals";
import { LeaseRecord, OutcomeRecord, removeRequest, RequestRecord } from "./records";
import { answer } from "./responses";
import { creditShares } from "./shares";
import { penaliseHolder, returnBond } from "./slashing";
import { releaseAttachedUsd, settleAttachedUsd } from "./stablecoins";
import { State } from "./state";
import { Text, utf8 } from "./text";
import { U128 } from "./u128";

const MAX_CLEARED: u64 = 10;
/** A call may log 16 KiB, and the longest event of an end has below 13,000 bytes: one more begins below this only. */
const MAX_LOGGED_BEFORE: i32 = 3_000;

/**
 * Ends a request for good: shares credited, state deleted, refund sent. Of the payment, what is charged stays owed, to
 * the signers now; without an outcome it belongs to nobody and becomes the contract's free balance.
 */
function settle(
  state: State, request: RequestRecord, terms: Terms, outcome: OutcomeRecord | null, charged: U128,
): U128 {
  const back = request.payment.minus(charged);
  terms.unpin(state, request.requestId);
  remember(state, request, outcome);
  removeRequest(request.requestId);
  AnnouncedResult.remove(state, request.requestId);
  removePending(state, request.requestId);
  if (terms.challengeBlocks > 0) {
    ProposalRecord.remove(request.requestId);
    const objection = ObjectionRecord.find(request.requestId);
    // Nobody answered at the highest level, so nobody knows who was right.
    if (objection) returnBond(request.requestId, objection);
  }
  state.totalExecutions++;
  state.settles(outcome ? back : request.payment);
  if (outcome) {
    state.totalCharged = state.totalCharged.plus(charged);
    creditShares(state, request, outcome);
  }
  if (outcome && outcome.response.success) settleAttachedUsd(request, outcome.response);
  else releaseAttachedUsd(request);
  state.save();
  refund(request.payerId, back);
  return back;
}

/** The outcome that stands: resolved, or proposed and not objected to when the yield ran out. */
function standingOutcome(terms: Terms, requestId: u64): OutcomeRecord | null {
  const outcome = OutcomeRecord.find(requestId);
  if (outcome || terms.challengeBlocks == 0) return outcome;
  const proposal = ProposalRecord.find(requestId);
  return proposal ? proposal.outcome : null;
}

/**
 * The yield's callback, called by the protocol once: after a resume or after 200 blocks. Its own payload is not
 * looked at, since what counts stands in the state. It must not panic: a failed callback could never settle. For the
 * same reason it cannot refuse an early end: the resume has used up the yield. So nothing may resume a request but
 * what has stored its outcome; the only other resume, of top-ups, takes their data ids alone (`payment-keys.ts`).
 */
export function on_execution_response(): void {
  assertPrivate();
  const requestId = callArguments().required("request_id").u64();
  const request = RequestRecord.find(requestId);
  if (!request) {
    // Cancelled before: paid back then.
    returnBytes(utf8("null"));
    return;
  }
  const state = State.load(), terms = Terms.of(state, requestId);
  const outcome = standingOutcome(terms, requestId);
  if (outcome) {
    const back = settle(state, request, terms, outcome, outcome.charged);
    emitCharged(outcome.charged);
    emitCompleted(state, request, outcome.response, outcome.charged, back, "");
    returnBytes(answer(outcome.response));
    return;
  }
  const lease = LeaseRecord.find(requestId);
  // Whoever held the request last had all of its lease; an answer that was objected to is not the holder's delay.
  if (lease && !(terms.challengeBlocks > 0 && ObjectionRecord.exists(requestId))) penaliseHolder(state, requestId, lease);
  const baseFee = Prices.of(state, requestId).baseFee;
  const charged = baseFee.lessThan(request.payment) ? baseFee : request.payment;
  const back = settle(state, request, terms, null, charged);
  emitCharged(charged);
  emitCompleted(state, request, null, charged, back, "timed out: no result within the yield's 200 blocks");
  returnBytes(utf8("null"));
}

function cancel(state: State, request: RequestRecord, why: Text): void {
  const outcome = OutcomeRecord.find(request.requestId);
  const charged = outcome ? outcome.charged : new U128();
  const back = settle(state, request, Terms.of(state, request.requestId), outcome, charged);
  emitCharged(charged);
  emitCompleted(state, request, outcome ? outcome.response : null, charged, back, why);
}

function isStale(request: RequestRecord): bool {
  return timestampNs() - request.timestampNs > STALE_NS && blockHeight() > request.height + YIELD_BLOCKS;
}

/** A way out where the callback failed (it ran out of gas, say): the caller takes back what is not yet charged. */
export function cancel_stale_execution(): void {
  const requestId = callArguments().required("request_id").u64();
  const state = State.load();
  const request = RequestRecord.load(requestId);
  check(same(predecessor(), request.predecessorId), "NotTheCaller: only the account that asked may cancel");
  check(isStale(request), "NotStale: the request may still be answered");
  cancel(state, request, "cancelled: stale");
}

/** The owner gives a payment back. An answer that is there already is paid for. */
export function emergency_cancel_execution(): void {
  const state = State.load();
  const fields = ownerAction(state, "emergency_cancel_execution");
  if (!fields) return;
  cancel(state, RequestRecord.load(fields.required("request_id").u64()), "cancelled: by the owner");
}

/** Cancels up to `limit` requests whose yields are over, oldest first; open ones are left to their nodes. */
export function clear_all_pending_requests(): void {
  const state = State.load();
  const fields = ownerAction(state, "clear_all_pending_requests");
  if (!fields) return;
  const ids = pendingIds(state, 0, 0, min<u64>(MAX_CLEARED, fields.u64Or("limit", MAX_CLEARED)));
  let cleared = 0;
  for (let i = 0; i < ids.length; i++) {
    const request = RequestRecord.load(ids[i]);
    if (!isStale(request) || loggedBytes() > MAX_LOGGED_BEFORE) break;
    cancel(state, request, "cancelled: stale");
    cleared++;
  }
  returnBytes(decimal(cleared));
}
