/**
 * Prices, charges and earnings. Callers pay per fuel; milliseconds are reported for compatibility and never charged,
 * though the estimate still counts them, so that a deposit which was enough stays enough.
 * What a request is charged is shared out (`shares.ts`) and waits to be withdrawn.
 */
import { parseAccount } from "./accounts";
import { BorshReader, BorshWriter } from "./borsh";
import { fresh } from "./buffer";
import { emitRefundBounced } from "./events";
import {
  assertPrivate, awaited, check, panic, predecessor, read, remove, returnBytes, transfer, transferThen, write,
} from "./host";
import { callArguments } from "./json";
import { JsonWriter } from "./json-writer";
import { State } from "./state";
import { U128 } from "./u128";

const EARNINGS_PREFIX: u8 = 0x65;

/** What a caller attaches at least. Absent limits count 0 here, as they always did. */
export function estimateCost(state: State, baseFee: U128, maxInstructions: u64, maxSeconds: u64): U128 {
  if (maxSeconds > u64.MAX_VALUE / 1_000) panic("TooLarge: max_execution_seconds");
  return baseFee
    .plus(state.perMillionInstructions.times(maxInstructions / 1_000_000))
    .plus(state.perMs.times(maxSeconds * 1_000));
}

/** Base fee and price of the fuel, never more than the payment; a failure costs the base fee alone. */
export function chargeFor(perMillion: U128, baseFee: U128, success: bool, instructions: u64, payment: U128): U128 {
  const fuel = success ? perMillion.timesOrMost(instructions / 1_000_000) : new U128();
  if (!fuel.lessThan(payment)) return payment;
  return payment.minus(fuel).lessThan(baseFee) ? payment : baseFee.plus(fuel);
}

function earningsKey(account: Uint8Array): Uint8Array {
  const key = fresh(account.length + 1);
  key[0] = EARNINGS_PREFIX;
  memory.copy(key.dataStart + 1, account.dataStart, account.length);
  return key;
}

function earningsOf(account: Uint8Array): U128 {
  const bytes = read(earningsKey(account));
  return bytes ? new BorshReader(bytes).u128() : new U128();
}

/** Adds to what an account may withdraw. The liabilities are the caller's business. */
export function credit(account: Uint8Array, amount: U128): void {
  if (amount.isZero()) return;
  const w = new BorshWriter(16);
  w.u128(earningsOf(account).plus(amount));
  write(earningsKey(account), w.done());
}

/** Burns little more than one; the rest comes back. */
const ON_REFUND_GAS: u64 = 5_000_000_000_000;

/** Pays back what is no longer owed. Where the account does not exist, {@link on_refund} keeps it for its name. */
export function refund(account: Uint8Array, amount: U128): void {
  if (amount.isZero()) return;
  const args = new JsonWriter(192);
  args.open();
  args.textField("account_id", account);
  args.amountField("amount", amount);
  args.close();
  transferThen(account, amount, "on_refund", args.done(), ON_REFUND_GAS);
}

/** The end of a refund: one that bounced can be withdrawn, by the account that it was for. */
export function on_refund(): void {
  assertPrivate();
  if (awaited()) return;
  const fields = callArguments();
  const account = parseAccount(fields.required("account_id"));
  const amount = fields.required("amount").amount();
  const state = State.load();
  state.owes(amount);
  state.save();
  credit(account, amount);
  emitRefundBounced(state, account, amount);
}

export function withdraw_earnings(): void {
  const state = State.load();
  const account = predecessor();
  const amount = earningsOf(account);
  check(!amount.isZero(), "NothingToWithdraw: no earnings");
  remove(earningsKey(account));
  state.settles(amount);
  state.save();
  transfer(account, amount);
  const out = new JsonWriter();
  out.amount(amount);
  returnBytes(out.done());
}

export function get_earnings(): void {
  const account = parseAccount(callArguments().required("account_id"));
  const out = new JsonWriter();
  out.amount(earningsOf(account));
  returnBytes(out.done());
}
