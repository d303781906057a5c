/** What the fd_* functions do with a file or directory that is open. */
import { HOST_ENTRY_TICKS } from "../cost-model.ts";
import { MAX_FILE_SYSTEM_BYTES } from "../limits.ts";
import { buffers } from "./buffers.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { DirectoryNode, FileNode, FileSystemNode } from "./file-system.ts";
import { fileType, setTimes } from "./filestat.ts";
import type { OpenNode, WasiHost } from "./host.ts";

const FDSTAT_BYTES = 24;
const DIRENT_BYTES = 24;
const FLAG_APPEND = 1;
/** All rights that preview 1 has: they are granted and never checked, as in wasmtime. */
const ALL_RIGHTS = (1n << 30n) - 1n;
const ADVICE_LAST = 5;
const WHENCE_CURRENT = 1;
const WHENCE_END = 2;
const encoder = new TextEncoder();

function fileOf(open: OpenNode): FileNode {
  if (open.node.kind !== "file") throw new ErrnoError(Errno.badf);
  return open.node;
}

function readableFile(open: OpenNode): FileNode {
  const file = fileOf(open);
  if (!open.readable) throw new ErrnoError(Errno.badf);
  return file;
}

function writableFile(open: OpenNode): FileNode {
  const file = fileOf(open);
  if (!open.writable) throw new ErrnoError(Errno.badf);
  return file;
}

/** Copies from `position` on into the buffers; returns the bytes copied. */
function copyOut(host: WasiHost, file: FileNode, position: number, views: readonly Uint8Array[]): number {
  let done = 0;
  for (const view of views) {
    const part = file.bytes.subarray(Math.min(position + done, file.size), file.size).subarray(0, view.length);
    host.chargeBytes(part.length);
    view.set(part);
    done += part.length;
  }
  return done;
}

function copyIn(host: WasiHost, file: FileNode, position: number, views: readonly Uint8Array[], total: number): void {
  if (total === 0) return;
  if (position + total > MAX_FILE_SYSTEM_BYTES) throw new ErrnoError(Errno.fbig);
  host.chargeBytes(total + Math.max(position - file.size, 0));
  if (position + total > file.size) host.files.resize(file, position + total);
  let at = position;
  for (const view of views) {
    file.bytes.set(view, at);
    at += view.length;
  }
}

/** An offset that files here can have, or EINVAL. */
function offsetOf(value: bigint): number {
  if (value < 0n) throw new ErrnoError(Errno.inval);
  return Number(value);
}

export function read(host: WasiHost, open: OpenNode, list: number, count: number, result: number): number {
  const file = readableFile(open);
  const { views } = buffers(host, list, count);
  host.memory.check(result, 4);
  const done = copyOut(host, file, open.position, views);
  open.position += done;
  host.memory.setU32(result, done);
  return Errno.success;
}

export function write(host: WasiHost, open: OpenNode, list: number, count: number, result: number): number {
  const file = writableFile(open);
  const { views, total } = buffers(host, list, count);
  host.memory.check(result, 4);
  const position = open.append ? file.size : open.position;
  copyIn(host, file, position, views, total);
  open.position = position + total;
  host.memory.setU32(result, total);
  return Errno.success;
}

export function readAt(
  host: WasiHost,
  open: OpenNode,
  list: number,
  count: number,
  offset: bigint,
  result: number,
): number {
  const file = readableFile(open);
  const { views } = buffers(host, list, count);
  host.memory.check(result, 4);
  host.memory.setU32(result, copyOut(host, file, offsetOf(offset), views));
  return Errno.success;
}

export function writeAt(
  host: WasiHost,
  open: OpenNode,
  list: number,
  count: number,
  offset: bigint,
  result: number,
): number {
  const file = writableFile(open);
  const { views, total } = buffers(host, list, count);
  host.memory.check(result, 4);
  copyIn(host, file, open.append ? file.size : offsetOf(offset), views, total);
  host.memory.setU32(result, total);
  return Errno.success;
}

export function seek(host: WasiHost, open: OpenNode, offset: bigint, whence: number, result: number): number {
  const file = fileOf(open);
  const base = whence === WHENCE_CURRENT ? open.position : whence === WHENCE_END ? file.size : 0;
  const position = offsetOf(BigInt(base) + offset);
  if (!Number.isSafeInteger(position)) throw new ErrnoError(Errno.inval);
  host.memory.setU64(result, BigInt(position));
  open.position = position;
  return Errno.success;
}

