/**
 * What the contract's views return, parsed by hand from the bytes that an RPC handed over: shapes are checked, and
 * records are decoded from the stored bytes that the views carry.
 */
import { type Codec, decode } from "@outlayer/protocol/wire/borsh";
import {
  type LeaseRecord,
  leaseRecord,
  type NodeRecord,
  nodeRecord,
  type OutcomeRecord,
  outcomeRecord,
  type ProposalRecord,
  proposalRecord,
  type RequestRecord,
  requestRecord,
} from "@outlayer/protocol/wire/records";
import { ContractViewError } from "./errors.ts";

type Fields = Readonly<Record<string, unknown>>;

function parse(json: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (cause) {
    throw new ContractViewError("badJson", "the view's answer is not JSON", { cause });
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ContractViewError("badShape", `${what} is not an object`);
  }
  return value as Fields;
}

function elementsOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ContractViewError("badShape", `${what} is not an array`);
  return value;
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new ContractViewError("badShape", `${name} is not a string`);
  return value;
}

function wholeOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new ContractViewError("badShape", `${name} is not a whole number`);
  }
  return value as number;
}

function amountOf(value: unknown, name: string): bigint {
  if (typeof value !== "string" || !/^\d{1,39}$/.test(value)) {
    throw new ContractViewError("badShape", `${name} is not an amount`);
  }
  return BigInt(value);
}

function recordOf<T>(codec: Codec<T>, value: unknown, name: string): T {
  if (typeof value !== "string") throw new ContractViewError("badShape", `${name} is not base64`);
  try {
    return decode(codec, new Uint8Array(Buffer.from(value, "base64")));
  } catch (cause) {
    throw new ContractViewError("badRecord", `${name} is not the record it should be`, { cause });
  }
}

export interface Network {
  readonly version: string;
  readonly chainId: string;
  readonly seatStakeYocto: bigint;
  readonly genesisHeight: number;
  readonly stakeEpochBlocks: number;
  readonly bootstrapBlocks: number;
  readonly leaseBlocks: number;
  /** Above 2^53 it is only approximate, which no use of it minds. */
  readonly instructionsPerBlock: number;
  readonly replaySeats: number;
  readonly replicas: number;
  readonly quorum: number;
  readonly deadlineReserveBlocks: number;
  readonly height: number;
  readonly stakeEpoch: number;
  readonly seatsPrevious: number;
  readonly seatsCurrent: number;
  readonly seatsNext: number;
  readonly nodeCount: number;
  readonly pendingCount: number;
  readonly nextRequestId: number;
  readonly liabilitiesYocto: bigint;
  /** From the lowest on: what a deposit can choose among. */
  readonly levels: readonly Level[];
}

/** What an answer needs, and what its base fee is. */
export interface Level {
  readonly number: number;
  readonly replaySeats: number;
  readonly replicas: number;
  readonly quorum: number;
  readonly challengeBlocks: number;
  readonly baseFeeYocto: bigint;
}

function levelOf(value: unknown): Level {
  const fields = fieldsOf(value, "a level");
  return {
    number: wholeOf(fields, "number"),
    replaySeats: wholeOf(fields, "replay_seats"),
    replicas: wholeOf(fields, "replicas"),
    quorum: wholeOf(fields, "quorum"),
    challengeBlocks: wholeOf(fields, "challenge_blocks"),
    baseFeeYocto: amountOf(fields.base_fee, "base_fee"),
  };
}

