/** One running call as the host functions see it: gas, registers, memory, what it logged and promised so far. */
import { isAccountId } from "../codec/account-id.ts";
import { type Fee, LIMITS, PROTOCOL_CONFIG, sendFee } from "../parameters/protocol-config.ts";
import type { CallContext, CallExternal, PromiseReceipt, ReturnValue } from "./call-context.ts";
import { GasCounter } from "./gas-counter.ts";
import { Registers } from "./registers.ts";
import { hostError, integerOverflow, memoryAccessViolation } from "./vm-error.ts";

const U64_END = 1n << 64n;
/** As a length: the argument is not in memory but in the register that the pointer names. */
const IN_REGISTER = U64_END - 1n;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A promise of the contract: a receipt, or (`promise_and`) several to wait for. */
export type Promised =
  | { readonly joint: false; readonly receipt: number }
  | { readonly joint: true; readonly receipts: readonly number[] };

/** A function call whose gas grows by its share of what is left (`promise_batch_action_function_call_weight`). */
export interface GasWeight {
  readonly receipt: number;
  readonly action: number;
  readonly weight: bigint;
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw hostError("BadUTF8", "String encoding is bad UTF-8 sequence.");
  }
}

export class HostCall {
  readonly context: CallContext;
  readonly external: CallExternal;
  readonly gas: GasCounter;
  readonly registers: Registers;
  readonly logs: string[] = [];
  readonly receipts: PromiseReceipt[] = [];
  readonly promises: Promised[] = [];
  readonly gasWeights: GasWeight[] = [];
  returned: ReturnValue = { kind: "none" };
  balance: bigint;
  storageUsage: number;
  totalLogBytes = 0;
  /** Nothing was written by the host at or behind this address. */
  writtenEnd = 0;
  #memory: WebAssembly.Memory | undefined;

  constructor(context: CallContext, external: CallExternal) {
    this.context = context;
    this.external = external;
    this.gas = new GasCounter(context.prepaidGas, context.isView);
    this.registers = new Registers(this.gas);
    this.balance = context.balance + context.attachedDeposit;
    this.storageUsage = context.storageUsage;
  }

  attachMemory(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  prohibitInView(methodName: string): void {
    if (this.context.isView) throw hostError("ProhibitedInView", `${methodName} is not allowed in view calls`);
  }

  /** A copy of guest memory, charged. */
  readMemory(pointer: bigint, length: bigint): Uint8Array {
    this.gas.payBase("read_memory_base");
    this.gas.payPer("read_memory_byte", length);
    return this.readMemoryFree(pointer, length);
  }

  readMemoryFree(pointer: bigint, length: bigint): Uint8Array {
    const memory = this.#bytes();
    if (pointer + length > BigInt(memory.length)) throw memoryAccessViolation();
    return memory.slice(Number(pointer), Number(pointer + length));
  }

  writeMemory(pointer: bigint, bytes: Uint8Array): void {
    this.gas.payBase("write_memory_base");
    this.gas.payPer("write_memory_byte", bytes.length);
    const memory = this.#bytes();
    if (pointer + BigInt(bytes.length) > BigInt(memory.length)) throw memoryAccessViolation();
    memory.set(bytes, Number(pointer));
    this.writtenEnd = Math.max(this.writtenEnd, Number(pointer) + bytes.length);
  }

  readArgument(length: bigint, pointer: bigint): Uint8Array {
    return length === IN_REGISTER ? this.registers.get(pointer) : this.readMemory(pointer, length);
  }

  readU128(pointer: bigint): bigint {
    const bytes = this.readMemory(pointer, 16n);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return view.getBigUint64(0, true) | (view.getBigUint64(8, true) << 64n);
  }

  writeU128(pointer: bigint, value: bigint): void {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt.asUintN(64, value), true);
    view.setBigUint64(8, value >> 64n, true);
    this.writeMemory(pointer, bytes);
  }

  readAccountId(length: bigint, pointer: bigint): string {
    const bytes = this.readArgument(length, pointer);
    this.gas.payBase("utf8_decoding_base");
    this.gas.payPer("utf8_decoding_byte", bytes.length);
    const accountId = decodeUtf8(bytes);
    if (!isAccountId(accountId)) {
      throw hostError("InvalidAccountId", "VM Logic returned an invalid account id");
    }
    return accountId;
  }

  /** A text for a log or a panic: bounded by what is left of the log limit. */
  readUtf8(length: bigint, pointer: bigint): string {
    this.gas.payBase("utf8_decoding_base");
    const limit = LIMITS.max_total_log_length - this.totalLogBytes;
    let bytes: Uint8Array;
    if (length !== IN_REGISTER) {
      if (length > BigInt(limit)) throw this.#logTooLong(Number(length));
      bytes = this.readMemory(pointer, length);
    } else {
      bytes = this.#readNulTerminated(pointer, limit);
    }
    this.gas.payPer("utf8_decoding_byte", bytes.length);
    return decodeUtf8(bytes);
  }

