/**
 * Penalties. A lease that runs out costs its holder a fixed amount; an explicit contradiction, which anybody can
 * check, costs all seats at once and a tenth of the stake, which is frozen for two stake epochs and then taken: time
 * for an appeal, or for the owner to spare whom a fault of everybody's software has hit. Nobody is slashed for disagreeing: only for two signatures
 * that contradict each other, and for a quorum's answer that the highest level contradicts.
 */
import { checkAttestations, claimOf, Level, parseAttestations, requestArgument, ResultClaim } from "./attestations";
import { BorshReader, BorshWriter } from "./borsh";
import { EMPTY, fresh, same } from "./buffer";
import { emitPenalty } from "./events";
import { parseAccount } from "./accounts";
import { blockHeight, check, has, panic, read, remove, returnBytes, sha256, write } from "./host";
import { callArguments } from "./json";
import { JsonWriter } from "./json-writer";
import { keyOf, numberedKey } from "./keys";
import { ownerAction } from "./owner";
import { SLASH_DELAY_EPOCHS, SLASH_DIVISOR, SLASH_REWARD_DIVISOR } from "./limits";
import { credit } from "./money";
import { ObjectionRecord } from "./proposals";
import { LeaseRecord, NodeRecord, RequestRecord } from "./records";
import { dropSeats } from "./registry";
import { State } from "./state";
import { U128 } from "./u128";

/** `u` ‖ account → its penalties. */
const PENALTIES_PREFIX: u8 = 0x75;
/** `v` ‖ sha256 of account and request → nothing: an account is slashed once for a request. */
const INCIDENT_PREFIX: u8 = 0x76;
/** `w` ‖ request → what its signers were slashed together. */
const TAKEN_PREFIX: u8 = 0x77;

/** A part of a node's stake that is frozen for what it signed, until it is taken or cleared. */
class Penalty {
  constructor(
    readonly requestId: u64, readonly dueHeight: u64, readonly amount: U128, readonly reporter: Uint8Array,
    /** The answer that the account signed; zeros where it is not slashed for one answer. */
    readonly result: Uint8Array,
  ) {}
}

/** All of an account's, and the block from which on its stake is free again: seats are gone at once, claims are not. */
class Penalties {
  lockedUntil: u64 = 0;
  items: Penalty[] = [];
  private key: Uint8Array;

  constructor(readonly account: Uint8Array) {
    this.key = keyOf(PENALTIES_PREFIX, account);
    const bytes = read(this.key);
    if (bytes) {
      const r = new BorshReader(bytes);
      this.lockedUntil = r.u64();
      while (r.position < bytes.length) {
        this.items.push(new Penalty(r.u64(), r.u64(), r.u128(), r.bytes(), r.raw(32)));
      }
    }
  }

  save(): void {
    const w = new BorshWriter(256);
    w.u64(this.lockedUntil);
    for (let i = 0; i < this.items.length; i++) {
      const penalty = this.items[i];
      w.u64(penalty.requestId);
      w.u64(penalty.dueHeight);
      w.u128(penalty.amount);
      w.bytes(penalty.reporter);
      w.raw(penalty.result);
    }
    write(this.key, w.done());
  }

  remove(): void { remove(this.key); }

  get frozen(): U128 {
    let sum = new U128();
    for (let i = 0; i < this.items.length; i++) sum = sum.plus(this.items[i].amount);
    return sum;
  }

  /** The penalty for a request, no longer among them; panics where there is none. */
  take(requestId: u64): Penalty {
    for (let i = 0; i < this.items.length; i++) {
      if (this.items[i].requestId == requestId) return this.items.splice(i, 1)[0];
    }
    panic("NotSlashed: no stake of this account is frozen for this request");
    return this.items[0];
  }
}

