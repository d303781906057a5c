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

export type Action =
  | { readonly kind: "CreateAccount" }
  | { readonly kind: "DeployContract"; readonly code: Uint8Array<ArrayBuffer> }
  | FunctionCallAction
  | { readonly kind: "Transfer"; readonly deposit: bigint }
  | { readonly kind: "Stake"; readonly stake: bigint; readonly publicKey: PublicKey }
  | { readonly kind: "AddKey"; readonly publicKey: PublicKey; readonly accessKey: AccessKey }
  | { readonly kind: "DeleteKey"; readonly publicKey: PublicKey }
  | { readonly kind: "DeleteAccount"; readonly beneficiaryId: string };

export function actionDeposit(action: Action): bigint {
  return action.kind === "FunctionCall" || action.kind === "Transfer" ? action.deposit : 0n;
}

export function actionGas(action: Action): number {
  return action.kind === "FunctionCall" ? action.gas : 0;
}
