/** `request_execution`: takes the deposit, suspends the caller and stores what peers work on. */
import { parseAccount } from "./accounts";
import { BorshWriter } from "./borsh";
import { ByteBuffer, sameText } from "./buffer";
import { parseHash } from "./encoding";
import { emitRequested, RequestExtras } from "./events";
import {
  attachedDeposit, blockHeight, check, currentAccount, panic, predecessor, randomSeed, sha256, signer, suspend,
  timestampNs,
} from "./host";
import { callArguments, Json, JsonObject } from "./json";
import {
  CALLBACK_GAS, CALLBACK_GAS_PER_INPUT_BYTE, DEFAULT_EXECUTION_SECONDS, DEFAULT_INSTRUCTIONS, DEFAULT_MEMORY_MB, MAX_EXECUTION_SECONDS,
  MAX_INPUT_BYTES, MAX_INSTRUCTIONS, MAX_NAME_BYTES, MAX_URL_BYTES, YIELD_BLOCKS,
} from "./limits";
import { estimateCost } from "./money";
import { addPending } from "./pending";
import { CodeSource, RequestRecord, SOURCE_GITHUB, SOURCE_WASM_URL } from "./records";
import { COST_VERSION, State } from "./state";

const SEED_DOMAIN = "outlayer/seed/v1";

/** Text that stands in events: without control characters, whose escapes could make an event too long to log. */
function printable(value: Json, most: i32): Uint8Array {
  const text = value.text(most);
  for (let i = 0; i < text.length; i++) if (text[i] < 0x20) panic("BadName: " + value.name + " has control characters");
  return text;
}

function optionalName(fields: JsonObject, name: string): Uint8Array | null {
  const value = fields.optional(name);
  return value ? printable(value, MAX_NAME_BYTES) : null;
}

function parseSource(value: Json): CodeSource {
  const variants = value.object();
  check(variants.count == 1, "BadSource: source has exactly one of GitHub, WasmUrl, Project");
  const source = new CodeSource();
  if (variants.optional("Project")) panic("ProjectsUnavailable: projects are not available in this version");
  const gitHub = variants.optional("GitHub");
  const wasmUrl = variants.optional("WasmUrl");
  if (gitHub) {
    const fields = gitHub.object();
    source.place = printable(fields.required("repo"), MAX_URL_BYTES);
    source.version = printable(fields.required("commit"), MAX_NAME_BYTES);
    source.buildTarget = optionalName(fields, "build_target");
  } else if (wasmUrl) {
    const fields = wasmUrl.object();
    source.kind = SOURCE_WASM_URL;
    source.place = printable(fields.required("url"), MAX_URL_BYTES);
    source.version = parseHash(fields.required("hash").text(MAX_NAME_BYTES), "hash");
    source.buildTarget = optionalName(fields, "build_target");
  } else panic("BadSource: source has exactly one of GitHub, WasmUrl, Project");
  return source;
}

function parseFormat(value: Json | null): u8 {
  if (!value) return 1;
  const name = value.text(MAX_NAME_BYTES);
  if (sameText(name, "Bytes")) return 0;
  if (sameText(name, "Text")) return 1;
  if (!sameText(name, "Json")) panic("BadFormat: response_format is one of Bytes, Text, Json");
  return 2;
}

/** The caller's limits; the whole object absent means compile only, with the defaults named in the event. */
export function parseLimits(value: Json | null): RequestExtras {
  const extras = new RequestExtras();
  if (!value) {
    extras.hasInstructions = true;
    extras.instructions = DEFAULT_INSTRUCTIONS;
    extras.hasMemoryMb = true;
    extras.memoryMb = DEFAULT_MEMORY_MB;
    extras.hasSeconds = true;
    extras.seconds = DEFAULT_EXECUTION_SECONDS;
    return extras;
  }
  const fields = value.object();
  const instructions = fields.optional("max_instructions");
  const memoryMb = fields.optional("max_memory_mb");
  const seconds = fields.optional("max_execution_seconds");
  extras.hasInstructions = instructions != null;
  if (instructions) extras.instructions = instructions.u64();
  extras.hasMemoryMb = memoryMb != null;
  if (memoryMb) extras.memoryMb = <u32>memoryMb.upTo(u32.MAX_VALUE);
  extras.hasSeconds = seconds != null;
  if (seconds) extras.seconds = seconds.u64();
  return extras;
}

function applyParams(request: RequestRecord, extras: RequestExtras, value: Json | null): void {
  if (!value) return;
  const params = value.object();
  request.forceRebuild = params.flag("force_rebuild");
  if (params.flag("compile_only")) request.compileOnly = true;
  extras.storeOnFastfs = params.flag("store_on_fastfs");
  extras.useBoundIdentity = params.flag("use_bound_identity");
  extras.projectUuid = optionalName(params, "project_uuid");
  const attachedUsd = params.optional("attached_usd");
  if (attachedUsd && !attachedUsd.amount().isZero()) {
    panic("AttachedUsdUnavailable: attached_usd needs a Project source, and projects are not available in this version");
  }
  check(
    request.source.kind == SOURCE_GITHUB || !request.forceRebuild,
    "ForceRebuildOfWasmUrl: force_rebuild is not applicable for WasmUrl code source",
  );
  check(
    request.forceRebuild || !extras.storeOnFastfs,
    "FastfsWithoutRebuild: store_on_fastfs requires force_rebuild to ensure fresh compilation and upload",
  );
}

