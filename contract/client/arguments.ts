/**
 * The arguments of the contract's methods as JSON text, and as Borsh for those that nodes send often. Text and not objects: u64 amounts of fuel do not fit a
 * JavaScript number, and a guest's JSON has to arrive spelled as it was signed.
 */
import { MAX_ATTESTATIONS } from "@outlayer/protocol/limits";
import { bytes, encode, fixed, height, list, struct, u32 } from "@outlayer/protocol/wire/borsh";
import { accountId, type GuestOutput, type GuestResponse, guestResponse } from "@outlayer/protocol/wire/records";

/** The longest output with its other fields, as the contract bounds it. */
const MAX_RESPONSE_BYTES = 266_240;

/** One JSON value, spelled. */
type Raw = string;

function object(fields: Readonly<Record<string, Raw | undefined>>): Raw {
  const members = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}

function orNull<T>(value: T | undefined, spell: (value: T) => Raw): Raw {
  return value === undefined ? "null" : spell(value);
}

const text = (value: string): Raw => JSON.stringify(value);
const whole = (value: number | bigint): Raw => value.toString();
const hex = (bytes: Uint8Array): Raw => text(Buffer.from(bytes).toString("hex"));
const base64 = (bytes: Uint8Array): Raw => text(Buffer.from(bytes).toString("base64"));

export interface NetworkOptions {
  readonly chainId?: string;
  readonly seatStakeYocto?: bigint;
  readonly stakeEpochBlocks?: number;
  readonly bootstrapBlocks?: number;
  readonly leaseBlocks?: number;
  readonly instructionsPerBlock?: bigint;
  readonly replaySeats?: number;
  readonly replicas?: number;
  readonly quorum?: number;
  readonly deadlineReserveBlocks?: number;
  /** The lease holder's part of a charge, in basis points. */
  readonly holderShareBps?: number;
  /** Blocks that an answer waits for objections; 0: none. */
  readonly challengeBlocks?: number;
  readonly leasePenaltyYocto?: bigint;
  readonly objectionBondYocto?: bigint;
  /** Blocks between an owner's announcement and its effect; 0: none. */
  readonly timelockBlocks?: number;
  /** Parts of a charge, in basis points: of who signed the code's build, and of who keeps the secrets. */
  readonly builderShareBps?: number;
  readonly keystoreShareBps?: number;
  /** Above the lowest, which the options before are; cheapest first. */
  readonly levels?: readonly LevelOptions[];
}

/** A level that a deposit can choose. */
export interface LevelOptions {
  readonly replaySeats: number;
  readonly quorum: number;
  /** The quorum, where it is not named. */
  readonly replicas?: number;
  readonly challengeBlocks?: number;
  readonly baseFeeYocto: bigint;
}

const levelsJson = (levels: readonly LevelOptions[]): Raw =>
  `[${levels
    .map((level) =>
      object({
        replay_seats: whole(level.replaySeats),
        quorum: whole(level.quorum),
        replicas: orNull(level.replicas, whole),
        challenge_blocks: orNull(level.challengeBlocks, whole),
        base_fee: text(level.baseFeeYocto.toString()),
      }),
    )
    .join(",")}]`;

/** All levels above the lowest, by the owner; requests that are open keep theirs. */
export function setLevelsArgs(levels: readonly LevelOptions[]): string {
  return object({ levels: levelsJson(levels) });
}

/** `new`: what is not named takes the contract's default. */
export function initializeArgs(ownerId: string, operatorId?: string, network: NetworkOptions = {}): string {
  const optional = <T>(value: T | undefined, spell: (value: T) => Raw) =>
    value === undefined ? undefined : spell(value);
  const amount = (yocto: bigint) => text(yocto.toString());
  return object({
    owner_id: text(ownerId),
    operator_id: optional(operatorId, text),
    network: object({
      chain_id: optional(network.chainId, text),
      seat_stake: optional(network.seatStakeYocto, amount),
      stake_epoch_blocks: optional(network.stakeEpochBlocks, whole),
      bootstrap_blocks: optional(network.bootstrapBlocks, whole),
      lease_blocks: optional(network.leaseBlocks, whole),
      instructions_per_block: optional(network.instructionsPerBlock, whole),
      replay_seats: optional(network.replaySeats, whole),
      replicas: optional(network.replicas, whole),
      quorum: optional(network.quorum, whole),
      deadline_reserve_blocks: optional(network.deadlineReserveBlocks, whole),
      holder_share_bps: optional(network.holderShareBps, whole),
      challenge_blocks: optional(network.challengeBlocks, whole),
      lease_penalty: optional(network.leasePenaltyYocto, amount),
      objection_bond: optional(network.objectionBondYocto, amount),
      timelock_blocks: optional(network.timelockBlocks, whole),
      builder_share_bps: optional(network.builderShareBps, whole),
      keystore_share_bps: optional(network.keystoreShareBps, whole),
      levels: optional(network.levels, levelsJson),
    }),
  });
}

