/** The path_* functions over the in-memory file system. */
import { HOST_ENTRY_TICKS } from "../cost-model.ts";
import { MAX_OPEN_DESCRIPTORS, MAX_PATH_BYTES } from "../limits.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { DirectoryNode, Place } from "./file-system.ts";
import { setTimes, writeFilestat } from "./filestat.ts";
import type { HandlerTable, OpenNode, WasiHost } from "./host.ts";
import { isUtf8 } from "./utf8.ts";

const FOLLOW = 1;
const CREATE = 1;
const DIRECTORY = 2;
const EXCLUSIVE = 4;
const TRUNCATE = 8;
const APPEND = 1;
const RIGHT_READ = 1n << 1n;
const RIGHT_WRITE = 1n << 6n;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

function directoryAt(host: WasiHost, fd: number): DirectoryNode {
  const open = host.descriptor(fd);
  if (typeof open === "string" || open.node.kind !== "directory") throw new ErrnoError(Errno.badf);
  return open.node;
}

function text(host: WasiHost, pointer: number, length: number): string {
  host.memory.check(pointer, length);
  if (length > MAX_PATH_BYTES) throw new ErrnoError(Errno.nametoolong);
  host.chargeBytes(length);
  const bytes = host.memory.slice(pointer, length);
  if (!isUtf8(bytes)) throw new ErrnoError(Errno.ilseq);
  const path = decoder.decode(bytes);
  if (path.includes("\0")) throw new ErrnoError(Errno.inval);
  host.charge(path.split("/").length * HOST_ENTRY_TICKS);
  return path;
}

function placeAt(host: WasiHost, fd: number, flags: number, pointer: number, length: number): Place {
  const directory = directoryAt(host, fd);
  return host.files.resolve(directory, text(host, pointer, length), (flags & FOLLOW) !== 0);
}

/** A place for something new that is no directory. */
function requireFree(place: Place): void {
  if (place.node !== undefined) throw new ErrnoError(Errno.exist);
  if (place.mustBeDirectory) throw new ErrnoError(Errno.noent);
}

function existing(place: Place): NonNullable<Place["node"]> {
  if (place.node === undefined) throw new ErrnoError(Errno.noent);
  if (place.mustBeDirectory && place.node.kind !== "directory") throw new ErrnoError(Errno.notdir);
  return place.node;
}

function open(
  host: WasiHost,
  fd: number,
  lookup: number,
  pointer: number,
  length: number,
  flags: number,
  rights: bigint,
  _inheriting: bigint,
  fdFlags: number,
  result: number,
): number {
  const exclusive = (flags & CREATE) !== 0 && (flags & EXCLUSIVE) !== 0;
  const place = placeAt(host, fd, exclusive ? 0 : lookup, pointer, length);
  host.memory.check(result, 4);
  if (host.descriptors.size >= MAX_OPEN_DESCRIPTORS) throw new ErrnoError(Errno.mfile);
  if (place.node !== undefined && exclusive) throw new ErrnoError(Errno.exist);
  let { node } = place;
  if (node === undefined && (flags & CREATE) !== 0) {
    if ((flags & DIRECTORY) !== 0) throw new ErrnoError(Errno.inval);
    if (place.mustBeDirectory) throw new ErrnoError(Errno.isdir);
    node = host.files.makeFile();
    host.files.attach(place.directory, place.name, node);
  }
  if (node === undefined) throw new ErrnoError(Errno.noent);
  if (node.kind === "link") throw new ErrnoError(Errno.loop);
  if (node.kind !== "directory" && ((flags & DIRECTORY) !== 0 || place.mustBeDirectory)) {
    throw new ErrnoError(Errno.notdir);
  }
  const writable = (rights & RIGHT_WRITE) !== 0n;
  if (node.kind === "directory" && (writable || (flags & (CREATE | TRUNCATE)) !== 0)) throw new ErrnoError(Errno.isdir);
  if (node.kind === "file" && (flags & TRUNCATE) !== 0) host.files.resize(node, 0);
  const readable = (rights & RIGHT_READ) !== 0n;
  const opened: OpenNode = { node, position: 0, readable, writable, append: (fdFlags & APPEND) !== 0 };
  host.memory.setU32(result, host.openDescriptor(opened));
  return Errno.success;
}

function createDirectory(host: WasiHost, fd: number, pointer: number, length: number): number {
  const { directory, name, node } = placeAt(host, fd, 0, pointer, length);
  if (node !== undefined) throw new ErrnoError(Errno.exist);
  host.files.attach(directory, name, host.files.makeDirectory(directory));
  return Errno.success;
}

