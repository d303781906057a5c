/** Result attestations: what nodes sign, who of them may, and how many it takes. */
import { parseAccount } from "./accounts";
import { BorshWriter } from "./borsh";
import { same } from "./buffer";
import { assertGenuine, stood } from "./ended";
import { parseBase64, parseHash, parseSignature } from "./encoding";
import { check, currentAccount, hashSigned, sha256, verifiesSigned } from "./host";
import { Json, JsonObject } from "./json";
import { MAX_ATTESTATIONS, MAX_INPUT_BYTES, MAX_LEVEL_QUORUM, MAX_LEVEL_SEATS, MAX_NAME_BYTES } from "./limits";
import { mostAttestations } from "./levels";
import { Message } from "./message";
import { Attestation, NodeRecord, RequestRecord } from "./records";
import { Refusal } from "./refusal";
import { Draw, isEligible, ROLE_REPLAY } from "./sortition";
import { State } from "./state";
import { Text } from "./text";

export const RESULT_DOMAIN = "outlayer/result-attestation/v1";
export const BUILD_DOMAIN = "outlayer/build-attestation/v1";
const REPLAY_CLASS_PURE: u8 = 0;

/** What an answer says, under which lease. A build has its details in the response's place, its recipe in the tape's. */
export class ResultClaim {
  constructor(
    readonly leaseEpoch: u32, readonly holder: Uint8Array, readonly codeHash: Uint8Array,
    readonly responseHash: Uint8Array, readonly tapeHash: Uint8Array, readonly isBuild: bool = false,
  ) {}

  /** Two claims that cannot both be right. Builds can be compared only where they are of the same recipe. */
  contradicts(other: ResultClaim): bool {
    if (this.isBuild != other.isBuild) return false;
    if (this.isBuild) return same(this.tapeHash, other.tapeHash) && !same(this.codeHash, other.codeHash);
    return !this.sameResult(other);
  }

  /** The result itself, whatever the lease. */
  sameResult(other: ResultClaim): bool {
    return same(this.codeHash, other.codeHash) && same(this.responseHash, other.responseHash) &&
      same(this.tapeHash, other.tapeHash);
  }

  /** The result's own digest, without the lease. */
  resultHash(): Uint8Array {
    const w = new BorshWriter(96);
    w.raw(this.codeHash);
    w.raw(this.responseHash);
    w.raw(this.tapeHash);
    return sha256(w.done());
  }
}

/** An answer as disputes name it. */
export function claimOf(fields: JsonObject): ResultClaim {
  const isBuild = fields.optional("recipe_id") != null;
  return new ResultClaim(
    <u32>fields.required("lease_epoch").upTo(u32.MAX_VALUE), parseAccount(fields.required("holder")),
    hashField(fields, "code_hash"), hashField(fields, isBuild ? "details_hash" : "response_hash"),
    hashField(fields, isBuild ? "recipe_id" : "tape_hash"), isBuild,
  );
}

/** A request that may be over: its stored record, whose hash every attestation covers and the contract remembers. */
export function requestArgument(fields: JsonObject): RequestRecord {
  const request = RequestRecord.decode(parseBase64(fields.required("request").text(MAX_INPUT_BYTES * 2)));
  assertGenuine(request.requestId, request.digest());
  return request;
}

export function hashField(fields: JsonObject, name: Text): Uint8Array {
  return parseHash(fields.required(name).text(MAX_NAME_BYTES), name);
}

/** `protocol/src/wire/statement.ts` and `builds.ts`, from the contract's own records: what every signature has to be about. */
function hashStatement(state: State, request: RequestRecord, claim: ResultClaim): void {
  const w = new BorshWriter(1_024);
  w.text(claim.isBuild ? BUILD_DOMAIN : RESULT_DOMAIN);
  w.bytes(state.chainId);
  w.bytes(currentAccount());
  w.u64(request.requestId);
  w.raw(request.digest());
  w.u32(claim.leaseEpoch);
  w.bytes(claim.holder);
  w.raw(claim.codeHash);
  if (!claim.isBuild) {
    w.u8(REPLAY_CLASS_PURE);
    w.u16(request.costVersion);
    w.raw(request.inputHash);
  }
  w.raw(request.seed);
  w.raw(claim.responseHash);
  w.raw(claim.tapeHash);
  hashSigned(w.done());
}

function refuse(code: Refusal, account: Uint8Array): void {
  new Message(code).bytes(account).panic();
}

/**
 * Seats that may replay, and what an answer needs: equal attestations of `quorum` accounts, which at the highest level
 * have `leastSeats` drawn seats together. Accounts cost nothing, stake does.
 */
export class Level {
  constructor(readonly replaySeats: u32, readonly quorum: u16, readonly leastSeats: u32) {}

  static of(request: RequestRecord): Level { return new Level(request.replaySeats, request.quorum, 0); }

