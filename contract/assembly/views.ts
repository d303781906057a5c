/** Read-only methods. Records come as base64 of their stored bytes, so that a reader checks what peers sign. */
import { parseAccount } from "./accounts";
import { ByteBuffer } from "./buffer";
import { writeFormat, writeSecrets, writeSource } from "./events";
import { blockHeight, check, returnBytes } from "./host";
import { callArguments, JsonObject } from "./json";
import { JsonWriter } from "./json-writer";
import { Terms } from "./levels";
import {
  MAX_COMPILATION_SECONDS, MAX_EXECUTION_SECONDS, MAX_ID_PAGE, MAX_INSTRUCTIONS, MAX_PAGE, MAX_PAGE_BYTES,
} from "./limits";
import { estimateCost } from "./money";
import { pendingIds } from "./pending";
import { AnnouncedResult, ObjectionRecord, ProposalRecord } from "./proposals";
import { LeaseRecord, NodeRecord, OutcomeRecord, RequestRecord } from "./records";
import { accountAt } from "./registry";
import { parseLimits } from "./requests";
import { versionKeyOf } from "./sources";
import { CONTRACT_VERSION, State } from "./state";
import { utf8 } from "./text";
import { U128 } from "./u128";

function limitOf(fields: JsonObject, most: u64): u64 { return min<u64>(fields.u64Or("limit", most), most); }

/** As the caller named it: a project where it named one. */
function writeNamedSource(out: JsonWriter, request: RequestRecord): void {
  if (!request.projectId) {
    writeSource(out, request.source);
    return;
  }
  out.open();
  out.objectField("Project");
  out.textField("project_id", request.projectId!);
  out.textField("version_key", versionKeyOf(request.source));
  out.literal("}}");
}

function writeRequest(out: JsonWriter, request: RequestRecord, terms: Terms): void {
  out.open();
  out.numberField("request_id", request.requestId);
  out.key("data_id");
  out.byteArray(request.dataId);
  out.textField("sender_id", request.predecessorId);
  out.textField("signer_id", request.signerId);
  out.key("execution_source");
  writeNamedSource(out, request);
  out.key("resolved_source");
  writeSource(out, request.source);
  out.objectField("resource_limits");
  out.numberField("max_instructions", request.maxInstructions);
  out.numberField("max_memory_mb", request.maxMemoryMb);
  out.numberField("max_execution_seconds", request.maxExecutionSeconds);
  // A bare number, as today; the same amount in quotes keeps its digits in every reader.
  out.close();
  out.key("payment");
  request.payment.writeDecimal(out);
  out.amountField("payment_yocto", request.payment);
  out.numberField("timestamp", request.timestampNs);
  out.key("secrets_ref");
  writeSecrets(out, request);
  out.key("response_format");
  writeFormat(out, request.responseFormat);
  out.textField("input_data", request.input);
  out.textField("payer_account_id", request.payerId);
  out.key("attached_usd");
  request.attachedUsd.writeDecimal(out);
  out.textOrNullField("pending_output", null);
  out.boolField("output_submitted", false);
  out.boolField("compile_only", request.compileOnly);
  out.boolField("force_rebuild", request.forceRebuild);
  out.hexField("input_hash", request.inputHash);
  out.hexField("seed", request.seed);
  out.numberField("height", request.height);
  out.numberField("deadline_height", request.deadlineHeight);
  out.numberField("stake_epoch", request.stakeEpoch);
  out.numberField("seats_total", request.seatsTotal);
  out.numberField("cost_version", request.costVersion);
  out.key("level");
  terms.writeJson(out);
  out.close();
}

export function get_request(): void {
  const request = RequestRecord.find(callArguments().required("request_id").u64());
  if (!request) {
    returnBytes(utf8("null"));
    return;
  }
  const out = new JsonWriter(request.input.length * 2 + 4_096);
  const state = State.load(), terms = Terms.of(state, request.requestId);
  // The lowest level is not pinned, but what of it the request got stands in its record.
  terms.replaySeats = request.replaySeats;
  terms.replicas = request.replicas;
  terms.quorum = request.quorum;
  writeRequest(out, request, terms);
  returnBytes(out.done());
}

export function get_lease(): void {
  const lease = LeaseRecord.find(callArguments().required("request_id").u64());
  const out = new JsonWriter();
  if (!lease) out.literal("null");
  else {
    out.open();
    out.numberField("lease_epoch", lease.leaseEpoch);
    out.textField("holder", lease.holder);
    out.numberField("seat", lease.seat);
    out.amountField("ticket", new U128(lease.ticket));
    out.numberField("claimed_height", lease.claimedHeight);
    out.numberField("until_height", lease.untilHeight);
    out.listField("former");
    for (let i = 0; i < lease.former.length; i++) {
      if (i > 0) out.byte(0x2c);
      out.text(lease.former[i]);
    }
    out.literal("]}");
  }
  returnBytes(out.done());
}

