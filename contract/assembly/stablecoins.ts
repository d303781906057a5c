/**
 * Stablecoins that callers attach to requests of a project: balances (`B` ‖ account), what developers have earned
 * (`D` ‖ account), and what an open request holds (`y` ‖ id). All of it lies with the token's contract, in its minimal
 * units; a failed execution gives everything back. `$`: what is owed to all of them together, top-ups and withdrawals on
 * their way too. Who names another token while it is above 0 would pay one token's balances out of another.
 */
import { parseAccount } from "./accounts";
import { BorshReader, BorshWriter } from "./borsh";
import { EMPTY, fresh, same } from "./buffer";
import { emitTopUp } from "./events";
import { assertPrivate, awaited, callThenWith, check, panic, predecessor, read, remove, returnBytes, write } from "./host";
import { callArguments, Json, parseJson } from "./json";
import { JsonWriter } from "./json-writer";
import { MAX_NAME_BYTES } from "./limits";
import { Message } from "./message";
import { topUpPaymentKey } from "./payment-keys";
import { Price } from "./pricing";
import { GuestResponse, RequestRecord, requestKey } from "./records";
import { State } from "./state";
import { sameText, utf8 } from "./text";
import { U128 } from "./u128";

const BALANCE_PREFIX: u8 = 0x42;
const DEVELOPER_PREFIX: u8 = 0x44;
const HELD_PREFIX: u8 = 0x79;
const OWED_PREFIX: u8 = 0x24;
const TRANSFER_GAS: u64 = 15_000_000_000_000;
const CALLBACK_GAS: u64 = 5_000_000_000_000;

function key(prefix: u8, account: Uint8Array): Uint8Array {
  const bytes = fresh(account.length + 1);
  bytes[0] = prefix;
  memory.copy(bytes.dataStart + 1, account.dataStart, account.length);
  return bytes;
}

function amountAt(prefix: u8, account: Uint8Array): U128 {
  const bytes = read(key(prefix, account));
  return bytes ? new BorshReader(bytes).u128() : new U128();
}

function add(prefix: u8, account: Uint8Array, amount: U128): void {
  if (!amount.isZero()) write(key(prefix, account), amountAt(prefix, account).plus(amount).toBytes());
}

export function stablecoinsOwed(): U128 { return amountAt(OWED_PREFIX, EMPTY); }

/** Before the amount becomes somebody's. */
export function oweStablecoins(amount: U128): void { add(OWED_PREFIX, EMPTY, amount); }

/** When the token has it, or has taken it back. */
export function releaseStablecoins(amount: U128): void {
  const rest = stablecoinsOwed().minus(amount);
  if (rest.isZero()) remove(key(OWED_PREFIX, EMPTY));
  else write(key(OWED_PREFIX, EMPTY), rest.toBytes());
}

/** An older contract kept no total: above all that there is, so it never comes down to 0. */
export function assumeStablecoinsOwed(): void { oweStablecoins(new U128(0, 1 << 63)); }

/** To an account's balance, of what is owed already. */
export function creditStablecoins(account: Uint8Array, amount: U128): void { add(BALANCE_PREFIX, account, amount); }

/** Takes what a request attaches from its caller's balance, with the price that holds at this moment. */
export function holdAttachedUsd(request: RequestRecord, owner: Uint8Array, price: Price | null): void {
  const attached = request.attachedUsd;
  if (price && attached.lessThan(price.amount)) {
    new Message("AttachedUsdTooSmall: this operation costs ").amount(price.amount).panic();
  }
  if (attached.isZero()) return;
  const balance = amountAt(BALANCE_PREFIX, request.predecessorId);
  check(!balance.lessThan(attached), "AttachedUsdTooLarge: more than the caller's stablecoin balance");
  const rest = balance.minus(attached);
  if (rest.isZero()) remove(key(BALANCE_PREFIX, request.predecessorId));
  else write(key(BALANCE_PREFIX, request.predecessorId), rest.toBytes());
  const w = new BorshWriter();
  w.bytes(owner);
  // Where the project has no price, the guest says by its refund what of the attached amount it earns.
  w.u128(price ? price.amount : attached);
  w.bytes(price ? price.author : owner);
  w.u16(price ? price.shareBps : 0);
  write(requestKey(HELD_PREFIX, request.requestId), w.done());
}

