/**
 * What the contract stores, byte for byte. A node reads these records from the state changes of a block, so they
 * are the interface between `contract/assembly` (which writes them) and everything else.
 *
 * | key (raw bytes) | value |
 * |---|---|
 * | `r` ‖ request id, u64 big-endian | {@link RequestRecord}, never changed after the block that wrote it |
 * | `l` ‖ request id, u64 big-endian | {@link LeaseRecord}, from the first claim on |
 * | `o` ‖ request id, u64 big-endian | {@link OutcomeRecord}, from the resolve until the callback settles |
 * | `q` ‖ request id, u64 big-endian | {@link ProposalRecord}, while an answer waits for objections |
 * | `x` ‖ request id, u64 big-endian | an objection; nodes look at no more than that there is one |
 * | `n` ‖ account id, UTF-8 | {@link NodeRecord} |
 *
 * All keys of a request are deleted when it settles.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import {
  MAX_ACCOUNT_ID_BYTES,
  MAX_ATTESTATIONS,
  MAX_ERROR_BYTES,
  MAX_FORMER_HOLDERS,
  MAX_INPUT_BYTES,
  MAX_NAME_BYTES,
  MAX_OUTPUT_BYTES,
  MAX_URL_BYTES,
} from "../limits.ts";
import type { Decoded } from "./borsh.ts";
import {
  bool,
  bytes,
  encode,
  fixed,
  height,
  list,
  option,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  u128,
  union,
} from "./borsh.ts";

export const REQUEST_PREFIX = 0x72;
export const LEASE_PREFIX = 0x6c;
export const OUTCOME_PREFIX = 0x6f;
export const PROPOSAL_PREFIX = 0x71;
export const OBJECTION_PREFIX = 0x78;
export const NODE_PREFIX = 0x6e;

export const accountId = text(MAX_ACCOUNT_ID_BYTES);
const hash = fixed(32);
const name = text(MAX_NAME_BYTES);

/** Where the guest's code comes from; `hash` is the sha256 of the WASM and so its content id. */
export const codeSource = union({
  GitHub: struct({ repo: text(MAX_URL_BYTES), commit: name, buildTarget: option(name) }),
  WasmUrl: struct({ url: text(MAX_URL_BYTES), hash, buildTarget: option(name) }),
});
export type CodeSource = Decoded<typeof codeSource>;

export const RESPONSE_FORMATS = ["Bytes", "Text", "Json"] as const;

/** How sure the answer has to be: seats eligible to replay, executions wanted, equal attestations needed. */
const securityLevel = struct({ replaySeats: u32, replicas: u16, quorum: u16 });

export const requestRecord = struct({
  version: u8,
  requestId: height,
  /** The contract that called, and the account that signed its transaction. */
  predecessorId: accountId,
  signerId: accountId,
  payerId: accountId,
  source: codeSource,
  projectId: option(name),
  /** `maxInstructions` is in fuel (cost version below), lowered to what fits before the deadline; memory in MiB. */
  maxInstructions: u64,
  maxMemoryMb: u32,
  maxExecutionSeconds: u32,
  compileOnly: bool,
  forceRebuild: bool,
  /** Index into {@link RESPONSE_FORMATS}. */
  responseFormat: u8,
  secrets: option(struct({ profile: name, accountId })),
  input: bytes(MAX_INPUT_BYTES),
  inputHash: hash,
  /** sha256(domain, contract, request id, the contract's `random_seed`). */
  seed: hash,
  paymentYocto: u128,
  attachedUsd: u128,
  height,
  timestampNs: u64,
  /** The last block in which a resolve is accepted: before the yield's own end. */
  deadlineHeight: height,
  stakeEpoch: height,
  seatsTotal: u32,
  costVersion: u16,
  level: securityLevel,
  dataId: hash,
});
export type RequestRecord = Decoded<typeof requestRecord>;