function applyLimits(request: RequestRecord, extras: RequestExtras): void {
  if (!request.compileOnly) {
    if (extras.instructions > MAX_INSTRUCTIONS) {
      panic("TooManyInstructions: max_instructions exceeds the hard limit of " + MAX_INSTRUCTIONS.toString());
    }
    if (extras.seconds > MAX_EXECUTION_SECONDS) {
      panic("TooManySeconds: max_execution_seconds exceeds the hard limit of " + MAX_EXECUTION_SECONDS.toString());
    }
  }
  const instructions = extras.hasInstructions ? extras.instructions : DEFAULT_INSTRUCTIONS;
  const seconds = extras.hasSeconds ? extras.seconds : DEFAULT_EXECUTION_SECONDS;
  request.maxInstructions = min<u64>(instructions, MAX_INSTRUCTIONS);
  request.maxExecutionSeconds = <u32>min<u64>(seconds, MAX_EXECUTION_SECONDS);
  request.maxMemoryMb = extras.hasMemoryMb ? extras.memoryMb : DEFAULT_MEMORY_MB;
}

function checkPayment(state: State, request: RequestRecord, extras: RequestExtras): void {
  const estimate = request.compileOnly
    ? state.baseFee
    : estimateCost(state, extras.instructions, extras.seconds);
  if (!request.payment.lessThan(estimate)) return;
  panic(
    "InsufficientPayment: required " + estimate.toString() + " yoctoNEAR for the requested limits, got " +
    request.payment.toString(),
  );
}

/** Nobody knows it before the request's block: the protocol's random seed is part of it. */
function drawSeed(requestId: u64): Uint8Array {
  const w = new BorshWriter();
  w.text(SEED_DOMAIN);
  w.bytes(currentAccount());
  w.u64(requestId);
  w.raw(randomSeed());
  return sha256(w.done());
}

function applySecrets(request: RequestRecord, value: Json | null): void {
  if (!value) return;
  const fields = value.object();
  request.secretsProfile = printable(fields.required("profile"), MAX_NAME_BYTES);
  request.secretsAccount = parseAccount(fields.required("account_id"));
}

/** What the block and the network add: ids, times, and the epoch that the request is pinned to. */
function pinContext(state: State, request: RequestRecord): void {
  request.requestId = state.nextRequestId++;
  request.inputHash = sha256(request.input);
  request.seed = drawSeed(request.requestId);
  request.height = blockHeight();
  request.timestampNs = timestampNs();
  request.deadlineHeight = request.height + YIELD_BLOCKS - state.deadlineReserveBlocks;
  request.stakeEpoch = state.stakeEpoch();
  request.seatsTotal = state.seatsCurrent;
  request.costVersion = COST_VERSION;
  request.replaySeats = min<u32>(state.replaySeats, state.seatsCurrent);
  request.replicas = <u16>max<u32>(1, min<u32>(state.replicas, state.nodesCurrent));
  request.quorum = state.quorumAmong(state.nodesCurrent, state.quorum);
}

export function request_execution(): void {
  const state = State.load();
  state.assertRunning();
  const fields = callArguments();
  const request = new RequestRecord();
  request.predecessorId = predecessor();
  request.signerId = signer();
  const payer = fields.optional("payer_account_id");
  request.payerId = payer ? parseAccount(payer) : request.predecessorId;
  request.source = parseSource(fields.required("source"));
  const limits = fields.optional("resource_limits");
  request.compileOnly = limits == null;
  const extras = parseLimits(limits);
  applyParams(request, extras, fields.optional("params"));
  applyLimits(request, extras);
  request.responseFormat = parseFormat(fields.optional("response_format"));
  applySecrets(request, fields.optional("secrets_ref"));
  const input = fields.optional("input_data");
  if (input) request.input = input.text(MAX_INPUT_BYTES);
  check(
    !request.compileOnly || request.input.length == 0,
    "InputOfCompileOnly: input_data must be empty for compile_only mode - compilation does not use input_data",
  );
  request.payment = attachedDeposit();
  checkPayment(state, request, extras);

  pinContext(state, request);
  const args = new ByteBuffer(64);
  args.literal('{"request_id":' + request.requestId.toString() + "}");
  const gas = CALLBACK_GAS + CALLBACK_GAS_PER_INPUT_BYTE * request.input.length;
  request.dataId = suspend("on_execution_response", args.done(), gas);
  request.save();
  addPending(state, request.requestId);
  state.owes(request.payment);
  state.save();
  state.assertSolvent();
  emitRequested(state, request, extras);
}
