/**
 * Results: `resolve_execution` accepts an answer that a quorum of the request's own seats signed, whoever sends it;
 * `on_execution_response`, which the protocol calls once for every yield, settles the request from what is stored.
 */
import { parseAccount } from "./accounts";
import { BorshWriter } from "./borsh";
import { ByteBuffer, same } from "./buffer";
import { parseHash, parseSignature } from "./encoding";
import { emitCompleted, logCharged } from "./events";
import {
  assertPrivate, blockHeight, check, currentAccount, panic, predecessor, resume, returnBytes, sha256, timestampNs, utf8,
  verifies,
} from "./host";
import { callArguments, Json } from "./json";
import { JsonWriter } from "./json-writer";
import {
  MAX_ATTESTATIONS, MAX_ERROR_BYTES, MAX_NAME_BYTES, MAX_OUTPUT_BYTES, STALE_NS, YIELD_BLOCKS,
} from "./limits";
import { chargeFor, creditShares, refund } from "./money";
import { removePending } from "./pending";
import {
  Attestation, GuestResponse, LeaseRecord, NodeRecord, OUTPUT_BYTES, OUTPUT_JSON, OUTPUT_TEXT, OutcomeRecord,
  removeRequest, RequestRecord, SOURCE_WASM_URL,
} from "./records";
import { drawTicket, isEligible, ROLE_REPLAY } from "./sortition";
import { State } from "./state";
import { U128 } from "./u128";

const RESULT_DOMAIN = "outlayer/result-attestation/v1";
const REPLAY_CLASS_PURE: u8 = 0;

function parseOutput(value: Json, response: GuestResponse): void {
  const variants = value.object();
  check(variants.count == 1, "BadOutput: output has exactly one of Bytes, Text, Json");
  const bytes = variants.optional("Bytes"), text = variants.optional("Text"), json = variants.present("Json");
  if (bytes) {
    response.outputKind = OUTPUT_BYTES;
    response.output = bytes.bytes(MAX_OUTPUT_BYTES);
  } else if (text) {
    response.outputKind = OUTPUT_TEXT;
    response.output = text.text(MAX_OUTPUT_BYTES);
  } else if (json) {
    // The guest's own spelling: nodes signed these bytes, and callers get them.
    const raw = json.raw();
    check(raw.length <= MAX_OUTPUT_BYTES, "TooLong: Json");
    response.outputKind = OUTPUT_JSON;
    response.output = raw;
  } else panic("BadOutput: output has exactly one of Bytes, Text, Json");
}

function parseResponse(value: Json): GuestResponse {
  const fields = value.object();
  const response = new GuestResponse();
  response.success = fields.required("success").bool();
  const output = fields.optional("output");
  if (output) parseOutput(output, response);
  const error = fields.optional("error");
  if (error) response.error = error.text(MAX_ERROR_BYTES);
  const used = fields.required("resources_used").object();
  response.instructions = used.required("instructions").u64();
  response.timeMs = used.required("time_ms").u64();
  const compileTimeMs = used.optional("compile_time_ms");
  response.hasCompileTimeMs = compileTimeMs != null;
  if (compileTimeMs) response.compileTimeMs = compileTimeMs.u64();
  const note = fields.optional("compilation_note");
  if (note) response.compilationNote = note.text(MAX_ERROR_BYTES);
  const refundUsd = fields.optional("refund_usd");
  response.hasRefundUsd = refundUsd != null;
  if (refundUsd) response.refundUsd = refundUsd.u64();
  return response;
}

/** `protocol/src/wire/statement.ts`, from the contract's own records: what every signature has to be about. */
function statementDigest(
  state: State, request: RequestRecord, lease: LeaseRecord, contractId: Uint8Array, codeHash: Uint8Array,
  responseHash: Uint8Array, tapeHash: Uint8Array,
): Uint8Array {
  const w = new BorshWriter(1_024);
  w.text(RESULT_DOMAIN);
  w.bytes(state.chainId);
  w.bytes(contractId);
  w.u64(request.requestId);
  w.raw(request.digest());
  w.u32(lease.leaseEpoch);
  w.bytes(lease.holder);
  w.raw(codeHash);
  w.u8(REPLAY_CLASS_PURE);
  w.u16(request.costVersion);
  w.raw(request.inputHash);
  w.raw(request.seed);
  w.raw(responseHash);
  w.raw(tapeHash);
  return sha256(w.done());
}

function refuse(code: string, account: Uint8Array): void {
  panic(code + ": " + String.UTF8.decodeUnsafe(account.dataStart, account.length));
}

/** The attestations, each by a seat of the request's committee or its lease holder, each over `digest`. */
function checkAttestations(
  values: Json[], request: RequestRecord, lease: LeaseRecord, contractId: Uint8Array, digest: Uint8Array,
): Attestation[] {
  const found: Attestation[] = [];
  for (let i = 0; i < values.length; i++) {
    const fields = values[i].object();
    const account = parseAccount(fields.required("account_id"));
    const seat = <u32>fields.required("seat").upTo(u32.MAX_VALUE);
    const signature = parseSignature(fields.required("signature").text(MAX_NAME_BYTES));
    for (let j = 0; j < found.length; j++) if (same(found[j].accountId, account)) refuse("DuplicateSigner", account);
    const node = NodeRecord.load(account);
    if (seat >= node.seatsFor(request)) refuse("NoSuchSeat", account);
    if (!same(account, lease.holder)) {
      const ticket = drawTicket(contractId, request.seed, ROLE_REPLAY, 0, account, seat);
      if (!isEligible(ticket, request.replaySeats, request.seatsTotal)) refuse("NotInCommittee", account);
    }
    if (!verifies(signature, digest, node.publicKey)) refuse("BadSignature", account);
    found.push(new Attestation(account, seat, signature));
  }
  if (found.length < <i32>request.quorum) {
    panic("BelowQuorum: " + found.length.toString() + " of " + request.quorum.toString() + " attestations");
  }
  return found;
}