function pageIds(state: State, fields: JsonObject, most: u64): u64[] {
  return pendingIds(state, fields.u64Or("from_request_id", 0), fields.u64Or("from_index", 0), limitOf(fields, most));
}

export function get_pending_request_ids(): void {
  const ids = pageIds(State.load(), callArguments(), MAX_ID_PAGE);
  const out = new JsonWriter(ids.length * 8 + 2);
  out.byte(0x5b);
  for (let i = 0; i < ids.length; i++) {
    if (i > 0) out.byte(0x2c);
    out.number(ids[i]);
  }
  out.byte(0x5d);
  returnBytes(out.done());
}

function lengthOf(stored: Uint8Array | null): i32 { return stored ? stored.length : 0; }

/** Pages end early at {@link MAX_PAGE_BYTES}: the next one starts after as many as came. */
export function get_pending_records(): void {
  const ids = pageIds(State.load(), callArguments(), MAX_PAGE);
  const out = new JsonWriter(16_384);
  out.byte(0x5b);
  for (let i = 0; i < ids.length; i++) {
    const request = RequestRecord.stored(ids[i])!;
    const lease = LeaseRecord.stored(ids[i]);
    const outcome = OutcomeRecord.stored(ids[i]), proposal = ProposalRecord.stored(ids[i]);
    const more = request.length + lengthOf(lease) + lengthOf(outcome) + lengthOf(proposal);
    if (i > 0 && out.length + (more / 3) * 4 + 256 > MAX_PAGE_BYTES) break;
    out.open();
    out.base64OrNullField("request", request);
    out.base64OrNullField("lease", lease);
    out.base64OrNullField("outcome", outcome);
    out.base64OrNullField("proposal", proposal);
    out.boolField("objected", ObjectionRecord.exists(ids[i]));
    out.close();
  }
  out.byte(0x5d);
  returnBytes(out.done());
}

function writeNode(out: JsonWriter, stored: Uint8Array): void {
  const node = NodeRecord.decode(stored);
  out.open();
  out.textField("account_id", node.accountId);
  out.key("public_key");
  out.publicKey(node.publicKey);
  out.amountField("stake", node.stake);
  out.numberField("epoch", node.epoch);
  out.numberField("seats_previous", node.seatsPrevious);
  out.numberField("seats_current", node.seatsCurrent);
  out.numberField("seats_next", node.seatsNext);
  out.boolField("draining", node.draining);
  out.numberField("registered_height", node.registeredHeight);
  out.base64OrNullField("record", stored);
  out.close();
}

export function get_node(): void {
  const stored = NodeRecord.stored(parseAccount(callArguments().required("account_id")));
  const out = new JsonWriter();
  if (stored) writeNode(out, stored);
  else out.literal("null");
  returnBytes(out.done());
}

export function get_nodes(): void {
  const fields = callArguments();
  const count = <u64>State.load().nodeCount;
  const from = min<u64>(fields.u64Or("from_index", 0), count);
  const to = min<u64>(count, from + limitOf(fields, MAX_PAGE));
  const out = new JsonWriter(8_192);
  out.byte(0x5b);
  for (let i = from; i < to; i++) {
    writeNode(out, NodeRecord.stored(accountAt(<u32>i)!)!);
  }
  out.byte(0x5d);
  returnBytes(out.done());
}

export function get_network(): void {
  const s = State.load();
  const out = new JsonWriter(1_024);
  out.open();
  out.key("version");
  out.quoted(CONTRACT_VERSION);
  out.textField("chain_id", s.chainId);
  out.amountField("seat_stake", s.seatStake);
  out.numberField("genesis_height", s.genesisHeight);
  out.numberField("stake_epoch_blocks", s.stakeEpochBlocks);
  out.numberField("bootstrap_blocks", s.bootstrapBlocks);
  out.numberField("lease_blocks", s.leaseBlocks);
  out.numberField("instructions_per_block", s.instructionsPerBlock);
  out.numberField("replay_seats", s.replaySeats);
  out.numberField("replicas", s.replicas);
  out.numberField("quorum", s.quorum);
  out.numberField("deadline_reserve_blocks", s.deadlineReserveBlocks);
  out.numberField("height", blockHeight());
  out.numberField("stake_epoch", s.stakeEpoch());
  out.numberField("seats_previous", s.seatsPrevious);
  out.numberField("seats_current", s.seatsCurrent);
  out.numberField("seats_next", s.seatsNext);
  out.numberField("node_count", s.nodeCount);
  out.numberField("pending_count", s.pendingCount);
  out.numberField("next_request_id", s.nextRequestId);
  out.numberField("nodes_current", s.nodesCurrent);
  out.numberField("nodes_next", s.nodesNext);
  out.numberField("holder_share_bps", s.holderShareBps);
  out.numberField("challenge_blocks", s.challengeBlocks);
  out.amountField("lease_penalty", s.leasePenalty);
  out.amountField("objection_bond", s.objectionBond);
  out.numberField("timelock_blocks", s.timelockBlocks);
  out.amountField("liabilities", s.liabilities);
  out.numberField("builder_share_bps", s.builderShareBps);
  out.numberField("keystore_share_bps", s.keystoreShareBps);
  out.numberField("active_keystore_epoch", s.activeKeystoreEpoch);
  out.listField("levels");
  Terms.lowest(s).writeJson(out);
  const levels = Terms.higher(s);
  for (let i = 0; i < levels.length; i++) levels[i].writeJson(out);
  out.byte(0x5d);
  out.close();
  returnBytes(out.done());
}

