/** Gas of sending and executing actions (near-parameters cost.rs, nearcore runtime/src/config.rs). */
import { type AccountKind, accountKind } from "../codec/account-id.ts";
import { type Action, actionGas, globalContractIdBytes } from "../codec/action.ts";
import { LATER_FEES } from "../parameters/later-fees.ts";
import { ACTION_FEES, type Fee, RECEIPT_FEE, sendFee } from "../parameters/protocol-config.ts";

function sum(...fees: readonly Fee[]): Fee {
  return {
    send_sir: fees.reduce((gas, fee) => gas + fee.send_sir, 0),
    send_not_sir: fees.reduce((gas, fee) => gas + fee.send_not_sir, 0),
    execution: fees.reduce((gas, fee) => gas + fee.execution, 0),
  };
}

function times(fee: Fee, count: number): Fee {
  return {
    send_sir: fee.send_sir * count,
    send_not_sir: fee.send_not_sir * count,
    execution: fee.execution * count,
  };
}

const IMPLICIT_TRANSFER = sum(ACTION_FEES.transfer_cost, ACTION_FEES.create_account_cost);
const NEAR_IMPLICIT_TRANSFER = sum(IMPLICIT_TRANSFER, ACTION_FEES.add_key_cost.full_access_cost);

/** A transfer to an implicit account pays for making it, whether it exists or not. */
export function transferFee(receiver: AccountKind): Fee {
  if (receiver === "named") return ACTION_FEES.transfer_cost;
  return receiver === "near-implicit" ? NEAR_IMPLICIT_TRANSFER : IMPLICIT_TRANSFER;
}

export function actionFee(action: Action, receiverId: string): Fee {
  switch (action.kind) {
    case "CreateAccount":
      return ACTION_FEES.create_account_cost;
    case "DeployContract":
      return sum(
        ACTION_FEES.deploy_contract_cost,
        times(ACTION_FEES.deploy_contract_cost_per_byte, action.code.length),
      );
    case "FunctionCall": {
      const bytes = Buffer.byteLength(action.methodName) + action.args.length;
      return sum(ACTION_FEES.function_call_cost, times(ACTION_FEES.function_call_cost_per_byte, bytes));
    }
    case "Transfer":
      return transferFee(accountKind(receiverId));
    case "Stake":
      return ACTION_FEES.stake_cost;
    case "AddKey": {
      const { permission } = action.accessKey;
      if (permission.kind === "FullAccess") return ACTION_FEES.add_key_cost.full_access_cost;
      const bytes = permission.methodNames.reduce((length, name) => length + Buffer.byteLength(name) + 1, 0);
      const perByte = times(ACTION_FEES.add_key_cost.function_call_cost_per_byte, bytes);
      return sum(ACTION_FEES.add_key_cost.function_call_cost, perByte);
    }
    case "DeleteKey":
      return ACTION_FEES.delete_key_cost;
    case "DeleteAccount":
      return ACTION_FEES.delete_account_cost;
    case "Delegate":
      return ACTION_FEES.delegate_cost;
    case "DeployGlobalContract":
      return sum(LATER_FEES.deployGlobalContract, times(LATER_FEES.deployGlobalContractByte, action.code.length));
    case "UseGlobalContract": {
      const bytes = globalContractIdBytes(action.contract);
      return sum(LATER_FEES.useGlobalContract, times(LATER_FEES.useGlobalContractByte, bytes));
    }
    case "DeterministicStateInit": {
      const bytes = action.data.reduce((length, { key, value }) => length + key.length + value.length, 0);
      const entries = times(LATER_FEES.stateInitEntry, action.data.length);
      return sum(LATER_FEES.stateInit, entries, times(LATER_FEES.stateInitByte, bytes));
    }
    case "TransferToGasKey":
    case "AddGasKey":
    case "UniversalStateInit":
      throw new Error(`${action.kind} is refused before it gets into a receipt`);
  }
}

/** Sending an action: a delegate action also carries what it holds to its sender. */
function sendGas(action: Action, receiverId: string, senderIsReceiver: boolean): number {
  const own = sendFee(actionFee(action, receiverId), senderIsReceiver);
  if (action.kind !== "Delegate") return own;
  return action.actions.reduce((gas, inner) => gas + sendGas(inner, action.receiverId, senderIsReceiver), own);
}

/** Executing an action, and of a delegate action also the receipt that comes out of it. */
function executionGas(action: Action, receiverId: string): number {
  const own = actionFee(action, receiverId).execution;
  if (action.kind !== "Delegate") return own;
  return action.actions.reduce(
    (gas, inner) => gas + executionGas(inner, action.receiverId),
    own + RECEIPT_FEE.execution,
  );
}

/** What sending the actions inside a delegate action on to their receiver will burn. */
export function delegatedSendGas(action: Action): number {
  if (action.kind !== "Delegate") return 0;
  const senderIsReceiver = action.senderId === action.receiverId;
  return action.actions.reduce((gas, inner) => gas + sendGas(inner, action.receiverId, senderIsReceiver), 0);
}

/** Gas that the actions take along beside their fees. */
export function attachedGas(actions: readonly Action[]): number {
  return actions.reduce((gas, action) => gas + actionGas(action) + delegatedSendGas(action), 0);
}

/** Gas burnt when the receipt is sent, and gas its execution will burn beside what its calls burn themselves. */
export function receiptFees(
  actions: readonly Action[],
  receiverId: string,
  senderIsReceiver: boolean,
): { send: number; execution: number } {
  const send = actions.reduce((gas, action) => gas + sendGas(action, receiverId, senderIsReceiver), 0);
  const execution = actions.reduce((gas, action) => gas + executionGas(action, receiverId), 0);
  return { send: sendFee(RECEIPT_FEE, senderIsReceiver) + send, execution: RECEIPT_FEE.execution + execution };
}
