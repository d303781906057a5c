/**
 * Results: an answer that a quorum of the request's own seats signed is accepted, whoever sends it. It comes in one
 * transaction (`resolve_execution`, `submit_execution_output_and_resolve`), together with the claim of the lease
 * (`claim_and_resolve`), or as its digest first and its bytes after it in chunks (`submit_execution_output`).
 * Where the network has challenge blocks, an accepted answer of less than everybody waits for objections.
 */
import { Message } from "./message";
import { Attestation, GuestResponse, LeaseRecord, OutcomeRecord, RequestRecord, SOURCE_GITHUB, SOURCE_WASM_URL } from "./records";
import { AnswerArguments } from "./answers";
import { checkAttestations, hashField, Level, ResultClaim } from "./attestations";
import { ByteBuffer, EMPTY, same } from "./buffer";
import { checkBound } from "./builds";
import { parseBase64 } from "./encoding";
import { emitCharged, emitProposed } from "./events";
import { blockHeight, check, panic, predecessor, read, remove, resume, sha256, write } from "./host";
import { callArguments } from "./json";
import { requestIdArguments } from "./json-writer";
import { takeLease, wrongEpoch } from "./leases";
import { Terms } from "./levels";
import { MAX_OUTPUT_BYTES, MAX_RESPONSE_BYTES, YIELD_BLOCKS } from "./limits";
import { chargeFor } from "./money";
import { Prices } from "./prices";
import { AnnouncedResult, chunksKey, ObjectionRecord, ProposalRecord } from "./proposals";
import { parseResponse, readResponse } from "./responses";
import { judgeObjection } from "./slashing";
import { State } from "./state";
import { StorageMeter } from "./storage-meter";

/** A call that brings an answer, and what it is checked against. */
export class Resolution {
  private constructor(
    readonly requestId: u64, readonly state: State, readonly request: RequestRecord, readonly terms: Terms,
    readonly objection: ObjectionRecord | null,
  ) {}

  static begin(requestId: u64): Resolution {
    const state = State.load();
    const request = RequestRecord.load(requestId);
    const terms = Terms.of(state, requestId);
    let objection: ObjectionRecord | null = null, deadline = request.deadlineHeight;
    if (terms.challengeBlocks > 0) {
      objection = ObjectionRecord.find(requestId);
      check(!ProposalRecord.exists(requestId), "AlreadyProposed: an answer waits for objections");
      if (objection) deadline = request.height + YIELD_BLOCKS - state.deadlineReserveBlocks;
    }
    check(blockHeight() <= deadline, "DeadlinePassed: the request can no longer be resolved");
    return new Resolution(requestId, state, request, terms, objection);
  }

  /** An answer that was objected to needs the highest level. */
  level(): Level {
    return this.objection ? Level.highest(this.state, this.request) : Level.of(this.request);
  }

  claim(lease: LeaseRecord, answer: AnswerArguments, responseHash: Uint8Array): ResultClaim {
    check(
      this.request.source.kind != SOURCE_WASM_URL || same(answer.codeHash, this.request.source.version),
      "WrongCode: code_hash is not the hash that the request names",
    );
    return new ResultClaim(lease.leaseEpoch, lease.holder, answer.codeHash, responseHash, answer.tapeHash);
  }

  attestations(claim: ResultClaim, answer: AnswerArguments): Attestation[] {
    return checkAttestations(answer.attestations, this.state, this.request, claim, this.level());
  }
}

/** The lease that an answer names. */
export function namedLease(requestId: u64, leaseEpoch: u32): LeaseRecord {
  const lease = LeaseRecord.find(requestId);
  if (!lease) panic("NoLease: nobody holds the request");
  if (leaseEpoch != lease!.leaseEpoch) wrongEpoch(lease!.leaseEpoch);
  return lease!;
}

function resolveUnder(lease: LeaseRecord, resolution: Resolution, answer: AnswerArguments): void {
  const claim = resolution.claim(lease, answer, sha256(answer.encoded));
  accept(resolution, claim, answer.response, answer.encoded, resolution.attestations(claim, answer));
}

/** Stores the answer and resumes the caller, or lets it wait where somebody may still object. */
function accept(
  resolution: Resolution, claim: ResultClaim, response: GuestResponse, encoded: Uint8Array, signed: Attestation[],
): void {
  const state = resolution.state, request = resolution.request, terms = resolution.terms;
  if (request.source.kind == SOURCE_GITHUB && response.success) checkBound(request, claim.codeHash);
  const outcome = new OutcomeRecord();
  outcome.leaseEpoch = claim.leaseEpoch;
  outcome.holder = claim.holder;
  outcome.codeHash = claim.codeHash;
  outcome.response = response;
  outcome.tapeHash = claim.tapeHash;
  outcome.attestations = signed;
  outcome.resolvedHeight = blockHeight();
  const prices = Prices.of(state, request.requestId), baseFee = terms.number > 0 ? terms.baseFee : prices.baseFee;
  outcome.charged = chargeFor(
    prices.perMillionInstructions, baseFee, response.success, response.instructions, request.payment,
  );
  const objection = resolution.objection;
  if (objection) judgeObjection(state, request, objection, claim);
  else if (terms.challengeBlocks > 0 && <u32>signed.length < min(request.replaySeats, state.nodesCurrent)) {
    const finalHeight = blockHeight() + terms.challengeBlocks;
    new ProposalRecord(claim.responseHash, finalHeight, outcome).save(request.requestId, encoded);
    state.assertSolvent();
    emitProposed(state, request.requestId, finalHeight);
    return;
  }
  conclude(state, request, outcome, encoded);
}

