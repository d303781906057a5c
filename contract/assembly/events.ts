/**
 * NEP-297 events. The two of today's surface keep its standard, version and keys; those of the registry and of leases
 * are new and compact.
 */
import { ByteBuffer } from "./buffer";
import { check, log, timestampNs } from "./host";
import { JsonWriter } from "./json-writer";
import { INPUT_IN_EVENT_BYTES, MAX_EVENT_BYTES } from "./limits";
import { CodeSource, GuestResponse, LeaseRecord, NodeRecord, RequestRecord, SOURCE_GITHUB } from "./records";
import { State } from "./state";
import { Text } from "./text";
import { U128 } from "./u128";

function begin(state: State, event: Text, capacity: i32 = 512): JsonWriter {
  const out = new JsonWriter(capacity);
  out.literal('EVENT_JSON:{"standard":');
  out.text(state.eventStandard);
  out.literal(',"version":');
  out.text(state.eventVersion);
  out.literal(',"event":"');
  out.literal(event);
  out.literal('","data":[{');
  return out;
}

function emit(out: JsonWriter): void {
  out.literal("}]}");
  check(out.length <= MAX_EVENT_BYTES, "EventTooLong: the request's names do not fit an event");
  log(out.done());
}

export function writeSource(out: JsonWriter, source: CodeSource): void {
  const fromGitHub = source.kind == SOURCE_GITHUB;
  out.literal(fromGitHub ? '{"GitHub":{"repo":' : '{"WasmUrl":{"url":');
  out.text(source.place);
  if (fromGitHub) {
    out.literal(',"commit":');
    out.text(source.version);
  } else {
    out.literal(',"hash":');
    out.hex(source.version);
  }
  out.literal(',"build_target":');
  out.textOrNull(source.buildTarget);
  out.literal("}}");
}

export function writeFormat(out: JsonWriter, format: u8): void {
  out.literal(format == 0 ? '"Bytes"' : format == 1 ? '"Text"' : '"Json"');
}

export function writeSecrets(out: JsonWriter, request: RequestRecord): void {
  const profile = request.secretsProfile;
  if (!profile) {
    out.literal("null");
    return;
  }
  out.literal('{"profile":');
  out.text(profile);
  out.literal(',"account_id":');
  out.text(request.secretsAccount);
  out.literal("}");
}

/** What the event tells and the record does not keep: the limits as they were spelled, and three parameters. */
export class RequestExtras {
  hasInstructions: bool = false;
  instructions: u64 = 0;
  hasMemoryMb: bool = false;
  memoryMb: u32 = 0;
  hasSeconds: bool = false;
  seconds: u64 = 0;
  storeOnFastfs: bool = false;
  useBoundIdentity: bool = false;
  projectUuid: Uint8Array | null = null;

  writeLimits(out: JsonWriter): void {
    out.literal('{"max_instructions":');
    this.optional(out, this.hasInstructions, this.instructions);
    out.literal(',"max_memory_mb":');
    this.optional(out, this.hasMemoryMb, this.memoryMb);
    out.literal(',"max_execution_seconds":');
    this.optional(out, this.hasSeconds, this.seconds);
    out.literal("}");
  }

  private optional(out: JsonWriter, given: bool, value: u64): void {
    if (given) out.number(value);
    else out.literal("null");
  }
}

