/**
 * The owner's powers. Where the network has a timelock, a call announces what is to be done, and the same call with
 * the same arguments does it once the lock is over: everybody can see it coming, and leave. It may be done for as long
 * again, and then has to be announced anew: nobody watches for what was announced long ago. Pausing is the exception,
 * since it stops new requests only and has to be quick; it takes nothing from anybody.
 * Key `T` ‖ method → sha256 of the arguments and the height from which on they may take effect: one a method.
 */
import { BorshReader, BorshWriter } from "./borsh";
import { same } from "./buffer";
import { emitAnnounced, emitAnnouncementCancelled } from "./events";
import { blockHeight, callInput, panic, read, remove, sha256, write } from "./host";
import { callArguments, JsonObject } from "./json";
import { keyOf } from "./keys";
import { MAX_NAME_BYTES } from "./limits";
import { Message } from "./message";
import { State } from "./state";
import { Text, utf8 } from "./text";

const ANNOUNCED_PREFIX: u8 = 0x54;

function announcedKey(method: Text): Uint8Array {
  return keyOf(ANNOUNCED_PREFIX, utf8(method));
}

/** At least a day of blocks: a lock of a few must not mean a window of a few. */
const MIN_WINDOW_BLOCKS: u64 = 43_200;

function window(state: State): u64 { return max<u64>(state.timelockBlocks, MIN_WINDOW_BLOCKS); }

/** Whether the owner's call may take effect now; otherwise it is announced, and the caller returns. */
export function ownerMay(state: State, method: Text): bool {
  state.assertOwner();
  if (state.timelockBlocks == 0) return true;
  const key = announcedKey(method), digest = sha256(callInput()), stored = read(key);
  if (stored) {
    const r = new BorshReader(stored);
    if (same(r.raw(32), digest)) {
      const height = r.u64();
      if (blockHeight() < height) new Message("TimeLocked: takes effect from block ").number(height).literal(" on").panic();
      if (blockHeight() - height <= window(state)) {
        remove(key);
        return true;
      }
    }
  }
  const w = new BorshWriter(40), from = blockHeight() + state.timelockBlocks;
  w.raw(digest);
  w.u64(from);
  write(key, w.done());
  emitAnnounced(state, method, digest, from, from + window(state));
  return false;
}

/** At once: what is taken back surprises nobody. */
export function cancel_announcement(): void {
  const state = State.load();
  state.assertOwner();
  const method = callArguments().required("method").text(MAX_NAME_BYTES), key = keyOf(ANNOUNCED_PREFIX, method), stored = read(key);
  if (!stored) panic("NothingAnnounced: no call of this method is announced");
  remove(key);
  emitAnnouncementCancelled(state, method, new BorshReader(stored!).raw(32));
}

/** The arguments of an owner's call that takes effect; null where it was announced. */
export function ownerAction(state: State, method: Text): JsonObject | null {
  return ownerMay(state, method) ? callArguments() : null;
}
