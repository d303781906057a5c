/** Host functions on keys with a balance of their own for gas (NEP-611). Receipts of this chain refuse them by name. */
import type { AccessKeyPermission } from "../../codec/action.ts";
import { type PublicKey, publicKeyFromBytes } from "../../codec/public-key.ts";
import { LATER_FEES } from "../../parameters/later-fees.ts";
import { ACTION_FEES, sendFee } from "../../parameters/protocol-config.ts";
import type { HostCall } from "../host-call.ts";
import { hostError, integerOverflow } from "../vm-error.ts";
import { type HostFunctions, procedure } from "./host-function.ts";
import { append, decodeMethodName, splitMethodNames, type Target, target } from "./promise-actions.ts";

/** Borsh of a gas key's balance and number of nonces, and of the whole key with the shortest permission. */
const INFO_BYTES = 16 + 2;
const KEY_VALUE_BYTES = 8 + 1 + INFO_BYTES;
const NONCE_INDEX_BYTES = 2;
const NONCE_BYTES = 8;
/** Column and separator around the account's name in the trie. */
const TRIE_KEY_BYTES = 2;
const MAX_NONCES = 65_535n;

/** A key that is none pays for no bytes, and ends the call when everything is paid. */
interface ReadKey {
  readonly key: PublicKey | undefined;
  readonly bytes: number;
}

function readKey(call: HostCall, length: bigint, pointer: bigint): ReadKey {
  const bytes = call.readArgument(length, pointer);
  const key = publicKeyFromBytes(bytes);
  return { key, bytes: key === undefined ? 0 : bytes.length };
}

function requireKey({ key }: ReadKey): PublicKey {
  if (key === undefined) throw hostError("InvalidPublicKey", "VM Logic provided an invalid public key");
  return key;
}

const transferToGasKey = procedure(4, (call, promise, keyLength, keyPointer, amountPointer) => {
  call.gas.payBase("base");
  call.prohibitInView("promise_batch_action_transfer_to_gas_key");
  const read = readKey(call, keyLength!, keyPointer!);
  const deposit = call.readU128(amountPointer!);
  const { receipt, receiverId, toSelf } = target(call, promise!);
  call.payAction(LATER_FEES.gasKeyTransfer, toSelf);
  const send = sendFee(LATER_FEES.gasKeyByte, toSelf) * read.bytes;
  const stored = TRIE_KEY_BYTES + receiverId.length + read.bytes + KEY_VALUE_BYTES;
  call.gas.payAction(send, send + LATER_FEES.gasKeyByte.execution * stored);
  call.spend(deposit);
  append(call, receipt, { kind: "TransferToGasKey", publicKey: requireKey(read), deposit });
});

/** Each nonce is a record of its own in the trie. */
function payNonces(call: HostCall, { receiverId, toSelf }: Target, keyBytes: number, nonces: number): void {
  call.gas.payAction(0, LATER_FEES.gasKeyNonceWrite.execution * nonces);
  const send = sendFee(LATER_FEES.gasKeyByte, toSelf) * INFO_BYTES;
  const stored = TRIE_KEY_BYTES + receiverId.length + keyBytes + NONCE_INDEX_BYTES + NONCE_BYTES;
  call.gas.payAction(send, send + LATER_FEES.gasKeyByte.execution * stored * nonces);
}

function readNonces(count: bigint): number {
  if (count > MAX_NONCES) throw integerOverflow();
  return Number(count);
}

const addWithFullAccess = procedure(4, (call, promise, keyLength, keyPointer, count) => {
  call.gas.payBase("base");
  call.prohibitInView("promise_batch_action_add_gas_key_with_full_access");
  const read = readKey(call, keyLength!, keyPointer!);
  const nonces = readNonces(count!);
  const to = target(call, promise!);
  call.payAction(ACTION_FEES.add_key_cost.full_access_cost, to.toSelf);
  payNonces(call, to, read.bytes, nonces);
  const permission = { kind: "FullAccess" } as const;
  append(call, to.receipt, { kind: "AddGasKey", publicKey: requireKey(read), nonces, permission });
});

const addWithFunctionCall = procedure(9, (call, ...values) => {
  const [promise, keyLength, keyPointer, count, allowancePointer, idLength, idPointer, namesLength, namesPointer] =
    values;
  call.gas.payBase("base");
  call.prohibitInView("promise_batch_action_add_gas_key_with_function_call");
  const read = readKey(call, keyLength!, keyPointer!);
  const nonces = readNonces(count!);
  const allowance = call.readU128(allowancePointer!);
  const receiverId = call.readAccountId(idLength!, idPointer!);
  const names = splitMethodNames(call.readArgument(namesLength!, namesPointer!));
  const to = target(call, promise!);
  const bytes = names.reduce((sum, name) => sum + name.length + 1, 0);
  call.payAction(ACTION_FEES.add_key_cost.function_call_cost, to.toSelf);
  call.payAction(ACTION_FEES.add_key_cost.function_call_cost_per_byte, to.toSelf, bytes);
  payNonces(call, to, read.bytes, nonces);
  const publicKey = requireKey(read);
  const permission: AccessKeyPermission = {
    kind: "FunctionCall",
    allowance: allowance > 0n ? allowance : undefined,
    receiverId,
    methodNames: names.map(decodeMethodName),
  };
  append(call, to.receipt, { kind: "AddGasKey", publicKey, nonces, permission });
});

export const gasKeyFunctions: HostFunctions = {
  promise_batch_action_transfer_to_gas_key: transferToGasKey,
  promise_batch_action_add_gas_key_with_full_access: addWithFullAccess,
  promise_batch_action_add_gas_key_with_function_call: addWithFunctionCall,
};
