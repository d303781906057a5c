/**
 * The index of pending requests: pages of 256 ids as bitmaps under `p` ‖ page (u64 big-endian). Ids stay in order, so a
 * reader who pages by id misses nothing when requests settle meanwhile; adding or removing touches one small record.
 */
import { fresh } from "./buffer";
import { panic, read, remove, write } from "./host";
import { State } from "./state";

const PENDING_PREFIX: u8 = 0x70;
/** Pages that one settlement looks at when it moves the lower bound up. */
const MAX_ADVANCE: i32 = 8;

function pageKey(page: u64): Uint8Array {
  const key = fresh(9);
  key[0] = PENDING_PREFIX;
  store<u64>(key.dataStart + 1, bswap<u64>(page));
  return key;
}

export function addPending(state: State, id: u64): void {
  const key = pageKey(id >> 8);
  const stored = read(key);
  const page = stored ? stored : fresh(32);
  page[<i32>(id & 255) >> 3] |= 1 << <u8>(id & 7);
  write(key, page);
  if (state.pendingCount == 0) state.firstPendingPage = id >> 8;
  state.pendingCount++;
}

export function removePending(state: State, id: u64): void {
  const key = pageKey(id >> 8);
  const page = read(key);
  if (!page) panic("BadRecord: request is not in the pending index");
  page![<i32>(id & 255) >> 3] &= ~(1 << <u8>(id & 7));
  state.pendingCount--;
  const at = page!.dataStart;
  if ((load<u64>(at) | load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24)) != 0) {
    write(key, page!);
    return;
  }
  remove(key);
  const last = state.nextRequestId >> 8;
  for (let i = 0; i < MAX_ADVANCE && state.firstPendingPage < last; i++) {
    if (read(pageKey(state.firstPendingPage))) return;
    state.firstPendingPage++;
  }
}

/** Pending ids in order: those from `fromId` on, without the first `skip` of them, at most `limit`. */
export function pendingIds(state: State, fromId: u64, skip: u64, limit: u64): u64[] {
  const found: u64[] = [];
  const last = state.nextRequestId >> 8;
  for (let p = max(state.firstPendingPage, fromId >> 8); p <= last && <u64>found.length < limit; p++) {
    const page = read(pageKey(p));
    if (!page) continue;
    for (let bit = 0; bit < 256 && <u64>found.length < limit; bit++) {
      if ((page[bit >> 3] & (1 << <u8>(bit & 7))) == 0) continue;
      const id = (p << 8) | bit;
      if (id < fromId) continue;
      if (skip > 0) skip--;
      else found.push(id);
    }
  }
  return found;
}
