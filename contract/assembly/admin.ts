/** `new` and what the owner may change: itself, the operator's name, the pause and the prices. */
import { parseAccount } from "./accounts";
import { assertPrivate, blockHeight, callInput, check, currentAccount, deployThen } from "./host";
import { bounded, callArguments, JsonObject } from "./json";
import { Terms } from "./levels";
import { MAX_ATTESTATIONS, MAX_CHALLENGE_BLOCKS, MAX_NAME_BYTES, MIN_LEASE_BLOCKS, YIELD_BLOCKS } from "./limits";
import { ownerAction, ownerMay } from "./owner";
import { rememberFrom } from "./ended";
import { Prices } from "./prices";
import { optionalName } from "./sources";
import { assumeStablecoinsOwed, stablecoinsOwed } from "./stablecoins";
import { State, STATE_VERSION } from "./state";
import { sameText, Text, utf8 } from "./text";
import { U128 } from "./u128";

/** 10^21 yocto = 0.001 NEAR for every request. */
const BASE_FEE = "1000000000000000000000";
const PER_MILLION_INSTRUCTIONS: u64 = 100_000_000_000_000;
const PER_MS: u64 = 100_000_000_000_000_000;
const PER_COMPILE_MS: u64 = 100_000_000_000_000_000;

/** 10 NEAR: what a seat stands for. */
const SEAT_STAKE = "10000000000000000000000000";
/** As long as an epoch of NEAR itself: well above a yield and the time to dispute its result. */
const STAKE_EPOCH_BLOCKS: u64 = 43_200;
/** The first epoch: a network starts with the nodes that come in it. */
const BOOTSTRAP_BLOCKS: u64 = 43_200;
/** Fetching code, replaying and sending the result, apart from the run itself. */
const LEASE_BLOCKS: u64 = 10;
/** Fuel that a modest machine burns in a block of 0.6 s. */
const INSTRUCTIONS_PER_BLOCK: u64 = 1_000_000_000;
/** The standard level: 12 seats drawn, 3 executions, 3 equal attestations. */
const REPLAY_SEATS: u64 = 12;
const REPLICAS: u64 = 3;
const QUORUM: u64 = 3;
/** Blocks between the last resolve and the yield's own end. */
const DEADLINE_RESERVE_BLOCKS: u64 = 10;
/** Claiming and resolving cost the holder about 5 Tgas, half the base fee; replaying sends no transaction. */
const HOLDER_SHARE_BPS: u64 = 6_000;
/** 0.005 NEAR: five base fees. */
const LEASE_PENALTY = "5000000000000000000000";
/** 1 NEAR. */
const OBJECTION_BOND = "1000000000000000000000000";
/** Of the builder, and of the keystore: half of a charge at most goes to those who did not sign. */
const MAX_SHARE_BPS: u64 = 2_500;
const MAX_TIMELOCK_BLOCKS: u64 = 10_000_000;

export const EVENT_STANDARD = "near-outlayer";
export const EVENT_VERSION = "1.0.0";

function amountOf(decimal: Text): U128 { return U128.parse(utf8(decimal), "default"); }

function amountOr(network: JsonObject | null, field: Text, otherwise: Text): U128 {
  const value = network ? network.optional(field) : null;
  return value ? value.amount() : amountOf(otherwise);
}

/** Without a word from the deployer, the account's own name tells the chain. */
function defaultChainId(): Uint8Array {
  const account = currentAccount();
  return utf8(sameText(account.subarray(max(0, account.length - 8)), ".testnet") ? "testnet" : "mainnet");
}

function applyNetwork(state: State, network: JsonObject | null): void {
  const chainId = network ? network.optional("chain_id") : null;
  state.chainId = chainId ? chainId.text(MAX_NAME_BYTES) : defaultChainId();
  state.seatStake = amountOr(network, "seat_stake", SEAT_STAKE);
  check(!state.seatStake.isZero(), "BadNetwork: seat_stake is above 0");
  // A node's record knows the epoch before its own, so an epoch must outlast every request pinned to it.
  state.stakeEpochBlocks = bounded(network, "stake_epoch_blocks", STAKE_EPOCH_BLOCKS, YIELD_BLOCKS, 1 << 32);
  state.bootstrapBlocks = bounded(network, "bootstrap_blocks", BOOTSTRAP_BLOCKS, 0, 1 << 32);
  state.leaseBlocks = <u32>bounded(network, "lease_blocks", LEASE_BLOCKS, MIN_LEASE_BLOCKS, YIELD_BLOCKS);
  state.instructionsPerBlock = bounded(network, "instructions_per_block", INSTRUCTIONS_PER_BLOCK, 1, u64.MAX_VALUE);
  state.replaySeats = <u32>bounded(network, "replay_seats", REPLAY_SEATS, 1, u32.MAX_VALUE);
  state.replicas = <u16>bounded(network, "replicas", REPLICAS, 1, MAX_ATTESTATIONS);
  state.quorum = <u16>bounded(network, "quorum", QUORUM, 1, MAX_ATTESTATIONS);
  state.deadlineReserveBlocks = <u32>bounded(
    network, "deadline_reserve_blocks", DEADLINE_RESERVE_BLOCKS, 1, YIELD_BLOCKS - 1,
  );
  applyLaterDefaults(state, network);
}

