/**
 * Which transactions are valid, and what they cost (nearcore runtime/src/verifier.rs, config.rs).
 * Errors carry nearcore's JSON, which clients parse: near-api-js retries on `InvalidNonce` only if it finds it.
 */
import { isAccountId } from "../codec/account-id.ts";
import {
  type AccessKey,
  type Action,
  actionDeposit,
  actionGas,
  type DeterministicStateInitAction,
} from "../codec/action.ts";
import { deterministicAccountId } from "../codec/global-contract.ts";
import { hashBytes } from "../codec/hash.ts";
import { KEY_TYPES, verifySignature } from "../codec/public-key.ts";
import type { SignedTransaction } from "../codec/transaction.ts";
import { MAX_STATE_INIT_ENTRIES } from "../parameters/later-fees.ts";
import { LIMITS, MIN_GAS_PURCHASE_PRICE, PROTOCOL_VERSION } from "../parameters/protocol-config.ts";
import { attachedGas, receiptFees } from "../vm/action-fees.ts";
import { MAX_BALANCE_YOCTO } from "./balance.ts";
import { isStakingKey } from "./staking.ts";
import type { Account, StateView } from "./state.ts";
import { missingForStorage } from "./storage-stake.ts";
import type { ErrorJson } from "./types.ts";

/** Nonces may not run ahead of the block's height times this. */
export const NONCES_PER_BLOCK = 1_000_000n;

/** A transaction that cannot be included; `error` is nearcore's `InvalidTxError` as JSON. */
export class InvalidTransactionError extends Error {
  readonly code = "INVALID_TRANSACTION";
  readonly error: ErrorJson;
  constructor(error: ErrorJson) {
    super(typeof error === "string" ? error : JSON.stringify(error));
    this.name = "InvalidTransactionError";
    this.error = error;
  }
}

function checkKeyAction(action: Extract<Action, { kind: "AddKey" }>): ErrorJson | undefined {
  const { permission } = action.accessKey;
  if (permission.kind === "FullAccess") return undefined;
  if (!isAccountId(permission.receiverId)) return { InvalidAccountId: { account_id: permission.receiverId } };
  let total = 0;
  for (const name of permission.methodNames) {
    const length = Buffer.byteLength(name);
    const limit = LIMITS.max_length_method_name;
    if (length > limit) return { AddKeyMethodNameLengthExceeded: { length, limit } };
    total += length + 1;
  }
  const limit = LIMITS.max_number_bytes_method_names;
  if (total > limit) return { AddKeyMethodNamesNumberOfBytesExceeded: { total_number_of_bytes: total, limit } };
  return undefined;
}

function checkStateInit(action: DeterministicStateInitAction, receiverId: string): ErrorJson | undefined {
  const { contract, data } = action;
  if (contract.kind === "account" && !isAccountId(contract.accountId)) {
    return { InvalidAccountId: { account_id: contract.accountId } };
  }
  const derived = deterministicAccountId(action);
  if (derived !== receiverId) {
    return { InvalidDeterministicStateInitReceiver: { receiver_id: receiverId, derived_id: derived } };
  }
  for (const { key, value } of data) {
    const [keyLimit, valueLimit] = [LIMITS.max_length_storage_key, LIMITS.max_length_storage_value];
    if (key.length > keyLimit) {
      return { DeterministicStateInitKeyLengthExceeded: { length: key.length, limit: keyLimit } };
    }
    if (value.length > valueLimit) {
      return { DeterministicStateInitValueLengthExceeded: { length: value.length, limit: valueLimit } };
    }
  }
  return undefined;
}

