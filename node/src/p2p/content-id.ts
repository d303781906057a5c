/** Content is named by the sha-256 of its bytes; in text and in the DHT that is a CIDv1 of raw bytes, as in IPFS. */
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import * as Digest from "multiformats/hashes/digest";
import { sha256 } from "multiformats/hashes/sha2";
import { OperatingError } from "../errors.ts";

export const CONTENT_HASH_BYTES = 32;
/** A base32 CIDv1 of sha-256 has 59 characters; other bases are a little longer. */
const MAX_CID_LENGTH = 128;

/** @throws OperatingError content_invalid_hash */
export function contentCid(hash: Uint8Array): CID {
  if (hash.length !== CONTENT_HASH_BYTES) throw new OperatingError("content_invalid_hash", { sizeBytes: hash.length });
  return CID.createV1(raw.code, Digest.create(sha256.code, hash));
}

/** `bafkrei...`; throws OperatingError content_invalid_hash. */
export function cidOf(hash: Uint8Array): string {
  return contentCid(hash).toString();
}

/** The 32-byte hash in a CIDv1 of raw sha-256; throws OperatingError content_invalid_hash for anything else. */
export function hashOfCid(text: string): Uint8Array {
  if (text.length > MAX_CID_LENGTH) throw new OperatingError("content_invalid_hash", { length: text.length });
  let cid: CID;
  try {
    cid = CID.parse(text);
  } catch (error) {
    throw new OperatingError("content_invalid_hash", { cid: text }, error);
  }
  const { code, digest } = cid.multihash;
  if (cid.version !== 1 || cid.code !== raw.code || code !== sha256.code || digest.length !== CONTENT_HASH_BYTES) {
    throw new OperatingError("content_invalid_hash", { cid: text });
  }
  return digest;
}
