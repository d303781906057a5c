/** Arguments, environment, clocks, randomness and the end of the process. */
import { HOST_ENTRY_TICKS, RANDOM_BYTE_TICKS } from "../cost-model.ts";
import { Errno, ErrnoError } from "./errno.ts";
import { GuestStop } from "./guest-stop.ts";
import type { HandlerTable, WasiHost } from "./host.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_THREAD_CPU = 3;
const encoder = new TextEncoder();

/** Current time of a clock. The CPU-time clocks do not exist here. */
export function clockNs(host: WasiHost, id: number): bigint {
  if (id === CLOCK_REALTIME) return host.job.blockTimeNs;
  if (id === CLOCK_MONOTONIC) return host.monotonicNs();
  throw new ErrnoError(id <= CLOCK_THREAD_CPU ? Errno.badf : Errno.inval);
}

/** "NAME=value\0" of every variable. */
function environment(host: WasiHost): Uint8Array[] {
  return host.job.environ.map(([name, value]) => encoder.encode(`${name}=${value}\0`));
}

/** Writes strings one after another at `buffer` and their addresses at `pointers`. */
function writeStrings(host: WasiHost, strings: readonly Uint8Array[], pointers: number, buffer: number): number {
  const total = strings.reduce((sum, bytes) => sum + bytes.length, 0);
  host.charge(strings.length * HOST_ENTRY_TICKS);
  host.chargeBytes(total);
  host.memory.check(pointers, strings.length * 4);
  host.memory.check(buffer, total);
  let at = buffer;
  for (const [index, bytes] of strings.entries()) {
    host.memory.setU32(pointers + index * 4, at);
    host.memory.write(at, bytes);
    at += bytes.length;
  }
  return Errno.success;
}

function writeSizes(host: WasiHost, strings: readonly Uint8Array[], count: number, size: number): number {
  host.memory.check(count, 4);
  host.memory.check(size, 4);
  host.memory.setU32(count, strings.length);
  host.memory.setU32(
    size,
    strings.reduce((sum, bytes) => sum + bytes.length, 0),
  );
  return Errno.success;
}

export const SYSTEM: HandlerTable = {
  args_get: (host: WasiHost, pointers: number, buffer: number) => writeStrings(host, [], pointers, buffer),
  args_sizes_get: (host: WasiHost, count: number, size: number) => writeSizes(host, [], count, size),
  environ_get: (host: WasiHost, pointers: number, buffer: number) =>
    writeStrings(host, environment(host), pointers, buffer),
  environ_sizes_get: (host: WasiHost, count: number, size: number) => writeSizes(host, environment(host), count, size),
  clock_res_get: (host: WasiHost, id: number, resolution: number) => {
    clockNs(host, id);
    host.memory.setU64(resolution, 1n);
    return Errno.success;
  },
  clock_time_get: (host: WasiHost, id: number, _precision: bigint, time: number) => {
    host.memory.setU64(time, clockNs(host, id));
    return Errno.success;
  },
  random_get: (host: WasiHost, buffer: number, length: number) => {
    host.charge(length * RANDOM_BYTE_TICKS);
    host.random.fill(host.memory.slice(buffer, length));
    return Errno.success;
  },
  proc_exit: (_host: WasiHost, code: number) => {
    throw new GuestStop("exit", code);
  },
  proc_raise: () => Errno.notsup,
  sched_yield: () => Errno.success,
};