  /**
   * What contradicts an answer or survives an objection. Up to 144 seats all are drawn, and two thirds of them decide;
   * above that half of those that are drawn on average.
   */
  static highest(state: State, request: RequestRecord): Level {
    const seats = request.seatsTotal;
    const least = seats > MAX_LEVEL_SEATS ? MAX_LEVEL_QUORUM : (2 * seats + 2) / 3;
    return new Level(min<u32>(MAX_LEVEL_SEATS, seats), state.quorumAmong(state.nodesCurrent, 2), least);
  }

  get mostAttestations(): i32 {
    return mostAttestations(max<u32>(this.quorum, this.leastSeats));
  }
}

/** The attestations of a call while they are checked: one for every account, and all seats that were named. */
class Signers {
  readonly found: Attestation[] = [];
  readonly nodes: NodeRecord[] = [];
  private seats: u64[] = [];

  get seatCount(): u32 { return this.seats.length; }

  indexOf(account: Uint8Array): i32 {
    for (let i = 0; i < this.found.length; i++) if (same(this.found[i].accountId, account)) return i;
    return -1;
  }

  /** A seat counts once; another seat of the same account only where seats are counted. */
  addSeat(signer: i32, seat: u32, account: Uint8Array): void {
    const place = (<u64>signer << 32) | seat;
    for (let i = 0; i < this.seats.length; i++) if (this.seats[i] == place) refuse("DuplicateSigner: ", account);
    this.seats.push(place);
  }
}

export function parseAttestations(values: Json): Attestation[] {
  const elements = values.elements(MAX_ATTESTATIONS), found: Attestation[] = [];
  for (let i = 0; i < elements.length; i++) {
    const fields = elements[i].object();
    found.push(new Attestation(
      parseAccount(fields.required("account_id")), <u32>fields.required("seat").upTo(u32.MAX_VALUE),
      parseSignature(fields.required("signature").text(MAX_NAME_BYTES)),
    ));
  }
  return found;
}

/**
 * The attestations, each by a seat of the request's committee or its lease holder, each over `claim`. At the highest
 * level an account names every drawn seat of its own, each with the same signature; the lease gives no seat there.
 */
export function checkAttestations(
  given: Attestation[], state: State, request: RequestRecord, claim: ResultClaim, level: Level,
): Attestation[] {
  check(given.length <= level.mostAttestations, "TooLong: more attestations than a resolve may bring");
  const contractId = currentAccount();
  hashStatement(state, request, claim);
  const signers = new Signers(), found = signers.found, bySeats = level.leastSeats > 0;
  let draw: Draw | null = null;
  for (let i = 0; i < given.length; i++) {
    const account = given[i].accountId, seat = given[i].seat, signature = given[i].signature;
    let signer = signers.indexOf(account);
    if (signer >= 0 && (!bySeats || !same(found[signer].signature, signature))) refuse("DuplicateSigner: ", account);
    const node = signer >= 0 ? signers.nodes[signer] : NodeRecord.load(account);
    if (seat >= node.seatsFor(request)) refuse("NoSuchSeat: ", account);
    // Where all seats may replay, no ticket is above the limit, and none need be drawn.
    if (level.replaySeats < request.seatsTotal && (bySeats || !same(account, claim.holder))) {
      if (!draw) draw = new Draw(contractId, request.seed, ROLE_REPLAY, 0);
      if (!isEligible(draw.ticket(account, seat), level.replaySeats, request.seatsTotal)) refuse("NotInCommittee: ", account);
    }
    if (signer < 0) {
      if (!verifiesSigned(signature, node.publicKey)) refuse("BadSignature: ", account);
      signer = found.length;
      found.push(given[i]);
      signers.nodes.push(node);
    }
    if (bySeats) signers.addSeat(signer, seat, account);
  }
  if (found.length < <i32>level.quorum) belowQuorum(found.length, level.quorum, " attestations");
  if (signers.seatCount < level.leastSeats) belowQuorum(signers.seatCount, level.leastSeats, " seats");
  return found;
}

/**
 * Who signed an answer that may be disputed. One that stood was counted then, whatever became of its signers' seats;
 * whoever has left or has another key is beyond reach and takes nobody else along.
 */
export function signersOf(
  given: Attestation[], state: State, request: RequestRecord, claim: ResultClaim,
): Attestation[] {
  if (!stood(request.requestId, claim.leaseEpoch, claim.holder, given)) {
    return checkAttestations(given, state, request, claim, Level.of(request));
  }
  hashStatement(state, request, claim);
  const found: Attestation[] = [];
  for (let i = 0; i < given.length; i++) {
    const stored = NodeRecord.stored(given[i].accountId);
    if (stored && verifiesSigned(given[i].signature, NodeRecord.decode(stored).publicKey)) found.push(given[i]);
  }
  check(found.length > 0, "BadSignature: nobody who is registered signed this answer");
  return found;
}

function belowQuorum(given: u32, needed: u32, unit: Text): void {
  new Message("BelowQuorum: ").number(given).literal(" of ").number(needed).literal(unit).panic();
}
