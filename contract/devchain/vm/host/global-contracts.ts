/** Host functions on code that accounts share (NEP-591), and on accounts that follow from their state (NEP-616). */
import type { DeterministicStateInitAction, GlobalContractId } from "../../codec/action.ts";
import { globalContractIdBytes } from "../../codec/action.ts";
import { toHash } from "../../codec/hash.ts";
import { LATER_FEES } from "../../parameters/later-fees.ts";
import type { HostCall } from "../host-call.ts";
import { hostError } from "../vm-error.ts";
import { type HostFunctions, procedure, query } from "./host-function.ts";
import { append, readCode, target } from "./promise-actions.ts";

const HASH_BYTES = 32;

type ReadContract = (call: HostCall, length: bigint, pointer: bigint) => GlobalContractId;

const byHash: ReadContract = (call, length, pointer) => {
  const bytes = call.readArgument(length, pointer);
  if (bytes.length !== HASH_BYTES) throw hostError("ContractCodeHashMalformed", "contract code hash is malformed");
  return { kind: "hash", codeHash: toHash(bytes) };
};

const byAccount: ReadContract = (call, length, pointer) => ({
  kind: "account",
  accountId: call.readAccountId(length, pointer),
});

function deploy(name: string, forAccount: boolean) {
  return procedure(3, (call, promise, length, pointer) => {
    call.gas.payBase("base");
    call.prohibitInView(name);
    const code = readCode(call, length!, pointer!);
    const { receipt, toSelf } = target(call, promise!);
    call.payAction(LATER_FEES.deployGlobalContract, toSelf);
    call.payAction(LATER_FEES.deployGlobalContractByte, toSelf, code.length);
    append(call, receipt, { kind: "DeployGlobalContract", code, byAccount: forAccount });
  });
}

function use(name: string, read: ReadContract) {
  return procedure(3, (call, promise, length, pointer) => {
    call.gas.payBase("base");
    call.prohibitInView(name);
    const contract = read(call, length!, pointer!);
    const { receipt, toSelf } = target(call, promise!);
    call.payAction(LATER_FEES.useGlobalContract, toSelf);
    call.payAction(LATER_FEES.useGlobalContractByte, toSelf, globalContractIdBytes(contract));
    append(call, receipt, { kind: "UseGlobalContract", contract });
  });
}

/** Answers the action's place in its receipt, which `set_state_init_data_entry` names. */
function stateInit(name: string, read: ReadContract) {
  return query(4, (call, promise, length, pointer, amountPointer) => {
    call.gas.payBase("base");
    call.prohibitInView(name);
    const contract = read(call, length!, pointer!);
    const deposit = call.readU128(amountPointer!);
    const { receipt, toSelf } = target(call, promise!);
    call.payAction(LATER_FEES.stateInit, toSelf);
    call.spend(deposit);
    append(call, receipt, { kind: "DeterministicStateInit", contract, data: [], deposit });
    return BigInt(call.receipts[receipt]!.actions.length - 1);
  });
}

function stateInitAction(call: HostCall, receipt: number, index: bigint): DeterministicStateInitAction {
  const { actions } = call.receipts[receipt]!;
  const action = index < BigInt(actions.length) ? actions[Number(index)] : undefined;
  if (action?.kind === "DeterministicStateInit") return action;
  throw hostError(
    "InvalidActionIndex",
    `Action ${index} in receipt ${receipt} does not exist or has the wrong type of action.`,
  );
}

const setDataEntry = procedure(6, (call, promise, index, keyLength, keyPointer, valueLength, valuePointer) => {
  call.gas.payBase("base");
  call.prohibitInView("set_state_init_data_entry");
  const { receipt, toSelf } = target(call, promise!);
  const key = call.readArgument(keyLength!, keyPointer!).slice();
  const value = call.readArgument(valueLength!, valuePointer!).slice();
  call.payAction(LATER_FEES.stateInitEntry, toSelf);
  call.payAction(LATER_FEES.stateInitByte, toSelf, key.length + value.length);
  const action = stateInitAction(call, receipt, index!);
  const before = action.data.filter((record) => Buffer.compare(record.key, key) < 0);
  const after = action.data.slice(before.length);
  if (after[0] !== undefined && Buffer.compare(after[0].key, key) === 0) {
    throw hostError("DataEntryAlreadyExists", "Data entry for given key already exists");
  }
  call.receipts[receipt]!.actions[Number(index)] = { ...action, data: [...before, { key, value }, ...after] };
});

const DEPLOY = "promise_batch_action_deploy_global_contract";
const USE = "promise_batch_action_use_global_contract";
const STATE_INIT = "promise_batch_action_state_init";

export const globalContractFunctions: HostFunctions = {
  [DEPLOY]: deploy(DEPLOY, false),
  [`${DEPLOY}_by_account_id`]: deploy(`${DEPLOY}_by_account_id`, true),
  [USE]: use(USE, byHash),
  [`${USE}_by_account_id`]: use(`${USE}_by_account_id`, byAccount),
  [STATE_INIT]: stateInit(STATE_INIT, byHash),
  [`${STATE_INIT}_by_account_id`]: stateInit(`${STATE_INIT}_by_account_id`, byAccount),
  set_state_init_data_entry: setDataEntry,
};
