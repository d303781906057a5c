/**
 * The guest's file system: a tree in memory, empty at the start and gone at the end, so that a program that keeps
 * temporary files runs. Bounded in bytes, nodes and names; times are the block's unless the guest sets them. A name is
 * its UTF-8 with a character a byte ("binary string"), so that lengths are bytes. path-walk.ts follows paths in it.
 */
import { FILE_BYTE_TICKS } from "../cost-model.ts";
import { MAX_FILE_NODES, MAX_FILE_SYSTEM_BYTES } from "../limits.ts";
import { Errno, ErrnoError } from "./errno.ts";

/** What work is charged to, before it is done. */
export interface Meter {
  charge(ticks: number): void;
  chargeBytes(count: number): void;
}

interface Node {
  readonly inode: bigint;
  /** Names that it has. */
  links: number;
  /** Descriptors that it is open under. */
  opens: number;
  accessedNs: bigint;
  modifiedNs: bigint;
}

export interface FileNode extends Node {
  readonly kind: "file";
  bytes: Uint8Array;
  /** Bytes of `bytes` that are the file; the others are zero. */
  size: number;
}

export interface DirectoryNode extends Node {
  readonly kind: "directory";
  readonly entries: Map<string, FileSystemNode>;
  parent: DirectoryNode | undefined;
}

export interface LinkNode extends Node {
  readonly kind: "link";
  readonly target: Uint8Array;
}

export type FileSystemNode = FileNode | DirectoryNode | LinkNode;

/** A name in a directory; whether something stands there or not. */
interface Spot {
  readonly directory: DirectoryNode;
  readonly name: string;
}

const NOTHING = new Uint8Array(0);

export class FileSystem {
  readonly root: DirectoryNode;
  readonly #timeNs: bigint;
  readonly #meter: Meter;
  #inodes = 0n;
  #nodes = 1;
  #names = 1;
  /** Of files and of links' targets. */
  #bytes = 0;

  constructor(timeNs: bigint, meter: Meter) {
    this.#timeNs = timeNs;
    this.#meter = meter;
    this.root = { kind: "directory", ...this.#newNode(), entries: new Map(), parent: undefined, links: 1 };
  }

  /** @throws ErrnoError ENOSPC, or ENOENT in a directory that was removed; so do the others that make a name. */
  makeFile(spot: Spot): FileNode {
    this.#requireRoom(spot, 0);
    const file: FileNode = { kind: "file", ...this.#newNode(), bytes: NOTHING, size: 0 };
    return this.#keep(spot, file);
  }

  makeDirectory(spot: Spot): void {
    this.#requireRoom(spot, 0);
    this.#keep(spot, { kind: "directory", ...this.#newNode(), entries: new Map(), parent: spot.directory });
  }

  /** The target must be its own copy. */
  makeLink(spot: Spot, target: Uint8Array): void {
    this.#requireRoom(spot, target.length);
    this.#bytes += target.length;
    this.#keep(spot, { kind: "link", ...this.#newNode(), target });
  }

  /** Puts a node that exists under another name that is free. */
  addName(spot: Spot, node: FileSystemNode): void {
    this.#requireName(spot);
    this.#attach(spot, node);
  }

  /** Takes a name away, and with the last of them what stood there, unless it is open. */
  removeName(spot: Spot): void {
    const node = this.#detach(spot);
    if (node !== undefined) this.#release(node);
  }

  /** What stands at `from` stands at `to` afterwards; what stood at `to` loses that name. */
  move(from: Spot, to: Spot): void {
    requireLinked(to.directory);
    this.removeName(to);
    const node = this.#detach(from)!;
    this.#attach(to, node);
    if (node.kind === "directory") node.parent = to.directory;
  }

  opened(node: FileSystemNode): void {
    node.opens++;
  }

  closed(node: FileSystemNode): void {
    node.opens--;
    this.#release(node);
  }

  /**
   * Sets a file's size, with zeros where it grows, and charges what is cleared and moved. A buffer is never more than
   * twice the file: what is counted in bytes must be near what is held. @throws ErrnoError ENOSPC
   */
  resize(file: FileNode, size: number): void {
    const added = size - file.size;
    if (this.#bytes + added > MAX_FILE_SYSTEM_BYTES) throw new ErrnoError(Errno.nospc);
    const room = file.bytes.length;
    const kept = Math.min(size, file.size);
    if (size > room || size * 2 <= room) {
      this.#meter.charge((Math.max(added, 0) + kept) * FILE_BYTE_TICKS);
      const moved = new Uint8Array(size > room ? Math.max(size, Math.min(room * 2, MAX_FILE_SYSTEM_BYTES)) : size);
      moved.set(file.bytes.subarray(0, kept));
      file.bytes = moved;
    } else if (added > 0) {
      this.#meter.charge(added * FILE_BYTE_TICKS);
    } else {
      this.#meter.chargeBytes(-added);
      file.bytes.fill(0, size, file.size);
    }
    file.size = size;
    this.#bytes += added;
    file.modifiedNs = this.#timeNs;
  }

  #requireRoom(spot: Spot, bytes: number): void {
    this.#requireName(spot);
    if (this.#nodes >= MAX_FILE_NODES) throw new ErrnoError(Errno.nospc);
    if (this.#bytes + bytes > MAX_FILE_SYSTEM_BYTES) throw new ErrnoError(Errno.nospc);
  }

  #requireName({ directory }: Spot): void {
    requireLinked(directory);
    if (this.#names >= MAX_FILE_NODES) throw new ErrnoError(Errno.nospc);
  }

  #keep<T extends FileSystemNode>(spot: Spot, node: T): T {
    this.#nodes++;
    this.#attach(spot, node);
    return node;
  }

  #attach({ directory, name }: Spot, node: FileSystemNode): void {
    directory.entries.set(name, node);
    node.links++;
    this.#names++;
  }

  #detach({ directory, name }: Spot): FileSystemNode | undefined {
    const node = directory.entries.get(name);
    if (node === undefined) return undefined;
    directory.entries.delete(name);
    node.links--;
    this.#names--;
    return node;
  }

  /** Forgets a node that has neither a name nor a descriptor. */
  #release(node: FileSystemNode): void {
    if (node.links > 0 || node.opens > 0) return;
    this.#nodes--;
    if (node.kind === "link") this.#bytes -= node.target.length;
    if (node.kind !== "file") return;
    this.#bytes -= node.size;
    node.bytes = NOTHING;
    node.size = 0;
  }

  #newNode(): Node {
    return { inode: ++this.#inodes, links: 0, opens: 0, accessedNs: this.#timeNs, modifiedNs: this.#timeNs };
  }
}

/** A directory that was removed while it was open takes nothing up. */
function requireLinked(directory: DirectoryNode): void {
  if (directory.links === 0) throw new ErrnoError(Errno.noent);
}