/** Takes what is due from the node's stake; the caller saves the node and the state. */
function takeDue(state: State, node: NodeRecord, penalties: Penalties): bool {
  const height = blockHeight(), waiting: Penalty[] = [];
  for (let i = 0; i < penalties.items.length; i++) {
    const penalty = penalties.items[i];
    if (penalty.dueHeight > height) {
      waiting.push(penalty);
      continue;
    }
    const taken = node.stake.lessThan(penalty.amount) ? node.stake : penalty.amount;
    const reward = taken.dividedBy(SLASH_REWARD_DIVISOR);
    node.stake = node.stake.minus(taken);
    state.settles(taken.minus(reward));
    credit(penalty.reporter, reward);
    emitPenalty(state, "stake_taken", penalty.requestId, node.accountId, taken);
  }
  const changed = waiting.length != penalties.items.length;
  penalties.items = waiting;
  return changed;
}

/** Before seats are given: whoever contradicted itself has none while anything of its stake is frozen. */
export function assertNothingFrozen(account: Uint8Array): void {
  const penalties = new Penalties(account);
  check(
    penalties.items.length == 0 && penalties.lockedUntil <= blockHeight(),
    "StakeFrozen: a slashed account gets seats when its penalties are over",
  );
}

/** Before a stake goes back: nothing of it may be frozen, and what is due is taken. */
export function settlePenalties(state: State, node: NodeRecord): void {
  const penalties = new Penalties(node.accountId);
  check(penalties.lockedUntil <= blockHeight(), "StakeLocked: a slashed stake is free two epochs later");
  takeDue(state, node, penalties);
  penalties.remove();
}

/** By anybody, once the delay is over. */
export function take_slashed(): void {
  const account = parseAccount(callArguments().required("account_id"));
  const state = State.load();
  const node = NodeRecord.load(account), penalties = new Penalties(account);
  check(takeDue(state, node, penalties), "NothingDue: no frozen stake of this account is due");
  penalties.save();
  node.save();
  state.save();
  state.assertSolvent();
}

/** The owner spares an account, under the timelock; it can spare only, and the seats do not come back. */
export function clear_slash(): void {
  const state = State.load();
  const fields = ownerAction(state, "clear_slash");
  if (!fields) return;
  clear(state, new Penalties(parseAccount(fields.required("account_id"))), fields.required("request_id").u64());
}

/** The highest level has signed the very answer for which the account is slashed: then nobody knows who was right. */
export function appeal(): void {
  const fields = callArguments();
  const state = State.load();
  const request = requestArgument(fields), answer = fields.required("right").object();
  const claim = claimOf(answer), penalties = new Penalties(parseAccount(fields.required("account_id")));
  const penalty = penalties.take(request.requestId);
  check(same(penalty.result, claim.resultHash()), "OtherResult: not the answer for which the account is slashed");
  checkAttestations(parseAttestations(answer.required("attestations")), state, request, claim, Level.highest(state, request));
  cleared(state, penalties, penalty);
}

function clear(state: State, penalties: Penalties, requestId: u64): void {
  cleared(state, penalties, penalties.take(requestId));
}

function cleared(state: State, penalties: Penalties, penalty: Penalty): void {
  if (penalties.items.length == 0) penalties.lockedUntil = blockHeight();
  penalties.save();
  // What is not taken makes room for the request's other signers.
  saveTaken(penalty.requestId, takenFor(penalty.requestId).minusOrZero(penalty.amount));
  emitPenalty(state, "slash_cleared", penalty.requestId, penalties.account, penalty.amount);
}

/** What of an account's stake is frozen, for which requests and until when. */
export function get_penalties(): void {
  const penalties = new Penalties(parseAccount(callArguments().required("account_id")));
  const out = new JsonWriter();
  out.open();
  out.numberField("locked_until", penalties.lockedUntil);
  out.listField("frozen");
  for (let i = 0; i < penalties.items.length; i++) {
    const penalty = penalties.items[i];
    out.open();
    out.numberField("request_id", penalty.requestId);
    out.numberField("due_height", penalty.dueHeight);
    out.amountField("amount", penalty.amount);
    out.textField("reporter", penalty.reporter);
    out.close();
  }
  out.literal("]}");
  returnBytes(out.done());
}