/** [executions, yocto charged for them] */
export function get_stats(): void {
  const state = State.load();
  const out = new JsonWriter();
  out.byte(0x5b);
  out.number(state.totalExecutions);
  out.byte(0x2c);
  out.amount(state.totalCharged);
  out.byte(0x5d);
  returnBytes(out.done());
}

export function get_pricing(): void {
  const state = State.load();
  const out = new JsonWriter();
  out.byte(0x5b);
  out.amount(state.baseFee);
  out.byte(0x2c);
  out.amount(state.perMillionInstructions);
  out.byte(0x2c);
  out.amount(state.perMs);
  out.byte(0x2c);
  out.amount(state.perCompileMs);
  out.byte(0x5d);
  returnBytes(out.done());
}

/** The same prices by name; a millisecond is reported and never charged. */
export function get_pricing_full(): void {
  const state = State.load();
  const out = new JsonWriter();
  out.open();
  out.amountField("base_fee", state.baseFee);
  out.amountField("per_instruction_fee", state.perMillionInstructions);
  out.amountField("per_ms_fee", state.perMs);
  out.amountField("per_compile_ms_fee", state.perCompileMs);
  out.close();
  returnBytes(out.done());
}

/** [standard, version] of all events. */
export function get_event_metadata(): void {
  const state = State.load();
  const out = new JsonWriter();
  out.byte(0x5b);
  out.text(state.eventStandard);
  out.byte(0x2c);
  out.text(state.eventVersion);
  out.byte(0x5d);
  returnBytes(out.done());
}

export function get_payment_token_contract(): void {
  const out = new JsonWriter();
  out.textOrNull(State.load().paymentToken);
  returnBytes(out.done());
}

/** Subscriptions are not sold. */
export function get_subscription_plans(): void { returnBytes(utf8("[]")); }

/** What is announced and not complete: its digest and length; the output itself is with whoever has the chunks. */
export function get_pending_output(): void {
  const id = callArguments().required("request_id").u64();
  const out = new JsonWriter();
  if (AnnouncedResult.exists(id)) {
    const announced = AnnouncedResult.load(id);
    out.open();
    out.hexField("response_hash", announced.claim.responseHash);
    out.numberField("response_bytes", announced.bytes);
    out.close();
  } else out.literal("null");
  returnBytes(out.done());
}

export function has_pending_output(): void {
  returnBytes(utf8(AnnouncedResult.exists(callArguments().required("request_id").u64()) ? "true" : "false"));
}

/** An answer that waits for objections, or the objection to one. */
export function get_proposal(): void {
  const id = callArguments().required("request_id").u64();
  const proposal = ProposalRecord.find(id), objection = ObjectionRecord.find(id);
  const out = new JsonWriter();
  if (proposal) {
    out.open();
    out.numberField("final_height", proposal.finalHeight);
    out.hexField("response_hash", proposal.responseHash);
    out.textOrNullField("objector", null);
    out.close();
  } else if (objection) {
    out.open();
    out.textOrNullField("final_height", null);
    out.hexField("response_hash", objection.claim.responseHash);
    out.textField("objector", objection.account);
    out.close();
  } else out.literal("null");
  returnBytes(out.done());
}

/** Without limits: the estimate of the default ones. */
export function estimate_execution_cost(): void {
  const fields = callArguments(), state = State.load(), out = new JsonWriter();
  const limits = parseLimits(fields.optional("resource_limits"));
  const level = fields.u64Or("level", 0), levels = Terms.higher(state);
  check(level <= <u64>levels.length, "BadLevels: there is no such level");
  const baseFee = level > 0 ? levels[<i32>level - 1].baseFee : state.baseFee;
  out.amount(estimateCost(state, baseFee, limits.instructions, limits.seconds));
  returnBytes(out.done());
}

export function get_max_limits(): void {
  const out = new ByteBuffer(64);
  out.byte(0x5b);
  out.number(MAX_INSTRUCTIONS);
  out.byte(0x2c);
  out.number(MAX_EXECUTION_SECONDS);
  out.byte(0x2c);
  out.number(MAX_COMPILATION_SECONDS);
  out.byte(0x5d);
  returnBytes(out.done());
}

export function get_config(): void {
  const state = State.load();
  const out = new JsonWriter();
  out.byte(0x5b);
  out.text(state.owner);
  out.byte(0x2c);
  out.text(state.operator);
  out.byte(0x5d);
  returnBytes(out.done());
}

export function is_paused(): void { returnBytes(utf8(State.load().paused ? "true" : "false")); }
