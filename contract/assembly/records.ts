/**
 * What is stored for requests, leases, outcomes and nodes, field by field as in `protocol/src/wire/records.ts`: peers
 * read these bytes from the state changes of a block.
 */
import { BorshReader, BorshWriter } from "./borsh";
import { EMPTY, fresh } from "./buffer";
import { check, has, read, remove, sha256, write } from "./host";
import { Message } from "./message";
import { U128 } from "./u128";

const REQUEST_PREFIX: u8 = 0x72;
const LEASE_PREFIX: u8 = 0x6c;
const OUTCOME_PREFIX: u8 = 0x6f;
const NODE_PREFIX: u8 = 0x6e;

export function requestKey(prefix: u8, id: u64): Uint8Array {
  const key = fresh(9);
  key[0] = prefix;
  store<u64>(key.dataStart + 1, bswap<u64>(id));
  return key;
}

export const SOURCE_GITHUB: u8 = 0;
export const SOURCE_WASM_URL: u8 = 1;

/** Where the code comes from: repository and commit, or address and hash. */
export class CodeSource {
  kind: u8 = SOURCE_GITHUB;
  /** The repository, or the address. */
  place: Uint8Array = EMPTY;
  /** The commit's name, or the hash's 32 bytes. */
  version: Uint8Array = EMPTY;
  buildTarget: Uint8Array | null = null;

  write(w: BorshWriter): void {
    w.u8(this.kind);
    w.bytes(this.place);
    if (this.kind == SOURCE_GITHUB) w.bytes(this.version);
    else w.raw(this.version);
    w.optionBytes(this.buildTarget);
  }

  static read(r: BorshReader): CodeSource {
    const source = new CodeSource();
    source.kind = r.u8();
    source.place = r.bytes();
    source.version = source.kind == SOURCE_GITHUB ? r.bytes() : r.raw(32);
    source.buildTarget = r.optionBytes();
    return source;
  }
}

export class RequestRecord {
  requestId: u64 = 0;
  predecessorId: Uint8Array = EMPTY;
  signerId: Uint8Array = EMPTY;
  payerId: Uint8Array = EMPTY;
  source: CodeSource = new CodeSource();
  projectId: Uint8Array | null = null;
  maxInstructions: u64 = 0;
  maxMemoryMb: u32 = 0;
  maxExecutionSeconds: u32 = 0;
  compileOnly: bool = false;
  forceRebuild: bool = false;
  responseFormat: u8 = 0;
  secretsProfile: Uint8Array | null = null;
  secretsAccount: Uint8Array = EMPTY;
  input: Uint8Array = EMPTY;
  inputHash: Uint8Array = EMPTY;
  seed: Uint8Array = EMPTY;
  payment: U128 = new U128();
  attachedUsd: U128 = new U128();
  height: u64 = 0;
  timestampNs: u64 = 0;
  deadlineHeight: u64 = 0;
  stakeEpoch: u64 = 0;
  seatsTotal: u32 = 0;
  costVersion: u16 = 0;
  replaySeats: u32 = 0;
  replicas: u16 = 0;
  quorum: u16 = 0;
  dataId: Uint8Array = EMPTY;
  /** The stored bytes, of a record that was loaded. */
  private encoded: Uint8Array = EMPTY;

  /** sha256 of the stored bytes: the request's identity in what nodes sign. */
  digest(): Uint8Array { return sha256(this.encoded); }