export type ExecutionSource =
  | { readonly GitHub: { readonly repo: string; readonly commit: string; readonly build_target?: string | null } }
  | { readonly WasmUrl: { readonly url: string; readonly hash: string; readonly build_target?: string | null } }
  | { readonly Project: { readonly project_id: string; readonly version_key?: string | null } };

/** `request_execution` in the surface's own names. */
export interface ExecutionRequest {
  readonly source: ExecutionSource;
  /** Absent or null: compile only. */
  readonly resource_limits?: {
    readonly max_instructions?: number | null;
    readonly max_memory_mb?: number | null;
    readonly max_execution_seconds?: number | null;
  } | null;
  readonly input_data?: string | null;
  readonly secrets_ref?: { readonly profile: string; readonly account_id: string } | null;
  readonly response_format?: "Bytes" | "Text" | "Json" | null;
  readonly payer_account_id?: string | null;
  readonly params?: {
    readonly force_rebuild?: boolean;
    readonly store_on_fastfs?: boolean;
    readonly compile_only?: boolean;
    readonly use_bound_identity?: boolean;
    readonly project_uuid?: string | null;
    /** Minimal units of the payment token, in decimal. */
    readonly attached_usd?: string;
  } | null;
}

export function requestExecutionArgs(request: ExecutionRequest): string {
  return JSON.stringify(request);
}

/**
 * `publicKey`: "ed25519:<base58>"; `proof`: its signature over the digest of `protocol/src/wire/registration.ts`, 64
 * bytes. The stake is the deposit.
 */
export function registerNodeArgs(publicKey: string, proof: Uint8Array): string {
  return object({ public_key: text(publicKey), proof: base64(proof) });
}

export function setNodeStatusArgs(draining: boolean): string {
  return object({ draining: String(draining) });
}

export function claimLeaseArgs(claim: { requestId: number; seat: number; leaseEpoch: number }): string {
  return object({
    request_id: whole(claim.requestId),
    seat: whole(claim.seat),
    lease_epoch: whole(claim.leaseEpoch),
  });
}

export function renewLeaseArgs(lease: { requestId: number; leaseEpoch: number }): string {
  return object({ request_id: whole(lease.requestId), lease_epoch: whole(lease.leaseEpoch) });
}

export interface Attestation {
  readonly accountId: string;
  readonly seat: number;
  /** 64 bytes of ed25519 over the statement's digest. */
  readonly signature: Uint8Array;
}

export interface Resolution {
  readonly requestId: number;
  readonly leaseEpoch: number;
  readonly codeHash: Uint8Array;
  readonly tapeHash: Uint8Array;
  readonly response: GuestResponse;
  readonly attestations: readonly Attestation[];
}

function outputJson(output: GuestOutput): Raw {
  switch (output.kind) {
    case "Bytes":
      return object({ Bytes: `[${output.bytes.join(",")}]` });
    case "Text":
      return object({ Text: text(output.text) });
    case "Json":
      // Not parsed and spelled anew: the signatures are over these very bytes.
      return object({ Json: output.json });
  }
}

function responseJson(response: GuestResponse): Raw {
  return object({
    success: String(response.success),
    output: orNull(response.output, outputJson),
    error: orNull(response.error, text),
    resources_used: object({
      instructions: whole(response.instructions),
      time_ms: whole(response.timeMs),
      compile_time_ms: orNull(response.compileTimeMs, whole),
    }),
    compilation_note: orNull(response.compilationNote, text),
    refund_usd: orNull(response.refundUsd, whole),
  });
}

function attestationsJson(attestations: readonly Attestation[]): Raw {
  const elements = attestations.map((attestation) =>
    object({
      account_id: text(attestation.accountId),
      seat: whole(attestation.seat),
      signature: base64(attestation.signature),
    }),
  );
  return `[${elements.join(",")}]`;
}

function resolutionFields(resolution: Resolution): Record<string, Raw> {
  return {
    request_id: whole(resolution.requestId),
    response: responseJson(resolution.response),
    code_hash: hex(resolution.codeHash),
    lease_epoch: whole(resolution.leaseEpoch),
    tape_hash: hex(resolution.tapeHash),
    attestations: attestationsJson(resolution.attestations),
  };
}

export function resolveExecutionArgs(resolution: Resolution): string {
  return object(resolutionFields(resolution));
}

/** The attestations are over the lease that this call claims: its lease epoch, and the sender as its holder. */
export function claimAndResolveArgs(resolution: Resolution & { readonly seat: number }): string {
  return object({ ...resolutionFields(resolution), seat: whole(resolution.seat) });
}

/** What Borsh arguments begin with, and no JSON text does. */
const BORSH = Uint8Array.of(1);
const leaseClaim = struct({ requestId: height, leaseEpoch: u32, seat: u32 });
const attestationBytes = struct({ accountId, seat: u32, signature: fixed(64) });
const answerRest = {
  codeHash: fixed(32),
  tapeHash: fixed(32),
  response: bytes(MAX_RESPONSE_BYTES),
  attestations: list(attestationBytes, MAX_ATTESTATIONS),
} as const;
const answerBytes = struct({ requestId: height, leaseEpoch: u32, ...answerRest });
const claimedAnswerBytes = struct({ requestId: height, leaseEpoch: u32, seat: u32, ...answerRest });

