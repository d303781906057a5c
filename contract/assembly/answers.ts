/**
 * The arguments of a call that claims or answers: as JSON, or as Borsh behind a byte 1, which no JSON text begins with.
 * Borsh is what nodes send: their hashes and signatures are bytes already, and so is the response that they signed.
 */
import { checkAccount } from "./accounts";
import { hashField, parseAttestations } from "./attestations";
import { BorshReader } from "./borsh";
import { EMPTY } from "./buffer";
import { callInput, check } from "./host";
import { argumentsFrom, Json, JsonObject } from "./json";
import { MAX_ATTESTATIONS } from "./limits";
import { Attestation, GuestResponse, readAttestations } from "./records";
import { parseResponse, readResponse } from "./responses";

const BORSH: u8 = 1;

/** A reader behind the first byte; null where the input is JSON. */
function borshReader(input: Uint8Array): BorshReader | null {
  return input.length > 0 && input[0] == BORSH ? new BorshReader(input.subarray(1), true) : null;
}

/** `{request_id, lease_epoch, seat}` */
export class ClaimArguments {
  constructor(readonly requestId: u64, readonly leaseEpoch: u32, readonly seat: u32) {}

  static read(): ClaimArguments {
    const input = callInput(), r = borshReader(input);
    if (r) {
      const claim = new ClaimArguments(r.u64(), r.u32(), r.u32());
      r.assertEnd();
      return claim;
    }
    const fields = argumentsFrom(input);
    return new ClaimArguments(fields.required("request_id").u64(), epochField(fields), seatField(fields));
  }
}

function epochField(fields: JsonObject): u32 { return <u32>fields.required("lease_epoch").upTo(u32.MAX_VALUE); }
function seatField(fields: JsonObject): u32 { return <u32>fields.required("seat").upTo(u32.MAX_VALUE); }

/** What an answer names: `{request_id, lease_epoch, seat where it claims, code_hash, tape_hash, response, attestations}`. */
export class AnswerArguments {
  seat: u32 = 0;
  response: GuestResponse = new GuestResponse();
  /** The response's Borsh bytes, whose hash was signed. */
  encoded: Uint8Array = EMPTY;

  constructor(
    readonly requestId: u64, readonly leaseEpoch: u32, readonly codeHash: Uint8Array, readonly tapeHash: Uint8Array,
    readonly attestations: Attestation[],
  ) {}

  /** Without the response, which every method names in its own way. */
  static ofFields(fields: JsonObject): AnswerArguments {
    return new AnswerArguments(
      fields.required("request_id").u64(), epochField(fields), hashField(fields, "code_hash"),
      hashField(fields, "tape_hash"), parseAttestations(fields.required("attestations")),
    );
  }

  /** Of a build: its recipe stands where an answer has its tape. */
  static ofBuild(fields: JsonObject): AnswerArguments {
    return new AnswerArguments(
      fields.required("request_id").u64(), epochField(fields), hashField(fields, "code_hash"),
      hashField(fields, "recipe_id"), parseAttestations(fields.required("attestations")),
    );
  }

  static read(claims: bool): AnswerArguments {
    const input = callInput(), r = borshReader(input);
    if (r) return AnswerArguments.ofBorsh(r, claims);
    const fields = argumentsFrom(input), answer = AnswerArguments.ofFields(fields);
    if (claims) answer.seat = seatField(fields);
    answer.respond(parseResponse(fields.required("response").object()));
    return answer;
  }

  private static ofBorsh(r: BorshReader, claims: bool): AnswerArguments {
    const requestId = r.u64(), leaseEpoch = r.u32(), seat = claims ? r.u32() : 0;
    const codeHash = r.raw(32), tapeHash = r.raw(32), encoded = r.bytes();
    const attestations = readAttestations(r);
    r.assertEnd();
    check(attestations.length <= MAX_ATTESTATIONS, "TooLong: attestations");
    for (let i = 0; i < attestations.length; i++) checkAccount(attestations[i].accountId, "account_id");
    const answer = new AnswerArguments(requestId, leaseEpoch, codeHash, tapeHash, attestations);
    answer.seat = seat;
    answer.response = readResponse(encoded);
    answer.encoded = encoded;
    return answer;
  }

  respond(response: GuestResponse): void {
    this.response = response;
    this.encoded = response.encode();
  }
}
