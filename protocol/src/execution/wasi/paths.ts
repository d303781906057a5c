/** The path_* functions over the in-memory file system. */
import { HOST_ENTRY_TICKS, PATH_BYTE_TICKS } from "../cost-model.ts";
import { MAX_PATH_BYTES } from "../limits.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { DirectoryNode } from "./file-system.ts";
import { setTimes, writeFilestat } from "./filestat.ts";
import type { HandlerTable, WasiHost } from "./host.ts";
import { FLAGS_KEPT } from "./open-nodes.ts";
import { type Place, walk } from "./path-walk.ts";
import { isUtf8 } from "./utf8.ts";

const FOLLOW = 1;
const CREATE = 1;
const DIRECTORY = 2;
const EXCLUSIVE = 4;
const TRUNCATE = 8;
const RIGHT_READ = 1n << 1n;
const RIGHT_WRITE = 1n << 6n;
const SLASH = 0x2f;

function directoryAt(host: WasiHost, fd: number): DirectoryNode {
  const open = host.descriptor(fd);
  if (typeof open === "string" || open.node.kind !== "directory") throw new ErrnoError(Errno.badf);
  return open.node;
}

/** The bytes of a path, where the guest has them: read them before anything is written to its memory. */
function pathAt(host: WasiHost, pointer: number, length: number): Uint8Array {
  host.memory.check(pointer, length);
  if (length > MAX_PATH_BYTES) throw new ErrnoError(Errno.nametoolong);
  host.charge(length * PATH_BYTE_TICKS);
  const path = host.memory.slice(pointer, length);
  if (!isUtf8(path)) throw new ErrnoError(Errno.ilseq);
  if (path.includes(0)) throw new ErrnoError(Errno.inval);
  return path;
}

function placeAt(host: WasiHost, fd: number, flags: number, pointer: number, length: number): Place {
  const directory = directoryAt(host, fd);
  return walk(host, directory, pathAt(host, pointer, length), (flags & FOLLOW) !== 0 ? "always" : "beforeSlash");
}

/** A place whose name is to be made, moved or taken away: what stands there is that name's, also where it is a link. */
function nameAt(host: WasiHost, fd: number, pointer: number, length: number): Place {
  const directory = directoryAt(host, fd);
  return walk(host, directory, pathAt(host, pointer, length), "never");
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
  host.requireFreeDescriptor();
  const create = (flags & CREATE) !== 0;
  if (create && place.last === "name" && place.mustBeDirectory) throw new ErrnoError(Errno.isdir);
  if (place.node !== undefined && exclusive) throw new ErrnoError(Errno.exist);
  let { node } = place;
  if (node === undefined && create) {
    if ((flags & DIRECTORY) !== 0) throw new ErrnoError(Errno.inval);
    node = host.files.makeFile(place);
  }
  if (node === undefined) throw new ErrnoError(Errno.noent);
  if (node.kind === "link") throw new ErrnoError(Errno.loop);
  if (node.kind !== "directory" && ((flags & DIRECTORY) !== 0 || place.mustBeDirectory)) {
    throw new ErrnoError(Errno.notdir);
  }
  const writable = (rights & RIGHT_WRITE) !== 0n;
  if (node.kind === "directory" && (writable || create || (flags & TRUNCATE) !== 0)) throw new ErrnoError(Errno.isdir);
  if (node.kind === "file" && (flags & TRUNCATE) !== 0) host.files.resize(node, 0);
  const readable = (rights & RIGHT_READ) !== 0n;
  const opened = { node, position: 0n, readable, writable, flags: fdFlags & FLAGS_KEPT };
  host.memory.setU32(result, host.openDescriptor(opened));
  return Errno.success;
}

function createDirectory(host: WasiHost, fd: number, pointer: number, length: number): number {
  const place = nameAt(host, fd, pointer, length);
  if (place.node !== undefined) throw new ErrnoError(Errno.exist);
  host.files.makeDirectory(place);
  return Errno.success;
}

function removeDirectory(host: WasiHost, fd: number, pointer: number, length: number): number {
  const place = nameAt(host, fd, pointer, length);
  const node = existing(place);
  if (node.kind !== "directory") throw new ErrnoError(Errno.notdir);
  if (place.last !== "name") throw new ErrnoError(Errno.inval);
  if (node.entries.size > 0) throw new ErrnoError(Errno.notempty);
  host.files.removeName(place);
  return Errno.success;
}

function unlink(host: WasiHost, fd: number, pointer: number, length: number): number {
  const place = nameAt(host, fd, pointer, length);
  const node = existing(place);
  if (node.kind === "directory") throw new ErrnoError(Errno.isdir);
  host.files.removeName(place);
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
  const target = nameAt(host, toFd, to, toLength);
  if (node.kind === "directory") throw new ErrnoError(target.node === undefined ? Errno.perm : Errno.exist);
  requireFree(target);
  host.files.addName(target, node);
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
  const source = nameAt(host, fromFd, from, fromLength);
  const target = nameAt(host, toFd, to, toLength);
  if (source.last !== "name" || target.last !== "name") throw new ErrnoError(Errno.busy);
  const node = existing(source);
  if (node.kind !== "directory" && target.mustBeDirectory) throw new ErrnoError(Errno.notdir);
  if (node === target.node) return Errno.success;
  if (node.kind === "directory") {
    requireOutside(host, node, target.directory);
    if (target.node !== undefined && target.node.kind !== "directory") throw new ErrnoError(Errno.notdir);
    if (target.node?.kind === "directory" && target.node.entries.size > 0) throw new ErrnoError(Errno.notempty);
  } else if (target.node?.kind === "directory") {
    throw new ErrnoError(Errno.isdir);
  }
  host.files.move(source, target);
  return Errno.success;
}

/** A directory cannot be moved into itself. */
function requireOutside(host: WasiHost, directory: DirectoryNode, target: DirectoryNode): void {
  for (let at: DirectoryNode | undefined = target; at !== undefined; at = at.parent) {
    host.charge(HOST_ENTRY_TICKS);
    if (at === directory) throw new ErrnoError(Errno.inval);
  }
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
  const to = pathAt(host, target, targetLength);
  if (to.length === 0) throw new ErrnoError(Errno.noent);
  if (to[0] === SLASH) throw new ErrnoError(Errno.perm);
  const place = walk(host, directory, pathAt(host, pointer, length), "never");
  requireFree(place);
  host.files.makeLink(place, to.slice());
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
  const bytes = node.target.subarray(0, size);
  host.memory.check(used, 4);
  host.chargeBytes(bytes.length);
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
