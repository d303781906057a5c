/** The actions a receipt can carry, as this chain keeps them (nearcore core/primitives/src/action). */
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

export type Action =
  | DelegateAction
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
  return action.kind === "FunctionCall" || action.kind === "Transfer" ? action.deposit : 0n;
}

export function actionGas(action: Action): number {
  if (action.kind === "Delegate") return action.actions.reduce((sum, inner) => sum + actionGas(inner), 0);
  return action.kind === "FunctionCall" ? action.gas : 0;
}