function removeDirectory(host: WasiHost, fd: number, pointer: number, length: number): number {
  const place = placeAt(host, fd, 0, pointer, length);
  const node = existing(place);
  if (node.kind !== "directory") throw new ErrnoError(Errno.notdir);
  if (place.name === "") throw new ErrnoError(Errno.inval);
  if (node.entries.size > 0) throw new ErrnoError(Errno.notempty);
  host.files.detach(place.directory, place.name);
  return Errno.success;
}

function unlink(host: WasiHost, fd: number, pointer: number, length: number): number {
  const place = placeAt(host, fd, 0, pointer, length);
  const node = existing(place);
  if (node.kind === "directory") throw new ErrnoError(Errno.isdir);
  host.files.detach(place.directory, place.name);
  return Errno.success;
}

function link(
  host: WasiHost,
  fromFd: number,
  flags: number,
  from: number,
  fromLength: number,
  toFd: number,
  to: number,
  toLength: number,
): number {
  const node = existing(placeAt(host, fromFd, flags, from, fromLength));
  const target = placeAt(host, toFd, 0, to, toLength);
  if (node.kind === "directory") throw new ErrnoError(target.node === undefined ? Errno.perm : Errno.exist);
  requireFree(target);
  host.files.attach(target.directory, target.name, node);
  return Errno.success;
}

function rename(
  host: WasiHost,
  fromFd: number,
  from: number,
  fromLength: number,
  toFd: number,
  to: number,
  toLength: number,
): number {
  const source = placeAt(host, fromFd, 0, from, fromLength);
  const target = placeAt(host, toFd, 0, to, toLength);
  const node = existing(source);
  if (source.name === "" || target.name === "") throw new ErrnoError(Errno.inval);
  if (node === target.node) return Errno.success;
  if (node.kind === "directory") {
    for (let at: DirectoryNode | undefined = target.directory; at !== undefined; at = at.parent) {
      if (at === node) throw new ErrnoError(Errno.inval);
    }
    if (target.node !== undefined && target.node.kind !== "directory") throw new ErrnoError(Errno.notdir);
    if (target.node?.kind === "directory" && target.node.entries.size > 0) throw new ErrnoError(Errno.notempty);
  } else {
    if (target.node?.kind === "directory") throw new ErrnoError(Errno.isdir);
    if (target.mustBeDirectory) throw new ErrnoError(Errno.notdir);
  }
  if (target.node !== undefined) host.files.detach(target.directory, target.name);
  host.files.attach(target.directory, target.name, node);
  host.files.detach(source.directory, source.name);
  if (node.kind === "directory") node.parent = target.directory;
  return Errno.success;
}

function symlink(
  host: WasiHost,
  target: number,
  targetLength: number,
  fd: number,
  pointer: number,
  length: number,
): number {
  const directory = directoryAt(host, fd);
  const to = text(host, target, targetLength);
  if (to === "") throw new ErrnoError(Errno.noent);
  if (to.startsWith("/")) throw new ErrnoError(Errno.perm);
  const place = host.files.resolve(directory, text(host, pointer, length), false);
  requireFree(place);
  host.files.attach(place.directory, place.name, host.files.makeLink(to));
  return Errno.success;
}

function readlink(
  host: WasiHost,
  fd: number,
  pointer: number,
  length: number,
  buffer: number,
  size: number,
  used: number,
): number {
  const node = existing(placeAt(host, fd, 0, pointer, length));
  if (node.kind !== "link") throw new ErrnoError(Errno.inval);
  const bytes = encoder.encode(node.target).subarray(0, size);
  host.memory.check(used, 4);
  host.memory.write(buffer, bytes);
  host.memory.setU32(used, bytes.length);
  return Errno.success;
}

export const PATHS: HandlerTable = {
  path_open: open,
  path_create_directory: createDirectory,
  path_remove_directory: removeDirectory,
  path_unlink_file: unlink,
  path_link: link,
  path_rename: rename,
  path_symlink: symlink,
  path_readlink: readlink,
  path_filestat_get: (host: WasiHost, fd: number, flags: number, pointer: number, length: number, result: number) => {
    writeFilestat(host, existing(placeAt(host, fd, flags, pointer, length)), result);
    return Errno.success;
  },
  path_filestat_set_times: (
    host: WasiHost,
    fd: number,
    flags: number,
    pointer: number,
    length: number,
    accessedNs: bigint,
    modifiedNs: bigint,
    which: number,
  ) => setTimes(host, existing(placeAt(host, fd, flags, pointer, length)), accessedNs, modifiedNs, which),
};
