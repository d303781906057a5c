/**
 * What peers say to each other, and the signed envelope around it.
 *
 * | message | from → to | over |
 * |---|---|---|
 * | LeaseIntent | a claimant → everybody | gossip |
 * | Commitment | a replayer → the lease holder | direct |
 * | Reveal | the lease holder → the replayers that committed | direct |
 * | Attestation | a replayer → the holder and the other replayers | direct |
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { MAX_ATTESTATIONS, MAX_MESSAGE_BYTES, MAX_NAME_BYTES } from "../limits.ts";
import type { Decoded } from "./borsh.ts";
import { bytes, encode, fixed, height, list, struct, text, u32, union } from "./borsh.ts";
import { accountId } from "./records.ts";

const ENVELOPE_DOMAIN = "outlayer/envelope/v1";
const COMMITMENT_DOMAIN = "outlayer/commitment/v1";

const hash = fixed(32);
/** A number is not enough: where a block gives way to another one, its request's number goes to another request. */
const lease = { requestId: height, requestDigest: hash, leaseEpoch: u32 };

/** The three hashes that make a result; equal results have equal digests. */
export const resultClaim = struct({ codeHash: hash, responseHash: hash, tapeHash: hash });
export type ResultClaim = Decoded<typeof resultClaim>;

export const peerMessage = union({
  LeaseIntent: struct({ ...lease, seat: u32 }),
  Commitment: struct({ ...lease, seat: u32, commitment: hash }),
  Reveal: struct({
    ...lease,
    result: resultClaim,
    signature: fixed(64),
    /** The set that the holder had before it revealed: what is not in it may have been copied. */
    commitments: list(struct({ accountId, commitment: hash }), MAX_ATTESTATIONS),
  }),
  Attestation: struct({
    ...lease,
    /** Whose lease it is, as the attester sees it: while claims are only announced, peers can differ. */
    holder: accountId,
    seat: u32,
    result: resultClaim,
    nonce: hash,
    signature: fixed(64),
  }),
});
export type PeerMessage = Decoded<typeof peerMessage>;
export type MessageOf<K extends PeerMessage["kind"]> = Extract<PeerMessage, { kind: K }>;

/** `signature` is the node key's ed25519 over {@link envelopeDigest}; the network id keeps messages from crossing networks. */
export const envelope = struct({
  sender: accountId,
  publicKey: fixed(32),
  body: bytes(MAX_MESSAGE_BYTES),
  signature: fixed(64),
});
export type Envelope = Decoded<typeof envelope>;

const envelopeInput = struct({
  domain: text(MAX_NAME_BYTES),
  networkId: text(MAX_NAME_BYTES),
  sender: accountId,
  publicKey: fixed(32),
  body: bytes(MAX_MESSAGE_BYTES),
});

export function envelopeDigest(networkId: string, sender: string, publicKey: Uint8Array, body: Uint8Array): Uint8Array {
  return sha256(encode(envelopeInput, { domain: ENVELOPE_DOMAIN, networkId, sender, publicKey, body }));
}

declare const verified: unique symbol;
/** A message whose envelope's signature the driver has checked; only {@link asVerified} makes one. */
export interface Verified<M> {
  readonly [verified]: true;
  readonly sender: string;
  readonly publicKey: Uint8Array;
  readonly message: M;
}

/** To be called by a driver, after the signature held. */
export function asVerified<M>(sender: string, publicKey: Uint8Array, message: M): Verified<M> {
  return { sender, publicKey, message } as Verified<M>;
}

const commitmentInput = struct({
  domain: text(MAX_NAME_BYTES),
  requestDigest: hash,
  leaseEpoch: u32,
  accountId,
  result: resultClaim,
  nonce: hash,
});

/** Binds an account to a result without showing it (hash commitment; hiding by the 32-byte nonce). */
export function commitmentOf(
  requestDigest: Uint8Array,
  leaseEpoch: number,
  account: string,
  result: ResultClaim,
  nonce: Uint8Array,
): Uint8Array {
  return sha256(
    encode(commitmentInput, {
      domain: COMMITMENT_DOMAIN,
      requestDigest,
      leaseEpoch,
      accountId: account,
      result,
      nonce,
    }),
  );
}
