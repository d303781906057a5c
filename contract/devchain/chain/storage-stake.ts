/** How much of an account's balance its bytes hold on to. */
import { STORAGE_AMOUNT_PER_BYTE } from "../parameters/protocol-config.ts";
import type { Account } from "./state.ts";

/** Accounts up to this size need no balance for their storage (NEP-448). */
const ZERO_BALANCE_STORAGE_BYTES = 770;

/** Yocto that are missing for the account's storage; 0 when it is covered. */
export function missingForStorage(account: Account): bigint {
  if (account.storageUsage <= ZERO_BALANCE_STORAGE_BYTES) return 0n;
  const missing = STORAGE_AMOUNT_PER_BYTE * BigInt(account.storageUsage) - account.amount - account.locked;
  return missing > 0n ? missing : 0n;
}
