/**
 * Host functions on the contract's storage. How many trie nodes a write or a removal touches depends on the whole
 * shard: the chain behind the call knows (`touchedNodes`), or nobody pays for them.
 */
import { LIMITS, STORAGE_USAGE } from "../../parameters/protocol-config.ts";
import type { HostCall } from "../host-call.ts";
import { hostError } from "../vm-error.ts";
import { type HostFunctions, query } from "./host-function.ts";

/** Values above this are not stored inline and cost an overhead to read (nearcore INLINE_DISK_VALUE_THRESHOLD). */
const INLINE_VALUE_BYTES = 4000;

function readKey(call: HostCall, length: bigint, pointer: bigint): { bytes: number; key: string } {
  const bytes = call.readArgument(length, pointer);
  const limit = LIMITS.max_length_storage_key;
  if (bytes.length > limit) {
    throw hostError("KeyLengthExceeded", `The length of a storage key ${bytes.length} exceeds the limit ${limit}`);
  }
  return { bytes: bytes.length, key: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1") };
}

/** Nodes that were seen before in the block cost as much as new ones, so that only their number counts. */
function payNodes(call: HostCall, key: string): void {
  call.gas.payPer("touching_trie_node", call.external.touchedNodes?.(key) ?? 0);
}

const deprecated = (name: string, parameterCount: number) =>
  query(parameterCount, () => {
    throw hostError("Deprecated", `Attempted to call deprecated host function ${name}`);
  });

export const storageFunctions: HostFunctions = {
  storage_write: query(5, (call, keyLength, keyPointer, valueLength, valuePointer, register) => {
    call.gas.payBase("base");
    call.prohibitInView("storage_write");
    call.gas.payBase("storage_write_base");
    const { key, bytes } = readKey(call, keyLength!, keyPointer!);
    const value = call.readArgument(valueLength!, valuePointer!);
    const limit = LIMITS.max_length_storage_value;
    if (value.length > limit) {
      throw hostError(
        "ValueLengthExceeded",
        `The length of a storage value ${value.length} exceeds the limit ${limit}`,
      );
    }
    call.gas.payPer("storage_write_key_byte", bytes);
    call.gas.payPer("storage_write_value_byte", value.length);
    const evicted = call.external.storageGet(key);
    if (evicted !== undefined) call.gas.payPer("storage_write_evicted_byte", evicted.length);
    payNodes(call, key);
    call.external.storageSet(key, value);
    if (evicted === undefined) {
      call.storageUsage += value.length + bytes + STORAGE_USAGE.num_extra_bytes_record;
      return 0n;
    }
    call.storageUsage += value.length - evicted.length;
    call.registers.set(register!, evicted);
    return 1n;
  }),
  storage_read: query(3, (call, keyLength, keyPointer, register) => {
    call.gas.payBase("base");
    call.gas.payBase("storage_read_base");
    const { key, bytes } = readKey(call, keyLength!, keyPointer!);
    call.gas.payPer("storage_read_key_byte", bytes);
    const value = call.external.storageGet(key);
    if (value === undefined) return 0n;
    call.gas.payPer("storage_read_value_byte", value.length);
    if (value.length > INLINE_VALUE_BYTES) {
      call.gas.payBase("storage_large_read_overhead_base");
      call.gas.payPer("storage_large_read_overhead_byte", value.length);
    }
    call.registers.set(register!, value);
    return 1n;
  }),
  storage_remove: query(3, (call, keyLength, keyPointer, register) => {
    call.gas.payBase("base");
    call.prohibitInView("storage_remove");
    call.gas.payBase("storage_remove_base");
    const { key, bytes } = readKey(call, keyLength!, keyPointer!);
    call.gas.payPer("storage_remove_key_byte", bytes);
    const removed = call.external.storageGet(key);
    if (removed !== undefined) call.gas.payPer("storage_remove_ret_value_byte", removed.length);
    payNodes(call, key);
    call.external.storageRemove(key);
    if (removed === undefined) return 0n;
    call.storageUsage -= removed.length + bytes + STORAGE_USAGE.num_extra_bytes_record;
    call.registers.set(register!, removed);
    return 1n;
  }),
  storage_has_key: query(2, (call, keyLength, keyPointer) => {
    call.gas.payBase("base");
    call.gas.payBase("storage_has_key_base");
    const { key, bytes } = readKey(call, keyLength!, keyPointer!);
    call.gas.payPer("storage_has_key_byte", bytes);
    return call.external.storageGet(key) === undefined ? 0n : 1n;
  }),
  storage_iter_prefix: deprecated("storage_iter_prefix", 2),
  storage_iter_range: deprecated("storage_iter_range", 4),
  storage_iter_next: deprecated("storage_iter_next", 3),
};
