/**
 * The registry of nodes. Stake counts in seats; what changes acts from the next stake epoch, so that nobody can
 * choose a name or a stake after a request's seed is known. Only in the first blocks of a network, before its first
 * epochs could have passed, it acts at once.
 *
 * Keys besides the node's record: `k` ‖ public key → account and index, `i` ‖ index (u32 big-endian) → account.
 */
import { BorshReader, BorshWriter } from "./borsh";
import { fresh } from "./buffer";
import { emitNode } from "./events";
import { parsePublicKey, parseSignature } from "./encoding";
import {
  attachedDeposit, blockHeight, check, currentAccount, has, predecessor, read, remove, sha256, transfer, verifies, write,
} from "./host";
import { callArguments } from "./json";
import { MAX_NAME_BYTES, MAX_SEATS } from "./limits";
import { Message } from "./message";
import { NodeRecord } from "./records";
import { assertNothingFrozen, settlePenalties } from "./slashing";
import { State } from "./state";
import { U128 } from "./u128";

const NODE_KEY_DOMAIN = "outlayer/node-key/v1";
const KEY_PREFIX: u8 = 0x6b;
const INDEX_PREFIX: u8 = 0x69;

function publicKeyKey(publicKey: Uint8Array): Uint8Array {
  const key = fresh(33);
  key[0] = KEY_PREFIX;
  memory.copy(key.dataStart + 1, publicKey.dataStart, 32);
  return key;
}

function indexKey(index: u32): Uint8Array {
  const key = fresh(5);
  key[0] = INDEX_PREFIX;
  store<u32>(key.dataStart + 1, bswap<u32>(index));
  return key;
}

/** The account at a place of the index; null past its end. */
export function accountAt(index: u32): Uint8Array | null { return read(indexKey(index)); }

function place(node: NodeRecord, index: u32): void {
  write(indexKey(index), node.accountId);
  const w = new BorshWriter(72);
  w.bytes(node.accountId);
  w.u32(index);
  write(publicKeyKey(node.publicKey), w.done());
}

/** The last node of the index takes the leaver's place. */
function removeFromIndex(state: State, node: NodeRecord): void {
  const r = new BorshReader(read(publicKeyKey(node.publicKey))!);
  r.bytes();
  const index = r.u32();
  const last = --state.nodeCount;
  remove(publicKeyKey(node.publicKey));
  if (index != last) place(NodeRecord.load(accountAt(last)!), index);
  remove(indexKey(last));
}

function seatsFor(state: State, stake: U128): u32 {
  let seats: u32 = 0;
  let needed = state.seatStake;
  while (!stake.lessThan(needed)) {
    if (seats == MAX_SEATS) new Message("TooManySeats: an account has at most ").number(MAX_SEATS).literal(" seats").panic();
    seats++;
    needed = needed.plus(state.seatStake);
  }
  check(seats > 0, "StakeTooSmall: less than one seat");
  return seats;
}

/** Gives a new node its seats from the next epoch on, or at once in the first blocks of a network. */
function assignSeats(state: State, node: NodeRecord, seats: u32): void {
  setSeatsNext(state, node, seats);
  if (!state.isBootstrap()) return;
  setSeatsCurrent(state, node, seats);
  // Requests that are open know their seeds, so what counts at once does not count for them.
  node.registeredHeight = blockHeight();
}

function setSeatsNext(state: State, node: NodeRecord, seats: u32): void {
  state.seatsNext = state.seatsNext - node.seatsNext + seats;
  state.nodesNext = state.nodesNext - countOf(node.seatsNext) + countOf(seats);
  node.seatsNext = seats;
}

function setSeatsCurrent(state: State, node: NodeRecord, seats: u32): void {
  state.seatsCurrent = state.seatsCurrent - node.seatsCurrent + seats;
  state.nodesCurrent = state.nodesCurrent - countOf(node.seatsCurrent) + countOf(seats);
  node.seatsCurrent = seats;
}

/** At once and in every epoch: whoever contradicted itself draws no more tickets. */
export function dropSeats(state: State, node: NodeRecord): void {
  setSeatsNext(state, node, 0);
  setSeatsCurrent(state, node, 0);
  node.seatsPrevious = 0;
  node.draining = true;
}

function countOf(seats: u32): u32 { return seats > 0 ? 1 : 0; }

function ownNode(state: State): NodeRecord {
  const node = NodeRecord.load(predecessor());
  node.rollTo(state.stakeEpoch());
  return node;
}

/** Signed by the node key itself, so that nobody registers the key of somebody else (`protocol/src/wire/registration.ts`). */
function checkPossession(state: State, publicKey: Uint8Array, proof: Uint8Array): void {
  const w = new BorshWriter();
  w.text(NODE_KEY_DOMAIN);
  w.bytes(state.chainId);
  w.bytes(currentAccount());
  w.bytes(predecessor());
  check(verifies(proof, sha256(w.done()), publicKey), "BadProof: proof is not the key's own signature for this account");
}

export function register_node(): void {
  const fields = callArguments();
  const publicKey = parsePublicKey(fields.required("public_key").text(MAX_NAME_BYTES));
  const proof = parseSignature(fields.required("proof").text(MAX_NAME_BYTES));
  const state = State.load();
  const node = new NodeRecord();
  node.accountId = predecessor();
  check(!has(NodeRecord.key(node.accountId)), "AlreadyRegistered: the account has a node");
  check(!has(publicKeyKey(publicKey)), "KeyTaken: the public key belongs to another account");
  checkPossession(state, publicKey, proof);
  node.publicKey = publicKey;
  node.stake = attachedDeposit();
  node.epoch = state.stakeEpoch();
  node.registeredHeight = blockHeight();
  assignSeats(state, node, seatsFor(state, node.stake));
  place(node, state.nodeCount++);
  node.save();
  state.owes(node.stake);
  state.save();
  state.assertSolvent();
  emitNode(state, "node_registered", node);
}

export function add_stake(): void {
  const state = State.load();
  const node = ownNode(state);
  const added = attachedDeposit();
  check(!added.isZero(), "StakeTooSmall: nothing attached");
  assertNothingFrozen(node.accountId);
  node.stake = node.stake.plus(added);
  // From the next epoch on, in the first blocks too: what counted at once would take the node's seats for open requests.
  setSeatsNext(state, node, seatsFor(state, node.stake));
  node.save();
  state.owes(added);
  state.save();
  emitNode(state, "stake_added", node);
}

/** No seats from the next epoch on; the stake stays until requests pinned to the last epoch with seats are over. */
export function begin_exit(): void {
  const state = State.load();
  const node = ownNode(state);
  check(node.seatsNext > 0, "AlreadyExiting: the node has no seats in the next epoch");
  setSeatsNext(state, node, 0);
  node.draining = true;
  node.save();
  state.save();
  emitNode(state, "node_exiting", node);
}

export function withdraw_stake(): void {
  const state = State.load();
  const node = ownNode(state);
  check(
    (node.seatsPrevious | node.seatsCurrent | node.seatsNext) == 0,
    "StakeLocked: the node has or had seats in this stake epoch or the one before",
  );
  settlePenalties(state, node);
  removeFromIndex(state, node);
  remove(NodeRecord.key(node.accountId));
  state.settles(node.stake);
  state.save();
  transfer(node.accountId, node.stake);
  emitNode(state, "stake_withdrawn", node);
}

/** A draining node takes no new leases; it still replays what it is drawn for. */
export function set_node_status(): void {
  const draining = callArguments().required("draining").bool();
  const state = State.load();
  const node = ownNode(state);
  node.draining = draining;
  node.save();
  emitNode(state, "node_status", node);
}
