/** `request_execution`: takes the deposit, suspends the caller and stores what peers work on. */
import { parseAccount } from "./accounts";
import { BorshWriter } from "./borsh";
import { emitRequested, RequestExtras } from "./events";
import {
  attachedDeposit, blockHeight, check, currentAccount, panic, predecessor, randomSeed, sha256, signer, suspend,
  timestampNs,
} from "./host";
import { callArguments, Json, JsonObject } from "./json";
import { requestIdArguments } from "./json-writer";
import { callbackGas, Terms } from "./levels";
import {
  ANSWERS_RESERVE_BYTES, DEFAULT_EXECUTION_SECONDS, DEFAULT_INSTRUCTIONS, DEFAULT_MEMORY_MB, INPUT_IN_EVENT_BYTES,
  MAX_EXECUTION_SECONDS, MAX_INPUT_BYTES, MAX_INSTRUCTIONS, MAX_NAME_BYTES, MAX_PROJECT_ID_BYTES,
  MAX_VERSION_KEY_BYTES, REQUESTS_RESERVE_BYTES, YIELD_BLOCKS,
} from "./limits";
import { Message } from "./message";
import { estimateCost } from "./money";
import { addPending } from "./pending";
import { Price, priceOf } from "./pricing";
import { Project } from "./projects";
import { RequestRecord, SOURCE_GITHUB } from "./records";
import { optionalName, parseCode, printable } from "./sources";
import { holdAttachedUsd } from "./stablecoins";
import { COST_VERSION, State } from "./state";
import { sameText } from "./text";

const SEED_DOMAIN = "outlayer/seed/v1";

/** The code, and for a project who owns it. */
function applySource(request: RequestRecord, extras: RequestExtras, value: Json): Uint8Array | null {
  const variants = value.object();
  const named = variants.optional("Project");
  if (!named) {
    request.source = parseCode(variants);
    return null;
  }
  check(variants.count == 1, "BadSource: source has exactly one of GitHub, WasmUrl, Project");
  const fields = named.object(), versionKey = fields.optional("version_key");
  const project = Project.load(fields.required("project_id").text(MAX_PROJECT_ID_BYTES));
  request.source = project.version(versionKey ? versionKey.text(MAX_VERSION_KEY_BYTES) : project.activeVersion).source;
  request.projectId = project.id();
  extras.projectUuid = project.uuid();
  return project.owner;
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
  if (!request.projectId) extras.projectUuid = optionalName(params, "project_uuid");
  const attachedUsd = params.optional("attached_usd");
  if (attachedUsd) request.attachedUsd = attachedUsd.amount();
  check(
    request.projectId != null || request.attachedUsd.isZero(),
    "AttachedUsdWithoutProject: attached_usd needs a Project source",
  );
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
      new Message("TooManyInstructions: max_instructions exceeds the hard limit of ").number(MAX_INSTRUCTIONS).panic();
    }
    if (extras.seconds > MAX_EXECUTION_SECONDS) {
      new Message("TooManySeconds: max_execution_seconds exceeds the hard limit of ").number(MAX_EXECUTION_SECONDS).panic();
    }
  }
  const instructions = extras.hasInstructions ? extras.instructions : DEFAULT_INSTRUCTIONS;
  const seconds = extras.hasSeconds ? extras.seconds : DEFAULT_EXECUTION_SECONDS;
  request.maxInstructions = min<u64>(instructions, MAX_INSTRUCTIONS);
  request.maxExecutionSeconds = <u32>min<u64>(seconds, MAX_EXECUTION_SECONDS);
  request.maxMemoryMb = extras.hasMemoryMb ? extras.memoryMb : DEFAULT_MEMORY_MB;
}

/**
 * Blocks in which a request can be answered: the yield less what the resume takes, and, where answers wait for
 * objections, less a whole window and as much again for the highest level to judge one. So nobody chooses a time at which
 * an answer is not looked at.
 */
function answerBlocks(state: State, terms: Terms): u64 {
  const lasts = YIELD_BLOCKS - state.deadlineReserveBlocks;
  if (terms.challengeBlocks == 0) return lasts;
  const judged: u64 = terms.challengeBlocks + state.deadlineReserveBlocks;
  return lasts > judged ? lasts - judged : 1;
}

/**
 * After the estimate, which counts what was asked for: no more instructions than a lease taken at once leaves blocks
 * for, by the network's own measure. A holder with more could only fail, and would pay for the lease that runs out.
 */
function fitToDeadline(state: State, terms: Terms, request: RequestRecord, extras: RequestExtras): void {
  const lasts = answerBlocks(state, terms), blocks = lasts > state.leaseBlocks ? lasts - state.leaseBlocks : 1;
  if (state.instructionsPerBlock > MAX_INSTRUCTIONS / blocks) return;
  const most = state.instructionsPerBlock * blocks;
  request.maxInstructions = min<u64>(request.maxInstructions, most);
  extras.instructions = min<u64>(extras.instructions, most);
}

/** What the payment must cover at least; above that it buys a higher level. */
function checkPayment(state: State, request: RequestRecord, extras: RequestExtras): Terms {
  const instructions = request.compileOnly ? 0 : extras.instructions, seconds = request.compileOnly ? 0 : extras.seconds;
  const estimate = estimateCost(state, state.baseFee, instructions, seconds);
  if (!request.payment.lessThan(estimate)) return Terms.choose(state, request, instructions, seconds);
  new Message("InsufficientPayment: required ").amount(estimate)
    .literal(" yoctoNEAR for the requested limits, got ").amount(request.payment).panic();
  return Terms.lowest(state);
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
function pinContext(state: State, request: RequestRecord, terms: Terms): void {
  request.requestId = state.nextRequestId++;
  request.inputHash = sha256(request.input);
  request.seed = drawSeed(request.requestId);
  request.height = blockHeight();
  request.timestampNs = timestampNs();
  request.deadlineHeight = request.height + answerBlocks(state, terms);
  request.stakeEpoch = state.stakeEpoch();
  request.seatsTotal = state.seatsCurrent;
  request.costVersion = COST_VERSION;
  request.replaySeats = terms.replaySeats;
  request.replicas = terms.replicas;
  request.quorum = terms.quorum;
  terms.pin(state, request.requestId);
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
  const limits = fields.optional("resource_limits");
  request.compileOnly = limits == null;
  const extras = parseLimits(limits);
  const projectOwner = applySource(request, extras, fields.required("source"));
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
  const terms = checkPayment(state, request, extras);
  fitToDeadline(state, terms, request, extras);

  pinContext(state, request, terms);
  // Last: the input may be read as JSON of its own.
  if (projectOwner) {
    let price: Price | null = null;
    if (!request.compileOnly) price = priceOf(request.projectId!, request.input);
    holdAttachedUsd(request, projectOwner, price);
  }
  const gas = callbackGas(request.quorum, request.input.length);
  request.dataId = suspend("on_execution_response", requestIdArguments(request.requestId), gas);
  request.save();
  addPending(state, request.requestId);
  state.owes(request.payment);
  state.save();
  state.assertSolvent(request.input.length < INPUT_IN_EVENT_BYTES ? ANSWERS_RESERVE_BYTES : REQUESTS_RESERVE_BYTES);
  emitRequested(state, request, extras, terms.number);
}
