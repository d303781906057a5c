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
    };
  });
}

/** `get_earnings`, `estimate_execution_cost`, `withdraw_earnings`: yocto. */
export function parseAmount(json: string | Uint8Array): bigint {
  return amountOf(parse(json), "the answer");
}
