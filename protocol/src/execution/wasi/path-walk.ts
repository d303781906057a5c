/**
 * Follows a path through the guest's file system, byte by byte and without recursion: a path and the targets of the
 * links it leads through are as long as the guest likes to make them, so everything is bounded, and charged first.
 */
import { HOST_ITEM_TICKS, PATH_BYTE_TICKS } from "../cost-model.ts";
import { MAX_FILE_NAME_BYTES, MAX_PATH_LINKS } from "../limits.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { DirectoryNode, FileSystemNode, LinkNode, Meter } from "./file-system.ts";

const SLASH = 0x2f;

/** Where a path leads: the directory that holds its last name, and what stands there. */
export interface Place {
  readonly directory: DirectoryNode;
  /** Empty where the path ends in a dot: the node is the directory itself. */
  readonly name: string;
  readonly node: FileSystemNode | undefined;
  /** What the path ends in. */
  readonly last: "name" | "." | "..";
  /** The path ended with a slash or a dot, so only a directory will do. */
  readonly mustBeDirectory: boolean;
}

/** What is left of a path that a link interrupted. */
interface Rest {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** Whether a link that a path ends in is followed: always, where a slash comes after it, or never. */
export type FollowLast = "always" | "beforeSlash" | "never";

/** From a directory, above which nothing can be reached. The bytes must be UTF-8 without zeros. @throws ErrnoError */
export function walk(meter: Meter, from: DirectoryNode, path: Uint8Array, follow: FollowLast): Place {
  if (path.length === 0) throw new ErrnoError(Errno.noent);
  if (path[0] === SLASH) throw new ErrnoError(Errno.perm);
  const rests: Rest[] = [];
  let directory = from;
  let bytes = path;
  let at = 0;
  let links = 0;
  let slashAtEnd = false;
  for (;;) {
    const start = at;
    while (at < bytes.length && bytes[at] !== SLASH) at++;
    const name = nameOf(bytes, start, at);
    const end = at;
    while (at < bytes.length && bytes[at] === SLASH) at++;
    const endsHere = at === bytes.length;
    if (endsHere && rests.length === 0 && at > end) slashAtEnd = true;
    const last = endsHere && rests.length === 0;
    if (name === "." || name === "..") {
      if (name === "..") directory = above(directory, from);
      if (last) return { directory, name: "", node: directory, last: name, mustBeDirectory: true };
    } else {
      meter.charge(HOST_ITEM_TICKS);
      const node = directory.entries.get(name);
      const through = !last || follow === "always" || (follow === "beforeSlash" && slashAtEnd);
      if (node?.kind === "link" && through) {
        if (++links > MAX_PATH_LINKS) throw new ErrnoError(Errno.loop);
        if (!endsHere) rests.push({ bytes, at });
        bytes = targetOf(meter, node);
        at = 0;
        continue;
      }
      if (last) return { directory, name, node, last: "name", mustBeDirectory: slashAtEnd };
      if (node === undefined) throw new ErrnoError(Errno.noent);
      if (node.kind !== "directory") throw new ErrnoError(Errno.notdir);
      directory = node;
    }
    if (endsHere) ({ bytes, at } = rests.pop()!);
  }
}

/** A name as the file system has it, a character a byte. */
function nameOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > MAX_FILE_NAME_BYTES) throw new ErrnoError(Errno.nametoolong);
  let name = "";
  for (let at = start; at < end; at++) name += String.fromCharCode(bytes[at]!);
  return name;
}

/** A tree has one way up from the start, and it leads out. */
function above(directory: DirectoryNode, start: DirectoryNode): DirectoryNode {
  if (directory === start || directory.parent === undefined) throw new ErrnoError(Errno.perm);
  return directory.parent;
}

function targetOf(meter: Meter, { target }: LinkNode): Uint8Array {
  meter.charge(target.length * PATH_BYTE_TICKS);
  return target;
}
