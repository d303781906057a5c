/** The worker's part in leases: whose turn it is, intents, claims, takeover after a lease ran out. */
import {
  claimPatienceBlocks,
  FUSED_AGREEMENT_BLOCKS,
  INTENT_STAGGER_MS,
  isFused,
  type Turn,
  turnToClaim,
} from "../lease/claiming.ts";
import { type Draw, drawTicket, isEligible, leaseSeats } from "../lease/sortition.ts";
import type { MessageOf, Verified } from "../wire/messages.ts";
import { type LeaseRecord, type NodeRecord, seatsForRequest } from "../wire/records.ts";
import { freshExchange, isAnswered, leaseInForce, type OpenRequest } from "./request.ts";
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
  if (!self || scope.abstains || isAnswered(open) || open.work.kind === "faulted") return;
  if (displaceWorseHolder(scope, open, self)) return;
  considerAnnounced(scope, open);
  const turn = turnOf(scope, open, self);
  if (!turn) return;
  const patience = claimPatienceBlocks(open.record);
  if (open.claim?.leaseEpoch === turn.leaseEpoch && scope.height < open.claim.sentHeight + patience) return;
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
  if (!self || scope.abstains || isAnswered(open)) return;
  const turn = turnOf(scope, open, self);
  if (!turn || turn.leaseEpoch !== leaseEpoch || open.claim?.leaseEpoch === leaseEpoch) return;
  if (open.intents.hasBetter(turn.leaseEpoch, turn.draw.ticket, scope.height, claimPatienceBlocks(open.record))) return;
  claim(scope, open, turn);
}

function claim(scope: Scope, open: OpenRequest, turn: Turn): void {
  const { requestId } = open.record;
  const { leaseEpoch, draw } = turn;
  const fused = isFused(open.record);
  open.claim = { leaseEpoch, sentHeight: scope.height, onChain: !fused };
  scope.emit({
    kind: "publish",
    message: { kind: "LeaseIntent", requestId, requestDigest: open.digest, leaseEpoch, seat: draw.seat },
  });
  scope.progress(open, "intent", `lease epoch ${leaseEpoch}, ${turn.better} better tickets`);
  if (fused) announce(scope, open, leaseEpoch, draw);
  else submitClaim(scope, open, leaseEpoch, draw.seat);
}

function submitClaim(scope: Scope, open: OpenRequest, leaseEpoch: number, seat: number): void {
  const { requestId } = open.record;
  scope.emit({ kind: "submit", submission: { purpose: "claim", requestId, leaseEpoch, seat } });
  scope.progress(open, "claimSent");
}

/** Takes an announced claim for the lease it will become, if it is the best one heard of. */
function announce(scope: Scope, open: OpenRequest, leaseEpoch: number, draw: Draw): void {
  const { announced } = open;
  if (announced && announced.leaseEpoch >= leaseEpoch && announced.ticket <= draw.ticket) return;
  // News of a request come with its block's changes, before the block itself is counted as seen.
  const claimedHeight = Math.max(scope.height, open.record.height);
  open.announced = {
    leaseEpoch,
    holder: draw.accountId,
    seat: draw.seat,
    ticket: draw.ticket,
    claimedHeight,
    untilHeight: claimedHeight + claimPatienceBlocks(open.record),
    former: [],
  };
  open.exchange = freshExchange();
}

/** An announced claim whose answer does not come is claimed by its holder after all, and forgotten by everybody else. */
function considerAnnounced(scope: Scope, open: OpenRequest): void {
  const { announced, claim } = open;
  if (!announced) return;
  const mine = announced.holder === scope.config.accountId;
  if (mine && claim && !claim.onChain && scope.height >= announced.claimedHeight + FUSED_AGREEMENT_BLOCKS) {
    if (open.exchange.resolveSentHeight === undefined) {
      open.claim = { ...claim, onChain: true };
      submitClaim(scope, open, announced.leaseEpoch, announced.seat);
    }
  }
  if (scope.height < announced.untilHeight) return;
  open.announced = undefined;
  open.exchange = freshExchange();
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
  const before = leaseInForce(open);
  open.lease = lease;
  open.waitingTurn = undefined;
  if (open.announced && open.announced.leaseEpoch <= lease.leaseEpoch) open.announced = undefined;
  if (before?.leaseEpoch !== lease.leaseEpoch || before.holder !== lease.holder) open.exchange = freshExchange();
  if (open.claim && open.claim.leaseEpoch <= lease.leaseEpoch) open.claim = undefined;
  const how = lease.leaseEpoch > 0 ? `taken over by ${lease.holder}` : `held by ${lease.holder}`;
  scope.progress(open, "leased", `${how} until block ${lease.untilHeight}`);
}

/** The lease that a reading of the contract shows; one that a replaced block made is taken back. */
export function onLeaseRead(scope: Scope, open: OpenRequest, lease: LeaseRecord | undefined): void {
  const before = open.lease;
  if (lease && (!before || lease.leaseEpoch >= before.leaseEpoch)) return onLeaseChanged(scope, open, lease);
  if (!before) return;
  open.lease = lease;
  open.waitingTurn = undefined;
  open.claim = undefined;
  open.exchange = freshExchange();
  scope.progress(open, "leased", lease ? `held by ${lease.holder} again` : "free again: its block was replaced");
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
  // A peer can be a block ahead of us, no more: an earlier claim would disturb the lease that still holds.
  if (open.lease && scope.height + 1 < open.lease.untilHeight) {
    return scope.reject(from, "staleLease", `the lease holds until block ${open.lease.untilHeight}`);
  }
  if (seat >= seatsForRequest(node, open.record)) {
    return scope.reject(from, "notEligible", `seat ${seat} is not one of ${node.accountId}`);
  }
  const { contractId } = scope.config.network;
  const ticket = drawTicket(contractId, open.record.seed, { kind: "lease", leaseEpoch }, node.accountId, seat);
  const freeSince = open.lease ? open.lease.untilHeight : open.record.height;
  // A peer can be a block or two ahead of us; more, and who is to blame cannot be told, since eligibility only widens.
  const seats = leaseSeats(freeSince, scope.height + 3, open.record.seatsTotal);
  if (!isEligible(ticket, seats, open.record.seatsTotal)) {
    return scope.reject(from, "staleLease", `the ticket of seat ${seat} is not among the ${seats} best yet`);
  }
  if (!open.intents.add(leaseEpoch, node.accountId, ticket, scope.height)) {
    return scope.reject(from, "duplicate", "the intent is known");
  }
  if (isFused(open.record)) announce(scope, open, leaseEpoch, { accountId: node.accountId, seat, ticket });
}
