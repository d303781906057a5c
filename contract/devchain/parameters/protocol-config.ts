/**
 * The fee tables and limits of NEAR protocol 88, typed.
 * `protocol-88.json` is the snapshot `near_parameters__config_store__tests__88.json` of the crate near-parameters
 * 0.38.0 (nearcore, core/parameters), whose only edit is `vm_kind`: the snapshot redacts it, 83.yaml sets Wasmtime.
 * The same object is what `EXPERIMENTAL_protocol_config` answers as `runtime_config`.
 */
import protocolJson from "./protocol-88.json" with { type: "json" };

export const PROTOCOL_VERSION = 88;

/** Gas of sending (to oneself or to somebody else) and of executing one action. */
export interface Fee {
  readonly send_sir: number;
  readonly send_not_sir: number;
  readonly execution: number;
}

export const PROTOCOL_CONFIG = protocolJson;
export const EXT_COSTS = protocolJson.wasm_config.ext_costs;
export type ExtCost = keyof typeof EXT_COSTS;
export const LIMITS = protocolJson.wasm_config.limit_config;
export const ACTION_FEES = protocolJson.transaction_costs.action_creation_config;
export const RECEIPT_FEE: Fee = protocolJson.transaction_costs.action_receipt_creation_config;
export const DATA_RECEIPT_FEES = protocolJson.transaction_costs.data_receipt_creation_config;
export const STORAGE_USAGE = protocolJson.transaction_costs.storage_usage_config;
export const ACCOUNT_CREATION = protocolJson.account_creation_config;

export const STORAGE_AMOUNT_PER_BYTE = BigInt(protocolJson.storage_amount_per_byte);
/** Gas attached to a receipt is bought at least at this price; the surplus over the burn price comes back. */
export const MIN_GAS_PURCHASE_PRICE = BigInt(protocolJson.min_gas_purchase_price);
/** What making an account costs in all, its gas included. */
export const ACCOUNT_CREATION_CHARGE = BigInt(protocolJson.account_creation_charge);

/** Costs of instructions, as the instrumentation needs them. */
export const INSTRUCTION_COSTS = {
  regular: protocolJson.wasm_config.regular_op_cost,
  linearBase: protocolJson.wasm_config.linear_op_base_cost,
  linearUnit: protocolJson.wasm_config.linear_op_unit_cost,
} as const;

export function sendFee(fee: Fee, senderIsReceiver: boolean): number {
  return senderIsReceiver ? fee.send_sir : fee.send_not_sir;
}
