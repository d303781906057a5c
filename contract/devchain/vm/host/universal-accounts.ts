/** Host functions on accounts that follow from keys, code and state (NEP-642). Receipts of this chain refuse them by name. */
import {
  inspectStateInit,
  largestStateInit,
  type StateInitStatus,
  universalAccountId,
} from "../../codec/universal-state-init.ts";
import { LATER_FEES } from "../../parameters/later-fees.ts";
import { ACTION_FEES } from "../../parameters/protocol-config.ts";
import { type HostFunctions, procedure, query } from "./host-function.ts";
import { append, target } from "./promise-actions.ts";

const STATUS: Record<StateInitStatus, bigint> = { canonical: 0n, malformed: 1n, nonCanonical: 2n };

export const universalAccountFunctions: HostFunctions = {
  universal_state_init_to_account_id: query(3, (call, length, pointer, register) => {
    call.gas.payBase("universal_state_init_to_account_id_base");
    const stateInit = call.readArgument(length!, pointer!);
    call.gas.payPer("universal_state_init_to_account_id_byte", stateInit.length);
    const { status } = inspectStateInit(stateInit);
    if (status === "canonical") call.registers.set(register!, Buffer.from(universalAccountId(stateInit)));
    return STATUS[status];
  }),
  promise_batch_action_universal_state_init: procedure(4, (call, promise, length, pointer, amountPointer) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_batch_action_universal_state_init");
    const stateInit = call.readArgument(length!, pointer!).slice();
    const deposit = call.readU128(amountPointer!);
    const { receipt, toSelf } = target(call, promise!);
    // The bytes are paid for before they are decoded, what is in them before the action is there.
    call.payAction(LATER_FEES.universalStateInit, toSelf);
    call.payAction(LATER_FEES.universalStateInitByte, toSelf, stateInit.length);
    const size = inspectStateInit(stateInit).size ?? largestStateInit(stateInit.length);
    call.payAction(LATER_FEES.universalStateInitEntry, toSelf, size.entries);
    call.payAction(ACTION_FEES.add_key_cost.full_access_cost, toSelf, size.keys);
    call.spend(deposit);
    append(call, receipt, { kind: "UniversalStateInit", stateInit, deposit });
  }),
};