/** What layout 1 did not have. */
function applyLaterDefaults(state: State, network: JsonObject | null): void {
  state.holderShareBps = <u16>bounded(network, "holder_share_bps", HOLDER_SHARE_BPS, 0, 10_000);
  state.challengeBlocks = <u16>bounded(network, "challenge_blocks", 0, 0, MAX_CHALLENGE_BLOCKS);
  state.leasePenalty = amountOr(network, "lease_penalty", LEASE_PENALTY);
  state.objectionBond = amountOr(network, "objection_bond", OBJECTION_BOND);
  state.timelockBlocks = bounded(network, "timelock_blocks", 0, 0, MAX_TIMELOCK_BLOCKS);
  state.eventStandard = utf8(EVENT_STANDARD);
  state.eventVersion = utf8(EVENT_VERSION);
}

/** `new`: an AssemblyScript function cannot bear that name, so `index.ts` exports it under it. */
export function initialize(): void {
  check(!State.exists(), "AlreadyInitialized: new was called before");
  const fields = callArguments();
  const state = new State();
  state.owner = parseAccount(fields.required("owner_id"));
  const operator = fields.optional("operator_id");
  state.operator = operator ? parseAccount(operator) : state.owner;
  const network = fields.optional("network");
  const options = network ? network.object() : null;
  applyNetwork(state, options);
  state.account = currentAccount();
  applyShares(state, options);
  if (options && options.optional("levels")) Terms.replace(state, options);
  state.genesisHeight = blockHeight();
  state.baseFee = amountOf(BASE_FEE);
  state.perMillionInstructions = new U128(PER_MILLION_INSTRUCTIONS);
  state.perMs = new U128(PER_MS);
  state.perCompileMs = new U128(PER_COMPILE_MS);
  state.save();
}

export function set_owner(): void {
  const state = State.load();
  const fields = ownerAction(state, "set_owner");
  if (!fields) return;
  state.owner = parseAccount(fields.required("new_owner_id"));
  state.save();
}

export function set_operator(): void {
  const state = State.load();
  const fields = ownerAction(state, "set_operator");
  if (!fields) return;
  state.operator = parseAccount(fields.required("new_operator_id"));
  state.save();
}

/** At once, whatever the timelock: it stops new requests and nothing else. */
export function set_paused(): void {
  const state = State.load();
  state.assertOwner();
  state.paused = callArguments().required("paused").bool();
  state.save();
}

/** What is not named stays. Together they leave something to those who sign. */
function applyShares(state: State, fields: JsonObject | null): void {
  state.builderShareBps = <u16>bounded(fields, "builder_share_bps", state.builderShareBps, 0, MAX_SHARE_BPS);
  state.keystoreShareBps = <u16>bounded(fields, "keystore_share_bps", state.keystoreShareBps, 0, MAX_SHARE_BPS);
}

/** Prices and shares that are not named stay. Open requests are charged by the prices that they were made under. */
export function set_pricing(): void {
  const state = State.load();
  const fields = ownerAction(state, "set_pricing");
  if (!fields) return;
  const baseFee = fields.optional("base_fee");
  const perInstruction = fields.optional("per_instruction_fee");
  const perMs = fields.optional("per_ms_fee");
  const perCompileMs = fields.optional("per_compile_ms_fee");
  if (baseFee || perInstruction) Prices.keep(state);
  if (baseFee) state.baseFee = baseFee.amount();
  if (perInstruction) state.perMillionInstructions = perInstruction.amount();
  if (perMs) state.perMs = perMs.amount();
  if (perCompileMs) state.perCompileMs = perCompileMs.amount();
  applyShares(state, fields);
  state.save();
  state.assertSolvent();
}

/** The levels above the lowest, all of them; open requests keep what they have. */
export function set_levels(): void {
  const state = State.load();
  const fields = ownerAction(state, "set_levels");
  if (!fields) return;
  Terms.replace(state, fields);
  state.save();
  state.assertSolvent();
}

/** Standard and version of all events: what indexers filter by. A name that is not given stays. */
export function set_event_metadata(): void {
  const state = State.load();
  const fields = ownerAction(state, "set_event_metadata");
  if (!fields) return;
  const standard = optionalName(fields, "standard"), version = optionalName(fields, "version");
  if (standard) state.eventStandard = standard;
  if (version) state.eventVersion = version;
  state.save();
  state.assertSolvent();
}

/** Null: stablecoins are not taken. Another token only when nobody has any: what is owed is owed in this one. */
export function set_payment_token_contract(): void {
  const state = State.load();
  const fields = ownerAction(state, "set_payment_token_contract");
  if (!fields) return;
  const token = fields.optional("token_contract");
  check(stablecoinsOwed().isZero(), "StablecoinsOwed: balances, earnings or top-ups of the present token are not withdrawn");
  state.paymentToken = token ? parseAccount(token) : null;
  state.save();
  state.assertSolvent();
}

const MIGRATE_GAS: u64 = 50_000_000_000_000;

/** The call's input is the new code; `migrate` of the new code runs in the same receipt. */
export function upgrade(): void {
  if (ownerMay(State.load(), "upgrade")) deployThen(callInput(), "migrate", MIGRATE_GAS);
}

/** Brings the state of an older layout up to this one. By the contract's own account, as `upgrade` does. */
export function migrate(): void {
  assertPrivate();
  const state = State.loadAny();
  if (state.layout == STATE_VERSION) return;
  if (state.layout == 1) {
    // It counted no nodes: those of the index stand for them until the next epochs are counted.
    state.nodesCurrent = state.nodeCount;
    state.nodesNext = state.nodeCount;
    applyLaterDefaults(state, null);
  }
  if (state.layout < 4) {
    // Neither was counted: as many as there can never be.
    state.announced = 1 << 31;
    rememberFrom(state.nextRequestId);
    if (state.paymentToken) assumeStablecoinsOwed();
  }
  state.account = currentAccount();
  state.save();
}