/** The string under `request_data`: a JSON object of its own. */
function requestData(request: RequestRecord, extras: RequestExtras, inputInState: bool): Uint8Array {
  const out = new JsonWriter((inputInState ? 0 : request.input.length * 2) + 2_048);
  out.literal('{"request_id":');
  out.number(request.requestId);
  out.literal(',"sender_id":');
  out.text(request.signerId);
  out.literal(',"predecessor_id":');
  out.text(request.predecessorId);
  out.literal(',"code_source":');
  writeSource(out, request.source);
  out.literal(',"resource_limits":');
  extras.writeLimits(out);
  out.literal(',"input_data":');
  if (inputInState) out.literal('""');
  else out.text(request.input);
  out.literal(',"input_data_in_state":');
  out.bool(inputInState);
  out.literal(',"secrets_ref":');
  writeSecrets(out, request);
  out.literal(',"response_format":');
  writeFormat(out, request.responseFormat);
  out.literal(',"payment":');
  out.amount(request.payment);
  out.literal(',"attached_usd":');
  out.amount(request.attachedUsd);
  out.literal(',"timestamp":');
  out.number(request.timestampNs);
  out.literal(',"compile_only":');
  out.bool(request.compileOnly);
  out.literal(',"force_rebuild":');
  out.bool(request.forceRebuild);
  out.literal(',"store_on_fastfs":');
  out.bool(extras.storeOnFastfs);
  out.literal(',"use_bound_identity":');
  out.bool(extras.useBoundIdentity);
  out.literal(',"project_uuid":');
  out.textOrNull(extras.projectUuid);
  out.literal(',"project_id":');
  out.textOrNull(request.projectId);
  out.literal(',"seed":');
  out.hex(request.seed);
  out.literal(',"input_hash":');
  out.hex(request.inputHash);
  out.literal(',"stake_epoch":');
  out.number(request.stakeEpoch);
  out.literal(',"deadline_height":');
  out.number(request.deadlineHeight);
  out.literal("}");
  return out.done();
}

function requested(state: State, request: RequestRecord, extras: RequestExtras, inputInState: bool): JsonWriter {
  const data = requestData(request, extras, inputInState);
  const out = begin(state, "execution_requested", data.length * 2 + 1_024);
  out.literal('"request_data":');
  out.text(data);
  out.literal(',"data_id":');
  out.byteArray(request.dataId);
  out.literal(',"timestamp":');
  out.number(request.timestampNs);
  return out;
}

export function emitRequested(state: State, request: RequestRecord, extras: RequestExtras): void {
  const inState = request.input.length >= INPUT_IN_EVENT_BYTES;
  let out = requested(state, request, extras, inState);
  // Escapes of escapes can make a short input long: it then stands in the state only, as a long one does.
  if (!inState && out.length > MAX_EVENT_BYTES - 3) out = requested(state, request, extras, true);
  emit(out);
}

/** `response` is null where the yield ran out of blocks. */
export function emitCompleted(
  state: State, request: RequestRecord, response: GuestResponse | null, charged: U128, refunded: U128, timedOut: Text,
): void {
  const out = begin(state, "execution_completed", 4_096);
  out.literal('"sender_id":');
  out.text(request.signerId);
  out.literal(',"code_source":');
  writeSource(out, request.source);
  out.literal(',"resources_used":{"instructions":');
  out.number(response ? response.instructions : 0);
  out.literal(',"time_ms":');
  out.number(response ? response.timeMs : 0);
  out.literal(',"compile_time_ms":');
  if (response && response.hasCompileTimeMs) out.number(response.compileTimeMs);
  else out.literal("null");
  out.literal('},"success":');
  out.bool(response != null && response.success);
  out.literal(',"error_message":');
  if (!response) out.quoted(timedOut);
  else if (response.success) out.literal("null");
  else if (response.error) out.text(response.error!);
  else out.quoted("Unknown error");
  out.literal(',"payment_charged":');
  out.amount(charged);
  out.literal(',"payment_refunded":');
  out.amount(refunded);
  out.literal(',"compilation_note":');
  out.textOrNull(response ? response.compilationNote : null);
  out.literal(',"timestamp":');
  out.number(timestampNs());
  emit(out);
}

/** The line that indexers look for. */
export function emitCharged(charged: U128): void {
  const out = new ByteBuffer(64);
  out.literal('[[yNEAR charged: "');
  charged.writeDecimal(out);
  out.literal('"]]');
  log(out.done());
}

export function emitLease(state: State, event: Text, requestId: u64, lease: LeaseRecord): void {
  const out = begin(state, event);
  out.literal('"request_id":');
  out.number(requestId);
  out.literal(',"lease_epoch":');
  out.number(lease.leaseEpoch);
  out.literal(',"holder":');
  out.text(lease.holder);
  out.literal(',"seat":');
  out.number(lease.seat);
  out.literal(',"until_height":');
  out.number(lease.untilHeight);
  emit(out);
}