function checkAction(action: Action, receiverId: string): ErrorJson | undefined {
  switch (action.kind) {
    case "DeployGlobalContract":
    case "DeployContract": {
      const limit = LIMITS.max_contract_size;
      const size = action.code.length;
      return size > limit ? { ContractSizeExceeded: { size, limit } } : undefined;
    }
    case "FunctionCall": {
      if (action.methodName === "") return "FunctionCallEmptyMethodName";
      if (action.gas === 0) return "FunctionCallZeroAttachedGas";
      const length = Buffer.byteLength(action.methodName);
      if (length > LIMITS.max_length_method_name) {
        return { FunctionCallMethodNameLengthExceeded: { length, limit: LIMITS.max_length_method_name } };
      }
      const limit = LIMITS.max_arguments_length;
      if (action.args.length > limit) {
        return { FunctionCallArgumentsLengthExceeded: { length: action.args.length, limit } };
      }
      return undefined;
    }
    case "Stake":
      return isStakingKey(action.publicKey) ? undefined : { UnsuitableStakingKey: { public_key: action.publicKey } };
    case "AddKey":
      return checkKeyAction(action);
    case "Delegate":
      if (!isAccountId(action.senderId)) return { InvalidAccountId: { account_id: action.senderId } };
      if (!isAccountId(action.receiverId)) return { InvalidAccountId: { account_id: action.receiverId } };
      return checkActions(action.actions, action.receiverId);
    case "UseGlobalContract": {
      const { contract } = action;
      if (contract.kind === "hash" || isAccountId(contract.accountId)) return undefined;
      return { InvalidAccountId: { account_id: contract.accountId } };
    }
    case "DeterministicStateInit":
      return checkStateInit(action, receiverId);
    case "TransferToGasKey":
    case "AddGasKey":
      return { UnsupportedProtocolFeature: { protocol_feature: "GasKeys", version: PROTOCOL_VERSION } };
    case "UniversalStateInit":
      return { UnsupportedProtocolFeature: { protocol_feature: "UniversalAccounts", version: PROTOCOL_VERSION } };
    case "DeleteAccount":
      return isAccountId(action.beneficiaryId) ? undefined : { InvalidAccountId: { account_id: action.beneficiaryId } };
    default:
      return undefined;
  }
}

/** nearcore's `ActionsValidationError` as JSON, undefined when the actions can go into a receipt. */
export function checkActions(actions: readonly Action[], receiverId: string): ErrorJson | undefined {
  const limit = LIMITS.max_actions_per_receipt;
  if (actions.length > limit) {
    return { TotalNumberOfActionsExceeded: { total_number_of_actions: actions.length, limit } };
  }
  const deploys = actions.filter(({ kind }) => kind === "DeployContract" || kind === "DeployGlobalContract").length;
  if (deploys > LIMITS.max_deploy_actions_per_receipt) {
    const deployLimit = LIMITS.max_deploy_actions_per_receipt;
    return { TotalNumberOfDeployActionsExceeded: { number_of_deploy_actions: deploys, limit: deployLimit } };
  }
  const entries = actions.reduce(
    (sum, made) => sum + (made.kind === "DeterministicStateInit" ? made.data.length : 0),
    0,
  );
  if (entries > MAX_STATE_INIT_ENTRIES) {
    const exceeded = { number_of_entries: entries, limit: MAX_STATE_INIT_ENTRIES };
    return { TotalNumberOfStateInitEntriesExceeded: exceeded };
  }
  if (actions.filter((action) => action.kind === "Delegate").length > 1) return "DelegateActionMustBeOnlyOne";
  for (const [index, action] of actions.entries()) {
    if (action.kind === "DeleteAccount" && index !== actions.length - 1) return "DeleteActionMustBeFinal";
    const error = checkAction(action, receiverId);
    if (error !== undefined) return error;
  }
  let gas = 0;
  for (const action of actions) {
    const sum = gas + actionGas(action);
    // Several that together are no u64; u64::MAX itself is 2^64 as a number and no overflow.
    if (gas > 0 && sum >= 2 ** 64) return "IntegerOverflow";
    gas = sum;
  }
  if (gas > LIMITS.max_total_prepaid_gas) {
    return { TotalPrepaidGasExceeded: { total_prepaid_gas: gas, limit: LIMITS.max_total_prepaid_gas } };
  }
  return undefined;
}

export interface TransactionCost {
  /** Burnt when the transaction becomes a receipt. */
  readonly burntGas: number;
  readonly burntTokens: bigint;
  /** What the receipt's gas is bought at. */
  readonly receiptGasPrice: bigint;
  /** Everything that is not a deposit. */
  readonly gasCost: bigint;
  readonly total: bigint;
}

/** @throws InvalidTransactionError `CostOverflow` when it is no u128, whatever the signer has */
export function transactionCost(transaction: SignedTransaction, gasPrice: bigint): TransactionCost {
  const { actions, receiverId, signerId } = transaction;
  const fees = receiptFees(actions, receiverId, signerId === receiverId);
  const attached = fees.execution + attachedGas(actions);
  const deposit = actions.reduce((sum, action) => sum + actionDeposit(action), 0n);
  const receiptGasPrice = gasPrice > MIN_GAS_PURCHASE_PRICE ? gasPrice : MIN_GAS_PURCHASE_PRICE;
  const burntTokens = BigInt(fees.send) * gasPrice;
  const gasCost = burntTokens + BigInt(attached) * receiptGasPrice;
  const total = gasCost + deposit;
  if (total > MAX_BALANCE_YOCTO) throw new InvalidTransactionError("CostOverflow");
  return { burntGas: fees.send, burntTokens, receiptGasPrice, gasCost, total };
}