export const leaseRecord = struct({
  leaseEpoch: u32,
  holder: accountId,
  seat: u32,
  ticket: u64,
  claimedHeight: height,
  /** The last block of the lease. */
  untilHeight: height,
  /** Holders of earlier leases, oldest first: they may not claim again. */
  former: list(accountId, MAX_FORMER_HOLDERS),
});
export type LeaseRecord = Decoded<typeof leaseRecord>;

/** What a guest answered, in the caller's format; `Json` is the guest's own text, checked but not re-spelled. */
export const guestOutput = union({
  Bytes: struct({ bytes: bytes(MAX_OUTPUT_BYTES) }),
  Text: struct({ text: text(MAX_OUTPUT_BYTES) }),
  Json: struct({ json: text(MAX_OUTPUT_BYTES) }),
});
export type GuestOutput = Decoded<typeof guestOutput>;

/** The response that nodes sign and callers get; `timeMs` is reported for compatibility and never charged. */
export const guestResponse = struct({
  success: bool,
  output: option(guestOutput),
  error: option(text(MAX_ERROR_BYTES)),
  instructions: u64,
  timeMs: u64,
  compileTimeMs: option(u64),
  compilationNote: option(text(MAX_ERROR_BYTES)),
  refundUsd: option(u64),
});
export type GuestResponse = Decoded<typeof guestResponse>;

export const outcomeRecord = struct({
  leaseEpoch: u32,
  holder: accountId,
  codeHash: hash,
  response: guestResponse,
  tapeHash: hash,
  /** Everybody who watches the chain keeps a receipt that can be verified later, so the signatures stand here too. */
  attestations: list(struct({ accountId, seat: u32, signature: fixed(64) }), MAX_ATTESTATIONS),
  resolvedHeight: height,
  chargedYocto: u128,
});
export type OutcomeRecord = Decoded<typeof outcomeRecord>;

/** An answer that waits for objections: after `finalHeight` anybody may make it the outcome. */
export const proposalRecord = struct({ responseHash: hash, finalHeight: height, outcome: outcomeRecord });
export type ProposalRecord = Decoded<typeof proposalRecord>;

/**
 * A registered node. Weights are seats in the stake epochs `epoch − 1`, `epoch` and `epoch + 1` (and all later
 * ones until the next change), so that a request pinned to an epoch can be judged through the one after it.
 */
export const nodeRecord = struct({
  accountId,
  publicKey: fixed(32),
  stakeYocto: u128,
  epoch: height,
  seatsPrevious: u32,
  seatsCurrent: u32,
  seatsNext: u32,
  draining: bool,
  /** The block that gave the node its present seats: of its registration, or of stake added during the bootstrap. */
  registeredHeight: height,
});
export type NodeRecord = Decoded<typeof nodeRecord>;

/** What anybody needs to check an answer later: the request, the lease it was answered under, and the signed outcome. */
export const receiptRecord = struct({ request: requestRecord, lease: leaseRecord, outcome: outcomeRecord });
export type Receipt = Decoded<typeof receiptRecord>;

/** The request's identity in everything that is signed: sha256 of its stored record. */
export function requestDigest(record: RequestRecord): Uint8Array {
  return sha256(encode(requestRecord, record));
}

export function responseHash(response: GuestResponse): Uint8Array {
  return sha256(encode(guestResponse, response));
}

/** Seats of a node in a stake epoch; 0 where the record no longer knows the epoch. */
export function seatsInEpoch(node: NodeRecord, stakeEpoch: number): number {
  if (stakeEpoch > node.epoch) return node.seatsNext;
  if (stakeEpoch === node.epoch) return node.seatsCurrent;
  return stakeEpoch === node.epoch - 1 ? node.seatsPrevious : 0;
}

/**
 * Seats of a node for one request: none that it got in the request's block or later, when the seed was known. After
 * the bootstrap the stake epoch alone says so; during it seats count at once.
 */
export function seatsForRequest(node: NodeRecord, request: Pick<RequestRecord, "height" | "stakeEpoch">): number {
  return node.registeredHeight >= request.height ? 0 : seatsInEpoch(node, request.stakeEpoch);
}
