/**
 * File descriptors: the three standard streams, which are pipes. There is no file system, so there are no
 * preopened directories: fd 3 answers EBADF, which is how C libraries learn that they have none.
 */
import { HOST_ENTRY_TICKS } from "../cost-model.ts";
import { Errno, ErrnoError } from "./errno.ts";
import { GuestStop } from "./guest-stop.ts";
import type { HandlerTable, WasiHost } from "./host.ts";

const RIGHT_FD_READ = 1n << 1n;
const RIGHT_FD_WRITE = 1n << 6n;
const FDSTAT_BYTES = 24;
const FILESTAT_BYTES = 64;
const IOVEC_BYTES = 8;
const WHENCE_LAST = 2;

/** The buffers of a scatter or gather list, all inside the memory, and their total length. */
function buffers(host: WasiHost, list: number, count: number): { views: Uint8Array[]; total: number } {
  host.charge(count * HOST_ENTRY_TICKS);
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

function read(host: WasiHost, fd: number, list: number, count: number, sizePointer: number): number {
  if (host.descriptor(fd) !== "stdin") return Errno.badf;
  const { views } = buffers(host, list, count);
  host.memory.check(sizePointer, 4);
  let done = 0;
  for (const view of views) {
    const rest = host.job.input.subarray(host.inputPosition);
    if (rest.length === 0) break;
    const part = rest.subarray(0, view.length);
    host.chargeBytes(part.length);
    view.set(part);
    host.inputPosition += part.length;
    done += part.length;
  }
  host.memory.setU32(sizePointer, done);
  return Errno.success;
}

function write(host: WasiHost, fd: number, list: number, count: number, sizePointer: number): number {
  const descriptor = host.descriptor(fd);
  if (descriptor === "stdin") return Errno.badf;
  const { views, total } = buffers(host, list, count);
  host.memory.check(sizePointer, 4);
  host.chargeBytes(total);
  const stream = descriptor === "stdout" ? host.stdout : host.stderr;
  if (descriptor === "stdout" && total > stream.room) throw new GuestStop("outputLimit");
  for (const view of views) stream.append(view);
  host.memory.setU32(sizePointer, total);
  return Errno.success;
}

function describe(host: WasiHost, fd: number, pointer: number): number {
  const rights = host.descriptor(fd) === "stdin" ? RIGHT_FD_READ : RIGHT_FD_WRITE;
  // File type 0 (unknown) and no flags, as wasmtime reports a pipe.
  host.memory.slice(pointer, FDSTAT_BYTES).fill(0);
  host.memory.setU64(pointer + 8, rights);
  host.memory.setU64(pointer + 16, rights);
  return Errno.success;
}

/** An existing stream gives this error, a descriptor that does not exist EBADF. */
function onStream(errno: number) {
  return (host: WasiHost, fd: number): number => {
    host.descriptor(fd);
    return errno;
  };
}

export const DESCRIPTORS: HandlerTable = {
  fd_read: read,
  fd_write: write,
  fd_fdstat_get: describe,
  fd_close: (host: WasiHost, fd: number) => {
    host.descriptor(fd);
    host.descriptors.delete(fd);
    return Errno.success;
  },
  fd_renumber: (host: WasiHost, from: number, to: number) => {
    const descriptor = host.descriptor(from);
    host.descriptor(to);
    host.descriptors.delete(from);
    host.descriptors.set(to, descriptor);
    return Errno.success;
  },
  fd_filestat_get: (host: WasiHost, fd: number, pointer: number) => {
    host.descriptor(fd);
    host.memory.slice(pointer, FILESTAT_BYTES).fill(0);
    return Errno.success;
  },
  fd_seek: (host: WasiHost, fd: number, _offset: bigint, whence: number) => {
    host.descriptor(fd);
    return whence > WHENCE_LAST ? Errno.inval : Errno.spipe;
  },
  fd_tell: onStream(Errno.spipe),
  fd_advise: onStream(Errno.spipe),
  fd_pread: onStream(Errno.spipe),
  fd_pwrite: onStream(Errno.spipe),
  fd_allocate: onStream(Errno.notsup),
  fd_datasync: onStream(Errno.inval),
  fd_sync: onStream(Errno.inval),
  fd_fdstat_set_flags: onStream(Errno.notsup),
  fd_fdstat_set_rights: onStream(Errno.notsup),
  fd_filestat_set_size: onStream(Errno.inval),
  fd_filestat_set_times: onStream(Errno.notsup),
  fd_readdir: onStream(Errno.notdir),
};
