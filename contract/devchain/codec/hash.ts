/** SHA-256 hashes, as base58 text everywhere outside of this file's arithmetic. */
import { hash } from "node:crypto";
import { decodeBase58, encodeBase58 } from "./base58.ts";

/** Base58 of 32 bytes. */
export type Hash = string;

export const HASH_BYTES = 32;
/** The code hash of an account without code, and the parent of the genesis block. */
export const ZERO_HASH: Hash = encodeBase58(new Uint8Array(HASH_BYTES));

export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const bytes = parts.map((part) => (typeof part === "string" ? Buffer.from(part, "utf8") : part));
  // One call of the one-shot function: a hash object for each of these short inputs costs several times as much.
  return hash("sha256", Buffer.concat(bytes), "buffer");
}

export function toHash(bytes: Uint8Array): Hash {
  return encodeBase58(bytes);
}

/** The bytes of a hash; undefined when the text is none. */
export function parseHash(text: string): Uint8Array | undefined {
  return decodeBase58(text, HASH_BYTES);
}

export function hashBytes(hash: Hash): Uint8Array {
  const bytes = parseHash(hash);
  if (bytes === undefined) throw new TypeError(`not a hash: ${hash}`);
  return bytes;
}

export function u64le(value: bigint | number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** The id of the `index`-th thing that comes out of `parent` at `height` (nearcore primitives/src/utils.rs). */
export function deriveHash(parent: Hash, height: number, index: bigint | number): Hash {
  return toHash(sha256(hashBytes(parent), u64le(height), u64le(BigInt.asUintN(64, BigInt(index)))));
}
