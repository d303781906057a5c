/** Result attestations: what nodes sign, who of them may, and how many it takes. */
import { parseAccount } from "./accounts";
import { BorshWriter } from "./borsh";
import { same } from "./buffer";
import { parseHash, parseSignature } from "./encoding";
import { currentAccount, sha256, verifies } from "./host";
import { Json, JsonObject } from "./json";
import { EXTRA_ATTESTATIONS, MAX_ATTESTATIONS, MAX_LEVEL_QUORUM, MAX_LEVEL_SEATS, MAX_NAME_BYTES } from "./limits";
import { Message } from "./message";
import { Attestation, NodeRecord, RequestRecord } from "./records";
import { drawTicket, isEligible, ROLE_REPLAY } from "./sortition";
import { State } from "./state";
import { Text } from "./text";

export const RESULT_DOMAIN = "outlayer/result-attestation/v1";
const REPLAY_CLASS_PURE: u8 = 0;

/** What an answer says, under which lease. */
export class ResultClaim {
  constructor(
    readonly leaseEpoch: u32, readonly holder: Uint8Array, readonly codeHash: Uint8Array,
    readonly responseHash: Uint8Array, readonly tapeHash: Uint8Array,
  ) {}

  /** The result itself, whatever the lease. */
  sameResult(other: ResultClaim): bool {
    return same(this.codeHash, other.codeHash) && same(this.responseHash, other.responseHash) &&
      same(this.tapeHash, other.tapeHash);
  }
}

export function hashField(fields: JsonObject, name: Text): Uint8Array {
  return parseHash(fields.required(name).text(MAX_NAME_BYTES), name);
}

/** `protocol/src/wire/statement.ts`, from the contract's own records: what every signature has to be about. */
export function statementDigest(state: State, request: RequestRecord, claim: ResultClaim): Uint8Array {
  const w = new BorshWriter(1_024);
  w.text(RESULT_DOMAIN);
  w.bytes(state.chainId);
  w.bytes(currentAccount());
  w.u64(request.requestId);
  w.raw(request.digest());
  w.u32(claim.leaseEpoch);
  w.bytes(claim.holder);
  w.raw(claim.codeHash);
  w.u8(REPLAY_CLASS_PURE);
  w.u16(request.costVersion);
  w.raw(request.inputHash);
  w.raw(request.seed);
  w.raw(claim.responseHash);
  w.raw(claim.tapeHash);
  return sha256(w.done());
}

function refuse(code: Text, account: Uint8Array): void {
  new Message(code).bytes(account).panic();
}

/** Seats that may replay, and equal attestations that are needed. */
export class Level {
  constructor(readonly replaySeats: u32, readonly quorum: u16) {}

  static of(request: RequestRecord): Level { return new Level(request.replaySeats, request.quorum); }

  /** What contradicts an answer or survives an objection: the whole network's, but for very large ones. */
  static highest(state: State, request: RequestRecord): Level {
    return new Level(min<u32>(MAX_LEVEL_SEATS, request.seatsTotal), state.quorumAmong(state.nodesCurrent, MAX_LEVEL_QUORUM));
  }

  /** No resolve pays more signers than this, so that the gas kept for the callback is enough. */
  get mostAttestations(): i32 { return min<i32>(MAX_ATTESTATIONS, 2 * <i32>this.quorum + EXTRA_ATTESTATIONS); }
}

/** The attestations, each by a seat of the request's committee or its lease holder, each over `claim`. */
export function checkAttestations(
  values: Json, state: State, request: RequestRecord, claim: ResultClaim, level: Level,
): Attestation[] {
  const elements = values.elements(level.mostAttestations);
  const digest = statementDigest(state, request, claim), contractId = currentAccount();
  const found: Attestation[] = [];
  for (let i = 0; i < elements.length; i++) {
    const fields = elements[i].object();
    const account = parseAccount(fields.required("account_id"));
    const seat = <u32>fields.required("seat").upTo(u32.MAX_VALUE);
    const signature = parseSignature(fields.required("signature").text(MAX_NAME_BYTES));
    for (let j = 0; j < found.length; j++) if (same(found[j].accountId, account)) refuse("DuplicateSigner: ", account);
    const node = NodeRecord.load(account);
    if (seat >= node.seatsFor(request)) refuse("NoSuchSeat: ", account);
    if (!same(account, claim.holder)) {
      const ticket = drawTicket(contractId, request.seed, ROLE_REPLAY, 0, account, seat);
      if (!isEligible(ticket, level.replaySeats, request.seatsTotal)) refuse("NotInCommittee: ", account);
    }
    if (!verifies(signature, digest, node.publicKey)) refuse("BadSignature: ", account);
    found.push(new Attestation(account, seat, signature));
  }
  if (found.length < <i32>level.quorum) {
    new Message("BelowQuorum: ").number(found.length).literal(" of ").number(level.quorum).literal(" attestations").panic();
  }
  return found;
}
