/** Host functions that create promises, join them, read their results and yield. */
import { ACTION_FEES, DATA_RECEIPT_FEES, LIMITS, RECEIPT_FEE, sendFee } from "../../parameters/protocol-config.ts";
import { checkedMultiply, type HostCall } from "../host-call.ts";
import { hostError } from "../vm-error.ts";
import { type HostFunctions, procedure, query } from "./host-function.ts";
import { appendFunctionCall, readCall } from "./promise-actions.ts";

const NO_PROMISE = (1n << 64n) - 1n;
const ID_BYTES = 32;

/** Sending a receipt, and the data of each result it waits for; executing it is prepaid. */
function payReceipt(call: HostCall, senderIsReceiver: boolean, dependencies: readonly boolean[]): void {
  let burn = sendFee(RECEIPT_FEE, senderIsReceiver);
  for (const toSelf of dependencies) {
    burn += sendFee(DATA_RECEIPT_FEES.base_cost, toSelf) + DATA_RECEIPT_FEES.base_cost.execution;
  }
  call.gas.payAction(burn, burn + RECEIPT_FEE.execution);
}

function batchCreate(call: HostCall, length: bigint, pointer: bigint): bigint {
  call.gas.payBase("base");
  call.prohibitInView("promise_batch_create");
  const accountId = call.readAccountId(length, pointer);
  payReceipt(call, accountId === call.context.currentAccountId, []);
  return call.pushPromise({ joint: false, receipt: call.pushReceipt(accountId, []) });
}

function batchThen(call: HostCall, promise: bigint, length: bigint, pointer: bigint): bigint {
  call.gas.payBase("base");
  call.prohibitInView("promise_batch_then");
  const accountId = call.readAccountId(length, pointer);
  const awaited = call.promise(promise);
  const dependencies = awaited.joint ? awaited.receipts : [awaited.receipt];
  // nearcore compares the sender of each result with the receiver of the new receipt.
  const toSelf = dependencies.map((index) => call.receipts[index]!.receiverId === accountId);
  payReceipt(call, accountId === call.context.currentAccountId, toSelf);
  return call.pushPromise({ joint: false, receipt: call.pushReceipt(accountId, dependencies) });
}

function joinPromises(call: HostCall, pointer: bigint, count: bigint): bigint {
  call.gas.payBase("base");
  call.prohibitInView("promise_and");
  call.gas.payBase("promise_and_base");
  const bytes = checkedMultiply(count, 8n);
  call.gas.payPer("promise_and_per_promise", bytes);
  const indices = call.readMemory(pointer, bytes);
  const view = new DataView(indices.buffer, indices.byteOffset, indices.length);
  const receipts: number[] = [];
  const limit = LIMITS.max_number_input_data_dependencies;
  for (let offset = 0; offset < indices.length; offset += 8) {
    const promised = call.promise(view.getBigUint64(offset, true));
    receipts.push(...(promised.joint ? promised.receipts : [promised.receipt]));
    if (receipts.length > limit) {
      throw hostError(
        "NumberInputDataDependenciesExceeded",
        `The number of input data dependencies ${receipts.length} exceeds the limit ${limit}`,
      );
    }
  }
  return call.pushPromise({ joint: true, receipts });
}

function readId(bytes: Uint8Array, name: string, message: string): Uint8Array {
  if (bytes.length !== ID_BYTES) throw hostError(name, message);
  return bytes;
}
const readDataId = (bytes: Uint8Array) => readId(bytes, "DataIdMalformed", "yield resumption token is malformed");
const readYieldId = (bytes: Uint8Array) => readId(bytes, "YieldIdMalformed", "yield id is malformed");

function yieldCreate(call: HostCall, values: readonly bigint[]): bigint {
  const [methodLength, methodPointer, argsLength, argsPointer, gas, weight, register] = values;
  call.gas.payBase("base");
  call.prohibitInView("promise_yield_create");
  call.gas.payBase("yield_create_base");
  const { method, args } = readCall(call, methodLength!, methodPointer!, argsLength!, argsPointer!);
  const bytes = method.length + args.length;
  call.gas.payPer("yield_create_byte", bytes);
  call.gas.prepay(gas!);
  payReceipt(call, true, [true]);
  const dataId = call.external.createYield();
  const receipt = call.pushReceipt(call.context.currentAccountId, [], dataId);
  const promise = call.pushPromise({ joint: false, receipt });
  call.payAction(ACTION_FEES.function_call_cost, true);
  call.payAction(ACTION_FEES.function_call_cost_per_byte, true, bytes);
  appendFunctionCall(call, receipt, { method, args, deposit: 0n, gas: gas!, weight: weight! });
  call.registers.set(register!, dataId);
  return promise;
}

function yieldCreateWithId(call: HostCall, values: readonly bigint[]): bigint {
  const [methodLength, methodPointer, argsLength, argsPointer, amountPointer, gas, weight, idLength, idPointer] =
    values;
  call.gas.payBase("base");
  call.prohibitInView("promise_yield_create_with_id");
  call.gas.payBase("yield_create_with_id_base");
  const deposit = call.readU128(amountPointer!);
  const { method, args } = readCall(call, methodLength!, methodPointer!, argsLength!, argsPointer!);
  const yieldId = readYieldId(call.readArgument(idLength!, idPointer!));
  const bytes = method.length + args.length;
  call.gas.payPer("yield_create_byte", bytes);
  const dataId = call.external.createYieldWithId(yieldId);
  if (dataId === undefined) return NO_PROMISE;
  const receipt = call.pushReceipt(call.context.currentAccountId, [], dataId);
  call.gas.prepay(gas!);
  payReceipt(call, true, [true]);
  const promise = call.pushPromise({ joint: false, receipt });
  call.payAction(ACTION_FEES.function_call_cost, true);
  call.payAction(ACTION_FEES.function_call_cost_per_byte, true, bytes);
  call.spendOnCall(deposit);
  appendFunctionCall(call, receipt, { method, args, deposit, gas: gas!, weight: weight! });
  return promise;
}