/** Checks what does not depend on the state. @throws InvalidTransactionError */
export function verifyStateless(transaction: SignedTransaction): void {
  const { signature, publicKey, signerId, receiverId } = transaction;
  if (!isAccountId(signerId)) throw new InvalidTransactionError({ InvalidSignerId: { signer_id: signerId } });
  if (!isAccountId(receiverId)) throw new InvalidTransactionError({ InvalidReceiverId: { receiver_id: receiverId } });
  const actionsError = checkActions(transaction.actions, receiverId);
  if (actionsError !== undefined) throw new InvalidTransactionError({ ActionsValidation: actionsError });
  const sameType = publicKey.startsWith(`${KEY_TYPES[signature.type]!.name}:`);
  if (!sameType || !verifySignature(publicKey, signature.data, hashBytes(transaction.hash))) {
    throw new InvalidTransactionError("InvalidSignature");
  }
}

/**
 * A function-call key may make one call without deposit, to its receiver and its methods.
 * Returns nearcore's `InvalidAccessKeyError` as JSON.
 */
export function checkFunctionCallKey(
  signed: Pick<SignedTransaction, "actions" | "receiverId">,
  { permission }: AccessKey,
): ErrorJson | undefined {
  if (permission.kind === "FullAccess") return undefined;
  const [action, ...others] = signed.actions;
  if (action?.kind !== "FunctionCall" || others.length > 0) return "RequiresFullAccess";
  if (action.deposit > 0n) return "DepositWithFunctionCall";
  if (signed.receiverId !== permission.receiverId) {
    return { ReceiverMismatch: { tx_receiver: signed.receiverId, ak_receiver: permission.receiverId } };
  }
  const { methodNames } = permission;
  if (methodNames.length === 0 || methodNames.includes(action.methodName)) return undefined;
  return { MethodNameMismatch: { method_name: action.methodName } };
}

function chargeKey(transaction: SignedTransaction, accessKey: AccessKey, cost: TransactionCost): AccessKey {
  const { permission } = accessKey;
  const { nonce, signerId, publicKey } = transaction;
  if (permission.kind === "FullAccess" || permission.allowance === undefined) return { ...accessKey, nonce };
  if (permission.allowance < cost.total) {
    throw new InvalidTransactionError({
      InvalidAccessKeyError: {
        NotEnoughAllowance: {
          account_id: signerId,
          public_key: publicKey,
          allowance: permission.allowance.toString(),
          cost: cost.total.toString(),
        },
      },
    });
  }
  return { nonce, permission: { ...permission, allowance: permission.allowance - cost.total } };
}

/** The signer and its key after paying. @throws InvalidTransactionError */
export function chargeTransaction(
  state: StateView,
  transaction: SignedTransaction,
  blockHeight: number,
  gasPrice: bigint,
): { account: Account; accessKey: AccessKey; cost: TransactionCost } {
  const { signerId, publicKey, nonce } = transaction;
  const cost = transactionCost(transaction, gasPrice);
  const account = state.get("account", signerId, "");
  if (account === undefined) throw new InvalidTransactionError({ SignerDoesNotExist: { signer_id: signerId } });
  const accessKey = state.get("accessKey", signerId, publicKey);
  if (accessKey === undefined) {
    throw new InvalidTransactionError({
      InvalidAccessKeyError: { AccessKeyNotFound: { account_id: signerId, public_key: publicKey } },
    });
  }
  if (nonce <= accessKey.nonce) {
    throw new InvalidTransactionError({
      InvalidNonce: { tx_nonce: Number(nonce), ak_nonce: Number(accessKey.nonce) },
    });
  }
  const upperBound = BigInt(blockHeight) * NONCES_PER_BLOCK;
  if (nonce >= upperBound) {
    throw new InvalidTransactionError({
      NonceTooLarge: { tx_nonce: Number(nonce), upper_bound: Number(upperBound) },
    });
  }
  if (account.amount < cost.total) {
    throw new InvalidTransactionError({
      NotEnoughBalance: {
        signer_id: signerId,
        balance: account.amount.toString(),
        cost: cost.total.toString(),
      },
    });
  }
  const charged = { ...account, amount: account.amount - cost.total };
  const chargedKey = chargeKey(transaction, accessKey, cost);
  const missing = missingForStorage(charged);
  if (missing > 0n) {
    throw new InvalidTransactionError({ LackBalanceForState: { signer_id: signerId, amount: missing.toString() } });
  }
  const keyError = checkFunctionCallKey(transaction, accessKey);
  if (keyError !== undefined) throw new InvalidTransactionError({ InvalidAccessKeyError: keyError });
  return { account: charged, accessKey: chargedKey, cost };
}
