/**
 * A digest of a guest's memory that costs what the guest touched, not what it declared:
 * sha256(pages u32 ‖ for each page that is not all zero: index u32 ‖ 65,536 bytes), integers little-endian.
 */

export const PAGE_BYTES = 65_536;

/** SHA-256 over the concatenation of the chunks. */
export type Sha256 = (chunks: readonly Uint8Array[]) => Uint8Array;

export function memoryDigest(memory: ArrayBuffer, sha256: Sha256): Uint8Array {
  const pages = memory.byteLength / PAGE_BYTES;
  const chunks: Uint8Array[] = [u32(pages)];
  for (let page = 0; page < pages; page++) {
    if (isZero(new Int32Array(memory, page * PAGE_BYTES, PAGE_BYTES / 4))) continue;
    chunks.push(u32(page), new Uint8Array(memory, page * PAGE_BYTES, PAGE_BYTES));
  }
  return sha256(chunks);
}

/** Of a guest with several memories: sha256 over their digests in order. One memory, or none, has its own. */
export function memoriesDigest(memories: readonly ArrayBuffer[], sha256: Sha256): Uint8Array {
  if (memories.length <= 1) return memoryDigest(memories[0] ?? new ArrayBuffer(0), sha256);
  return sha256(memories.map((memory) => memoryDigest(memory, sha256)));
}

/** Eight 32-bit words at a time: twice as fast as one, and comparing big integers is several times slower. */
function isZero(words: Int32Array): boolean {
  for (let at = 0; at < words.length; at += 8) {
    const low = words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!;
    const high = words[at + 4]! | words[at + 5]! | words[at + 6]! | words[at + 7]!;
    if ((low | high) !== 0) return false;
  }
  return true;
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
