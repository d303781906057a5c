/** Host functions on registers. */
import { type HostFunctions, procedure, query } from "./host-function.ts";

const NO_REGISTER = (1n << 64n) - 1n;

export const registerFunctions: HostFunctions = {
  read_register: procedure(2, (call, register, pointer) => {
    call.gas.payBase("base");
    call.writeMemory(pointer!, call.registers.get(register!));
  }),
  register_len: query(1, (call, register) => {
    call.gas.payBase("base");
    const length = call.registers.length(register!);
    return length === undefined ? NO_REGISTER : BigInt(length);
  }),
  write_register: procedure(3, (call, register, length, pointer) => {
    call.gas.payBase("base");
    call.registers.set(register!, call.readMemory(pointer!, length!));
  }),
};
