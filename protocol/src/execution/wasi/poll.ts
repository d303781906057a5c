/**
 * `poll_oneoff` never waits. Streams are always ready; when only clocks are asked for, the earliest timeout passes at
 * once on the monotonic clock, which is how a guest sleeps. The wall clock stands still.
 */
import { HOST_ENTRY_TICKS } from "../cost-model.ts";
import { MAX_HOST_LIST_ENTRIES } from "../limits.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { HandlerTable, OpenNode, WasiHost } from "./host.ts";
import { clockNs } from "./system.ts";

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
  /** Nanoseconds until it happens; undefined when it has happened already. */
  readonly delayNs: bigint | undefined;
}

function bytesLeft({ node, position }: OpenNode): bigint {
  return node.kind === "file" ? BigInt(Math.max(node.size - position, 0)) : 0n;
}

function readSubscription(host: WasiHost, pointer: number): Event {
  const { memory } = host;
  const userdata = memory.u64(pointer);
  const type = memory.u8(pointer + 8);
  if (type === EVENT_CLOCK) {
    const timeout = memory.u64(pointer + 24);
    const absolute = (memory.u16(pointer + 40) & ABSOLUTE_TIME) !== 0;
    try {
      const now = clockNs(host, memory.u32(pointer + 16));
      const delay = absolute ? timeout - now : timeout;
      return { userdata, type, errno: Errno.success, bytes: 0n, delayNs: delay > 0n ? delay : undefined };
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      return { userdata, type, errno: error.errno, bytes: 0n, delayNs: undefined };
    }
  }
  if (type !== EVENT_FD_READ && type !== EVENT_FD_WRITE) throw new ErrnoError(Errno.inval);
  const descriptor = host.descriptors.get(memory.u32(pointer + 16));
  const isFile = typeof descriptor === "object" && descriptor.node.kind === "file";
  const isPipe = type === EVENT_FD_READ ? descriptor === "stdin" : descriptor === "stdout" || descriptor === "stderr";
  const usable = isFile || isPipe;
  const left = isFile ? bytesLeft(descriptor) : BigInt(host.job.input.length - host.inputPosition);
  return {
    userdata,
    type,
    errno: usable ? Errno.success : Errno.badf,
    bytes: usable ? (type === EVENT_FD_READ ? left : WRITABLE_BYTES) : 0n,
    delayNs: undefined,
  };
}

/** Events that happen now; when all are in the future, time passes until the first. */
function happening(host: WasiHost, events: readonly Event[]): readonly Event[] {
  const now = events.filter((event) => event.delayNs === undefined);
  if (now.length > 0) return now;
  let earliest = events[0]!.delayNs!;
  for (const { delayNs } of events) if (delayNs! < earliest) earliest = delayNs!;
  host.sleptNs += earliest;
  return events.filter((event) => event.delayNs === earliest);
}

function poll(host: WasiHost, input: number, output: number, count: number, countPointer: number): number {
  if (count === 0 || count > MAX_HOST_LIST_ENTRIES) return Errno.inval;
  host.charge(count * HOST_ENTRY_TICKS);
  const { memory } = host;
  memory.check(input, count * SUBSCRIPTION_BYTES);
  memory.check(output, count * EVENT_BYTES);
  memory.check(countPointer, 4);
  const events: Event[] = [];
  for (let index = 0; index < count; index++) events.push(readSubscription(host, input + index * SUBSCRIPTION_BYTES));
  const happened = happening(host, events);
  for (const [index, event] of happened.entries()) {
    const pointer = output + index * EVENT_BYTES;
    memory.slice(pointer, EVENT_BYTES).fill(0);
    memory.setU64(pointer, event.userdata);
    memory.setU32(pointer + 8, event.errno | (event.type << 16));
    memory.setU64(pointer + 16, event.bytes);
  }
  memory.setU32(countPointer, happened.length);
  return Errno.success;
}

export const POLL: HandlerTable = { poll_oneoff: poll };
