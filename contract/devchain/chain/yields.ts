/** Yields that are over: because data has come for them, or because nobody resumed them in time. */
import { type Hash, hashBytes, sha256, toHash, u64le } from "../codec/hash.ts";
import type { YieldTimeout } from "./receipt-execution.ts";
import type { State } from "./state.ts";
import type { ActionReceipt, DataReceipt } from "./types.ts";

/** The yield is over before its callback runs, whether the callback succeeds or not. */
export function forgetYield(state: State, receipt: ActionReceipt): void {
  const accountId = receipt.receiverId;
  const dataId = receipt.inputDataIds[0]!;
  state.set("yield", accountId, dataId, undefined);
  for (const [yieldId, named] of state.entries("yieldId", accountId)) {
    if (named === dataId) state.set("yieldId", accountId, yieldId, undefined);
  }
  state.commit({ kind: "receipt", hash: receipt.id });
}

/** "Nothing came", for yields that waited too long; it arrives in the next block. */
export function expireYields(state: State, timeouts: readonly YieldTimeout[], height: number): DataReceipt[] {
  const expired: DataReceipt[] = [];
  for (const [index, { accountId, dataId, transactionHash }] of timeouts.entries()) {
    if (state.get("yield", accountId, dataId) !== "waiting") continue;
    state.set("yield", accountId, dataId, "resumed");
    const id: Hash = toHash(sha256("yield timeout ", hashBytes(dataId), u64le(height), u64le(index)));
    state.commit({ kind: "receipt", hash: id });
    expired.push({
      kind: "data",
      id,
      predecessorId: accountId,
      receiverId: accountId,
      transactionHash,
      dataId,
      data: null,
      isResume: true,
    });
  }
  return expired;
}
