/** Read-only methods. Records come as base64 of their stored bytes, so that a reader checks what peers sign. */
import { parseAccount } from "./accounts";
import { ByteBuffer } from "./buffer";
import { writeFormat, writeSecrets, writeSource } from "./events";
import { blockHeight, returnBytes } from "./host";
import { callArguments, JsonObject } from "./json";
import { JsonWriter } from "./json-writer";
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

function limitOf(fields: JsonObject, most: u64): u64 { return min<u64>(fields.u64Or("limit", most), most); }

/** As the caller named it: a project where it named one. */
function writeNamedSource(out: JsonWriter, request: RequestRecord): void {
  if (!request.projectId) {
    writeSource(out, request.source);
    return;
  }
  out.literal('{"Project":{"project_id":');
  out.text(request.projectId!);
  out.literal(',"version_key":');
  out.text(versionKeyOf(request.source));
  out.literal("}}");
}

function writeRequest(out: JsonWriter, request: RequestRecord): void {
  out.literal('{"request_id":');
  out.number(request.requestId);
  out.literal(',"data_id":');
  out.byteArray(request.dataId);
  out.literal(',"sender_id":');
  out.text(request.predecessorId);
  out.literal(',"signer_id":');
  out.text(request.signerId);
  out.literal(',"execution_source":');
  writeNamedSource(out, request);
  out.literal(',"resolved_source":');
  writeSource(out, request.source);
  out.literal(',"resource_limits":{"max_instructions":');
  out.number(request.maxInstructions);
  out.literal(',"max_memory_mb":');
  out.number(request.maxMemoryMb);
  out.literal(',"max_execution_seconds":');
  out.number(request.maxExecutionSeconds);
  // A bare number, as today; the same amount in quotes keeps its digits in every reader.
  out.literal('},"payment":');
  request.payment.writeDecimal(out);
  out.literal(',"payment_yocto":');
  out.amount(request.payment);
  out.literal(',"timestamp":');
  out.number(request.timestampNs);
  out.literal(',"secrets_ref":');
  writeSecrets(out, request);
  out.literal(',"response_format":');
  writeFormat(out, request.responseFormat);
  out.literal(',"input_data":');
  out.text(request.input);
  out.literal(',"payer_account_id":');
  out.text(request.payerId);
  out.literal(',"attached_usd":');
  request.attachedUsd.writeDecimal(out);
  out.literal(',"pending_output":null,"output_submitted":false,"compile_only":');
  out.bool(request.compileOnly);
  out.literal(',"force_rebuild":');
  out.bool(request.forceRebuild);
  out.literal(',"input_hash":');
  out.hex(request.inputHash);
  out.literal(',"seed":');
  out.hex(request.seed);
  out.literal(',"height":');
  out.number(request.height);
  out.literal(',"deadline_height":');
  out.number(request.deadlineHeight);
  out.literal(',"stake_epoch":');
  out.number(request.stakeEpoch);
  out.literal(',"seats_total":');
  out.number(request.seatsTotal);
  out.literal(',"cost_version":');
  out.number(request.costVersion);
  out.literal(',"level":{"replay_seats":');
  out.number(request.replaySeats);
  out.literal(',"replicas":');
  out.number(request.replicas);
  out.literal(',"quorum":');
  out.number(request.quorum);
  out.literal("}}");
}

export function get_request(): void {
  const request = RequestRecord.find(callArguments().required("request_id").u64());
  if (!request) {
    returnBytes(utf8("null"));
    return;
  }
  const out = new JsonWriter(request.input.length * 2 + 4_096);
  writeRequest(out, request);
  returnBytes(out.done());
}

