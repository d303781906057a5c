/**
 * Modules whose `main` makes a list of host calls, and then returns a window of memory with every result in it. The
 * bytes that the calls look at are data of the module, so that what is tested stands in the test.
 */
import { buildModule, call, I32, I64, i32, i64 } from "./module-builder.ts";

/** Parameters and result of the host functions by name, one letter each: `j` 64 bits, `i` 32 bits. */
export const HOST_SIGNATURES: Readonly<Record<string, readonly [parameters: string, result: string]>> = {
  read_register: ["jj", ""],
  register_len: ["j", "j"],
  write_register: ["jjj", ""],
  current_account_id: ["j", ""],
  chain_id: ["j", ""],
  signer_account_id: ["j", ""],
  signer_account_pk: ["j", ""],
  predecessor_account_id: ["j", ""],
  input: ["j", ""],
  block_index: ["", "j"],
  block_timestamp: ["", "j"],
  epoch_height: ["", "j"],
  storage_usage: ["", "j"],
  account_balance: ["j", ""],
  account_locked_balance: ["j", ""],
  attached_deposit: ["j", ""],
  prepaid_gas: ["", "j"],
  used_gas: ["", "j"],
  random_seed: ["j", ""],
  sha256: ["jjj", ""],
  keccak256: ["jjj", ""],
  keccak512: ["jjj", ""],
  sha3_256: ["jjj", ""],
  sha3_384: ["jjj", ""],
  sha3_512: ["jjj", ""],
  ed25519_verify: ["jjjjjj", "j"],
  p256_verify: ["jjjjjj", "j"],
  ml_dsa_verify: ["jjjjjj", "j"],
  ripemd160: ["jjj", ""],
  ecrecover: ["jjjjjjj", "j"],
  value_return: ["jj", ""],
  panic: ["", ""],
  panic_utf8: ["jj", ""],
  log_utf8: ["jj", ""],
  log_utf16: ["jj", ""],
  abort: ["iiii", ""],
  promise_create: ["jjjjjjjj", "j"],
  promise_then: ["jjjjjjjjj", "j"],
  promise_and: ["jj", "j"],
  promise_batch_create: ["jj", "j"],
  promise_batch_then: ["jjj", "j"],
  promise_set_refund_to: ["jjj", ""],
  refund_to_account_id: ["j", ""],
  current_contract_code: ["j", "j"],
  promise_batch_action_create_account: ["j", ""],
  promise_batch_action_deploy_contract: ["jjj", ""],
  promise_batch_action_function_call: ["jjjjjjj", ""],
  promise_batch_action_function_call_weight: ["jjjjjjjj", ""],
  promise_batch_action_transfer: ["jj", ""],
  promise_batch_action_stake: ["jjjj", ""],
  promise_batch_action_add_key_with_full_access: ["jjjj", ""],
  promise_batch_action_add_key_with_function_call: ["jjjjjjjjj", ""],
  promise_batch_action_delete_key: ["jjj", ""],
  promise_batch_action_delete_account: ["jjj", ""],
  promise_batch_action_deploy_global_contract: ["jjj", ""],
  promise_batch_action_deploy_global_contract_by_account_id: ["jjj", ""],
  promise_batch_action_use_global_contract: ["jjj", ""],
  promise_batch_action_use_global_contract_by_account_id: ["jjj", ""],
  promise_batch_action_state_init: ["jjjj", "j"],
  promise_batch_action_state_init_by_account_id: ["jjjj", "j"],
  set_state_init_data_entry: ["jjjjjj", ""],
  universal_state_init_to_account_id: ["jjj", "j"],
  promise_batch_action_universal_state_init: ["jjjj", ""],
  promise_batch_action_transfer_to_gas_key: ["jjjj", ""],
  promise_batch_action_add_gas_key_with_full_access: ["jjjj", ""],
  promise_batch_action_add_gas_key_with_function_call: ["jjjjjjjjj", ""],
  promise_yield_create: ["jjjjjjj", "j"],
  promise_yield_create_with_id: ["jjjjjjjjj", "j"],
  promise_yield_resume: ["jjjj", "i"],
  promise_yield_resume_with_yield_id: ["jjjj", "i"],
  promise_results_count: ["", "j"],
  promise_result: ["jj", "j"],
  promise_return: ["j", ""],
  storage_write: ["jjjjj", "j"],
  storage_read: ["jjj", "j"],
  storage_remove: ["jjj", "j"],
  storage_has_key: ["jj", "j"],
  storage_iter_prefix: ["jj", "j"],
  storage_iter_range: ["jjjj", "j"],
  storage_iter_next: ["jjj", "j"],
  gas: ["i", ""],
  validator_stake: ["jjj", ""],
  validator_total_stake: ["j", ""],
  alt_bn128_g1_multiexp: ["jjj", ""],
  alt_bn128_g1_sum: ["jjj", ""],
  alt_bn128_pairing_check: ["jj", "j"],
  bls12381_p1_sum: ["jjj", "j"],
  bls12381_p2_sum: ["jjj", "j"],
  bls12381_g1_multiexp: ["jjj", "j"],
  bls12381_g2_multiexp: ["jjj", "j"],
  bls12381_map_fp_to_g1: ["jjj", "j"],
  bls12381_map_fp2_to_g2: ["jjj", "j"],
  bls12381_pairing_check: ["jj", "j"],
  bls12381_p1_decompress: ["jjj", "j"],
  bls12381_p2_decompress: ["jjj", "j"],
};