/** `event` says what happened to the node: registered, stake added, exit begun, status set, stake withdrawn. */
export function emitNode(state: State, event: Text, node: NodeRecord): void {
  const out = begin(state, event);
  out.literal('"account_id":');
  out.text(node.accountId);
  out.literal(',"public_key":');
  out.publicKey(node.publicKey);
  out.literal(',"stake":');
  out.amount(node.stake);
  out.literal(',"epoch":');
  out.number(node.epoch);
  out.literal(',"seats_current":');
  out.number(node.seatsCurrent);
  out.literal(',"seats_next":');
  out.number(node.seatsNext);
  out.literal(',"draining":');
  out.bool(node.draining);
  emit(out);
}

/** Money that came back from an account that does not exist waits for whoever has that name later. */
export function emitRefundBounced(state: State, account: Uint8Array, amount: U128): void {
  const out = begin(state, "refund_bounced");
  out.literal('"account_id":');
  out.text(account);
  out.literal(',"amount":');
  out.amount(amount);
  emit(out);
}

/** An answer that is accepted unless somebody objects by `finalHeight`. */
export function emitProposed(state: State, requestId: u64, finalHeight: u64): void {
  const out = begin(state, "result_proposed");
  out.literal('"request_id":');
  out.number(requestId);
  out.literal(',"final_height":');
  out.number(finalHeight);
  emit(out);
}

export function emitObjection(state: State, requestId: u64, account: Uint8Array): void {
  const out = begin(state, "result_objected");
  out.literal('"request_id":');
  out.number(requestId);
  out.literal(',"account_id":');
  out.text(account);
  emit(out);
}

/** What an account lost, and why. */
export function emitPenalty(state: State, event: Text, requestId: u64, account: Uint8Array, amount: U128): void {
  const out = begin(state, event);
  out.literal('"request_id":');
  out.number(requestId);
  out.literal(',"account_id":');
  out.text(account);
  out.literal(',"amount":');
  out.amount(amount);
  emit(out);
}

/** An owner's action that takes effect when it is called again from `height` on. */
export function emitAnnounced(state: State, method: Text, digest: Uint8Array, height: u64): void {
  const out = begin(state, "owner_action_announced");
  out.literal('"method":"');
  out.literal(method);
  out.literal('","arguments_hash":');
  out.hex(digest);
  out.literal(',"from_height":');
  out.number(height);
  emit(out);
}

function beginSystem(state: State, kind: Text, capacity: i32 = 512): JsonWriter {
  const out = begin(state, "system_event", capacity);
  out.byte(0x22);
  out.literal(kind);
  out.literal('":{');
  return out;
}

function endSystem(out: JsonWriter): void {
  out.byte(0x7d);
  emit(out);
}

export function emitStorageCleanup(state: State, projectId: Uint8Array, uuid: Uint8Array): void {
  const out = beginSystem(state, "ProjectStorageCleanup");
  out.literal('"project_id":');
  out.text(projectId);
  out.literal(',"project_uuid":');
  out.text(uuid);
  endSystem(out);
}

export function emitTopUp(
  state: State, dataId: Uint8Array, owner: Uint8Array, nonce: u32, amount: U128, encrypted: Uint8Array,
): void {
  const out = beginSystem(state, "TopUpPaymentKey", 4_096);
  out.literal('"data_id":');
  out.byteArray(dataId);
  out.literal(',"owner":');
  out.text(owner);
  out.literal(',"nonce":');
  out.number(nonce);
  out.literal(',"amount":');
  out.amount(amount);
  out.literal(',"encrypted_data":');
  out.text(encrypted);
  endSystem(out);
}

export function emitPaymentKeyDeleted(state: State, owner: Uint8Array, nonce: u32): void {
  const out = beginSystem(state, "DeletePaymentKey");
  out.literal('"owner":');
  out.text(owner);
  out.literal(',"nonce":');
  out.number(nonce);
  endSystem(out);
}

export function emitKeystore(state: State, event: Text, epoch: u64): void {
  const out = begin(state, event);
  out.literal('"epoch":');
  out.number(epoch);
  emit(out);
}
