/**
 * NEP-297 events. The two of today's surface keep its standard, version and keys; those of the registry and of leases
 * are new and compact.
 */
import { ByteBuffer } from "./buffer";
import { check, log, timestampNs } from "./host";
import { JsonWriter } from "./json-writer";
import { INPUT_IN_EVENT_BYTES, MAX_ERROR_BYTES, MAX_EVENT_BYTES } from "./limits";
import { CodeSource, GuestResponse, LeaseRecord, NodeRecord, RequestRecord, SOURCE_GITHUB } from "./records";
import { State } from "./state";
import { Text } from "./text";
import { U128 } from "./u128";
import { firstNotUtf8 } from "./utf8";

function begin(state: State, event: Text, capacity: i32 = 512): JsonWriter {
  const out = new JsonWriter(capacity);
  out.literal('EVENT_JSON:{"standard":');
  out.text(state.eventStandard);
  out.textField("version", state.eventVersion);
  out.key("event");
  out.quoted(event);
  out.listField("data");
  out.open();
  return out;
}

function emit(out: JsonWriter): void {
  out.literal("}]}");
  check(out.length <= MAX_EVENT_BYTES, "EventTooLong: the request's names do not fit an event");
  log(out.done());
}

export function writeSource(out: JsonWriter, source: CodeSource): void {
  const fromGitHub = source.kind == SOURCE_GITHUB;
  out.open();
  out.objectField(fromGitHub ? "GitHub" : "WasmUrl");
  out.textField(fromGitHub ? "repo" : "url", source.place);
  if (fromGitHub) {
    out.textField("commit", source.version);
  } else {
    out.hexField("hash", source.version);
  }
  out.textOrNullField("build_target", source.buildTarget);
  out.literal("}}");
}

export function writeFormat(out: JsonWriter, format: u8): void {
  out.quoted(format == 0 ? "Bytes" : format == 1 ? "Text" : "Json");
}

export function writeSecrets(out: JsonWriter, request: RequestRecord): void {
  const profile = request.secretsProfile;
  if (!profile) {
    out.literal("null");
    return;
  }
  out.open();
  out.textField("profile", profile);
  out.textField("account_id", request.secretsAccount);
  out.close();
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
    out.open();
    out.key("max_instructions");
    this.optional(out, this.hasInstructions, this.instructions);
    out.key("max_memory_mb");
    this.optional(out, this.hasMemoryMb, this.memoryMb);
    out.key("max_execution_seconds");
    this.optional(out, this.hasSeconds, this.seconds);
    out.close();
  }

  private optional(out: JsonWriter, given: bool, value: u64): void {
    if (given) out.number(value);
    else out.literal("null");
  }
}

/** The string under `request_data`: a JSON object of its own. */
function requestData(request: RequestRecord, extras: RequestExtras, level: u8, inputInState: bool): Uint8Array {
  const out = new JsonWriter((inputInState ? 0 : request.input.length * 2) + 2_048);
  out.open();
  out.numberField("request_id", request.requestId);
  out.textField("sender_id", request.signerId);
  out.textField("predecessor_id", request.predecessorId);
  out.key("code_source");
  writeSource(out, request.source);
  out.key("resource_limits");
  extras.writeLimits(out);
  out.key("input_data");
  if (inputInState) out.literal('""');
  else out.text(request.input);
  out.boolField("input_data_in_state", inputInState);
  out.key("secrets_ref");
  writeSecrets(out, request);
  out.key("response_format");
  writeFormat(out, request.responseFormat);
  out.amountField("payment", request.payment);
  out.amountField("attached_usd", request.attachedUsd);
  out.numberField("timestamp", request.timestampNs);
  out.boolField("compile_only", request.compileOnly);
  out.boolField("force_rebuild", request.forceRebuild);
  out.boolField("store_on_fastfs", extras.storeOnFastfs);
  out.boolField("use_bound_identity", extras.useBoundIdentity);
  out.textOrNullField("project_uuid", extras.projectUuid);
  out.textOrNullField("project_id", request.projectId);
  out.hexField("seed", request.seed);
  out.hexField("input_hash", request.inputHash);
  out.numberField("stake_epoch", request.stakeEpoch);
  out.numberField("deadline_height", request.deadlineHeight);
  out.numberField("level", level);
  out.close();
  return out.done();
}

function requested(
  state: State, request: RequestRecord, extras: RequestExtras, level: u8, inputInState: bool,
): JsonWriter {
  const data = requestData(request, extras, level, inputInState);
  const out = begin(state, "execution_requested", data.length * 2 + 1_024);
  out.textField("request_data", data);
  out.key("data_id");
  out.byteArray(request.dataId);
  out.numberField("timestamp", request.timestampNs);
  return out;
}

export function emitRequested(state: State, request: RequestRecord, extras: RequestExtras, level: u8): void {
  const inState = request.input.length >= INPUT_IN_EVENT_BYTES;
  let out = requested(state, request, extras, level, inState);
  // Escapes of escapes can make a short input long: it then stands in the state only, as a long one does.
  if (!inState && out.length > MAX_EVENT_BYTES - 3) out = requested(state, request, extras, level, true);
  emit(out);
}

/**
 * `response` is null where the yield ran out of blocks. Never too long: two texts of 512 bytes with six bytes an escape,
 * an address of 2,048 printable ones with two, and names.
 */
