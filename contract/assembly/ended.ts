/**
 * What a request leaves behind when it is over, for as long as somebody can be disputed for it: half of its digest, and
 * half of a hash over the signatures under the answer that stood. Whoever could name a request of their own making would
 * choose its committee; and an answer that the contract has taken needs no seats to be counted again, which its signers
 * could give up meanwhile.
 *
 * `g` ‖ id / 16 → height of the last entry, 16 × (digest, signatures); `g` → the oldest group that may be there.
 */
import { BorshReader, BorshWriter } from "./borsh";
import { EMPTY, fresh, same } from "./buffer";
import { blockHeight, check, read, remove, sha256, write } from "./host";
import { keyOf, numberedKey } from "./keys";
import { DISPUTE_EPOCHS } from "./limits";
import { Attestation, OutcomeRecord, RequestRecord, writeAttestations } from "./records";
import { State } from "./state";

const PREFIX: u8 = 0x67;
const GROUP: u64 = 16;
const HEIGHT_BYTES: i32 = 8;
const HALF: i32 = 16;
const ENTRY_BYTES: i32 = 2 * HALF;
/** Groups that the first entry of a new one takes away: more than come. */
const MAX_PRUNED: i32 = 2;

function placeOf(requestId: u64): i32 { return HEIGHT_BYTES + ENTRY_BYTES * <i32>(requestId % GROUP); }

/** An answer's signatures with their accounts, in their order; they cover its request and everything it says. */
function signaturesHash(leaseEpoch: u32, holder: Uint8Array, attestations: Attestation[]): Uint8Array {
  const w = new BorshWriter(144 * (attestations.length + 1));
  w.u32(leaseEpoch);
  w.bytes(holder);
  writeAttestations(w, attestations);
  return sha256(w.done());
}

function holdsAt(group: Uint8Array, place: i32, hash: Uint8Array): bool {
  return memory.compare(group.dataStart + place, hash.dataStart, HALF) == 0;
}

function prune(state: State, before: u64): void {
  const key = keyOf(PREFIX, EMPTY), stored = read(key), first = stored ? new BorshReader(stored).u64() : 0;
  let oldest = first;
  for (let i = 0; i < MAX_PRUNED && oldest < before; i++) {
    const bytes = read(numberedKey(PREFIX, oldest));
    if (bytes) {
      if (new BorshReader(bytes).u64() + DISPUTE_EPOCHS * state.stakeEpochBlocks > blockHeight()) break;
      remove(numberedKey(PREFIX, oldest));
    }
    oldest++;
  }
  if (oldest == first) return;
  const w = new BorshWriter(8);
  w.u64(oldest);
  write(key, w.done());
}

/** After an upgrade from a contract that remembered nothing: what ended before is not looked for. */
export function rememberFrom(requestId: u64): void {
  const w = new BorshWriter(8);
  w.u64(requestId / GROUP);
  write(keyOf(PREFIX, EMPTY), w.done());
}

/** The request is over; `outcome` is the answer that stood, if there was one. */
export function remember(state: State, request: RequestRecord, outcome: OutcomeRecord | null): void {
  const number = request.requestId / GROUP, key = numberedKey(PREFIX, number), place = placeOf(request.requestId);
  let group = read(key);
  if (!group) {
    prune(state, number);
    group = fresh(HEIGHT_BYTES + ENTRY_BYTES * <i32>GROUP);
  }
  store<u64>(group.dataStart, blockHeight());
  memory.copy(group.dataStart + place, request.digest().dataStart, HALF);
  if (outcome) {
    const hash = signaturesHash(outcome.leaseEpoch, outcome.holder, outcome.attestations);
    memory.copy(group.dataStart + place + HALF, hash.dataStart, HALF);
  }
  write(key, group);
}

function isGenuine(requestId: u64, digest: Uint8Array): bool {
  const open = RequestRecord.stored(requestId);
  if (open) return same(sha256(open), digest);
  const group = read(numberedKey(PREFIX, requestId / GROUP));
  return group != null && holdsAt(group, placeOf(requestId), digest);
}

/** Panics unless a request with this id and digest is open, or was not long ago. */
export function assertGenuine(requestId: u64, digest: Uint8Array): void {
  check(isGenuine(requestId, digest), "UnknownRequest: not a request of this contract, or one too long ago");
}

/** Whether these are the signatures under the answer that ended the request. */
export function stood(requestId: u64, leaseEpoch: u32, holder: Uint8Array, attestations: Attestation[]): bool {
  const group = read(numberedKey(PREFIX, requestId / GROUP));
  return group != null && holdsAt(group, placeOf(requestId) + HALF, signaturesHash(leaseEpoch, holder, attestations));
}