  encode(): Uint8Array {
    const w = new BorshWriter(this.input.length + 4_096);
    w.u8(1);
    w.u64(this.requestId);
    w.bytes(this.predecessorId);
    w.bytes(this.signerId);
    w.bytes(this.payerId);
    this.source.write(w);
    w.optionBytes(this.projectId);
    w.u64(this.maxInstructions);
    w.u32(this.maxMemoryMb);
    w.u32(this.maxExecutionSeconds);
    w.bool(this.compileOnly);
    w.bool(this.forceRebuild);
    w.u8(this.responseFormat);
    w.optionBytes(this.secretsProfile);
    if (this.secretsProfile) w.bytes(this.secretsAccount);
    w.bytes(this.input);
    w.raw(this.inputHash);
    w.raw(this.seed);
    w.u128(this.payment);
    w.u128(this.attachedUsd);
    w.u64(this.height);
    w.u64(this.timestampNs);
    w.u64(this.deadlineHeight);
    w.u64(this.stakeEpoch);
    w.u32(this.seatsTotal);
    w.u16(this.costVersion);
    w.u32(this.replaySeats);
    w.u16(this.replicas);
    w.u16(this.quorum);
    w.raw(this.dataId);
    return w.done();
  }

  save(): void { write(requestKey(REQUEST_PREFIX, this.requestId), this.encode()); }

  static stored(id: u64): Uint8Array | null { return read(requestKey(REQUEST_PREFIX, id)); }
  static exists(id: u64): bool { return has(requestKey(REQUEST_PREFIX, id)); }

  static find(id: u64): RequestRecord | null {
    const bytes = RequestRecord.stored(id);
    return bytes ? RequestRecord.decode(bytes) : null;
  }

  static load(id: u64): RequestRecord {
    const request = RequestRecord.find(id);
    if (!request) new Message("NoSuchRequest: ").number(id).panic();
    return request!;
  }

  static decode(bytes: Uint8Array): RequestRecord {
    const r = new BorshReader(bytes);
    const q = new RequestRecord();
    check(r.u8() == 1, "BadRecord: a request of another version");
    q.requestId = r.u64();
    q.predecessorId = r.bytes();
    q.signerId = r.bytes();
    q.payerId = r.bytes();
    q.source = CodeSource.read(r);
    q.projectId = r.optionBytes();
    q.maxInstructions = r.u64();
    q.maxMemoryMb = r.u32();
    q.maxExecutionSeconds = r.u32();
    q.compileOnly = r.bool();
    q.forceRebuild = r.bool();
    q.responseFormat = r.u8();
    q.secretsProfile = r.optionBytes();
    if (q.secretsProfile) q.secretsAccount = r.bytes();
    q.input = r.bytes();
    q.inputHash = r.raw(32);
    q.seed = r.raw(32);
    q.payment = r.u128();
    q.attachedUsd = r.u128();
    q.height = r.u64();
    q.timestampNs = r.u64();
    q.deadlineHeight = r.u64();
    q.stakeEpoch = r.u64();
    q.seatsTotal = r.u32();
    q.costVersion = r.u16();
    q.replaySeats = r.u32();
    q.replicas = r.u16();
    q.quorum = r.u16();
    q.dataId = r.raw(32);
    q.encoded = bytes;
    return q;
  }
}

export class LeaseRecord {
  leaseEpoch: u32 = 0;
  holder: Uint8Array = EMPTY;
  seat: u32 = 0;
  ticket: u64 = 0;
  claimedHeight: u64 = 0;
  untilHeight: u64 = 0;
  former: Uint8Array[] = [];

  save(requestId: u64): void {
    const w = new BorshWriter();
    w.u32(this.leaseEpoch);
    w.bytes(this.holder);
    w.u32(this.seat);
    w.u64(this.ticket);
    w.u64(this.claimedHeight);
    w.u64(this.untilHeight);
    w.list(this.former);
    write(requestKey(LEASE_PREFIX, requestId), w.done());
  }

  static stored(id: u64): Uint8Array | null { return read(requestKey(LEASE_PREFIX, id)); }

  static find(id: u64): LeaseRecord | null {
    const bytes = LeaseRecord.stored(id);
    if (!bytes) return null;
    const r = new BorshReader(bytes);
    const lease = new LeaseRecord();
    lease.leaseEpoch = r.u32();
    lease.holder = r.bytes();
    lease.seat = r.u32();
    lease.ticket = r.u64();
    lease.claimedHeight = r.u64();
    lease.untilHeight = r.u64();
    lease.former = r.list();
    return lease;
  }
}

