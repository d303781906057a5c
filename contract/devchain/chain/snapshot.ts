/**
 * A chain between two blocks, as data: enough to go on from there, in the same chain (revert) or in another (fork).
 * What is over does not belong to it: blocks before the head, their states, and finished transactions.
 */
import { type Hash, sha256, toHash, ZERO_HASH } from "../codec/hash.ts";
import type { QueueContents } from "./receipt-queue.ts";
import type { Account, State, StateRecord } from "./state.ts";
import type { OpenTransaction } from "./transaction-ledger.ts";
import type { Block } from "./types.ts";

export interface ChainSnapshot {
  readonly chainId: string;
  readonly genesisHash: Hash;
  readonly genesisTimestampNs: bigint;
  readonly head: Block;
  /** Of the blocks that transactions may name; the last is the head's. */
  readonly blockHashes: readonly Hash[];
  readonly records: readonly StateRecord[];
  readonly queue: QueueContents;
  /** Transactions that are on their way, and those that wait for a block (Borsh). */
  readonly open: readonly OpenTransaction[];
  readonly pending: readonly Uint8Array[];
}

/** What may be put into the state from outside, as near-sandbox's `sandbox_patch_state` does. */
export type StatePatch = Extract<StateRecord, { column: "account" | "accessKey" | "code" | "data" }>;

const NO_ACCOUNT: Account = { amount: 0n, locked: 0n, codeHash: ZERO_HASH, storageUsage: 0 };

/** Accounts and their codes stay in step: the hash follows from the code, whatever the patch says. */
export function applyPatches(state: State, patches: readonly StatePatch[]): void {
  for (const patch of patches) {
    const { column, accountId, key, value } = patch;
    if (column === "account") {
      const code = state.get("code", accountId, "");
      state.set("account", accountId, "", { ...value, codeHash: code ? toHash(sha256(code)) : ZERO_HASH });
    } else if (column === "code") {
      const account = state.get("account", accountId, "") ?? NO_ACCOUNT;
      state.set("code", accountId, "", value);
      const { globalContract: _, ...own } = account;
      state.set("account", accountId, "", { ...own, codeHash: toHash(sha256(value)) });
    } else {
      state.set(column, accountId, key, value);
    }
  }
  if (patches.length > 0) state.commit({ kind: "patch" });
}
