/**
 * A contract that asks OutLayer: the smallest caller there can be, used by tests and by `outlayer-node dev`.
 * `ask` passes its deposit on and waits; the answer comes into `on_answer`, refunds come to this account.
 */

import { parseAccount } from "../../assembly/accounts";
import { ByteBuffer, same } from "../../assembly/buffer";
import {
  attachedDeposit,
  awaited,
  callThen,
  check,
  currentAccount,
  gasLeft,
  has,
  log,
  panic,
  predecessor,
  read,
  returnBytes,
  write,
} from "../../assembly/host";
import { callArguments } from "../../assembly/json";
import { utf8 } from "../../assembly/text";

/** Gas for {@link on_answer}; the rest of what is attached goes to OutLayer. */
const ANSWER_GAS: u64 = 30_000_000_000_000;
/** Gas that `ask` itself still burns after it has measured what is left: action fees, and those of every byte. */
const OWN_GAS: u64 = 10_000_000_000_000;
const OWN_GAS_PER_BYTE: u64 = 110_000_000;

function outlayerKey(): Uint8Array {
  return utf8("OUTLAYER");
}

function answerKey(): Uint8Array {
  return utf8("ANSWER");
}

function initialize(): void {
  check(!has(outlayerKey()), "AlreadyInitialized: new was called before");
  write(outlayerKey(), parseAccount(callArguments().required("outlayer_id")));
}

/** What `request_execution` gets as `ask` got it, spelling included. */
const PASSED_ON = ["source", "input_data", "resource_limits", "response_format", "params"];

export function ask(): void {
  const outlayer = read(outlayerKey());
  if (!outlayer) panic("NotInitialized: call new first");
  const fields = callArguments();
  fields.required("source");
  const args = new ByteBuffer(1_024);
  for (let i = 0; i < PASSED_ON.length; i++) {
    const value = fields.present(PASSED_ON[i]);
    if (!value) continue;
    args.literal(args.length === 0 ? '{"' : ',"');
    args.literal(PASSED_ON[i]);
    args.literal('":');
    args.raw(value.raw());
  }
  args.literal("}");
  const left = gasLeft();
  const kept = ANSWER_GAS + OWN_GAS + OWN_GAS_PER_BYTE * args.length;
  check(left > kept, "NotEnoughGas: attach more");
  const gas = left - kept;
  callThen(outlayer!, "request_execution", args.done(), attachedDeposit(), gas, "on_answer", ANSWER_GAS);
}

/** Keeps, logs and returns what OutLayer answered; "null" for a failed execution, "failed" for a refused request. */
export function on_answer(): void {
  check(same(predecessor(), currentAccount()), "Private: only the contract itself may call this");
  const answer = awaited();
  const kept = answer ? answer : utf8('"failed"');
  write(answerKey(), kept);
  const line = new ByteBuffer(kept.length + 16);
  line.literal("answer: ");
  line.raw(kept.length > 4_096 ? kept.subarray(0, 4_096) : kept);
  log(line.done());
  returnBytes(kept);
}

export function last_answer(): void {
  const answer = read(answerKey());
  returnBytes(answer ? answer : utf8("null"));
}

export { initialize as new };
