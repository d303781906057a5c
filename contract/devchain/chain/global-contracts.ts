/**
 * Code that accounts share (NEP-591), and accounts that follow from their state (NEP-616); nearcore
 * runtime/src/global_contracts.rs and deterministic_account_id.rs. Deployed code reaches the state with a receipt of
 * its own, a block after the action.
 */
import type { Action, DeterministicStateInitAction, GlobalContractId } from "../codec/action.ts";
import { globalContractIdBytes } from "../codec/action.ts";
import { globalContractJson } from "../codec/global-contract.ts";
import { type Hash, sha256, toHash, ZERO_HASH } from "../codec/hash.ts";
import { GLOBAL_CONTRACT_YOCTO_PER_BYTE } from "../parameters/later-fees.ts";
import { STORAGE_USAGE } from "../parameters/protocol-config.ts";
import { ActionFailure, type ReceiptScope } from "./receipt-scope.ts";
import type { Account, StateView } from "./state.ts";
import { missingForStorage } from "./storage-stake.ts";

export function globalCodeKey(contract: GlobalContractId): string {
  return contract.kind === "hash" ? `hash ${contract.codeHash}` : `account ${contract.accountId}`;
}

/** What an account runs, its own or shared. */
export function codeOf(
  state: StateView,
  accountId: string,
  account: Account,
): { readonly code: Uint8Array<ArrayBuffer>; readonly codeHash: Hash } | undefined {
  if (account.globalContract !== undefined) return state.get("globalCode", "", globalCodeKey(account.globalContract));
  const code = state.get("code", accountId, "");
  return code && { code, codeHash: account.codeHash };
}

/** Without the bytes of the contract it had, and without the contract. */
export function withoutContract(scope: ReceiptScope, account: Account): Account {
  const { receiverId } = scope.receipt;
  const { globalContract, ...rest } = account;
  if (globalContract !== undefined) {
    return { ...rest, storageUsage: account.storageUsage - globalContractIdBytes(globalContract) };
  }
  const bytes = scope.state.get("code", receiverId, "")?.length ?? 0;
  scope.state.set("code", receiverId, "", undefined);
  return { ...rest, codeHash: ZERO_HASH, storageUsage: account.storageUsage - bytes };
}

/** The price of sharing is burnt. @throws ActionFailure */
export function deployGlobalContract(
  scope: ReceiptScope,
  account: Account,
  { code, byAccount }: Extract<Action, { kind: "DeployGlobalContract" }>,
): Account {
  const { receiverId } = scope.receipt;
  const cost = GLOBAL_CONTRACT_YOCTO_PER_BYTE * BigInt(code.length);
  if (account.amount < cost) {
    throw new ActionFailure({ LackBalanceForState: { account_id: receiverId, amount: cost.toString() } });
  }
  const contract: GlobalContractId = byAccount
    ? { kind: "account", accountId: receiverId }
    : { kind: "hash", codeHash: toHash(sha256(code)) };
  scope.distributions.push({ contract, code });
  return { ...account, amount: account.amount - cost };
}

/** @throws ActionFailure */
export function useGlobalContract(scope: ReceiptScope, account: Account, contract: GlobalContractId): Account {
  if (scope.state.get("globalCode", "", globalCodeKey(contract)) === undefined) {
    throw new ActionFailure({ GlobalContractDoesNotExist: { identifier: globalContractJson(contract) } });
  }
  const cleared = withoutContract(scope, account);
  return {
    ...cleared,
    globalContract: contract,
    storageUsage: cleared.storageUsage + globalContractIdBytes(contract),
  };
}

/** Of the deposit the account keeps what its storage needs; the rest goes back. @throws ActionFailure */
export function initDeterministicAccount(
  scope: ReceiptScope,
  account: Account,
  { contract, data, deposit }: DeterministicStateInitAction,
): Account {
  const { receiverId, refundTo } = scope.receipt;
  let made = account;
  if (account.globalContract === undefined && account.codeHash === ZERO_HASH) {
    made = useGlobalContract(scope, account, contract);
    for (const { key, value } of data) {
      scope.state.set("data", receiverId, Buffer.from(key).toString("latin1"), value);
      made = {
        ...made,
        storageUsage: made.storageUsage + key.length + value.length + STORAGE_USAGE.num_extra_bytes_record,
      };
    }
  }
  const missing = missingForStorage(made);
  const kept = missing < deposit ? missing : deposit;
  if (deposit > kept) scope.bequests.push({ beneficiaryId: refundTo, amount: deposit - kept });
  return { ...made, amount: made.amount + kept };
}