function borsh(encoded: Uint8Array): Uint8Array {
  return Uint8Array.from([...BORSH, ...encoded]);
}

const responseBytes = (response: GuestResponse) => encode(guestResponse, response);

/** `claim_lease` in the Borsh form of its arguments. */
export function claimLeaseBorsh(claim: { requestId: number; seat: number; leaseEpoch: number }): Uint8Array {
  return borsh(encode(leaseClaim, claim));
}

/** `resolve_execution` in the Borsh form of its arguments: cheaper, and half as long. */
export function resolveExecutionBorsh(resolution: Resolution): Uint8Array {
  return borsh(encode(answerBytes, { ...resolution, response: responseBytes(resolution.response) }));
}

/** `claim_and_resolve` in the Borsh form of its arguments. */
export function claimAndResolveBorsh(resolution: Resolution & { readonly seat: number }): Uint8Array {
  return borsh(encode(claimedAnswerBytes, { ...resolution, response: responseBytes(resolution.response) }));
}

/** `submit_execution_output`: the digest of a response whose Borsh bytes follow in chunks. */
export function announceOutputArgs(announced: Omit<Resolution, "response"> & OutputDigest): string {
  return object({
    request_id: whole(announced.requestId),
    lease_epoch: whole(announced.leaseEpoch),
    code_hash: hex(announced.codeHash),
    tape_hash: hex(announced.tapeHash),
    response_hash: hex(announced.responseHash),
    response_bytes: whole(announced.responseBytes),
    attestations: attestationsJson(announced.attestations),
  });
}

export interface OutputDigest {
  /** sha256 of the response's Borsh bytes, and their number. */
  readonly responseHash: Uint8Array;
  readonly responseBytes: number;
}

export function outputChunkArgs(chunk: { requestId: number; offset: number; data: Uint8Array }): string {
  return object({ request_id: whole(chunk.requestId), offset: whole(chunk.offset), data: base64(chunk.data) });
}

/** The bond is the deposit. */
/** Makes an answer final that waited for objections; by anybody, once they are over. */
export function finalizeExecutionArgs(requestId: number): string {
  return JSON.stringify({ request_id: requestId });
}

export function objectArgs(objection: { requestId: number; seat: number }): string {
  return object({ request_id: whole(objection.requestId), seat: whole(objection.seat) });
}

/** A result's statement as `protocol/src/wire/statement.ts` encodes it, and a signature over its digest. */
export interface SignedStatement {
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
}

export function proveEquivocationArgs(accountId: string, first: SignedStatement, second: SignedStatement): string {
  const signed = ({ statement, signature }: SignedStatement) =>
    object({ statement: base64(statement), signature: base64(signature) });
  return object({ account_id: text(accountId), first: signed(first), second: signed(second) });
}

export interface AttestedResult {
  readonly leaseEpoch: number;
  readonly holder: string;
  readonly codeHash: Uint8Array;
  readonly responseHash: Uint8Array;
  readonly tapeHash: Uint8Array;
  readonly attestations: readonly Attestation[];
}

/** A build under a lease: `protocol/src/wire/builds.ts`. */
export interface AttestedBuild {
  readonly leaseEpoch: number;
  readonly holder: string;
  readonly codeHash: Uint8Array;
  readonly recipeId: Uint8Array;
  readonly detailsHash: Uint8Array;
  readonly attestations: readonly Attestation[];
}

/** The deposit pays for the bytes of what is bound. */
export function bindBuildArgs(requestId: number, build: Omit<AttestedBuild, "holder">): string {
  return object({
    request_id: whole(requestId),
    lease_epoch: whole(build.leaseEpoch),
    recipe_id: hex(build.recipeId),
    code_hash: hex(build.codeHash),
    details_hash: hex(build.detailsHash),
    attestations: attestationsJson(build.attestations),
  });
}

const attestedJson = (result: AttestedResult | AttestedBuild): Raw =>
  object({
    lease_epoch: whole(result.leaseEpoch),
    holder: text(result.holder),
    code_hash: hex(result.codeHash),
    ...("recipeId" in result
      ? { recipe_id: hex(result.recipeId), details_hash: hex(result.detailsHash) }
      : { response_hash: hex(result.responseHash), tape_hash: hex(result.tapeHash) }),
    attestations: attestationsJson(result.attestations),
  });

/**
 * `request`: the stored record's own bytes. `wrong` has attestations as a resolve does; those of `right` name every
 * drawn seat, since there seats are counted.
 */
export function disputeArgs<T extends AttestedResult | AttestedBuild>(request: Uint8Array, wrong: T, right: T): string {
  return object({ request: base64(request), wrong: attestedJson(wrong), right: attestedJson(right) });
}

/** `right`: an answer of the highest level, the very one that the account was slashed for. */
export function appealArgs(accountId: string, request: Uint8Array, right: AttestedResult | AttestedBuild): string {
  return object({ account_id: text(accountId), request: base64(request), right: attestedJson(right) });
}
