/** Host functions that tell a contract who calls it, when and with what. */
import type { HostCall } from "../host-call.ts";
import { type HostFunction, type HostFunctions, procedure, query } from "./host-function.ts";

const utf8 = new TextEncoder();

function toRegister(value: (call: HostCall) => string | Uint8Array, prohibitedInViewAs?: string): HostFunction {
  return procedure(1, (call, register) => {
    call.gas.payBase("base");
    if (prohibitedInViewAs !== undefined) call.prohibitInView(prohibitedInViewAs);
    const data = value(call);
    call.registers.set(register!, typeof data === "string" ? utf8.encode(data) : data);
  });
}

function number(value: (call: HostCall) => bigint, prohibitedInViewAs?: string): HostFunction {
  return query(0, (call) => {
    call.gas.payBase("base");
    if (prohibitedInViewAs !== undefined) call.prohibitInView(prohibitedInViewAs);
    return value(call);
  });
}

function amount(value: (call: HostCall) => bigint): HostFunction {
  return procedure(1, (call, pointer) => {
    call.gas.payBase("base");
    call.writeU128(pointer!, value(call));
  });
}

export const contextFunctions: HostFunctions = {
  current_account_id: toRegister((call) => call.context.currentAccountId),
  chain_id: toRegister((call) => call.context.chainId),
  signer_account_id: toRegister((call) => call.context.signerAccountId, "signer_account_id"),
  signer_account_pk: toRegister((call) => call.context.signerPublicKey, "signer_account_pk"),
  predecessor_account_id: toRegister((call) => call.context.predecessorAccountId, "predecessor_account_id"),
  refund_to_account_id: toRegister((call) => call.context.refundToAccountId, "refund_to_account_id"),
  input: procedure(1, (call, register) => {
    call.gas.payBase("base");
    call.registers.setShared(register!, call.context.input);
  }),
  random_seed: toRegister((call) => call.context.randomSeed),
  block_index: number((call) => BigInt(call.context.blockHeight)),
  block_timestamp: number((call) => call.context.blockTimestampNs),
  epoch_height: number((call) => BigInt(call.context.epochHeight)),
  storage_usage: number((call) => BigInt(call.storageUsage)),
  prepaid_gas: number((call) => BigInt(call.context.prepaidGas), "prepaid_gas"),
  used_gas: number((call) => BigInt(call.gas.used), "used_gas"),
  account_balance: amount((call) => call.balance),
  account_locked_balance: amount((call) => call.context.lockedBalance),
  attached_deposit: amount((call) => call.context.attachedDeposit),
  /** Where the code that runs is from: 1 the account's own, 2 shared under its hash, 3 shared by another account. */
  current_contract_code: query(1, (call, register) => {
    call.gas.payBase("base");
    const shared = call.context.globalContract;
    const isByAccount = shared?.kind === "account";
    call.registers.set(register!, isByAccount ? utf8.encode(shared.accountId) : call.context.codeHash);
    if (isByAccount) return 3n;
    return shared === undefined ? 1n : 2n;
  }),
  validator_stake: procedure(3, (call, length, pointer, stakePointer) => {
    call.gas.payBase("base");
    const accountId = call.readAccountId(length!, pointer!);
    call.gas.payBase("validator_stake_base");
    call.writeU128(stakePointer!, call.external.validatorStake(accountId));
  }),
  validator_total_stake: procedure(1, (call, stakePointer) => {
    call.gas.payBase("base");
    call.gas.payBase("validator_total_stake_base");
    call.writeU128(stakePointer!, call.external.validatorTotalStake());
  }),
};
