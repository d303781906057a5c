/** What the fd_* functions do with a file or directory that is open. */
import { HOST_ENTRY_TICKS, HOST_ITEM_TICKS, PATH_BYTE_TICKS } from "../cost-model.ts";
import { MAX_FILE_SYSTEM_BYTES } from "../limits.ts";
import { buffers } from "./buffers.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { FileNode, FileSystemNode } from "./file-system.ts";
import { fileType, setTimes } from "./filestat.ts";
import { GuestMemory } from "./guest-memory.ts";
import type { OpenNode, WasiHost } from "./host.ts";

const FDSTAT_BYTES = 24;
const DIRENT_BYTES = 24;
const FLAG_APPEND = 1;
const FLAG_NONBLOCK = 4;
/** `fdflags` that a descriptor has: nothing ever blocks, so that not blocking can be had for the asking. */
export const FLAGS_KEPT = FLAG_APPEND | FLAG_NONBLOCK;
/** All rights that preview 1 has: they are granted and never checked, as in wasmtime. */
const ALL_RIGHTS = (1n << 30n) - 1n;
const ADVICE_LAST = 5;
const WHENCE_CURRENT = 1;
const WHENCE_END = 2;
const LAST_POSITION = 2n ** 63n - 1n;

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
    const start = position + done;
    const length = Math.min(view.length, file.size - start);
    if (length <= 0) break;
    host.chargeBytes(length);
    view.set(file.bytes.subarray(start, start + length));
    done += length;
  }
  return done;
}

function copyIn(host: WasiHost, file: FileNode, position: number, views: readonly Uint8Array[], total: number): void {
  if (total === 0) return;
  if (position + total > MAX_FILE_SYSTEM_BYTES) throw new ErrnoError(Errno.fbig);
  host.chargeBytes(total);
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

function appends(open: OpenNode): boolean {
  return (open.flags & FLAG_APPEND) !== 0;
}

export function read(host: WasiHost, open: OpenNode, list: number, count: number, result: number): number {
  const file = readableFile(open);
  const { views } = buffers(host, list, count);
  host.memory.check(result, 4);
  const done = copyOut(host, file, Number(open.position), views);
  open.position += BigInt(done);
  host.memory.setU32(result, done);
  return Errno.success;
}

export function write(host: WasiHost, open: OpenNode, list: number, count: number, result: number): number {
  const file = writableFile(open);
  const { views, total } = buffers(host, list, count);
  host.memory.check(result, 4);
  const position = appends(open) ? BigInt(file.size) : open.position;
  copyIn(host, file, Number(position), views, total);
  open.position = position + BigInt(total);
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
  copyIn(host, file, appends(open) ? file.size : offsetOf(offset), views, total);
  host.memory.setU32(result, total);
  return Errno.success;
}

export function seek(host: WasiHost, open: OpenNode, offset: bigint, whence: number, result: number): number {
  const file = fileOf(open);
  const base = whence === WHENCE_CURRENT ? open.position : whence === WHENCE_END ? BigInt(file.size) : 0n;
  const position = base + offset;
  if (position < 0n || position > LAST_POSITION) throw new ErrnoError(Errno.inval);
  host.memory.setU64(result, position);
  open.position = position;
  return Errno.success;
}

export function tell(host: WasiHost, open: OpenNode, result: number): number {
  fileOf(open);
  host.memory.setU64(result, open.position);
  return Errno.success;
}

export function describe(host: WasiHost, open: OpenNode, pointer: number): number {
  host.memory.slice(pointer, FDSTAT_BYTES).fill(0);
  host.memory.setU32(pointer, fileType(open.node) | (open.flags << 16));
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
  if (size > file.size) host.files.resize(file, size);
}

export function setSize(host: WasiHost, open: OpenNode, size: bigint): number {
  const file = writableFile(open);
  if (size < 0n) return Errno.inval;
  if (size > BigInt(MAX_FILE_SYSTEM_BYTES)) return Errno.fbig;
  host.files.resize(file, Number(size));
  return Errno.success;
}

export const sync = (): number => Errno.success;

export function setFlags(_host: WasiHost, open: OpenNode, flags: number): number {
  if ((flags & ~FLAGS_KEPT) !== 0) return Errno.notsup;
  open.flags = flags;
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
  // A negative cookie is an unsigned one, beyond every directory's end.
  const entries = node.entries.size + 2;
  const first = cookie < 0n || cookie > BigInt(entries) ? entries : Number(cookie);
  host.charge(first * HOST_ENTRY_TICKS);
  let used = 0;
  let cookieOfNext = 0;
  const list = (name: string, entry: FileSystemNode): boolean => {
    cookieOfNext++;
    if (cookieOfNext <= first) return true;
    if (used >= length) return false;
    used += writeEntry(host, { name, entry, cookie: cookieOfNext }, buffer + used, length - used);
    return true;
  };
  list(".", node);
  list("..", node.parent ?? node);
  if (first < entries) for (const [name, entry] of node.entries) if (!list(name, entry)) break;
  host.memory.setU32(result, used);
  return Errno.success;
}

interface Listed {
  readonly name: string;
  readonly entry: FileSystemNode;
  readonly cookie: number;
}

/** What does not fit is cut: a full buffer tells the guest to ask again from the last whole entry. */
function writeEntry(host: WasiHost, { name, entry, cookie }: Listed, pointer: number, room: number): number {
  host.charge(HOST_ITEM_TICKS + name.length * PATH_BYTE_TICKS);
  if (room < DIRENT_BYTES + name.length) {
    const whole = new GuestMemory({ buffer: new ArrayBuffer(DIRENT_BYTES + name.length) });
    putEntry(whole, { name, entry, cookie }, 0);
    host.memory.write(pointer, whole.slice(0, room));
    return room;
  }
  putEntry(host.memory, { name, entry, cookie }, pointer);
  return DIRENT_BYTES + name.length;
}

function putEntry(memory: GuestMemory, { name, entry, cookie }: Listed, pointer: number): void {
  memory.setU64(pointer, BigInt(cookie));
  memory.setU64(pointer + 8, entry.inode);
  memory.setU32(pointer + 16, name.length);
  memory.setU32(pointer + 20, fileType(entry));
  const text = memory.slice(pointer + DIRENT_BYTES, name.length);
  for (let at = 0; at < name.length; at++) text[at] = name.charCodeAt(at);
}
