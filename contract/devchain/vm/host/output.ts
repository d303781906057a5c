/** Host functions by which a contract answers: return values, logs, panics. */
import { DATA_RECEIPT_FEES, INSTRUCTION_COSTS, LIMITS, sendFee } from "../../parameters/protocol-config.ts";
import type { HostCall } from "../host-call.ts";
import { hostError } from "../vm-error.ts";
import { type HostFunction, type HostFunctions, procedure } from "./host-function.ts";

function writeLog(call: HostCall, message: string): void {
  call.gas.payBase("log_base");
  call.gas.payPer("log_byte", Buffer.byteLength(message));
  call.pushLog(message);
}

const guestPanic = (message: string) => hostError("GuestPanic", `Smart contract panicked: ${message}`);

/** AssemblyScript's abort: the lengths of both UTF-16 texts stand before them. */
const abort: HostFunction = {
  parameters: "iiii",
  result: "",
  run(call, message, file, line, column) {
    call.gas.payBase("base");
    if (message! < 4n || file! < 4n) throw hostError("BadUTF16", "String encoding is bad UTF-16 sequence.");
    call.checkLogCount();
    const u32 = (bytes: Uint8Array) => BigInt(Buffer.from(bytes).readUInt32LE());
    const messageLength = u32(call.readMemory(message! - 4n, 4n));
    const fileLength = u32(call.readMemory(file! - 4n, 4n));
    const messageText = call.readUtf16(messageLength, message!);
    const fileText = call.readUtf16(fileLength, file!);
    const text = `${messageText}, filename: "${fileText}" line: ${line} col: ${column}`;
    call.gas.payBase("log_base");
    call.gas.payPer("log_byte", Buffer.byteLength(text));
    call.pushLog(`ABORT: ${text}`);
    throw guestPanic(text);
  },
};

/** Burns as much as that many instructions cost: what contracts that meter themselves import. */
const gas: HostFunction = {
  parameters: "i",
  result: "",
  run(call, instructions) {
    call.gas.burn(Number(instructions!) * INSTRUCTION_COSTS.regular);
    return undefined;
  },
};

export const outputFunctions: HostFunctions = {
  gas,
  value_return: procedure(2, (call, length, pointer) => {
    call.gas.payBase("base");
    const value = call.readArgument(length!, pointer!);
    const limit = LIMITS.max_length_returned_data;
    if (value.length > limit) {
      throw hostError(
        "ReturnedValueLengthExceeded",
        `The length of a returned value ${value.length} exceeds the limit ${limit}`,
      );
    }
    const perByte = DATA_RECEIPT_FEES.cost_per_byte;
    let gas = 0;
    for (const receiver of call.context.outputDataReceivers) {
      gas += (sendFee(perByte, receiver === call.context.currentAccountId) + perByte.execution) * value.length;
    }
    call.gas.payAction(gas, gas);
    call.returned = { kind: "value", value };
  }),
  panic: procedure(0, (call) => {
    call.gas.payBase("base");
    throw guestPanic("explicit guest panic");
  }),
  panic_utf8: procedure(2, (call, length, pointer) => {
    call.gas.payBase("base");
    throw guestPanic(call.readUtf8(length!, pointer!));
  }),
  log_utf8: procedure(2, (call, length, pointer) => {
    call.gas.payBase("base");
    call.checkLogCount();
    writeLog(call, call.readUtf8(length!, pointer!));
  }),
  log_utf16: procedure(2, (call, length, pointer) => {
    call.gas.payBase("base");
    call.checkLogCount();
    writeLog(call, call.readUtf16(length!, pointer!));
  }),
  abort,
};
