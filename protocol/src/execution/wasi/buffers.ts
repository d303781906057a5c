/** Lists of buffers that reading scatters to and writing gathers from. */
import { HOST_ITEM_TICKS } from "../cost-model.ts";
import { MAX_HOST_LIST_ENTRIES } from "../limits.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { WasiHost } from "./host.ts";

const IOVEC_BYTES = 8;

/** The buffers of a scatter or gather list, all inside the memory, and their total length. */
export function buffers(host: WasiHost, list: number, count: number): { views: Uint8Array[]; total: number } {
  if (count > MAX_HOST_LIST_ENTRIES) throw new ErrnoError(Errno.inval);
  host.charge(count * HOST_ITEM_TICKS);
  host.memory.check(list, count * IOVEC_BYTES);
  const views: Uint8Array[] = [];
  let total = 0;
  for (let index = 0; index < count; index++) {
    const entry = list + index * IOVEC_BYTES;
    const view = host.memory.slice(host.memory.u32(entry), host.memory.u32(entry + 4));
    if (view.length > 0) views.push(view);
    total += view.length;
  }
  // The count goes back to the guest as a u32.
  if (total > 0xffff_ffff) throw new ErrnoError(Errno.inval);
  return { views, total };
}
