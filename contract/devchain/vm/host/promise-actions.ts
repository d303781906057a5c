/** Host functions that put actions into a promise. */
import { accountKind } from "../../codec/account-id.ts";
import type { AccessKeyPermission, Action } from "../../codec/action.ts";
import { type PublicKey, publicKeyFromBytes } from "../../codec/public-key.ts";
import { ACTION_FEES, LIMITS } from "../../parameters/protocol-config.ts";
import { transferFee } from "../action-fees.ts";
import { decodeUtf8, type HostCall } from "../host-call.ts";
import { hostError } from "../vm-error.ts";
import { type HostFunctions, procedure } from "./host-function.ts";

export interface Target {
  receipt: number;
  receiverId: string;
  toSelf: boolean;
}

export function target(call: HostCall, promise: bigint): Target {
  const promised = call.promise(promise);
  if (promised.joint) {
    throw hostError("CannotAppendActionToJointPromise", "Actions can only be appended to non-joint promise.");
  }
  const { receiverId } = call.receipts[promised.receipt]!;
  return { receipt: promised.receipt, receiverId, toSelf: receiverId === call.context.currentAccountId };
}

export function append(call: HostCall, receipt: number, action: Action): void {
  call.receipts[receipt]!.actions.push(action);
}

const emptyMethodName = () => hostError("EmptyMethodName", "Tried to call an empty method name.");

/** Reads a method name and its arguments. */
export function readCall(
  call: HostCall,
  methodLength: bigint,
  methodPointer: bigint,
  argsLength: bigint,
  argsPointer: bigint,
): { method: Uint8Array; args: Uint8Array } {
  const method = call.readArgument(methodLength, methodPointer);
  if (method.length === 0) throw emptyMethodName();
  return { method, args: call.readArgument(argsLength, argsPointer) };
}

export function appendFunctionCall(
  call: HostCall,
  receipt: number,
  made: { method: Uint8Array; args: Uint8Array; deposit: bigint; gas: bigint; weight: bigint },
): void {
  const methodName = decodeMethodName(made.method);
  const { actions } = call.receipts[receipt]!;
  if (made.weight > 0n) call.gasWeights.push({ receipt, action: actions.length, weight: made.weight });
  actions.push({
    kind: "FunctionCall",
    methodName,
    args: made.args,
    gas: Number(made.gas),
    deposit: made.deposit,
  });
}

export function decodeKey(bytes: Uint8Array): PublicKey {
  const key = publicKeyFromBytes(bytes);
  if (key === undefined) throw hostError("InvalidPublicKey", "VM Logic provided an invalid public key");
  return key;
}

const COMMA = 0x2c;
const invalidMethodName = () => hostError("InvalidMethodName", "VM Logic returned an invalid method name");

/** Method names come joined by commas; an empty name among them is refused, no name at all allows every method. */
export function splitMethodNames(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === 0) return [];
  const names: Uint8Array[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const comma = bytes.indexOf(COMMA, start);
    const end = comma === -1 ? bytes.length : comma;
    if (end === start) throw emptyMethodName();
    names.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return names;
}

/** nearcore looks at the encoding last, when the action goes into its receipt. */
export function decodeMethodName(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw invalidMethodName();
  }
}

function addFunctionCallKey(call: HostCall, values: readonly bigint[]): void {
  const [promise, keyLength, keyPointer, nonce, allowancePointer, idLength, idPointer, namesLength, namesPointer] =
    values;
  call.gas.payBase("base");
  call.prohibitInView("promise_batch_action_add_key_with_function_call");
  const key = call.readArgument(keyLength!, keyPointer!);
  const allowance = call.readU128(allowancePointer!);
  const receiverId = call.readAccountId(idLength!, idPointer!);
  const methodNames = splitMethodNames(call.readArgument(namesLength!, namesPointer!));
  const { receipt, toSelf } = target(call, promise!);
  const bytes = methodNames.reduce((sum, name) => sum + name.length + 1, 0);
  call.payAction(ACTION_FEES.add_key_cost.function_call_cost, toSelf);
  call.payAction(ACTION_FEES.add_key_cost.function_call_cost_per_byte, toSelf, bytes);
  const publicKey = decodeKey(key);
  const permission: AccessKeyPermission = {
    kind: "FunctionCall",
    allowance: allowance > 0n ? allowance : undefined,
    receiverId,
    methodNames: methodNames.map(decodeMethodName),
  };
  append(call, receipt, { kind: "AddKey", publicKey, accessKey: { nonce: nonce!, permission } });
}

