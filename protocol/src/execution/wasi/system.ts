/** Arguments, environment, clocks, randomness and the end of the process. */
import { HOST_ENTRY_TICKS, RANDOM_BYTE_TICKS } from "../cost-model.ts";
import { type Environment, NO_STRINGS } from "./environment.ts";
import { Errno, ErrnoError } from "./errno.ts";
import { GuestStop } from "./guest-stop.ts";
import type { HandlerTable, WasiHost } from "./host.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_THREAD_CPU = 3;

/** Whether there is such a clock. Those of CPU time do not exist here. */
export function clockErrno(id: number): number {
  if (id === CLOCK_REALTIME || id === CLOCK_MONOTONIC) return Errno.success;
  return id <= CLOCK_THREAD_CPU ? Errno.badf : Errno.inval;
}

/** Current time of a clock. */
export function clockNs(host: WasiHost, id: number): bigint {
  const errno = clockErrno(id);
  if (errno !== Errno.success) throw new ErrnoError(errno);
  return id === CLOCK_REALTIME ? host.job.blockTimeNs : host.monotonicNs();
}

/** Writes strings one after another at `buffer` and their addresses at `pointers`. */
function writeStrings(host: WasiHost, { bytes, offsets }: Environment, pointers: number, buffer: number): number {
  host.charge(offsets.length * HOST_ENTRY_TICKS);
  host.chargeBytes(bytes.length);
  host.memory.check(pointers, offsets.length * 4);
  host.memory.check(buffer, bytes.length);
  for (let index = 0; index < offsets.length; index++) {
    host.memory.setU32(pointers + index * 4, buffer + offsets[index]!);
  }
  host.memory.write(buffer, bytes);
  return Errno.success;
}

function writeSizes(host: WasiHost, { bytes, offsets }: Environment, count: number, size: number): number {
  host.memory.check(count, 4);
  host.memory.check(size, 4);
  host.memory.setU32(count, offsets.length);
  host.memory.setU32(size, bytes.length);
  return Errno.success;
}

export const SYSTEM: HandlerTable = {
  args_get: (host: WasiHost, pointers: number, buffer: number) => writeStrings(host, NO_STRINGS, pointers, buffer),
  args_sizes_get: (host: WasiHost, count: number, size: number) => writeSizes(host, NO_STRINGS, count, size),
  environ_get: (host: WasiHost, pointers: number, buffer: number) =>
    writeStrings(host, host.environment, pointers, buffer),
  environ_sizes_get: (host: WasiHost, count: number, size: number) => writeSizes(host, host.environment, count, size),
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