/** What is taken belongs to nobody and becomes the contract's free balance. Seats stay: stake is counted when it changes. */
export function penaliseHolder(state: State, requestId: u64, lease: LeaseRecord): void {
  const stored = NodeRecord.stored(lease.holder);
  if (!stored) return;
  const node = NodeRecord.decode(stored);
  const penalty = node.stake.lessThan(state.leasePenalty) ? node.stake : state.leasePenalty;
  if (penalty.isZero()) return;
  node.stake = node.stake.minus(penalty);
  node.save();
  state.settles(penalty);
  emitPenalty(state, "lease_expired", requestId, lease.holder, penalty);
}

function incidentKey(account: Uint8Array, requestId: u64): Uint8Array {
  const w = new BorshWriter(80);
  w.bytes(account);
  w.u64(requestId);
  return keyOf(INCIDENT_PREFIX, sha256(w.done()));
}

export function assertUnpunished(account: Uint8Array, requestId: u64): void {
  check(!has(incidentKey(account, requestId)), "AlreadyPunished: the account was slashed for this request");
}

function takenFor(requestId: u64): U128 {
  const bytes = read(numberedKey(TAKEN_PREFIX, requestId));
  return bytes ? new BorshReader(bytes).u128() : new U128();
}

function saveTaken(requestId: u64, amount: U128): void {
  const w = new BorshWriter(16);
  w.u128(amount);
  write(numberedKey(TAKEN_PREFIX, requestId), w.done());
}

/** A tenth of the stake, of what is not frozen already, and of all of a request's signers no more than a committee's stake. */
function amountFor(state: State, node: NodeRecord, frozen: U128, requestId: u64, seats: u32): U128 {
  const before = takenFor(requestId);
  const left = state.seatStake.times(max(seats, state.replaySeats)).minusOrZero(before), free = node.stake.minusOrZero(frozen);
  let amount = node.stake.dividedBy(SLASH_DIVISOR);
  if (free.lessThan(amount)) amount = free;
  if (left.lessThan(amount)) amount = left;
  saveTaken(requestId, before.plus(amount));
  return amount;
}

/**
 * Once an account and request: its seats go at once, a part of its stake is frozen. `seats` may replay the request,
 * `result` is the answer that the account signed. Returns what the reporter earns when the stake is taken.
 */
export function slash(
  state: State, account: Uint8Array, requestId: u64, seats: u32, reporter: Uint8Array, result: Uint8Array,
): U128 {
  const stored = NodeRecord.stored(account);
  const incident = incidentKey(account, requestId);
  if (!stored || has(incident)) return new U128();
  write(incident, EMPTY);
  const node = NodeRecord.decode(stored), penalties = new Penalties(account);
  node.rollTo(state.stakeEpoch());
  dropSeats(state, node);
  node.save();
  const amount = amountFor(state, node, penalties.frozen, requestId, seats);
  penalties.lockedUntil = blockHeight() + SLASH_DELAY_EPOCHS * state.stakeEpochBlocks;
  if (!amount.isZero()) {
    penalties.items.push(new Penalty(requestId, penalties.lockedUntil, amount, reporter, result));
  }
  penalties.save();
  emitPenalty(state, "node_slashed", requestId, account, amount);
  return amount.dividedBy(SLASH_REWARD_DIVISOR);
}

/** The bond stays owed, now as money to withdraw. */
export function returnBond(requestId: u64, objection: ObjectionRecord): void {
  credit(objection.account, objection.bond);
  ObjectionRecord.remove(requestId);
}

/** The highest level has answered: who objected was right where the answer is another one. */
export function judgeObjection(
  state: State, request: RequestRecord, objection: ObjectionRecord, answer: ResultClaim,
): void {
  if (answer.sameResult(objection.claim)) {
    state.settles(objection.bond);
    ObjectionRecord.remove(request.requestId);
    emitPenalty(state, "objection_refused", request.requestId, objection.account, objection.bond);
  } else {
    returnBond(request.requestId, objection);
    for (let i = 0; i < objection.signers.length; i++) {
      slash(
        state, objection.signers[i], request.requestId, request.replaySeats, objection.account,
        objection.claim.resultHash(),
      );
    }
  }
  state.save();
}