/** Reads code that is to be deployed, for one account or for all. */
export function readCode(call: HostCall, length: bigint, pointer: bigint): Uint8Array<ArrayBuffer> {
  const code = call.readArgument(length, pointer);
  const limit = LIMITS.max_contract_size;
  if (code.length > limit) {
    throw hostError(
      "ContractSizeExceeded",
      `The size of a contract code in DeployContract action ${code.length} exceeds the limit ${limit}`,
    );
  }
  return code.slice();
}

function deployContract(call: HostCall, promise: bigint, length: bigint, pointer: bigint): void {
  call.gas.payBase("base");
  call.prohibitInView("promise_batch_action_deploy_contract");
  const code = readCode(call, length, pointer);
  const { receipt, toSelf } = target(call, promise);
  call.payAction(ACTION_FEES.deploy_contract_cost, toSelf);
  call.payAction(ACTION_FEES.deploy_contract_cost_per_byte, toSelf, code.length);
  append(call, receipt, { kind: "DeployContract", code });
}

export const promiseActionFunctions: HostFunctions = {
  promise_batch_action_create_account: procedure(1, (call, promise) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_batch_action_create_account");
    const { receipt, toSelf } = target(call, promise!);
    call.payAction(ACTION_FEES.create_account_cost, toSelf);
    append(call, receipt, { kind: "CreateAccount" });
  }),
  promise_batch_action_deploy_contract: procedure(3, (call, promise, length, pointer) =>
    deployContract(call, promise!, length!, pointer!),
  ),
  promise_batch_action_transfer: procedure(2, (call, promise, amountPointer) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_batch_action_transfer");
    const deposit = call.readU128(amountPointer!);
    const { receipt, receiverId, toSelf } = target(call, promise!);
    call.payAction(transferFee(accountKind(receiverId)), toSelf);
    call.spend(deposit);
    append(call, receipt, { kind: "Transfer", deposit });
  }),
  promise_batch_action_stake: procedure(4, (call, promise, amountPointer, keyLength, keyPointer) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_batch_action_stake");
    const stake = call.readU128(amountPointer!);
    const key = call.readArgument(keyLength!, keyPointer!);
    const { receipt, toSelf } = target(call, promise!);
    call.payAction(ACTION_FEES.stake_cost, toSelf);
    append(call, receipt, { kind: "Stake", stake, publicKey: decodeKey(key) });
  }),
  promise_batch_action_add_key_with_full_access: procedure(4, (call, promise, keyLength, keyPointer, nonce) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_batch_action_add_key_with_full_access");
    const key = call.readArgument(keyLength!, keyPointer!);
    const { receipt, toSelf } = target(call, promise!);
    call.payAction(ACTION_FEES.add_key_cost.full_access_cost, toSelf);
    const accessKey = { nonce: nonce!, permission: { kind: "FullAccess" } } as const;
    append(call, receipt, { kind: "AddKey", publicKey: decodeKey(key), accessKey });
  }),
  promise_batch_action_add_key_with_function_call: procedure(9, (call, ...values) => addFunctionCallKey(call, values)),
  promise_batch_action_delete_key: procedure(3, (call, promise, keyLength, keyPointer) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_batch_action_delete_key");
    const key = call.readArgument(keyLength!, keyPointer!);
    const { receipt, toSelf } = target(call, promise!);
    call.payAction(ACTION_FEES.delete_key_cost, toSelf);
    append(call, receipt, { kind: "DeleteKey", publicKey: decodeKey(key) });
  }),
  promise_batch_action_delete_account: procedure(3, (call, promise, length, pointer) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_batch_action_delete_account");
    const beneficiaryId = call.readAccountId(length!, pointer!);
    const { receipt, toSelf } = target(call, promise!);
    call.payAction(ACTION_FEES.delete_account_cost, toSelf);
    append(call, receipt, { kind: "DeleteAccount", beneficiaryId });
  }),
};