/** @throws {ContractViewError} as all parsers here. */
export function parseNetwork(json: string | Uint8Array): Network {
  const fields = fieldsOf(parse(json), "get_network");
  if (typeof fields.instructions_per_block !== "number") {
    throw new ContractViewError("badShape", "instructions_per_block is not a number");
  }
  return {
    version: textOf(fields, "version"),
    chainId: textOf(fields, "chain_id"),
    seatStakeYocto: amountOf(fields.seat_stake, "seat_stake"),
    genesisHeight: wholeOf(fields, "genesis_height"),
    stakeEpochBlocks: wholeOf(fields, "stake_epoch_blocks"),
    bootstrapBlocks: wholeOf(fields, "bootstrap_blocks"),
    leaseBlocks: wholeOf(fields, "lease_blocks"),
    instructionsPerBlock: fields.instructions_per_block,
    replaySeats: wholeOf(fields, "replay_seats"),
    replicas: wholeOf(fields, "replicas"),
    quorum: wholeOf(fields, "quorum"),
    deadlineReserveBlocks: wholeOf(fields, "deadline_reserve_blocks"),
    height: wholeOf(fields, "height"),
    stakeEpoch: wholeOf(fields, "stake_epoch"),
    seatsPrevious: wholeOf(fields, "seats_previous"),
    seatsCurrent: wholeOf(fields, "seats_current"),
    seatsNext: wholeOf(fields, "seats_next"),
    nodeCount: wholeOf(fields, "node_count"),
    pendingCount: wholeOf(fields, "pending_count"),
    nextRequestId: wholeOf(fields, "next_request_id"),
    liabilitiesYocto: amountOf(fields.liabilities, "liabilities"),
    levels: elementsOf(fields.levels, "levels").map(levelOf),
  };
}

/** `get_node`: undefined where the account has none. */
export function parseNode(json: string | Uint8Array): NodeRecord | undefined {
  const value = parse(json);
  return value === null ? undefined : recordOf(nodeRecord, fieldsOf(value, "get_node").record, "record");
}

/** A page of `get_nodes`; the next one begins after as many as came, until none come. */
export function parseNodes(json: string | Uint8Array): readonly NodeRecord[] {
  return elementsOf(parse(json), "get_nodes").map((node) =>
    recordOf(nodeRecord, fieldsOf(node, "a node").record, "record"),
  );
}

export interface PendingRecord {
  readonly request: RequestRecord;
  readonly lease: LeaseRecord | undefined;
  readonly outcome: OutcomeRecord | undefined;
  /** An answer that waits for objections. */
  readonly proposal: ProposalRecord | undefined;
  readonly objected: boolean;
}

/**
 * A page of `get_pending_records`, in the order of request ids. Pages may be short: the next one begins at
 * `from_request_id` = last id + 1, so that settlements between two pages hide nothing.
 */
export function parsePendingRecords(json: string | Uint8Array): readonly PendingRecord[] {
  return elementsOf(parse(json), "get_pending_records").map((value) => {
    const fields = fieldsOf(value, "a pending record");
    return {
      request: recordOf(requestRecord, fields.request, "request"),
      lease: fields.lease === null ? undefined : recordOf(leaseRecord, fields.lease, "lease"),
      outcome: fields.outcome === null ? undefined : recordOf(outcomeRecord, fields.outcome, "outcome"),
      proposal: fields.proposal === null ? undefined : recordOf(proposalRecord, fields.proposal, "proposal"),
      objected: fields.objected === true,
    };
  });
}

/** What is bound for a source; strength 65,535: signed by the highest level. */
export interface Build {
  readonly codeHash: Uint8Array;
  readonly recipeId: Uint8Array;
  readonly detailsHash: Uint8Array;
  readonly requestId: number;
  readonly quorum: number;
  readonly boundHeight: number;
}

function hashOf(value: unknown, name: string): Uint8Array {
  if (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value)) {
    throw new ContractViewError("badShape", `${name} is not a hash`);
  }
  return new Uint8Array(Buffer.from(value, "hex"));
}

/** `get_build`: undefined where nothing is bound. */
export function parseBuild(json: string | Uint8Array): Build | undefined {
  const value = parse(json);
  if (value === null) return undefined;
  const fields = fieldsOf(value, "get_build");
  return {
    codeHash: hashOf(fields.code_hash, "code_hash"),
    recipeId: hashOf(fields.recipe_id, "recipe_id"),
    detailsHash: hashOf(fields.details_hash, "details_hash"),
    requestId: wholeOf(fields, "request_id"),
    quorum: wholeOf(fields, "quorum"),
    boundHeight: wholeOf(fields, "bound_height"),
  };
}

/** `get_recipes`: ids. */
export function parseRecipes(json: string | Uint8Array): readonly Uint8Array[] {
  return elementsOf(parse(json), "get_recipes").map((recipe) => hashOf(recipe, "a recipe"));
}

/** `get_earnings`, `estimate_execution_cost`, `withdraw_earnings`: yocto. */
export function parseAmount(json: string | Uint8Array): bigint {
  return amountOf(parse(json), "the answer");
}
