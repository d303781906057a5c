/** What may be patched into the state: past the rules of transactions, but not to what the chain could not go on from. */
import { SYSTEM_ACCOUNT } from "../codec/account-id.ts";
import { LIMITS } from "../parameters/protocol-config.ts";
import { DevChainError } from "./devchain-types.ts";
import type { QueueContents } from "./receipt-queue.ts";
import type { StatePatch } from "./snapshot.ts";
import type { Account, StateView } from "./state.ts";
import { checkSupply } from "./supply.ts";

/** What all the money of mainnet could keep: 10^19 yocto a byte, 10^33 yocto. Far enough from 2^53 to count on from. */
const MAX_STORAGE_BYTES = 10 ** 14;

function checkPatch(patch: StatePatch): string | undefined {
  if (patch.accountId === SYSTEM_ACCOUNT) return "belongs to the chain itself";
  if (patch.column === "account") {
    const { storageUsage } = patch.value;
    if (storageUsage > MAX_STORAGE_BYTES) return `storage usage ${storageUsage}, ${MAX_STORAGE_BYTES} is the most`;
  }
  if (patch.column === "code" && patch.value.length > LIMITS.max_contract_size) {
    return `${patch.value.length} bytes of code, ${LIMITS.max_contract_size} are the most`;
  }
  if (patch.column !== "data") return undefined;
  if (patch.key.length > LIMITS.max_length_storage_key) {
    return `a key of ${patch.key.length} bytes, ${LIMITS.max_length_storage_key} are the most`;
  }
  if (patch.value.length > LIMITS.max_length_storage_value) {
    return `a value of ${patch.value.length} bytes, ${LIMITS.max_length_storage_value} are the most`;
  }
  return undefined;
}

/** @throws DevChainError `INVALID_PATCH` */
export function checkPatches(state: StateView, queue: QueueContents, patches: readonly StatePatch[]): void {
  const accounts = new Map<string, Account>();
  for (const patch of patches) {
    const reason = checkPatch(patch);
    if (reason !== undefined) throw new DevChainError("INVALID_PATCH", `${patch.accountId}: ${reason}`);
    if (patch.column === "account") accounts.set(patch.accountId, patch.value);
  }
  checkSupply(state, queue, "INVALID_PATCH", accounts);
}
