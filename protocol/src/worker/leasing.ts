/** The worker's part in leases: whose turn it is, intents, claims, takeover after a lease ran out. */
import { CLAIM_PATIENCE_BLOCKS, INTENT_STAGGER_MS, type Turn, turnToClaim } from "../lease/claiming.ts";
import { drawTicket, isEligible, leaseSeats } from "../lease/sortition.ts";
import type { MessageOf, Verified } from "../wire/messages.ts";
import { type LeaseRecord, type NodeRecord, seatsForRequest } from "../wire/records.ts";
import { freshExchange, type OpenRequest } from "./request.ts";
import type { Scope } from "./scope.ts";

const TURN_TIMER = "turn/";

function turnOf(scope: Scope, open: OpenRequest, self: NodeRecord): Turn | undefined {
  return turnToClaim({
    contractId: scope.config.network.contractId,
    request: open.record,
    lease: open.lease,
    self,
    nodes: scope.nodes.values(),
    height: scope.height,
  });
}

/** Goes for the lease where it is this node's turn; called whenever a block or a timer may have made it so. */
export function considerLease(scope: Scope, open: OpenRequest): void {
  const self = scope.self;
  if (!self || scope.abstains || open.outcome || open.work.kind === "faulted") return;
  if (displaceWorseHolder(scope, open, self)) return;
  const turn = turnOf(scope, open, self);
  if (!turn) return;
  if (open.claim?.leaseEpoch === turn.leaseEpoch && scope.height < open.claim.sentHeight + CLAIM_PATIENCE_BLOCKS)
    return;
  if (turn.better === 0) return claim(scope, open, turn);
  if (open.waitingTurn === turn.leaseEpoch) return;
  open.waitingTurn = turn.leaseEpoch;
  const timer = `${TURN_TIMER}${open.record.requestId}/${turn.leaseEpoch}`;
  scope.emit({ kind: "setTimer", timer, delayMs: turn.better * INTENT_STAGGER_MS });
}

/** The wait for better tickets is over. Late and repeated timers find nothing to do. */
export function onTurnTimer(scope: Scope, timer: string): void {
  if (!timer.startsWith(TURN_TIMER)) return;
  const [requestId, leaseEpoch] = timer.slice(TURN_TIMER.length).split("/").map(Number);
  const open = scope.requests.get(requestId!);
  if (!open || open.waitingTurn !== leaseEpoch) return;
  open.waitingTurn = undefined;
  const self = scope.self;
  if (!self || scope.abstains || open.outcome) return;
  const turn = turnOf(scope, open, self);
  if (!turn || turn.leaseEpoch !== leaseEpoch || open.claim?.leaseEpoch === leaseEpoch) return;
  if (open.intents.hasBetter(turn.leaseEpoch, turn.draw.ticket, scope.height)) return;
  claim(scope, open, turn);
}

function claim(scope: Scope, open: OpenRequest, turn: Turn): void {
  const { requestId } = open.record;
  const { leaseEpoch, draw } = turn;
  open.claim = { leaseEpoch, sentHeight: scope.height };
  scope.emit({ kind: "publish", message: { kind: "LeaseIntent", requestId, leaseEpoch, seat: draw.seat } });
  scope.progress(open, "intent", `lease epoch ${leaseEpoch}, ${turn.better} better tickets`);
  scope.emit({ kind: "submit", submission: { purpose: "claim", requestId, leaseEpoch, seat: draw.seat } });
  scope.progress(open, "claimSent");
}

/** For one block after a claim the contract prefers a strictly better ticket, whoever's transaction came first. */
function displaceWorseHolder(scope: Scope, open: OpenRequest, self: NodeRecord): boolean {
  const lease = open.lease;
  if (!lease || lease.holder === self.accountId || scope.height !== lease.claimedHeight) return false;
  if (open.claim?.leaseEpoch === lease.leaseEpoch) return false;
  const asFree = { ...open, lease: previousLease(lease) };
  const turn = turnOf(scope, asFree, self);
  if (!turn || turn.leaseEpoch !== lease.leaseEpoch || turn.draw.ticket >= lease.ticket) return false;
  claim(scope, open, turn);
  return true;
}

/** The lease as it stood before the one that may be displaced: run out, with the same former holders. */
function previousLease(lease: LeaseRecord): LeaseRecord | undefined {
  const holder = lease.former.at(-1);
  if (lease.leaseEpoch === 0 || holder === undefined) return undefined;
  const former = lease.former.slice(0, -1);
  return { ...lease, leaseEpoch: lease.leaseEpoch - 1, holder, former, untilHeight: lease.claimedHeight - 1 };
}

export function onLeaseChanged(scope: Scope, open: OpenRequest, lease: LeaseRecord): void {
  const old = open.lease;
  if (old && (lease.leaseEpoch < old.leaseEpoch || isSameLease(old, lease))) return;
  open.lease = lease;
  open.waitingTurn = undefined;
  open.exchange = freshExchange();
  if (open.claim && open.claim.leaseEpoch <= lease.leaseEpoch) open.claim = undefined;
  const how = lease.leaseEpoch > 0 ? `taken over by ${lease.holder}` : `held by ${lease.holder}`;
  scope.progress(open, "leased", `${how} until block ${lease.untilHeight}`);
}

function isSameLease(a: LeaseRecord, b: LeaseRecord): boolean {
  return a.leaseEpoch === b.leaseEpoch && a.holder === b.holder && a.untilHeight === b.untilHeight;
}

export function onIntent(
  scope: Scope,
  from: Verified<MessageOf<"LeaseIntent">>,
  node: NodeRecord,
  open: OpenRequest,
): void {
  const { leaseEpoch, seat } = from.message;
  const next = open.lease ? open.lease.leaseEpoch + 1 : 0;
  if (leaseEpoch < next)
    return scope.reject(from, "staleLease", `intent for lease epoch ${leaseEpoch}, next is ${next}`);
  if (leaseEpoch > next) return scope.reject(from, "staleLease", `intent for lease epoch ${leaseEpoch} before ${next}`);
  if (seat >= seatsForRequest(node, open.record)) {
    return scope.reject(from, "notEligible", `seat ${seat} is not one of ${node.accountId}`);
  }
  const { contractId } = scope.config.network;
  const ticket = drawTicket(contractId, open.record.seed, { kind: "lease", leaseEpoch }, node.accountId, seat);
  const freeSince = open.lease ? open.lease.untilHeight : open.record.height;
  // A peer can be a block or two ahead of us, and eligibility only widens.
  const seats = leaseSeats(freeSince, scope.height + 3, open.record.seatsTotal);
  if (!isEligible(ticket, seats, open.record.seatsTotal)) {
    return scope.reject(from, "notEligible", `the ticket of seat ${seat} is not among the ${seats} best`);
  }
  if (!open.intents.add(leaseEpoch, node.accountId, ticket, scope.height)) {
    scope.reject(from, "duplicate", "the intent is known");
  }
}
