/** The registers of a call: byte strings by number, bounded in count, size and sum (near-vm-runner logic/vmstate.rs). */
import { LIMITS } from "../parameters/protocol-config.ts";
import type { GasCounter } from "./gas-counter.ts";
import { hostError, memoryAccessViolation } from "./vm-error.ts";

/** nearcore counts the register's number along with its bytes. */
const REGISTER_OVERHEAD_BYTES = 8;

export class Registers {
  readonly #registers = new Map<bigint, Uint8Array>();
  readonly #gas: GasCounter;
  #usedBytes = 0;

  constructor(gas: GasCounter) {
    this.#gas = gas;
  }

  /** Length without charge, undefined when the register was never written. */
  length(id: bigint): number | undefined {
    return this.#registers.get(id)?.length;
  }

  get(id: bigint): Uint8Array {
    const data = this.#registers.get(id);
    if (data === undefined) throw hostError("InvalidRegisterId", `Accessed invalid register id: ${id}`);
    this.#gas.payBase("read_register_base");
    this.#gas.payPer("read_register_byte", data.length);
    return data;
  }

  set(id: bigint, data: Uint8Array): void {
    this.#gas.payBase("write_register_base");
    this.#gas.payPer("write_register_byte", data.length);
    this.#store(id, data);
  }

  /** For data that nearcore shares by reference (input, promise results): the bytes are not charged. */
  setShared(id: bigint, data: Uint8Array): void {
    this.#gas.payBase("write_register_base");
    this.#store(id, data);
  }

  #store(id: bigint, data: Uint8Array): void {
    if (data.length > LIMITS.max_register_size) throw memoryAccessViolation();
    // As in nearcore, a full set refuses even to overwrite.
    if (this.#registers.size >= LIMITS.max_number_registers) throw memoryAccessViolation();
    const old = this.#registers.get(id);
    const freed = old === undefined ? 0 : old.length + REGISTER_OVERHEAD_BYTES;
    const used = this.#usedBytes - freed + data.length + REGISTER_OVERHEAD_BYTES;
    if (used > LIMITS.registers_memory_limit) throw memoryAccessViolation();
    this.#usedBytes = used;
    this.#registers.set(id, data);
  }
}
