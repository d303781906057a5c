/**
 * Staking as the runtime sees it (nearcore runtime/src/actions.rs `action_stake`, chain/epoch-manager): money is
 * locked, stands as a validator's two epochs later, and comes back three epochs after it was taken out. Nobody produces
 * blocks for it: validators of this chain have a stake and a key, and nothing to do.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import type { Action } from "../codec/action.ts";
import { type PublicKey, publicKeyBytes } from "../codec/public-key.ts";
import { ActionFailure, type ReceiptScope } from "./receipt-scope.ts";
import type { Account, State, StateView } from "./state.ts";

function largest(first: bigint, ...others: readonly bigint[]): bigint {
  let most = first;
  for (const amount of others) if (amount > most) most = amount;
  return most;
}

/** A staking key has to be Ed25519 and free of the curve's small subgroup, as for a VRF. */
export function isStakingKey(publicKey: PublicKey): boolean {
  const bytes = publicKeyBytes(publicKey);
  if (bytes[0] !== 0) return false;
  try {
    return ed25519.Point.fromBytes(bytes.subarray(1), true).isTorsionFree();
  } catch {
    return false; // not a point of the curve
  }
}

/** The account after staking. @throws ActionFailure */
export function applyStake(
  scope: ReceiptScope,
  account: Account,
  { stake, publicKey }: Extract<Action, { kind: "Stake" }>,
): Account {
  const { receiverId } = scope.receipt;
  const { amount, locked } = account;
  const increment = stake > locked ? stake - locked : 0n;
  if (amount < increment) {
    const [wanted, has, balance] = [stake, locked, amount].map(String);
    throw new ActionFailure({ TriesToStake: { account_id: receiverId, stake: wanted, locked: has, balance } });
  }
  if (locked === 0n && stake === 0n) throw new ActionFailure({ TriesToUnstake: { account_id: receiverId } });
  if (stake > 0n && stake < scope.minimumStake) {
    const minimum = scope.minimumStake.toString();
    const kind = { account_id: receiverId, stake: stake.toString(), minimum_stake: minimum };
    throw new ActionFailure({ InsufficientStake: kind });
  }
  const { current, next } = scope.state.get("stake", receiverId, "") ?? { current: 0n, next: 0n };
  scope.state.set("stake", receiverId, "", { publicKey, current, next, proposed: stake });
  return { ...account, amount: amount - increment, locked: locked + increment };
}

/** At the first block of an epoch: proposals take their place, and what no epoch needs any more comes back. */
export function beginEpoch(state: State): void {
  for (const accountId of state.accounts("stake")) {
    const { publicKey, current, next, proposed } = state.get("stake", accountId, "")!;
    const afterNext = proposed ?? next;
    const kept = largest(current, next, afterNext);
    const account = state.get("account", accountId, "")!;
    const returned = account.locked - kept;
    state.set("account", accountId, "", { ...account, amount: account.amount + returned, locked: kept });
    const stake = { publicKey, current: next, next: afterNext, proposed: undefined };
    state.set("stake", accountId, "", kept > 0n ? stake : undefined);
  }
  state.commit({ kind: "epoch" });
}

export function validatorStake(state: StateView, accountId: string): bigint {
  return state.get("stake", accountId, "")?.current ?? 0n;
}

export function validatorTotalStake(state: StateView): bigint {
  return state.accounts("stake").reduce((sum, accountId) => sum + validatorStake(state, accountId), 0n);
}
