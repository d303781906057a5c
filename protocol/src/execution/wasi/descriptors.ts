/** File descriptors: the three standard streams, which are pipes; files and directories are in open-files.ts. */
import { buffers } from "./buffers.ts";
import { Errno } from "./errno.ts";
import { writeFilestat } from "./filestat.ts";
import { GuestStop } from "./guest-stop.ts";
import { type HandlerTable, type OpenNode, PREOPENED_FD, type WasiHost } from "./host.ts";
import * as nodes from "./open-nodes.ts";

const RIGHT_FD_READ = 1n << 1n;
const RIGHT_FD_WRITE = 1n << 6n;
const FDSTAT_BYTES = 24;
const FILESTAT_BYTES = 64;
const WHENCE_LAST = 2;
/** "." */
const PREOPENED_NAME = Uint8Array.of(0x2e);

function read(host: WasiHost, fd: number, list: number, count: number, sizePointer: number): number {
  const descriptor = host.descriptor(fd);
  if (typeof descriptor !== "string") return nodes.read(host, descriptor, list, count, sizePointer);
  if (descriptor !== "stdin") return Errno.badf;
  const { views } = buffers(host, list, count);
  host.memory.check(sizePointer, 4);
  let done = 0;
  for (const view of views) {
    const part = host.job.input.subarray(host.inputPosition, host.inputPosition + view.length);
    if (part.length === 0) break;
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
  if (typeof descriptor !== "string") return nodes.write(host, descriptor, list, count, sizePointer);
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
  const descriptor = host.descriptor(fd);
  if (typeof descriptor !== "string") return nodes.describe(host, descriptor, pointer);
  const rights = descriptor === "stdin" ? RIGHT_FD_READ : RIGHT_FD_WRITE;
  // File type 0 (unknown) and no flags, as wasmtime reports a pipe.
  host.memory.slice(pointer, FDSTAT_BYTES).fill(0);
  host.memory.setU64(pointer + 8, rights);
  host.memory.setU64(pointer + 16, rights);
  return Errno.success;
}

/** Only what was open at the start has a name: C libraries ask for it descriptor by descriptor. */
function prestat(host: WasiHost, fd: number, pointer: number): number {
  if (fd !== PREOPENED_FD || !isPreopened(host)) return Errno.badf;
  host.memory.setU64(pointer, BigInt(PREOPENED_NAME.length) << 32n);
  return Errno.success;
}

function prestatName(host: WasiHost, fd: number, pointer: number, length: number): number {
  if (fd !== PREOPENED_FD || !isPreopened(host)) return Errno.badf;
  if (length < PREOPENED_NAME.length) return Errno.nametoolong;
  host.memory.write(pointer, PREOPENED_NAME);
  return Errno.success;
}

function isPreopened(host: WasiHost): boolean {
  const descriptor = host.descriptorIfOpen(PREOPENED_FD);
  return typeof descriptor === "object" && descriptor.node === host.files.root;
}

type NodeHandler = (host: WasiHost, open: OpenNode, ...values: never[]) => number;

/** What a stream answers, and what is done with a file or directory. */
function either(onStream: number, onNode: NodeHandler) {
  return (host: WasiHost, fd: number, ...values: never[]): number => {
    const descriptor = host.descriptor(fd);
    return typeof descriptor === "string" ? onStream : onNode(host, descriptor, ...values);
  };
}

export const DESCRIPTORS: HandlerTable = {
  fd_read: read,
  fd_write: write,
  fd_fdstat_get: describe,
  fd_close: (host: WasiHost, fd: number) => {
    host.closeDescriptor(fd);
    return Errno.success;
  },
  fd_renumber: (host: WasiHost, from: number, to: number) => {
    host.renumber(from, to);
    return Errno.success;
  },
  fd_filestat_get: (host: WasiHost, fd: number, pointer: number) => {
    const descriptor = host.descriptor(fd);
    if (typeof descriptor === "string") host.memory.slice(pointer, FILESTAT_BYTES).fill(0);
    else writeFilestat(host, descriptor.node, pointer);
    return Errno.success;
  },
  fd_seek: (host: WasiHost, fd: number, offset: bigint, whence: number, result: number) => {
    const descriptor = host.descriptor(fd);
    if (whence > WHENCE_LAST) return Errno.inval;
    return typeof descriptor === "string" ? Errno.spipe : nodes.seek(host, descriptor, offset, whence, result);
  },
  fd_tell: either(Errno.spipe, nodes.tell),
  fd_advise: either(Errno.spipe, nodes.advise),
  fd_pread: either(Errno.spipe, nodes.readAt),
  fd_pwrite: either(Errno.spipe, nodes.writeAt),
  fd_allocate: either(Errno.notsup, nodes.allocate),
  fd_datasync: either(Errno.inval, nodes.sync),
  fd_sync: either(Errno.inval, nodes.sync),
  fd_fdstat_set_flags: either(Errno.notsup, nodes.setFlags),
  fd_fdstat_set_rights: either(Errno.notsup, nodes.setRights),
  fd_filestat_set_size: either(Errno.inval, nodes.setSize),
  fd_filestat_set_times: either(Errno.notsup, nodes.setNodeTimes),
  fd_readdir: either(Errno.badf, nodes.readDirectory),
  fd_prestat_get: prestat,
  fd_prestat_dir_name: prestatName,
};