/** The payment stays owed, partly to the signers from the callback on: the liabilities do not change. */
function conclude(state: State, request: RequestRecord, outcome: OutcomeRecord, encoded: Uint8Array): void {
  outcome.save(request.requestId, encoded);
  state.assertSolvent();
  check(resume(request.dataId, requestIdArguments(request.requestId)), "YieldOver: the request's yield has ended");
  emitCharged(outcome.charged);
}

export function resolve_execution(): void {
  const answer = AnswerArguments.read(false);
  const resolution = Resolution.begin(answer.requestId);
  resolveUnder(namedLease(answer.requestId, answer.leaseEpoch), resolution, answer);
}

/** The response's fields stand among the arguments; `refund_usd` is not part of this form. */
export function submit_execution_output_and_resolve(): void {
  const fields = callArguments(), answer = AnswerArguments.ofFields(fields);
  const response = parseResponse(fields);
  response.hasRefundUsd = false;
  response.refundUsd = 0;
  answer.respond(response);
  const resolution = Resolution.begin(answer.requestId);
  resolveUnder(namedLease(answer.requestId, answer.leaseEpoch), resolution, answer);
}

/** For short runs: the lease is claimed by the sender and answered in one call, each under its own rules. */
export function claim_and_resolve(): void {
  const answer = AnswerArguments.read(true);
  const resolution = Resolution.begin(answer.requestId);
  resolveUnder(takeLease(resolution.state, resolution.request, answer.leaseEpoch, answer.seat), resolution, answer);
}

/** After the challenge blocks, by anybody. */
export function finalize_execution(): void {
  const requestId = callArguments().required("request_id").u64();
  const state = State.load();
  const request = RequestRecord.load(requestId);
  const proposal = ProposalRecord.load(requestId);
  check(blockHeight() > proposal.finalHeight, "StillOpen: the answer can still be objected to");
  ProposalRecord.remove(requestId);
  conclude(state, request, proposal.outcome, proposal.outcome.response.encode());
}

/** First the digest of a response that does not fit a transaction with its attestations. */
export function submit_execution_output(): void {
  const fields = callArguments(), answer = AnswerArguments.ofFields(fields);
  const resolution = Resolution.begin(answer.requestId);
  check(!OutcomeRecord.exists(answer.requestId), "AlreadyResolved: the request has its result");
  const lease = namedLease(answer.requestId, answer.leaseEpoch);
  const claim = resolution.claim(lease, answer, hashField(fields, "response_hash"));
  const announced = new AnnouncedResult(claim, <u32>fields.required("response_bytes").upTo(MAX_RESPONSE_BYTES));
  announced.attestations = resolution.attestations(claim, answer);
  announced.save(resolution.state, answer.requestId);
  resolution.state.save();
  resolution.state.assertSolvent();
}

/**
 * Then its Borsh bytes, from anybody, in order; every sender's chunks are its own and stand at its cost. Whose bytes
 * are complete and have the announced hash resolves the request, and gets its deposit back.
 */
export function submit_output_chunk(): void {
  const fields = callArguments();
  const resolution = Resolution.begin(fields.required("request_id").u64());
  const announced = AnnouncedResult.load(resolution.requestId);
  const offset = fields.required("offset").u64();
  const data = parseBase64(fields.required("data").text(MAX_OUTPUT_BYTES * 2));
  const sender = predecessor();
  const key = chunksKey(resolution.requestId, sender);
  const stored = read(key);
  const before = stored ? stored : EMPTY;
  if (offset != <u64>before.length) new Message("WrongOffset: the next chunk begins at ").number(before.length).panic();
  const bytes = new ByteBuffer(before.length + data.length);
  bytes.raw(before);
  bytes.raw(data);
  const whole = bytes.done();
  check(<u64>whole.length <= MAX_RESPONSE_BYTES, "TooLong: more bytes than a response has");
  const meter = new StorageMeter();
  // The length is not signed, and whoever copies the signatures may announce another: the hash says what is complete.
  if (!same(sha256(whole), announced.claim.responseHash)) {
    write(key, whole);
    meter.charge(sender);
    return;
  }
  remove(key);
  meter.charge(sender);
  AnnouncedResult.remove(resolution.state, resolution.requestId);
  resolution.state.save();
  accept(resolution, announced.claim, readResponse(whole), whole, announced.attestations);
}

/** Takes back one's chunks and their deposit, also when the request is over. */
export function drop_output_chunks(): void {
  const sender = predecessor();
  const key = chunksKey(callArguments().required("request_id").u64(), sender);
  const meter = new StorageMeter();
  check(remove(key), "NothingStored: no chunks of this account");
  meter.charge(sender);
}