/** Price to author and owner; change and the guest's refund back to the caller. */
export function settleAttachedUsd(request: RequestRecord, response: GuestResponse): void {
  const heldKey = requestKey(HELD_PREFIX, request.requestId);
  if (request.attachedUsd.isZero()) return;
  const stored = read(heldKey);
  if (!stored) return;
  const r = new BorshReader(stored);
  const owner = r.bytes(), price = r.u128(), author = r.bytes(), shareBps = r.u16();
  const earned = price.minusOrZero(new U128(response.refundUsd));
  const share = earned.part(shareBps);
  add(DEVELOPER_PREFIX, author, share);
  add(DEVELOPER_PREFIX, owner, earned.minus(share));
  add(BALANCE_PREFIX, request.predecessorId, request.attachedUsd.minusOrZero(earned));
  remove(heldKey);
}

export function releaseAttachedUsd(request: RequestRecord): void {
  if (!request.attachedUsd.isZero() && remove(requestKey(HELD_PREFIX, request.requestId))) {
    add(BALANCE_PREFIX, request.predecessorId, request.attachedUsd);
  }
}

/** NEP-141: what is not understood or not wanted panics, and the token's contract gives it back. */
export function ft_on_transfer(): void {
  const state = State.load();
  const token = state.paymentToken;
  if (!token) {
    panic("NoPaymentToken: stablecoins are not taken");
    return;
  }
  check(same(predecessor(), token), "WrongToken: not the token that is taken");
  const fields = callArguments();
  const sender = parseAccount(fields.required("sender_id"));
  const amount = fields.required("amount").amount();
  const message = parseJson(fields.required("msg").text(MAX_NAME_BYTES)).object();
  const action = message.required("action").text(MAX_NAME_BYTES);
  if (sameText(action, "deposit_balance")) {
    oweStablecoins(amount);
    add(BALANCE_PREFIX, sender, amount);
    state.assertSolvent();
    returnBytes(utf8('"0"'));
    return;
  }
  check(sameText(action, "top_up_payment_key"), "UnknownAction: deposit_balance or top_up_payment_key");
  const owner = message.optional("owner");
  topUpPaymentKey(state, owner ? parseAccount(owner) : sender, <u32>message.required("nonce").upTo(u32.MAX_VALUE), amount);
}

/** Sends all of an account's amount; one that the token refuses comes back through {@link on_stablecoin_sent}. */
function withdrawFrom(prefix: u8): void {
  const state = State.load();
  const token = state.paymentToken;
  if (!token) {
    panic("NoPaymentToken: stablecoins are not taken");
    return;
  }
  const account = predecessor();
  const amount = amountAt(prefix, account);
  check(!amount.isZero(), "NothingToWithdraw: no stablecoins");
  remove(key(prefix, account));
  const args = new JsonWriter();
  args.open();
  args.textField("receiver_id", account);
  args.amountField("amount", amount);
  args.close();
  const back = new JsonWriter();
  back.open();
  back.textField("account_id", account);
  back.boolField("developer", prefix == DEVELOPER_PREFIX);
  back.amountField("amount", amount);
  back.close();
  callThenWith(token, "ft_transfer", args.done(), new U128(1), TRANSFER_GAS, "on_stablecoin_sent", back.done(), CALLBACK_GAS);
}


export function withdraw_developer_earnings(): void { withdrawFrom(DEVELOPER_PREFIX); }
export function withdraw_stablecoin_balance(): void { withdrawFrom(BALANCE_PREFIX); }

/** Returns what was sent, as a string; "0" where it came back. */
export function on_stablecoin_sent(): void {
  assertPrivate();
  const fields = callArguments();
  const amount = fields.required("amount").amount();
  const out = new JsonWriter();
  if (awaited()) {
    releaseStablecoins(amount);
    out.amount(amount);
  } else {
    const prefix = fields.required("developer").bool() ? DEVELOPER_PREFIX : BALANCE_PREFIX;
    add(prefix, parseAccount(fields.required("account_id")), amount);
    out.literal('"0"');
  }
  returnBytes(out.done());
}

function viewAmount(prefix: u8): void {
  const out = new JsonWriter();
  out.amount(amountAt(prefix, parseAccount(callArguments().required("account_id"))));
  returnBytes(out.done());
}
export function get_developer_earnings(): void { viewAmount(DEVELOPER_PREFIX); }
export function get_user_stablecoin_balance(): void { viewAmount(BALANCE_PREFIX); }
