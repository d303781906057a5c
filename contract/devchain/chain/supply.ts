/**
 * All the money of a chain. nearcore adds balances as u128 and stops at one that does not fit
 * (`StorageInconsistentState`), which no receipt of a real network can reach. Here a genesis, a patch or a snapshot could
 * bring it about: they are refused, and with them out of the way no addition overflows.
 */
import { actionDeposit } from "../codec/action.ts";
import { DevChainError } from "./devchain-types.ts";
import type { QueueContents } from "./receipt-queue.ts";
import { prepaidGas } from "./settlement.ts";
import type { Account, StateView } from "./state.ts";
import type { Receipt } from "./types.ts";

/** Calls may be given a yocto that nobody had (`one_yocto_on_promise`): room for more of them than will ever be made. */
export const MAX_SUPPLY_YOCTO = 2n ** 128n - 2n ** 64n;

const ownedBy = (account: Account | undefined) => (account === undefined ? 0n : account.amount + account.locked);

function carriedBy(receipt: Receipt): bigint {
  if (receipt.kind !== "action") return 0n;
  const deposits = receipt.actions.reduce((sum, action) => sum + actionDeposit(action), 0n);
  return deposits + BigInt(prepaidGas(receipt)) * receipt.gasPrice;
}

/** What accounts have and receipts carry. Must be asked for between blocks. */
function supplyOf(state: StateView, queue: QueueContents): bigint {
  const receipts = [...queue.outgoing, ...queue.delayed, ...queue.waiting, ...queue.yielded];
  const carried = receipts.reduce((sum, receipt) => sum + carriedBy(receipt), 0n);
  return state.accounts("account").reduce((sum, id) => sum + ownedBy(state.get("account", id, "")), carried);
}

/**
 * @param replaced accounts that take the place of those in the state
 * @throws DevChainError with `code`
 */
export function checkSupply(
  state: StateView,
  queue: QueueContents,
  code: "INVALID_OPTIONS" | "INVALID_PATCH",
  replaced: ReadonlyMap<string, Account> = new Map(),
): void {
  let supply = supplyOf(state, queue);
  for (const [accountId, account] of replaced) {
    supply += ownedBy(account) - ownedBy(state.get("account", accountId, ""));
  }
  if (supply <= MAX_SUPPLY_YOCTO) return;
  throw new DevChainError(code, `all accounts would have ${supply} yocto, ${MAX_SUPPLY_YOCTO} is the most`);
}