export const OUTPUT_BYTES: u8 = 0;
export const OUTPUT_TEXT: u8 = 1;
export const OUTPUT_JSON: u8 = 2;

export class GuestResponse {
  success: bool = false;
  /** Null where there is none; then {@link outputKind} means nothing. */
  output: Uint8Array | null = null;
  outputKind: u8 = OUTPUT_BYTES;
  error: Uint8Array | null = null;
  instructions: u64 = 0;
  timeMs: u64 = 0;
  hasCompileTimeMs: bool = false;
  compileTimeMs: u64 = 0;
  compilationNote: Uint8Array | null = null;
  hasRefundUsd: bool = false;
  refundUsd: u64 = 0;

  encode(): Uint8Array {
    const output = this.output;
    const w = new BorshWriter((output ? output.length : 0) + 2_048);
    w.bool(this.success);
    w.bool(output != null);
    if (output) {
      w.u8(this.outputKind);
      w.bytes(output);
    }
    w.optionBytes(this.error);
    w.u64(this.instructions);
    w.u64(this.timeMs);
    w.bool(this.hasCompileTimeMs);
    if (this.hasCompileTimeMs) w.u64(this.compileTimeMs);
    w.optionBytes(this.compilationNote);
    w.bool(this.hasRefundUsd);
    if (this.hasRefundUsd) w.u64(this.refundUsd);
    return w.done();
  }

  static read(r: BorshReader): GuestResponse {
    const response = new GuestResponse();
    response.success = r.bool();
    if (r.bool()) {
      response.outputKind = r.u8();
      response.output = r.bytes();
    }
    response.error = r.optionBytes();
    response.instructions = r.u64();
    response.timeMs = r.u64();
    response.hasCompileTimeMs = r.bool();
    if (response.hasCompileTimeMs) response.compileTimeMs = r.u64();
    response.compilationNote = r.optionBytes();
    response.hasRefundUsd = r.bool();
    if (response.hasRefundUsd) response.refundUsd = r.u64();
    return response;
  }
}

/** One signature under a result. */
export class Attestation {
  constructor(readonly accountId: Uint8Array, readonly seat: u32, readonly signature: Uint8Array) {}
}

export function writeAttestations(w: BorshWriter, attestations: Attestation[]): void {
  w.u32(attestations.length);
  for (let i = 0; i < attestations.length; i++) {
    w.bytes(attestations[i].accountId);
    w.u32(attestations[i].seat);
    w.raw(attestations[i].signature);
  }
}

export function readAttestations(r: BorshReader): Attestation[] {
  const found: Attestation[] = [];
  const count = <i32>r.u32();
  for (let i = 0; i < count; i++) found.push(new Attestation(r.bytes(), r.u32(), r.raw(64)));
  return found;
}

export class OutcomeRecord {
  leaseEpoch: u32 = 0;
  holder: Uint8Array = EMPTY;
  codeHash: Uint8Array = EMPTY;
  response: GuestResponse = new GuestResponse();
  tapeHash: Uint8Array = EMPTY;
  attestations: Attestation[] = [];
  resolvedHeight: u64 = 0;
  charged: U128 = new U128();

  /** `response` is the encoded {@link response}, which the caller has hashed already. */
  encode(response: Uint8Array): Uint8Array {
    const w = new BorshWriter(response.length + 144 * (this.attestations.length + 2));
    w.u32(this.leaseEpoch);
    w.bytes(this.holder);
    w.raw(this.codeHash);
    w.raw(response);
    w.raw(this.tapeHash);
    writeAttestations(w, this.attestations);
    w.u64(this.resolvedHeight);
    w.u128(this.charged);
    return w.done();
  }

  /** Panics where one is stored. */
  save(requestId: u64, response: Uint8Array): void {
    check(!write(requestKey(OUTCOME_PREFIX, requestId), this.encode(response)), "AlreadyResolved: the request has its result");
  }

