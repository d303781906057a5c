/** What a receipt gives back when it has run, and what it burns (nearcore runtime/src/lib.rs). */
import { SYSTEM_ACCOUNT } from "../codec/account-id.ts";
import { actionDeposit } from "../codec/action.ts";
import { ACCOUNT_CREATION_CHARGE, ACTION_FEES } from "../parameters/protocol-config.ts";
import { attachedGas, receiptFees } from "../vm/action-fees.ts";
import type { ReceiptScope } from "./receipt-scope.ts";
import type { ActionReceipt } from "./types.ts";

/** A receipt before it has an id. */
export type NewActionReceipt = Omit<ActionReceipt, "id" | "kind" | "predecessorId" | "transactionHash">;

interface GasOfRun {
  readonly gasBurnt: number;
  readonly gasUsed: number;
}

export function transferReceipt(
  receiverId: string,
  amount: bigint,
  signer: ActionReceipt | undefined,
): NewActionReceipt {
  return {
    receiverId,
    signerId: signer?.signerId ?? SYSTEM_ACCOUNT,
    signerPublicKey: signer?.signerPublicKey ?? NO_KEY,
    gasPrice: 0n,
    actions: [{ kind: "Transfer", deposit: amount }],
    inputDataIds: [],
    outputReceivers: [],
    refundTo: SYSTEM_ACCOUNT,
    isYield: false,
  };
}

/** The key that nearcore writes into receipts that nobody signed: 32 zero bytes. */
const NO_KEY = "ed25519:11111111111111111111111111111111";

interface Settlement {
  refunds: NewActionReceipt[];
  tokensBurnt: bigint;
}

/** Gas that was bought for the receipt: for executing its actions, and what they attach. */
export function prepaidGas({ actions, receiverId }: Pick<ActionReceipt, "actions" | "receiverId">): number {
  return receiptFees(actions, receiverId, false).execution + attachedGas(actions);
}

/** Gives back unused gas, the surplus of its price, and after a failure the deposits (nearcore, protocol 85 on). */
export function settle(run: GasOfRun, scope: ReceiptScope, failed: boolean, gasPrice: bigint): Settlement {
  const { receipt } = scope;
  if (receipt.predecessorId === SYSTEM_ACCOUNT) return { refunds: [], tokensBurnt: 0n };
  const prepaid = prepaidGas(receipt);
  const burnPrice = receipt.gasPrice < gasPrice ? receipt.gasPrice : gasPrice;
  const unused = BigInt(prepaid - (failed ? run.gasBurnt : run.gasUsed)) * receipt.gasPrice;
  let surplus = BigInt(run.gasBurnt) * (receipt.gasPrice - burnPrice);
  let creationCharge = 0n;
  if (scope.createdAccount && !failed) {
    const paid = burnPrice * BigInt(ACTION_FEES.create_account_cost.execution);
    const due = ACCOUNT_CREATION_CHARGE > paid ? ACCOUNT_CREATION_CHARGE - paid : 0n;
    creationCharge = due < surplus ? due : surplus;
    surplus -= creationCharge;
  }
  const refunds: NewActionReceipt[] = [];
  const deposits = failed ? receipt.actions.reduce((sum, action) => sum + actionDeposit(action), 0n) : 0n;
  if (deposits > 0n) refunds.push(transferReceipt(receipt.refundTo, deposits, undefined));
  if (unused + surplus > 0n) refunds.push(transferReceipt(receipt.signerId, unused + surplus, receipt));
  return { refunds, tokensBurnt: burnPrice * BigInt(run.gasBurnt) + creationCharge };
}