  readUtf16(length: bigint, pointer: bigint): string {
    this.gas.payBase("utf16_decoding_base");
    const limit = LIMITS.max_total_log_length - this.totalLogBytes;
    const terminated = length === IN_REGISTER;
    const byteLength = terminated ? this.#nulTerminatedUtf16Length(pointer, limit) : length;
    const bytes = terminated ? this.readMemoryFree(pointer, byteLength) : this.readMemory(pointer, byteLength);
    const badUtf16 = () => hostError("BadUTF16", "String encoding is bad UTF-16 sequence.");
    if (bytes.length % 2 !== 0) throw badUtf16();
    if (bytes.length > limit) throw this.#logTooLong(bytes.length);
    this.gas.payPer("utf16_decoding_byte", bytes.length);
    const text = Buffer.from(bytes).toString("utf16le");
    if (!text.isWellFormed()) throw badUtf16();
    return text;
  }

  checkLogCount(): void {
    if (this.logs.length >= LIMITS.max_number_logs) {
      throw hostError("NumberOfLogsExceeded", `The number of logs will exceed the limit ${LIMITS.max_number_logs}`);
    }
  }

  pushLog(message: string): void {
    const bytes = Buffer.byteLength(message);
    if (this.totalLogBytes + bytes > LIMITS.max_total_log_length) {
      this.totalLogBytes += bytes;
      throw this.#logTooLong(bytes);
    }
    this.totalLogBytes += bytes;
    this.logs.push(message);
  }

  /** Takes money for a promise out of the account. */
  spend(amount: bigint): void {
    if (amount > this.balance) throw hostError("BalanceExceeded", "Exceeded the account balance.");
    this.balance -= amount;
  }

  /** Like `spend`; but one yocto from an empty account is a gift of the protocol (`one_yocto_on_promise`). */
  spendOnCall(amount: bigint): void {
    const gifted = PROTOCOL_CONFIG.wasm_config.one_yocto_on_promise && amount === 1n && this.balance === 0n;
    if (!gifted) this.spend(amount);
  }

  /** Pays for sending an action now and prepays its execution. */
  payAction(fee: Fee, senderIsReceiver: boolean, count = 1): void {
    const send = sendFee(fee, senderIsReceiver) * count;
    this.gas.payAction(send, send + fee.execution * count);
  }

  promise(index: bigint): Promised {
    const promised = index < BigInt(this.promises.length) ? this.promises[Number(index)] : undefined;
    if (promised === undefined) {
      throw hostError("InvalidPromiseIndex", `${index} does not correspond to existing promises`);
    }
    return promised;
  }

  pushPromise(promised: Promised): bigint {
    this.promises.push(promised);
    const limit = LIMITS.max_promises_per_function_call_action;
    if (this.promises.length > limit) {
      throw hostError(
        "NumberPromisesExceeded",
        `The number of promises within a FunctionCall ${this.promises.length} exceeds the limit ${limit}`,
      );
    }
    return BigInt(this.promises.length - 1);
  }

  pushReceipt(receiverId: string, dependencies: readonly number[], yieldDataId?: Uint8Array): number {
    this.receipts.push({ receiverId, actions: [], dependencies, yieldDataId, refundTo: undefined });
    return this.receipts.length - 1;
  }

  #bytes(): Uint8Array {
    if (this.#memory === undefined) throw memoryAccessViolation();
    return new Uint8Array(this.#memory.buffer);
  }

  #readNulTerminated(pointer: bigint, limit: number): Uint8Array {
    const bytes: number[] = [];
    for (let index = 0; index <= limit; index++) {
      const byte = this.readMemory(pointer + BigInt(index), 1n)[0]!;
      if (byte === 0) break;
      if (index === limit) throw this.#logTooLong(limit + 1);
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }

  #nulTerminatedUtf16Length(pointer: bigint, limit: number): bigint {
    for (let length = 0; ; ) {
      const unit = this.readMemory(pointer + BigInt(length), 2n);
      if (unit[0] === 0 && unit[1] === 0) return BigInt(length);
      length += 2;
      if (length > limit) throw this.#logTooLong(length);
    }
  }

  #logTooLong(added: number): Error {
    const limit = LIMITS.max_total_log_length;
    return hostError(
      "TotalLogLengthExceeded",
      `The length of a log message ${this.totalLogBytes + added} exceeds the limit ${limit}`,
    );
  }
}

/** Multiplies counts of the contract, which are u64. */
export function checkedMultiply(a: bigint, b: bigint): bigint {
  if (a * b >= U64_END) throw integerOverflow();
  return a * b;
}
