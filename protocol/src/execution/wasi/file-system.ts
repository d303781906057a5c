/**
 * The guest's file system: a tree in memory, empty at the start and gone at the end, so that a program that keeps
 * temporary files runs. Bounded in bytes and nodes; times are the block's unless the guest sets them.
 */
import { MAX_FILE_NODES, MAX_FILE_SYSTEM_BYTES, MAX_PATH_BYTES } from "../limits.ts";
import { Errno, ErrnoError } from "./errno.ts";

const MAX_NAME_BYTES = 255;
/** Symbolic links that one path may lead through. */
const MAX_LINKS = 40;

interface Times {
  accessedNs: bigint;
  modifiedNs: bigint;
}

export interface FileNode extends Times {
  readonly kind: "file";
  readonly inode: bigint;
  links: number;
  bytes: Uint8Array;
  /** Bytes of `bytes` that are the file. */
  size: number;
}

export interface DirectoryNode extends Times {
  readonly kind: "directory";
  readonly inode: bigint;
  readonly entries: Map<string, FileSystemNode>;
  parent: DirectoryNode | undefined;
}

export interface LinkNode extends Times {
  readonly kind: "link";
  readonly inode: bigint;
  readonly target: string;
}

export type FileSystemNode = FileNode | DirectoryNode | LinkNode;

/** Where a path leads: the directory that holds its last name, and what stands there. */
export interface Place {
  readonly directory: DirectoryNode;
  /** Empty for the directory itself. */
  readonly name: string;
  readonly node: FileSystemNode | undefined;
  /** The path ended with a slash, so only a directory will do. */
  readonly mustBeDirectory: boolean;
}

export class FileSystem {
  readonly root: DirectoryNode;
  readonly #timeNs: bigint;
  #nodes = 0;
  #bytes = 0;

  constructor(timeNs: bigint) {
    this.#timeNs = timeNs;
    this.root = this.makeDirectory(undefined);
  }

  makeFile(): FileNode {
    return { kind: "file", ...this.#newNode(), links: 0, bytes: new Uint8Array(0), size: 0 };
  }

  makeDirectory(parent: DirectoryNode | undefined): DirectoryNode {
    return { kind: "directory", ...this.#newNode(), entries: new Map(), parent };
  }

  makeLink(target: string): LinkNode {
    return { kind: "link", ...this.#newNode(), target };
  }

  /** Sets a file's size, with zeros where it grows. @throws ErrnoError ENOSPC */
  resize(file: FileNode, size: number): void {
    const added = size - file.size;
    if (this.#bytes + added > MAX_FILE_SYSTEM_BYTES) throw new ErrnoError(Errno.nospc);
    if (size > file.bytes.length) {
      const grown = new Uint8Array(Math.max(size, Math.min(file.bytes.length * 2, MAX_FILE_SYSTEM_BYTES)));
      grown.set(file.bytes.subarray(0, file.size));
      file.bytes = grown;
    } else if (added < 0) {
      file.bytes.fill(0, size, file.size);
    }
    file.size = size;
    this.#bytes += added;
    file.modifiedNs = this.#timeNs;
  }

  /** Puts a node under a name that is free. */
  attach(directory: DirectoryNode, name: string, node: FileSystemNode): void {
    directory.entries.set(name, node);
    if (node.kind === "file") node.links++;
    if (node.kind === "directory") node.parent = directory;
  }

  /** Takes a name away. A file that is still open keeps its bytes until the run ends. */
  detach(directory: DirectoryNode, name: string): void {
    const node = directory.entries.get(name);
    directory.entries.delete(name);
    if (node?.kind === "file") node.links--;
  }

  /** Follows a path from a directory; nothing above the root can be reached. @throws ErrnoError */
  resolve(from: DirectoryNode, path: string, followLast: boolean, links = 0): Place {
    if (path === "") throw new ErrnoError(Errno.noent);
    if (path.length > MAX_PATH_BYTES) throw new ErrnoError(Errno.nametoolong);
    if (path.startsWith("/")) throw new ErrnoError(Errno.perm);
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    const mustBeDirectory = /(^|\/)\.{0,2}$/.test(path);
    let directory = from;
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      if (name.length > MAX_NAME_BYTES) throw new ErrnoError(Errno.nametoolong);
      if (name === "..") {
        if (directory.parent === undefined) throw new ErrnoError(Errno.perm);
        directory = directory.parent;
        continue;
      }
      const last = index === names.length - 1;
      const node = directory.entries.get(name);
      if (node?.kind === "link" && (!last || followLast || mustBeDirectory)) {
        if (links >= MAX_LINKS) throw new ErrnoError(Errno.loop);
        const rest = [node.target, ...names.slice(index + 1)].join("/") + (mustBeDirectory ? "/" : "");
        return this.resolve(directory, rest, followLast, links + 1);
      }
      if (last) return { directory, name, node, mustBeDirectory };
      if (node === undefined) throw new ErrnoError(Errno.noent);
      if (node.kind !== "directory") throw new ErrnoError(Errno.notdir);
      directory = node;
    }
    return { directory, name: "", node: directory, mustBeDirectory: true };
  }

  #newNode(): { readonly inode: bigint } & Times {
    if (this.#nodes >= MAX_FILE_NODES) throw new ErrnoError(Errno.nospc);
    return { inode: BigInt(++this.#nodes), accessedNs: this.#timeNs, modifiedNs: this.#timeNs };
  }
}