function readResume(call: HostCall, name: string, values: readonly bigint[]): { id: Uint8Array; payload: Uint8Array } {
  const [idLength, idPointer, payloadLength, payloadPointer] = values;
  call.gas.payBase("base");
  call.prohibitInView(name);
  call.gas.payBase("yield_resume_base");
  call.gas.payPer("yield_resume_byte", payloadLength!);
  const id = call.readArgument(idLength!, idPointer!);
  const payload = call.readArgument(payloadLength!, payloadPointer!);
  const limit = LIMITS.max_yield_payload_size;
  if (payload.length > limit) {
    throw hostError(
      "YieldPayloadLength",
      `Yield resume payload is ${payload.length} bytes which exceeds the ${limit} byte limit`,
    );
  }
  return { id, payload };
}

const resultFunctions: HostFunctions = {
  promise_results_count: query(0, (call) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_results_count");
    return BigInt(call.context.promiseResults.length);
  }),
  promise_result: query(2, (call, index, register) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_result");
    const results = call.context.promiseResults;
    const result = index! < BigInt(results.length) ? results[Number(index)] : undefined;
    if (result === undefined) {
      throw hostError("InvalidPromiseResultIndex", `Accessed invalid promise result index: ${index}`);
    }
    if (result === null) return 2n;
    call.registers.setShared(register!, result);
    return 1n;
  }),
  promise_return: procedure(1, (call, index) => {
    call.gas.payBase("base");
    call.gas.payBase("promise_return");
    call.prohibitInView("promise_return");
    const promised = call.promise(index!);
    if (promised.joint) {
      throw hostError("CannotReturnJointPromise", "Returning joint promise is currently prohibited.");
    }
    call.returned = { kind: "receipt", index: promised.receipt };
  }),
};

export const promiseFunctions: HostFunctions = {
  promise_batch_create: query(2, (call, length, pointer) => batchCreate(call, length!, pointer!)),
  promise_batch_then: query(3, (call, promise, length, pointer) => batchThen(call, promise!, length!, pointer!)),
  promise_create: query(8, (call, length, pointer, ...rest) => {
    const promise = batchCreate(call, length!, pointer!);
    callOnPromise(call, promise, rest);
    return promise;
  }),
  promise_then: query(9, (call, awaited, length, pointer, ...rest) => {
    const promise = batchThen(call, awaited!, length!, pointer!);
    callOnPromise(call, promise, rest);
    return promise;
  }),
  promise_and: query(2, (call, pointer, count) => joinPromises(call, pointer!, count!)),
  promise_set_refund_to: procedure(3, (call, promise, length, pointer) => {
    call.gas.payBase("base");
    call.prohibitInView("promise_set_refund_to");
    const refundTo = call.readAccountId(length!, pointer!);
    const promised = call.promise(promise!);
    if (promised.joint) {
      throw hostError("CannotSetRefundToOnJointPromise", "Setting refund_to on a joint promise is prohibited.");
    }
    call.receipts[promised.receipt]!.refundTo = refundTo;
  }),
  promise_yield_create: query(7, (call, ...values) => yieldCreate(call, values)),
  promise_yield_create_with_id: query(9, (call, ...values) => yieldCreateWithId(call, values)),
  promise_yield_resume: query(
    4,
    (call, ...values) => {
      const { id, payload } = readResume(call, "promise_yield_resume", values);
      return call.external.resumeYield(readDataId(id), payload) ? 1n : 0n;
    },
    "i",
  ),
  promise_yield_resume_with_yield_id: query(
    4,
    (call, ...values) => {
      const { id, payload } = readResume(call, "promise_yield_resume_with_yield_id", values);
      return call.external.resumeYieldWithId(readYieldId(id), payload) ? 1n : 0n;
    },
    "i",
  ),
  promise_batch_action_function_call: procedure(7, (call, promise, ...rest) => callOnPromise(call, promise!, rest)),
  promise_batch_action_function_call_weight: procedure(8, (call, promise, ...rest) =>
    callOnPromise(call, promise!, rest),
  ),
  ...resultFunctions,
};

/** `values`: method, arguments (length and pointer each), pointer to the amount, gas, and its weight if given. */
function callOnPromise(call: HostCall, promise: bigint, values: readonly bigint[]): void {
  const [methodLength, methodPointer, argsLength, argsPointer, amountPointer, gas, weight = 0n] = values;
  call.gas.payBase("base");
  call.prohibitInView("promise_batch_action_function_call");
  const deposit = call.readU128(amountPointer!);
  const { method, args } = readCall(call, methodLength!, methodPointer!, argsLength!, argsPointer!);
  const promised = call.promise(promise);
  if (promised.joint) {
    throw hostError("CannotAppendActionToJointPromise", "Actions can only be appended to non-joint promise.");
  }
  const toSelf = call.receipts[promised.receipt]!.receiverId === call.context.currentAccountId;
  call.payAction(ACTION_FEES.function_call_cost, toSelf);
  call.payAction(ACTION_FEES.function_call_cost_per_byte, toSelf, method.length + args.length);
  call.gas.prepay(gas!);
  call.spendOnCall(deposit);
  appendFunctionCall(call, promised.receipt, { method, args, deposit, gas: gas!, weight });
}
