/** The actions a receipt can carry, as this chain keeps them (nearcore core/primitives/src/action). */
import type { Hash } from "./hash.ts";
import type { PublicKey } from "./public-key.ts";

export type AccessKeyPermission =
  | { readonly kind: "FullAccess" }
  | {
      readonly kind: "FunctionCall";
      /** What the key may still spend on gas; undefined is unlimited. */
      readonly allowance: bigint | undefined;
      readonly receiverId: string;
      /** Empty allows every method. */
      readonly methodNames: readonly string[];
    };

export interface AccessKey {
  readonly nonce: bigint;
  readonly permission: AccessKeyPermission;
}

export interface FunctionCallAction {
  readonly kind: "FunctionCall";
  readonly methodName: string;
  readonly args: Uint8Array;
  readonly gas: number;
  readonly deposit: bigint;
}

/** Actions that one account signed for another to pay (NEP-366). */
export interface DelegateAction {
  readonly kind: "Delegate";
  readonly senderId: string;
  readonly receiverId: string;
  /** None of them a delegate action again. */
  readonly actions: readonly Action[];
  readonly nonce: bigint;
  readonly maxBlockHeight: bigint;
  readonly publicKey: PublicKey;
  readonly signature: { readonly type: number; readonly data: Uint8Array };
  /** What the sender signed (NEP-461). */
  readonly signedHash: Uint8Array;
}

/** Code that accounts share: by its hash, or by the account that may change it (NEP-591). */
export type GlobalContractId =
  | { readonly kind: "hash"; readonly codeHash: Hash }
  | { readonly kind: "account"; readonly accountId: string };

/** What the fees of using it count. */
export function globalContractIdBytes(contract: GlobalContractId): number {
  return contract.kind === "hash" ? 32 : contract.accountId.length;
}

/** Makes a `0s…` account with shared code and these records (NEP-616). Records in the order of their keys. */
export interface DeterministicStateInitAction {
  readonly kind: "DeterministicStateInit";
  readonly contract: GlobalContractId;
  readonly data: readonly StateInitRecord[];
  readonly deposit: bigint;
}

export interface StateInitRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * What this chain's contracts can ask for, and its receipts refuse: keys with a balance of their own for gas (NEP-611),
 * and accounts that follow from keys, code and state (NEP-642).
 */
export type RefusedAction =
  | { readonly kind: "UniversalStateInit"; readonly stateInit: Uint8Array; readonly deposit: bigint }
  | { readonly kind: "TransferToGasKey"; readonly publicKey: PublicKey; readonly deposit: bigint }
  | {
      readonly kind: "AddGasKey";
      readonly publicKey: PublicKey;
      readonly nonces: number;
      readonly permission: AccessKeyPermission;
    };

export type Action =
  | DelegateAction
  | { readonly kind: "DeployGlobalContract"; readonly code: Uint8Array<ArrayBuffer>; readonly byAccount: boolean }
  | { readonly kind: "UseGlobalContract"; readonly contract: GlobalContractId }
  | DeterministicStateInitAction
  | RefusedAction
  | { readonly kind: "CreateAccount" }
  | { readonly kind: "DeployContract"; readonly code: Uint8Array<ArrayBuffer> }
  | FunctionCallAction
  | { readonly kind: "Transfer"; readonly deposit: bigint }
  | { readonly kind: "Stake"; readonly stake: bigint; readonly publicKey: PublicKey }
  | { readonly kind: "AddKey"; readonly publicKey: PublicKey; readonly accessKey: AccessKey }
  | { readonly kind: "DeleteKey"; readonly publicKey: PublicKey }
  | { readonly kind: "DeleteAccount"; readonly beneficiaryId: string };

export function actionDeposit(action: Action): bigint {
  if (action.kind === "Delegate") return action.actions.reduce((sum, inner) => sum + actionDeposit(inner), 0n);
  return "deposit" in action ? action.deposit : 0n;
}

export function actionGas(action: Action): number {
  if (action.kind === "Delegate") return action.actions.reduce((sum, inner) => sum + actionGas(inner), 0);
  return action.kind === "FunctionCall" ? action.gas : 0;
}

export function isRefused(action: Action): action is RefusedAction {
  return action.kind === "TransferToGasKey" || action.kind === "AddGasKey" || action.kind === "UniversalStateInit";
}
