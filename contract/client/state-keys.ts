/** The contract's state keys, for those who watch its state changes (`protocol/src/wire/records.ts`). */
import { BUILD_PREFIX, type CanonicalSource, sourceHash } from "@outlayer/protocol/wire/builds";
import { LEASE_PREFIX, NODE_PREFIX, OUTCOME_PREFIX, REQUEST_PREFIX } from "@outlayer/protocol/wire/records";

const REQUEST_KEY_BYTES = 9;
const kinds = new Map([
  [REQUEST_PREFIX, "request"],
  [LEASE_PREFIX, "lease"],
  [OUTCOME_PREFIX, "outcome"],
] as const);

export type StateKey =
  | { readonly kind: "request" | "lease" | "outcome"; readonly requestId: number }
  | { readonly kind: "node"; readonly accountId: string };

function requestKey(prefix: number, requestId: number): Uint8Array {
  const key = new Uint8Array(REQUEST_KEY_BYTES);
  key[0] = prefix;
  new DataView(key.buffer).setBigUint64(1, BigInt(requestId));
  return key;
}

export const stateKeys = {
  request: (requestId: number) => requestKey(REQUEST_PREFIX, requestId),
  lease: (requestId: number) => requestKey(LEASE_PREFIX, requestId),
  outcome: (requestId: number) => requestKey(OUTCOME_PREFIX, requestId),
  node: (accountId: string) => Uint8Array.of(NODE_PREFIX, ...new TextEncoder().encode(accountId)),
  build: (source: CanonicalSource) => Uint8Array.of(BUILD_PREFIX, ...sourceHash(source)),
};

/** What a changed key belongs to; undefined for the contract's private keys. */
export function parseStateKey(key: Uint8Array): StateKey | undefined {
  const prefix = key[0];
  if (prefix === NODE_PREFIX) return { kind: "node", accountId: new TextDecoder().decode(key.subarray(1)) };
  const kind = kinds.get(prefix as typeof REQUEST_PREFIX);
  if (kind === undefined || key.length !== REQUEST_KEY_BYTES) return undefined;
  const requestId = new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(1);
  return requestId <= BigInt(Number.MAX_SAFE_INTEGER) ? { kind, requestId: Number(requestId) } : undefined;
}