export function resolve_execution(): void {
  const fields = callArguments();
  const requestId = fields.required("request_id").u64();
  const leaseEpoch = fields.required("lease_epoch").u64();
  const codeHash = parseHash(fields.required("code_hash").text(MAX_NAME_BYTES), "code_hash");
  const tapeHash = parseHash(fields.required("tape_hash").text(MAX_NAME_BYTES), "tape_hash");
  const state = State.load();
  const request = RequestRecord.load(requestId);
  check(blockHeight() <= request.deadlineHeight, "DeadlinePassed: the request can no longer be resolved");
  const lease = LeaseRecord.find(requestId);
  if (!lease) {
    panic("NoLease: nobody holds the request");
    return;
  }
  if (leaseEpoch != lease.leaseEpoch) panic("WrongLeaseEpoch: the lease epoch is " + lease.leaseEpoch.toString());
  check(
    request.source.kind != SOURCE_WASM_URL || same(codeHash, request.source.version),
    "WrongCode: code_hash is not the hash that the request names",
  );
  const outcome = new OutcomeRecord();
  outcome.response = parseResponse(fields.required("response"));
  const encoded = outcome.response.encode();
  const contractId = currentAccount();
  const digest = statementDigest(state, request, lease, contractId, codeHash, sha256(encoded), tapeHash);
  outcome.attestations = checkAttestations(
    fields.required("attestations").elements(MAX_ATTESTATIONS), request, lease, contractId, digest,
  );
  outcome.leaseEpoch = lease.leaseEpoch;
  outcome.holder = lease.holder;
  outcome.codeHash = codeHash;
  outcome.tapeHash = tapeHash;
  outcome.resolvedHeight = blockHeight();
  outcome.charged = chargeFor(state, outcome.response.success, outcome.response.instructions, request.payment);
  outcome.save(requestId, encoded);
  state.assertSolvent();
  const pointer = new ByteBuffer(64);
  pointer.literal('{"request_id":' + requestId.toString() + "}");
  check(resume(request.dataId, pointer.done()), "YieldOver: the request's yield has ended");
  logCharged(outcome.charged);
}

function answer(response: GuestResponse): Uint8Array {
  const output = response.output;
  if (!response.success || !output) return utf8("null");
  if (response.outputKind == OUTPUT_JSON) return output;
  const out = new JsonWriter(output.length * 2);
  if (response.outputKind == OUTPUT_TEXT) out.text(output);
  else out.base64(output);
  return out.done();
}

/**
 * Ends a request for good: shares credited, state deleted, refund sent. Of the payment, what is charged stays owed, to
 * the signers now; without an outcome it belongs to nobody and becomes the contract's free balance.
 */
function settle(state: State, request: RequestRecord, outcome: OutcomeRecord | null, charged: U128): U128 {
  const back = request.payment.minus(charged);
  removeRequest(request.requestId);
  removePending(state, request.requestId);
  state.totalExecutions++;
  state.settles(outcome ? back : request.payment);
  if (outcome) {
    state.totalCharged = state.totalCharged.plus(charged);
    creditShares(state, charged, outcome.attestations, outcome.holder);
  }
  state.save();
  refund(request.payerId, back);
  return back;
}

/**
 * The yield's callback, called by the protocol once: after a resume or after 200 blocks. Its own payload is not
 * looked at, since what counts stands in the state. It must not panic: a failed callback could never settle.
 */
export function on_execution_response(): void {
  assertPrivate();
  const requestId = callArguments().required("request_id").u64();
  const request = RequestRecord.find(requestId);
  if (!request) {
    // Cancelled before: paid back then.
    returnBytes(utf8("null"));
    return;
  }
  const state = State.load();
  const outcome = OutcomeRecord.find(requestId);
  if (outcome) {
    const back = settle(state, request, outcome, outcome.charged);
    logCharged(outcome.charged);
    emitCompleted(state, request, outcome.response, outcome.charged, back, "");
    returnBytes(answer(outcome.response));
    return;
  }
  const charged = state.baseFee.lessThan(request.payment) ? state.baseFee : request.payment;
  const back = settle(state, request, null, charged);
  logCharged(charged);
  emitCompleted(state, request, null, charged, back, "timed out: no result within the yield's 200 blocks");
  returnBytes(utf8("null"));
}

/** A way out where the callback failed (it ran out of gas, say): the caller takes back what is not yet charged. */
export function cancel_stale_execution(): void {
  const requestId = callArguments().required("request_id").u64();
  const state = State.load();
  const request = RequestRecord.load(requestId);
  check(same(predecessor(), request.predecessorId), "NotTheCaller: only the account that asked may cancel");
  check(
    timestampNs() - request.timestampNs > STALE_NS && blockHeight() > request.height + YIELD_BLOCKS,
    "NotStale: the request may still be answered",
  );
  const outcome = OutcomeRecord.find(requestId);
  const charged = outcome ? outcome.charged : new U128();
  const back = settle(state, request, outcome, charged);
  logCharged(charged);
  emitCompleted(state, request, outcome ? outcome.response : null, charged, back, "cancelled: stale");
}
