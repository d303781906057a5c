/**
 * What stands beside a request between the first good answer and the last word about it. None of it is a watcher's
 * business: `q` ‖ id, an answer that waits for objections; `x` ‖ id, an objection; `d` ‖ id, an announced digest;
 * `c` ‖ id ‖ account, that account's chunks of an announced response.
 */
import { ResultClaim } from "./attestations";
import { BorshReader, BorshWriter } from "./borsh";
import { fresh } from "./buffer";
import { has, panic, read, remove, write } from "./host";
import { Attestation, OutcomeRecord, readAttestations, requestKey, writeAttestations } from "./records";
import { State } from "./state";
import { U128 } from "./u128";

const PROPOSAL_PREFIX: u8 = 0x71;
const OBJECTION_PREFIX: u8 = 0x78;
const ANNOUNCED_PREFIX: u8 = 0x64;
const CHUNKS_PREFIX: u8 = 0x63;

export function chunksKey(id: u64, account: Uint8Array): Uint8Array {
  const key = fresh(9 + account.length);
  memory.copy(key.dataStart, requestKey(CHUNKS_PREFIX, id).dataStart, 9);
  memory.copy(key.dataStart + 9, account.dataStart, account.length);
  return key;
}

export class ProposalRecord {
  constructor(readonly responseHash: Uint8Array, readonly finalHeight: u64, readonly outcome: OutcomeRecord) {}

  save(id: u64, response: Uint8Array): void {
    const w = new BorshWriter(1_024);
    w.raw(this.responseHash);
    w.u64(this.finalHeight);
    w.raw(this.outcome.encode(response));
    write(requestKey(PROPOSAL_PREFIX, id), w.done());
  }

  static exists(id: u64): bool { return has(requestKey(PROPOSAL_PREFIX, id)); }
  static stored(id: u64): Uint8Array | null { return read(requestKey(PROPOSAL_PREFIX, id)); }
  static remove(id: u64): void { remove(requestKey(PROPOSAL_PREFIX, id)); }

  static find(id: u64): ProposalRecord | null {
    const bytes = read(requestKey(PROPOSAL_PREFIX, id));
    if (!bytes) return null;
    const r = new BorshReader(bytes);
    return new ProposalRecord(r.raw(32), r.u64(), OutcomeRecord.read(r));
  }

  static load(id: u64): ProposalRecord {
    const proposal = ProposalRecord.find(id);
    if (!proposal) panic("NoProposal: no answer waits for objections");
    return proposal!;
  }

  claim(): ResultClaim {
    const outcome = this.outcome;
    return new ResultClaim(outcome.leaseEpoch, outcome.holder, outcome.codeHash, this.responseHash, outcome.tapeHash);
  }
}

function writeClaim(w: BorshWriter, claim: ResultClaim): void {
  w.u32(claim.leaseEpoch);
  w.bytes(claim.holder);
  w.raw(claim.codeHash);
  w.raw(claim.responseHash);
  w.raw(claim.tapeHash);
}

function readClaim(r: BorshReader): ResultClaim {
  return new ResultClaim(r.u32(), r.bytes(), r.raw(32), r.raw(32), r.raw(32));
}

/** Who objected to what, and who had signed it. */
export class ObjectionRecord {
  constructor(
    readonly account: Uint8Array, readonly bond: U128, readonly claim: ResultClaim, readonly signers: Uint8Array[],
  ) {}

  save(id: u64): void {
    const w = new BorshWriter(1_024);
    w.bytes(this.account);
    w.u128(this.bond);
    writeClaim(w, this.claim);
    w.list(this.signers);
    write(requestKey(OBJECTION_PREFIX, id), w.done());
  }

  static exists(id: u64): bool { return has(requestKey(OBJECTION_PREFIX, id)); }
  static remove(id: u64): void { remove(requestKey(OBJECTION_PREFIX, id)); }

  static find(id: u64): ObjectionRecord | null {
    const bytes = read(requestKey(OBJECTION_PREFIX, id));
    if (!bytes) return null;
    const r = new BorshReader(bytes);
    return new ObjectionRecord(r.bytes(), r.u128(), readClaim(r), r.list());
  }
}

/** A result whose digest a quorum has signed, and whose bytes are still to come. */
export class AnnouncedResult {
  attestations: Attestation[] = [];
  constructor(readonly claim: ResultClaim, readonly bytes: u32) {}

  /** Both count in the state, which their callers save. */
  save(state: State, id: u64): void {
    const w = new BorshWriter(1_024);
    writeClaim(w, this.claim);
    w.u32(this.bytes);
    writeAttestations(w, this.attestations);
    if (!write(requestKey(ANNOUNCED_PREFIX, id), w.done())) state.announced++;
  }

  static remove(state: State, id: u64): void {
    if (state.announced > 0 && remove(requestKey(ANNOUNCED_PREFIX, id))) state.announced--;
  }

  static exists(id: u64): bool { return has(requestKey(ANNOUNCED_PREFIX, id)); }

  static load(id: u64): AnnouncedResult {
    const bytes = read(requestKey(ANNOUNCED_PREFIX, id));
    if (!bytes) panic("NothingAnnounced: no digest of the response is announced");
    const r = new BorshReader(bytes!);
    const announced = new AnnouncedResult(readClaim(r), r.u32());
    announced.attestations = readAttestations(r);
    return announced;
  }
}
