/**
 * What a node signs when it says "this is the answer". The contract builds the same bytes from its own records, so
 * a signature speaks about one request on one chain, one lease, one program, one input and one whole response.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { MAX_NAME_BYTES } from "../limits.ts";
import type { Decoded } from "./borsh.ts";
import { encode, fixed, height, struct, text, u8, u16, u32 } from "./borsh.ts";
import { accountId } from "./records.ts";

export const RESULT_DOMAIN = "outlayer/result-attestation/v1";

/** `pure` needs no tape: replay proves everything. The other classes come with the tape. */
export const REPLAY_CLASS_PURE = 0;

const hash = fixed(32);

export const resultStatement = struct({
  domain: text(MAX_NAME_BYTES),
  chainId: text(MAX_NAME_BYTES),
  contractId: accountId,
  requestId: height,
  requestDigest: hash,
  leaseEpoch: u32,
  holder: accountId,
  codeHash: hash,
  replayClass: u8,
  costVersion: u16,
  inputHash: hash,
  seed: hash,
  responseHash: hash,
  tapeHash: hash,
});
export type ResultStatement = Decoded<typeof resultStatement>;

/** The 32 bytes that ed25519 signs (RFC 8032, no prehash variant: the digest is the message). */
export function statementDigest(statement: ResultStatement): Uint8Array {
  return sha256(encode(resultStatement, statement));
}
