/** What the actions of one receipt work on, and how one of them fails. */
import type { Account, State } from "./state.ts";
import type { ActionReceipt, CodeDistribution, ErrorJson } from "./types.ts";

/** nearcore's `ActionErrorKind` as JSON; ends the receipt. */
export class ActionFailure extends Error {
  readonly kind: ErrorJson;
  constructor(kind: ErrorJson) {
    super(JSON.stringify(kind));
    this.name = "ActionFailure";
    this.kind = kind;
  }
}

/** A receipt while its actions run. */
export interface ReceiptScope {
  readonly receipt: ActionReceipt;
  readonly state: State;
  readonly blockHeight: number;
  /** The least that may be staked. */
  readonly minimumStake: bigint;
  /** The receiver, as the actions left it so far. */
  account: Account | undefined;
  /** Who acts: the predecessor, or the new account itself after it was made. */
  actorId: string;
  createdAccount: boolean;
  /** The balance of a deleted account, on its way to its beneficiary. */
  bequests: { beneficiaryId: string; amount: bigint }[];
  /** Code to be shared. */
  readonly distributions: CodeDistribution[];
}