export interface HostInvocation {
  readonly name: string;
  readonly values: readonly bigint[];
}

/** As a length: take the register that the pointer names. */
export const IN_REGISTER = (1n << 64n) - 1n;

/** Results go to memory from 0 on, eight bytes each; the data stands behind them. */
export const DATA_START = 4096;

/** Data that host calls point into. */
export class DataSegment {
  readonly bytes: number[] = [];

  /** Length and pointer of these bytes, as most host functions take them. */
  add(content: Uint8Array | readonly number[] | string): [length: bigint, pointer: bigint] {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const pointer = BigInt(DATA_START + this.bytes.length);
    for (const byte of bytes) this.bytes.push(byte);
    return [BigInt(bytes.length), pointer];
  }
}

/** `windowBytes` of memory from 0 on are returned, unless a call of the list returns something itself. */
export function hostCallModule(
  invocations: readonly HostInvocation[],
  data: DataSegment,
  windowBytes = 8 * invocations.length,
): Uint8Array<ArrayBuffer> {
  const names = [...new Set([...invocations.map(({ name }) => name), ...(windowBytes > 0 ? ["value_return"] : [])])];
  const typeOf = (letters: string) => [...letters].map((letter) => (letter === "j" ? I64 : I32));
  const types = names.map((name) => {
    const [parameters, result] = HOST_SIGNATURES[name]!;
    return { parameters: typeOf(parameters), results: typeOf(result) };
  });
  const body = invocations.flatMap(({ name, values }, index) => {
    const [parameters, result] = HOST_SIGNATURES[name]!;
    const pushed = [...parameters].flatMap((letter, at) =>
      letter === "j" ? i64(values[at]!) : i32(Number(BigInt.asIntN(32, values[at]!))),
    );
    const called = [...pushed, ...call(names.indexOf(name))];
    if (result === "") return called;
    return [...i32(8 * index), ...called, result === "j" ? 0x37 : 0x36, 0, 0];
  });
  const answer =
    windowBytes > 0 ? [...i64(BigInt(windowBytes)), ...i64(0n), ...call(names.indexOf("value_return"))] : [];
  return buildModule({
    types,
    imports: names.map((name, index) => ({ name, type: index + 1 })),
    functions: [{ export: "main", body: [...body, ...answer] }],
    memory: [1, 2048],
    data: [{ at: DATA_START, bytes: data.bytes }],
  });
}
