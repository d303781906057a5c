/**
 * Penalties. A lease that runs out costs its holder a fixed amount; an explicit contradiction, which anybody can
 * check, costs a tenth of the stake and all seats at once. Nobody is slashed for disagreeing: only for two signatures
 * that contradict each other, and for a quorum's answer that the highest level contradicts.
 */
import { ResultClaim } from "./attestations";
import { BorshReader, BorshWriter } from "./borsh";
import { EMPTY, fresh } from "./buffer";
import { emitPenalty } from "./events";
import { blockHeight, check, has, read, sha256, write } from "./host";
import { SLASH_DIVISOR, SLASH_REWARD_DIVISOR } from "./limits";
import { credit } from "./money";
import { ObjectionRecord } from "./proposals";
import { LeaseRecord, NodeRecord, RequestRecord } from "./records";
import { dropSeats } from "./registry";
import { State } from "./state";
import { U128 } from "./u128";

const LOCK_PREFIX: u8 = 0x75;
const INCIDENT_PREFIX: u8 = 0x76;

function prefixed(prefix: u8, bytes: Uint8Array): Uint8Array {
  const key = fresh(bytes.length + 1);
  key[0] = prefix;
  memory.copy(key.dataStart + 1, bytes.dataStart, bytes.length);
  return key;
}

/** The block from which on a slashed node's stake is free: its seats are gone at once, other claims against it are not. */
export function lockedUntil(account: Uint8Array): u64 {
  const bytes = read(prefixed(LOCK_PREFIX, account));
  return bytes ? new BorshReader(bytes).u64() : 0;
}

export function lockKey(account: Uint8Array): Uint8Array { return prefixed(LOCK_PREFIX, account); }

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
  return prefixed(INCIDENT_PREFIX, sha256(w.done()));
}

export function assertUnpunished(account: Uint8Array, requestId: u64): void {
  check(!has(incidentKey(account, requestId)), "AlreadyPunished: the account was slashed for this request");
}

/** Once an account and request. Returns what the reporter earned. */
export function slash(state: State, account: Uint8Array, requestId: u64, reporter: Uint8Array): U128 {
  const stored = NodeRecord.stored(account);
  const incident = incidentKey(account, requestId);
  if (!stored || has(incident)) return new U128();
  write(incident, EMPTY);
  const node = NodeRecord.decode(stored);
  node.rollTo(state.stakeEpoch());
  const taken = node.stake.dividedBy(SLASH_DIVISOR);
  const reward = taken.dividedBy(SLASH_REWARD_DIVISOR);
  node.stake = node.stake.minus(taken);
  dropSeats(state, node);
  node.save();
  const lock = new BorshWriter(8);
  lock.u64(blockHeight() + 2 * state.stakeEpochBlocks);
  write(lockKey(account), lock.done());
  state.settles(taken.minus(reward));
  credit(reporter, reward);
  emitPenalty(state, "node_slashed", requestId, account, taken);
  return reward;
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
      slash(state, objection.signers[i], request.requestId, objection.account);
    }
  }
  state.save();
}
