/** Public keys as text (`ed25519:…`) and as Borsh bytes (one byte of type, then the key), and their signatures. */
import { createPublicKey, verify } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { decodeBase58, encodeBase58 } from "./base58.ts";

/** `ed25519:<base58 of 32 bytes>` or `secp256k1:<base58 of 64 bytes>`. */
export type PublicKey = string;

export const KEY_TYPES = [
  { name: "ed25519", keyBytes: 32, signatureBytes: 64 },
  { name: "secp256k1", keyBytes: 64, signatureBytes: 65 },
] as const;

/** RFC 8410: the DER around a raw Ed25519 key. */
const ED25519_SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Parses the text form; undefined when it is none. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const separator = text.indexOf(":");
  const name = separator === -1 ? "ed25519" : text.slice(0, separator);
  const type = KEY_TYPES.find((candidate) => candidate.name === name);
  if (type === undefined) return undefined;
  const data = decodeBase58(text.slice(separator + 1), type.keyBytes);
  return data && `${name}:${encodeBase58(data)}`;
}

/** The Borsh form of a key that `parsePublicKey` or `publicKeyFromBytes` made. */
export function publicKeyBytes(key: PublicKey): Uint8Array {
  const index = KEY_TYPES.findIndex((type) => key.startsWith(`${type.name}:`));
  const type = KEY_TYPES[index];
  const data = type && decodeBase58(key.slice(type.name.length + 1), type.keyBytes);
  if (data === undefined) throw new TypeError(`not a public key: ${key}`);
  return Uint8Array.from([index, ...data]);
}

/** Parses the Borsh form; undefined when it is none. */
export function publicKeyFromBytes(bytes: Uint8Array): PublicKey | undefined {
  const type = KEY_TYPES[bytes[0] ?? -1];
  if (type === undefined || bytes.length !== type.keyBytes + 1) return undefined;
  return `${type.name}:${encodeBase58(bytes.subarray(1))}`;
}

export function verifyEd25519(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  try {
    const spki = createPublicKey({ key: Buffer.concat([ED25519_SPKI_PREFIX, key]), format: "der", type: "spki" });
    return verify(null, message, spki, signature);
  } catch {
    return false; // not a point of the curve
  }
}

/** The uncompressed key (64 bytes) that made this signature over `hash`; undefined when there is none. */
export function recoverSecp256k1(hash: Uint8Array, rs: Uint8Array, recovery: number): Uint8Array | undefined {
  try {
    const signature = secp256k1.Signature.fromBytes(rs, "compact").addRecoveryBit(recovery);
    return signature.recoverPublicKey(hash).toBytes(false).subarray(1);
  } catch {
    return undefined;
  }
}

/** Checks the signature over a transaction's hash. */
export function verifySignature(key: PublicKey, signature: Uint8Array, hash: Uint8Array): boolean {
  const bytes = publicKeyBytes(key);
  if (bytes[0] === 0) return verifyEd25519(signature, hash, bytes.subarray(1));
  const recovered = recoverSecp256k1(hash, signature.subarray(0, 64), signature[64]!);
  return recovered !== undefined && Buffer.compare(recovered, bytes.subarray(1)) === 0;
}