export function emitCompleted(
  state: State, request: RequestRecord, response: GuestResponse | null, charged: U128, refunded: U128, timedOut: Text,
): void {
  const out = begin(state, "execution_completed", 4_096);
  out.textField("sender_id", request.signerId);
  out.key("code_source");
  writeSource(out, request.source);
  out.objectField("resources_used");
  out.numberField("instructions", response ? response.instructions : 0);
  out.numberField("time_ms", response ? response.timeMs : 0);
  out.key("compile_time_ms");
  if (response && response.hasCompileTimeMs) out.number(response.compileTimeMs);
  else out.literal("null");
  out.close();
  out.boolField("success", response != null && response.success);
  out.key("error_message");
  if (!response) out.quoted(timedOut);
  else if (response.success) out.literal("null");
  else if (response.error) out.text(shown(response.error!));
  else out.quoted("Unknown error");
  out.amountField("payment_charged", charged);
  out.amountField("payment_refunded", refunded);
  const note = response ? response.compilationNote : null;
  out.textOrNullField("compilation_note", note ? shown(note) : null);
  out.numberField("timestamp", timestampNs());
  emit(out);
}

/**
 * What an event shows of a response's text. Answers with longer ones or bytes that are not UTF-8 are refused; one that
 * an older contract has stored must not keep its request from ending, so it is cut.
 */
function shown(text: Uint8Array): Uint8Array {
  const start = text.dataStart;
  return text.subarray(0, <i32>(firstNotUtf8(start, start + min<i32>(text.length, MAX_ERROR_BYTES)) - start));
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
  out.numberField("request_id", requestId);
  out.numberField("lease_epoch", lease.leaseEpoch);
  out.textField("holder", lease.holder);
  out.numberField("seat", lease.seat);
  out.numberField("until_height", lease.untilHeight);
  emit(out);
}

/** `event` says what happened to the node: registered, stake added, exit begun, status set, stake withdrawn. */
export function emitNode(state: State, event: Text, node: NodeRecord): void {
  const out = begin(state, event);
  out.textField("account_id", node.accountId);
  out.key("public_key");
  out.publicKey(node.publicKey);
  out.amountField("stake", node.stake);
  out.numberField("epoch", node.epoch);
  out.numberField("seats_current", node.seatsCurrent);
  out.numberField("seats_next", node.seatsNext);
  out.boolField("draining", node.draining);
  emit(out);
}

/** Money that came back from an account that does not exist waits for whoever has that name later. */
export function emitRefundBounced(state: State, account: Uint8Array, amount: U128): void {
  const out = begin(state, "refund_bounced");
  out.textField("account_id", account);
  out.amountField("amount", amount);
  emit(out);
}

/** An answer that is accepted unless somebody objects by `finalHeight`. */
export function emitProposed(state: State, requestId: u64, finalHeight: u64): void {
  const out = begin(state, "result_proposed");
  out.numberField("request_id", requestId);
  out.numberField("final_height", finalHeight);
  emit(out);
}

export function emitObjection(state: State, requestId: u64, account: Uint8Array): void {
  const out = begin(state, "result_objected");
  out.numberField("request_id", requestId);
  out.textField("account_id", account);
  emit(out);
}

/** Code that is bound for a source from now on. */
export function emitBuild(
  state: State, event: Text, requestId: u64, codeHash: Uint8Array, recipeId: Uint8Array, quorum: u16,
): void {
  const out = begin(state, event);
  out.numberField("request_id", requestId);
  out.hexField("code_hash", codeHash);
  out.hexField("recipe_id", recipeId);
  out.numberField("quorum", quorum);
  emit(out);
}

/** What an account lost, and why. */
export function emitPenalty(state: State, event: Text, requestId: u64, account: Uint8Array, amount: U128): void {
  const out = begin(state, event);
  out.numberField("request_id", requestId);
  out.textField("account_id", account);
  out.amountField("amount", amount);
  emit(out);
}

/** An owner's action that takes effect when it is called again in these blocks. */
export function emitAnnounced(state: State, method: Text, digest: Uint8Array, from: u64, until: u64): void {
  const out = begin(state, "owner_action_announced");
  out.key("method");
  out.quoted(method);
  out.hexField("arguments_hash", digest);
  out.numberField("from_height", from);
  out.numberField("until_height", until);
  emit(out);
}

export function emitAnnouncementCancelled(state: State, method: Uint8Array, digest: Uint8Array): void {
  const out = begin(state, "owner_action_cancelled");
  out.textField("method", method);
  out.hexField("arguments_hash", digest);
  emit(out);
}

function beginSystem(state: State, kind: Text, capacity: i32 = 512): JsonWriter {
  const out = begin(state, "system_event", capacity);
  out.objectField(kind);
  return out;
}

function endSystem(out: JsonWriter): void {
  out.close();
  emit(out);
}

export function emitStorageCleanup(state: State, projectId: Uint8Array, uuid: Uint8Array): void {
  const out = beginSystem(state, "ProjectStorageCleanup");
  out.textField("project_id", projectId);
  out.textField("project_uuid", uuid);
  endSystem(out);
}

export function emitTopUp(
  state: State, dataId: Uint8Array, owner: Uint8Array, nonce: u32, amount: U128, encrypted: Uint8Array,
): void {
  const out = beginSystem(state, "TopUpPaymentKey", 4_096);
  out.key("data_id");
  out.byteArray(dataId);
  out.textField("owner", owner);
  out.numberField("nonce", nonce);
  out.amountField("amount", amount);
  out.textField("encrypted_data", encrypted);
  endSystem(out);
}

export function emitPaymentKeyDeleted(state: State, owner: Uint8Array, nonce: u32): void {
  const out = beginSystem(state, "DeletePaymentKey");
  out.textField("owner", owner);
  out.numberField("nonce", nonce);
  endSystem(out);
}

export function emitKeystore(state: State, event: Text, epoch: u64): void {
  const out = begin(state, event);
  out.numberField("epoch", epoch);
  emit(out);
}
