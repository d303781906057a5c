/**
 * `poll_oneoff` never waits. Streams are always ready; when only clocks are asked for, the earliest timeout passes at
 * once on the monotonic clock, which is how a guest sleeps. The wall clock stands still.
 */
import { HOST_ITEM_TICKS } from "../cost-model.ts";
import { MAX_HOST_LIST_ENTRIES } from "../limits.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { HandlerTable, OpenNode, WasiHost } from "./host.ts";
import { clockErrno, clockNs } from "./system.ts";

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const EVENT_CLOCK = 0;
const EVENT_FD_READ = 1;
const EVENT_FD_WRITE = 2;
const ABSOLUTE_TIME = 1;
/** Readiness of a writable pipe, as a number of bytes. */
const WRITABLE_BYTES = 65_536n;

interface Event {
  readonly userdata: bigint;
  readonly type: number;
  readonly errno: number;
  readonly bytes: bigint;
  /** Nanoseconds until it happens; 0 when it has happened already. */
  readonly delayNs: bigint;
}

function bytesLeft({ node, position }: OpenNode): bigint {
  if (node.kind !== "file") return 0n;
  const left = BigInt(node.size) - position;
  return left > 0n ? left : 0n;
}

function readSubscription(host: WasiHost, pointer: number): Event {
  const { memory } = host;
  const userdata = memory.u64(pointer);
  const type = memory.u8(pointer + 8);
  if (type === EVENT_CLOCK) return readClock(host, pointer, userdata);
  if (type !== EVENT_FD_READ && type !== EVENT_FD_WRITE) throw new ErrnoError(Errno.inval);
  const descriptor = host.descriptorIfOpen(memory.u32(pointer + 16));
  const isFile = typeof descriptor === "object" && descriptor.node.kind === "file";
  const isPipe = type === EVENT_FD_READ ? descriptor === "stdin" : descriptor === "stdout" || descriptor === "stderr";
  if (!isFile && !isPipe) return { userdata, type, errno: Errno.badf, bytes: 0n, delayNs: 0n };
  if (type === EVENT_FD_WRITE) return { userdata, type, errno: Errno.success, bytes: WRITABLE_BYTES, delayNs: 0n };
  const bytes = isFile ? bytesLeft(descriptor) : BigInt(host.job.input.length - host.inputPosition);
  return { userdata, type, errno: Errno.success, bytes, delayNs: 0n };
}

function readClock(host: WasiHost, pointer: number, userdata: bigint): Event {
  const { memory } = host;
  const clock = memory.u32(pointer + 16);
  const errno = clockErrno(clock);
  if (errno !== Errno.success) return { userdata, type: EVENT_CLOCK, errno, bytes: 0n, delayNs: 0n };
  const timeout = memory.u64(pointer + 24);
  const absolute = (memory.u16(pointer + 40) & ABSOLUTE_TIME) !== 0;
  const delay = absolute ? timeout - clockNs(host, clock) : timeout;
  return { userdata, type: EVENT_CLOCK, errno, bytes: 0n, delayNs: delay > 0n ? delay : 0n };
}

/** Events that happen now; when all are in the future, time passes until the first. */
function happening(host: WasiHost, events: readonly Event[]): readonly Event[] {
  let earliest = events[0]!.delayNs;
  for (const { delayNs } of events) if (delayNs < earliest) earliest = delayNs;
  host.sleptNs += earliest;
  return events.filter((event) => event.delayNs === earliest);
}

function poll(host: WasiHost, input: number, output: number, count: number, countPointer: number): number {
  if (count === 0 || count > MAX_HOST_LIST_ENTRIES) return Errno.inval;
  host.charge(count * HOST_ITEM_TICKS);
  const { memory } = host;
  memory.check(input, count * SUBSCRIPTION_BYTES);
  memory.check(output, count * EVENT_BYTES);
  memory.check(countPointer, 4);
  const events: Event[] = [];
  for (let index = 0; index < count; index++) events.push(readSubscription(host, input + index * SUBSCRIPTION_BYTES));
  const happened = happening(host, events);
  host.charge(happened.length * HOST_ITEM_TICKS);
  for (const [index, event] of happened.entries()) {
    const pointer = output + index * EVENT_BYTES;
    memory.setU64(pointer, event.userdata);
    memory.setU64(pointer + 8, BigInt(event.errno | (event.type << 16)));
    memory.setU64(pointer + 16, event.bytes);
    memory.setU64(pointer + 24, 0n);
  }
  memory.setU32(countPointer, happened.length);
  return Errno.success;
}

export const POLL: HandlerTable = { poll_oneoff: poll };
