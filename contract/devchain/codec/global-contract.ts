/** Shared code and state inits in JSON and Borsh (nearcore core/primitives-core, global_contract.rs and beside it). */
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { DeterministicStateInitAction, GlobalContractId } from "./action.ts";
import { hashBytes } from "./hash.ts";

/** How nearcore's errors and views name it. */
export function globalContractJson(contract: GlobalContractId): Record<string, string> {
  return contract.kind === "hash" ? { hash: contract.codeHash } : { account_id: contract.accountId };
}

function framed(bytes: Uint8Array): Uint8Array[] {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return [length, bytes];
}

/** The account that a state init makes: `0s` and the end of the Keccak hash of its Borsh form. */
export function deterministicAccountId({
  contract,
  data,
}: Pick<DeterministicStateInitAction, "contract" | "data">): string {
  const identifier =
    contract.kind === "hash"
      ? [Uint8Array.of(0), hashBytes(contract.codeHash)]
      : [Uint8Array.of(1), ...framed(Buffer.from(contract.accountId))];
  const count = Buffer.alloc(4);
  count.writeUInt32LE(data.length);
  const records = data.flatMap(({ key, value }) => [...framed(key), ...framed(value)]);
  const hash = keccak_256(Buffer.concat([Uint8Array.of(0), ...identifier, count, ...records]));
  return `0s${Buffer.from(hash.subarray(12)).toString("hex")}`;
}
