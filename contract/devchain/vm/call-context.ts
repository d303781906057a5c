/** What one function call is given, what it may ask of the chain, and what it gives back. */
import type { Action, GlobalContractId } from "../codec/action.ts";
import type { FunctionCallFailure } from "./vm-error.ts";

export interface CallContext {
  readonly chainId: string;
  readonly currentAccountId: string;
  readonly signerAccountId: string;
  /** Borsh form: type byte, then the key. */
  readonly signerPublicKey: Uint8Array;
  readonly predecessorAccountId: string;
  readonly refundToAccountId: string;
  readonly input: Uint8Array;
  /** One for each dependency: its value, or null when it failed (or a yield timed out). */
  readonly promiseResults: readonly (Uint8Array | null)[];
  readonly blockHeight: number;
  readonly blockTimestampNs: bigint;
  readonly epochHeight: number;
  /** The account's balance without the attached deposit. */
  readonly balance: bigint;
  readonly lockedBalance: bigint;
  readonly storageUsage: number;
  readonly attachedDeposit: bigint;
  readonly prepaidGas: number;
  readonly randomSeed: Uint8Array;
  readonly isView: boolean;
  /** Accounts that get the returned value as data; returning bytes costs for each. */
  readonly outputDataReceivers: readonly string[];
  /** Of the code that runs, wherever it is from. */
  readonly codeHash: Uint8Array;
  /** Set when the account uses code that it shares with others. */
  readonly globalContract?: GlobalContractId | undefined;
}

/** The chain behind a call. Storage keys are latin1 strings, one character a byte. */
export interface CallExternal {
  storageGet(key: string): Uint8Array | undefined;
  storageSet(key: string, value: Uint8Array): void;
  storageRemove(key: string): void;
  /** Trie nodes that writing or removing this key touches; where it is missing, nobody pays for them. */
  touchedNodes?(key: string): number;
  /** Stake of a validator, 0 for everybody else. */
  validatorStake(accountId: string): bigint;
  validatorTotalStake(): bigint;
  /** Registers a yield of the current account and names its data. */
  createYield(): Uint8Array;
  /** The same under an id of the contract's choice; undefined when the id is taken. */
  createYieldWithId(yieldId: Uint8Array): Uint8Array | undefined;
  /** False when there is no such yield, or it was resumed or timed out before. */
  resumeYield(dataId: Uint8Array, payload: Uint8Array): boolean;
  resumeYieldWithId(yieldId: Uint8Array, payload: Uint8Array): boolean;
}

/** A receipt that the call made with the promise functions. */
export interface PromiseReceipt {
  readonly receiverId: string;
  readonly actions: Action[];
  /** Indices of the receipts whose results this one waits for. */
  readonly dependencies: readonly number[];
  /** Set for a yield: the data that resumes it. */
  readonly yieldDataId: Uint8Array | undefined;
  refundTo: string | undefined;
}

export type ReturnValue =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: Uint8Array }
  | { readonly kind: "receipt"; readonly index: number };

export interface CallOutcome {
  readonly gasBurnt: number;
  readonly gasUsed: number;
  readonly logs: readonly string[];
  readonly failure: FunctionCallFailure | undefined;
  /** Below: of a call that did not fail. */
  readonly returned: ReturnValue;
  readonly receipts: readonly PromiseReceipt[];
  /** Gas that was left and went to calls with a weight; in `gasUsed` as well. */
  readonly weightedGas: number;
  readonly balance: bigint;
  readonly storageUsage: number;
}