export function tell(host: WasiHost, open: OpenNode, result: number): number {
  fileOf(open);
  host.memory.setU64(result, BigInt(open.position));
  return Errno.success;
}

export function describe(host: WasiHost, open: OpenNode, pointer: number): number {
  host.memory.slice(pointer, FDSTAT_BYTES).fill(0);
  host.memory.setU32(pointer, fileType(open.node) | (open.append ? FLAG_APPEND << 16 : 0));
  host.memory.setU64(pointer + 8, ALL_RIGHTS);
  host.memory.setU64(pointer + 16, ALL_RIGHTS);
  return Errno.success;
}

export function advise(_host: WasiHost, open: OpenNode, offset: bigint, length: bigint, advice: number): number {
  if (advice > ADVICE_LAST || offset < 0n || length < 0n) return Errno.inval;
  fileOf(open);
  return Errno.success;
}

/** Makes sure that the file is at least as long as this. */
export function allocate(host: WasiHost, open: OpenNode, offset: bigint, length: bigint): number {
  const file = writableFile(open);
  if (offset < 0n || length < 0n) return Errno.inval;
  const end = offset + length;
  if (end > BigInt(MAX_FILE_SYSTEM_BYTES)) return Errno.fbig;
  grow(host, file, Number(end));
  return Errno.success;
}

function grow(host: WasiHost, file: FileNode, size: number): void {
  if (size <= file.size) return;
  host.chargeBytes(size - file.size);
  host.files.resize(file, size);
}

export function setSize(host: WasiHost, open: OpenNode, size: bigint): number {
  const file = writableFile(open);
  if (size < 0n) return Errno.inval;
  if (size > BigInt(MAX_FILE_SYSTEM_BYTES)) return Errno.fbig;
  if (Number(size) > file.size) grow(host, file, Number(size));
  else host.files.resize(file, Number(size));
  return Errno.success;
}

export const sync = (): number => Errno.success;

export function setFlags(_host: WasiHost, open: OpenNode, flags: number): number {
  if ((flags & ~FLAG_APPEND) !== 0) return Errno.notsup;
  open.append = (flags & FLAG_APPEND) !== 0;
  return Errno.success;
}

/** Rights are not checked, so none can be taken away. */
export const setRights = (): number => Errno.notsup;

export function setNodeTimes(
  host: WasiHost,
  open: OpenNode,
  accessed: bigint,
  modified: bigint,
  which: number,
): number {
  return setTimes(host, open.node, accessed, modified, which);
}

/** ".", ".." and the entries in the order in which they were made; a cookie is the number of the entry after. */
export function readDirectory(
  host: WasiHost,
  open: OpenNode,
  buffer: number,
  length: number,
  cookie: bigint,
  result: number,
): number {
  const { node } = open;
  if (node.kind !== "directory") throw new ErrnoError(Errno.badf);
  host.memory.check(buffer, length);
  host.memory.check(result, 4);
  const entries = entriesOf(node);
  let used = 0;
  for (let index = Number(cookie < 0n ? entries.length : cookie); index < entries.length && used < length; index++) {
    host.charge(HOST_ENTRY_TICKS);
    const [name, entry] = entries[index]!;
    const bytes = encoder.encode(name);
    const dirent = new Uint8Array(DIRENT_BYTES + bytes.length);
    const view = new DataView(dirent.buffer);
    view.setBigUint64(0, BigInt(index + 1), true);
    view.setBigUint64(8, entry.inode, true);
    view.setUint32(16, bytes.length, true);
    view.setUint8(20, fileType(entry));
    dirent.set(bytes, DIRENT_BYTES);
    // What does not fit is cut: a full buffer tells the guest to ask again from the last whole entry.
    const part = dirent.subarray(0, length - used);
    host.memory.write(buffer + used, part);
    used += part.length;
  }
  host.chargeBytes(used);
  host.memory.setU32(result, used);
  return Errno.success;
}

function entriesOf(directory: DirectoryNode): readonly (readonly [string, FileSystemNode])[] {
  return [[".", directory], ["..", directory.parent ?? directory], ...directory.entries];
}