  static stored(id: u64): Uint8Array | null { return read(requestKey(OUTCOME_PREFIX, id)); }
  static exists(id: u64): bool { return has(requestKey(OUTCOME_PREFIX, id)); }

  static find(id: u64): OutcomeRecord | null {
    const bytes = OutcomeRecord.stored(id);
    return bytes ? OutcomeRecord.read(new BorshReader(bytes)) : null;
  }

  static read(r: BorshReader): OutcomeRecord {
    const outcome = new OutcomeRecord();
    outcome.leaseEpoch = r.u32();
    outcome.holder = r.bytes();
    outcome.codeHash = r.raw(32);
    outcome.response = GuestResponse.read(r);
    outcome.tapeHash = r.raw(32);
    outcome.attestations = readAttestations(r);
    outcome.resolvedHeight = r.u64();
    outcome.charged = r.u128();
    return outcome;
  }
}

export function removeRequest(id: u64): void {
  remove(requestKey(REQUEST_PREFIX, id));
  remove(requestKey(LEASE_PREFIX, id));
  remove(requestKey(OUTCOME_PREFIX, id));
}

export class NodeRecord {
  accountId: Uint8Array = EMPTY;
  publicKey: Uint8Array = EMPTY;
  stake: U128 = new U128();
  epoch: u64 = 0;
  seatsPrevious: u32 = 0;
  seatsCurrent: u32 = 0;
  seatsNext: u32 = 0;
  draining: bool = false;
  registeredHeight: u64 = 0;

  static key(account: Uint8Array): Uint8Array {
    const key = fresh(account.length + 1);
    key[0] = NODE_PREFIX;
    memory.copy(key.dataStart + 1, account.dataStart, account.length);
    return key;
  }

  save(): void {
    const w = new BorshWriter();
    w.bytes(this.accountId);
    w.raw(this.publicKey);
    w.u128(this.stake);
    w.u64(this.epoch);
    w.u32(this.seatsPrevious);
    w.u32(this.seatsCurrent);
    w.u32(this.seatsNext);
    w.bool(this.draining);
    w.u64(this.registeredHeight);
    write(NodeRecord.key(this.accountId), w.done());
  }

  static stored(account: Uint8Array): Uint8Array | null { return read(NodeRecord.key(account)); }

  static decode(bytes: Uint8Array): NodeRecord {
    const r = new BorshReader(bytes);
    const node = new NodeRecord();
    node.accountId = r.bytes();
    node.publicKey = r.raw(32);
    node.stake = r.u128();
    node.epoch = r.u64();
    node.seatsPrevious = r.u32();
    node.seatsCurrent = r.u32();
    node.seatsNext = r.u32();
    node.draining = r.bool();
    node.registeredHeight = r.u64();
    return node;
  }

  static load(account: Uint8Array): NodeRecord {
    const bytes = NodeRecord.stored(account);
    if (!bytes) new Message("NotRegistered: ").bytes(account).panic();
    return NodeRecord.decode(bytes!);
  }

  /** Seats in a stake epoch; 0 where the record no longer knows it. */
  seatsIn(stakeEpoch: u64): u32 {
    if (stakeEpoch > this.epoch) return this.seatsNext;
    if (stakeEpoch == this.epoch) return this.seatsCurrent;
    return stakeEpoch + 1 == this.epoch ? this.seatsPrevious : 0;
  }

  /** Seats for a request: none that came in its block or later, when its seed was known. */
  seatsFor(request: RequestRecord): u32 {
    return this.registeredHeight >= request.height ? 0 : this.seatsIn(request.stakeEpoch);
  }

  /** Moves the record's window to the stake epoch of now. */
  rollTo(stakeEpoch: u64): void {
    if (stakeEpoch <= this.epoch) return;
    this.seatsPrevious = stakeEpoch == this.epoch + 1 ? this.seatsCurrent : this.seatsNext;
    this.seatsCurrent = this.seatsNext;
    this.epoch = stakeEpoch;
  }
}
