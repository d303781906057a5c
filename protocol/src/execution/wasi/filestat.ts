/** What is known about a node of the file system, as `filestat` and as times. */
import { Errno, ErrnoError } from "./errno.ts";
import type { FileSystemNode } from "./file-system.ts";
import type { WasiHost } from "./host.ts";

const FILESTAT_BYTES = 64;
const SET_ACCESSED = 1;
const SET_ACCESSED_NOW = 2;
const SET_MODIFIED = 4;
const SET_MODIFIED_NOW = 8;

/** WASI's number for a kind of node. */
export function fileType(node: FileSystemNode): number {
  if (node.kind === "directory") return 3;
  return node.kind === "file" ? 4 : 7;
}

export function writeFilestat(host: WasiHost, node: FileSystemNode, pointer: number): void {
  const { memory } = host;
  memory.slice(pointer, FILESTAT_BYTES).fill(0);
  memory.setU64(pointer + 8, node.inode);
  memory.setU32(pointer + 16, fileType(node));
  memory.setU64(pointer + 24, BigInt(node.links));
  const size = node.kind === "file" ? node.size : node.kind === "link" ? node.target.length : 0;
  memory.setU64(pointer + 32, BigInt(size));
  memory.setU64(pointer + 40, node.accessedNs);
  memory.setU64(pointer + 48, node.modifiedNs);
  memory.setU64(pointer + 56, node.modifiedNs);
}

export function setTimes(
  host: WasiHost,
  node: FileSystemNode,
  accessedNs: bigint,
  modifiedNs: bigint,
  which: number,
): number {
  const both = (left: number, right: number) => (which & left) !== 0 && (which & right) !== 0;
  if (which > 15 || both(SET_ACCESSED, SET_ACCESSED_NOW) || both(SET_MODIFIED, SET_MODIFIED_NOW)) {
    throw new ErrnoError(Errno.inval);
  }
  if ((which & SET_ACCESSED) !== 0) node.accessedNs = BigInt.asUintN(64, accessedNs);
  if ((which & SET_ACCESSED_NOW) !== 0) node.accessedNs = host.job.blockTimeNs;
  if ((which & SET_MODIFIED) !== 0) node.modifiedNs = BigInt.asUintN(64, modifiedNs);
  if ((which & SET_MODIFIED_NOW) !== 0) node.modifiedNs = host.job.blockTimeNs;
  return Errno.success;
}