export function get_lease(): void {
  const lease = LeaseRecord.find(callArguments().required("request_id").u64());
  const out = new JsonWriter();
  if (!lease) out.literal("null");
  else {
    out.literal('{"lease_epoch":');
    out.number(lease.leaseEpoch);
    out.literal(',"holder":');
    out.text(lease.holder);
    out.literal(',"seat":');
    out.number(lease.seat);
    out.literal(',"ticket":"');
    out.number(lease.ticket);
    out.literal('","claimed_height":');
    out.number(lease.claimedHeight);
    out.literal(',"until_height":');
    out.number(lease.untilHeight);
    out.literal(',"former":[');
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

/** Pages end early at {@link MAX_PAGE_BYTES}: the next one starts after as many as came. */
export function get_pending_records(): void {
  const ids = pageIds(State.load(), callArguments(), MAX_PAGE);
  const out = new JsonWriter(16_384);
  out.byte(0x5b);
  for (let i = 0; i < ids.length; i++) {
    const request = RequestRecord.stored(ids[i])!;
    const lease = LeaseRecord.stored(ids[i]);
    const outcome = OutcomeRecord.stored(ids[i]);
    const more = request.length + (lease ? lease.length : 0) + (outcome ? outcome.length : 0);
    if (i > 0 && out.length + (more / 3) * 4 + 256 > MAX_PAGE_BYTES) break;
    out.literal(i > 0 ? ',{"request":' : '{"request":');
    out.base64(request);
    out.literal(',"lease":');
    out.base64OrNull(lease);
    out.literal(',"outcome":');
    out.base64OrNull(outcome);
    out.byte(0x7d);
  }
  out.byte(0x5d);
  returnBytes(out.done());
}

function writeNode(out: JsonWriter, stored: Uint8Array): void {
  const node = NodeRecord.decode(stored);
  out.literal('{"account_id":');
  out.text(node.accountId);
  out.literal(',"public_key":');
  out.publicKey(node.publicKey);
  out.literal(',"stake":');
  out.amount(node.stake);
  out.literal(',"epoch":');
  out.number(node.epoch);
  out.literal(',"seats_previous":');
  out.number(node.seatsPrevious);
  out.literal(',"seats_current":');
  out.number(node.seatsCurrent);
  out.literal(',"seats_next":');
  out.number(node.seatsNext);
  out.literal(',"draining":');
  out.bool(node.draining);
  out.literal(',"registered_height":');
  out.number(node.registeredHeight);
  out.literal(',"record":');
  out.base64(stored);
  out.byte(0x7d);
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
    if (i > from) out.byte(0x2c);
    writeNode(out, NodeRecord.stored(accountAt(<u32>i)!)!);
  }
  out.byte(0x5d);
  returnBytes(out.done());
}

export function get_network(): void {
  const s = State.load();
  const out = new JsonWriter(1_024);
  out.literal('{"version":');
  out.quoted(CONTRACT_VERSION);
  out.literal(',"chain_id":');
  out.text(s.chainId);
  out.literal(',"seat_stake":');
  out.amount(s.seatStake);
  out.literal(',"genesis_height":');
  out.number(s.genesisHeight);
  out.literal(',"stake_epoch_blocks":');
  out.number(s.stakeEpochBlocks);
  out.literal(',"bootstrap_blocks":');
  out.number(s.bootstrapBlocks);
  out.literal(',"lease_blocks":');
  out.number(s.leaseBlocks);
  out.literal(',"instructions_per_block":');
  out.number(s.instructionsPerBlock);
  out.literal(',"replay_seats":');
  out.number(s.replaySeats);
  out.literal(',"replicas":');
  out.number(s.replicas);
  out.literal(',"quorum":');
  out.number(s.quorum);
  out.literal(',"deadline_reserve_blocks":');
  out.number(s.deadlineReserveBlocks);
  out.literal(',"height":');
  out.number(blockHeight());
  out.literal(',"stake_epoch":');
  out.number(s.stakeEpoch());
  out.literal(',"seats_previous":');
  out.number(s.seatsPrevious);
  out.literal(',"seats_current":');
  out.number(s.seatsCurrent);
  out.literal(',"seats_next":');
  out.number(s.seatsNext);
  out.literal(',"node_count":');
  out.number(s.nodeCount);
  out.literal(',"pending_count":');
  out.number(s.pendingCount);
  out.literal(',"next_request_id":');
  out.number(s.nextRequestId);
  out.literal(',"nodes_current":');
  out.number(s.nodesCurrent);
  out.literal(',"nodes_next":');
  out.number(s.nodesNext);
  out.literal(',"holder_share_bps":');
  out.number(s.holderShareBps);
  out.literal(',"challenge_blocks":');
  out.number(s.challengeBlocks);
  out.literal(',"lease_penalty":');
  out.amount(s.leasePenalty);
  out.literal(',"objection_bond":');
  out.amount(s.objectionBond);
  out.literal(',"timelock_blocks":');
  out.number(s.timelockBlocks);
  out.literal(',"liabilities":');
  out.amount(s.liabilities);
  out.byte(0x7d);
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
  out.literal('{"base_fee":');
  out.amount(state.baseFee);
  out.literal(',"per_instruction_fee":');
  out.amount(state.perMillionInstructions);
  out.literal(',"per_ms_fee":');
  out.amount(state.perMs);
  out.literal(',"per_compile_ms_fee":');
  out.amount(state.perCompileMs);
  out.byte(0x7d);
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
    out.literal('{"response_hash":');
    out.hex(announced.claim.responseHash);
    out.literal(',"response_bytes":');
    out.number(announced.bytes);
    out.byte(0x7d);
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
    out.literal('{"final_height":');
    out.number(proposal.finalHeight);
    out.literal(',"response_hash":');
    out.hex(proposal.responseHash);
    out.literal(',"objector":null}');
  } else if (objection) {
    out.literal('{"final_height":null,"response_hash":');
    out.hex(objection.claim.responseHash);
    out.literal(',"objector":');
    out.text(objection.account);
    out.byte(0x7d);
  } else out.literal("null");
  returnBytes(out.done());
}

/** Without limits: the estimate of the default ones. */
export function estimate_execution_cost(): void {
  const limits = parseLimits(callArguments().optional("resource_limits"));
  const out = new JsonWriter();
  out.amount(estimateCost(State.load(), limits.instructions, limits.seconds));
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
