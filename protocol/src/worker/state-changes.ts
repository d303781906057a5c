/** What a change of the contract's storage means to a worker. The keys stand in `wire/records.ts`. */
import { decode } from "../wire/borsh.ts";
import {
  LEASE_PREFIX,
  leaseRecord,
  NODE_PREFIX,
  nodeRecord,
  OBJECTION_PREFIX,
  OUTCOME_PREFIX,
  outcomeRecord,
  PROPOSAL_PREFIX,
  proposalRecord,
  REQUEST_PREFIX,
  requestRecord,
} from "../wire/records.ts";
import type { WorkerEvent } from "./events.ts";

/** A write (`value`) or a deletion (no value) of one storage key of the contract. */
export interface StateChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** A one-byte prefix and a u64. */
const REQUEST_KEY_BYTES = 9;

/**
 * The event that a change is, or nothing for keys that are the contract's own business.
 * @throws {WireError} where a record is not one of this version
 */
export function eventOf({ key, value }: StateChange): WorkerEvent | undefined {
  const prefix = key[0];
  if (prefix === NODE_PREFIX && value) return { kind: "nodeChanged", node: decode(nodeRecord, value) };
  if (key.length !== REQUEST_KEY_BYTES) return undefined;
  const requestId = Number(new DataView(key.buffer, key.byteOffset).getBigUint64(1));
  switch (prefix) {
    case REQUEST_PREFIX:
      return value
        ? { kind: "requestOpened", record: decode(requestRecord, value) }
        : { kind: "requestClosed", requestId };
    case LEASE_PREFIX:
      return value && { kind: "leaseChanged", requestId, lease: decode(leaseRecord, value) };
    case OUTCOME_PREFIX:
      return value && { kind: "outcomeStored", requestId, outcome: decode(outcomeRecord, value) };
    case PROPOSAL_PREFIX:
      return { kind: "proposalChanged", requestId, proposal: value && decode(proposalRecord, value) };
    case OBJECTION_PREFIX:
      return value && { kind: "objectionStored", requestId };
    default:
      return undefined;
  }
}
