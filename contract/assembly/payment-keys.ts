/**
 * Payment keys: secrets of the system's own accessor whose profile is a number that is used once. Their balances
 * stand in the ciphertext, so a top-up waits until whoever serves the keys has written a new one, and gives the
 * tokens back where that does not happen. `N` ‖ account → the highest number it has used; `t` → the top-ups so far,
 * `t` ‖ number → the data id of one that waits, `t` ‖ data id → its number; `K` ‖ hash of the secret → what a key was
 * topped up by. Nothing here spends it, so all of it is its owner's again when the key goes.
 */
import { parseAccount } from "./accounts";
import { BorshReader, BorshWriter } from "./borsh";
import { decimal, EMPTY, same } from "./buffer";
import { parseHash } from "./encoding";
import { emitPaymentKeyDeleted, emitTopUp } from "./events";
import {
  assertPrivate, attachedDeposit, awaited, check, has, panic, predecessor, read, remove, resume, returnBytes, suspend, write,
} from "./host";
import { callArguments, JsonObject, parseJson } from "./json";
import { JsonWriter } from "./json-writer";
import { keyOf, numberedKey } from "./keys";
import { MAX_NAME_BYTES, MAX_RESUME_BYTES } from "./limits";
import { Accessor, Secret } from "./secrets";
import { creditStablecoins, oweStablecoins, releaseStablecoins } from "./stablecoins";
import { State } from "./state";
import { StorageMeter } from "./storage-meter";
import { U128 } from "./u128";

const NONCE_PREFIX: u8 = 0x4e;
const TOP_UP_PREFIX: u8 = 0x74;
const FUNDS_PREFIX: u8 = 0x4b;
/** $1: below it the fees of both sides are not worth it. */
const MIN_TOP_UP: u64 = 1_000_000;
const TOP_UP_GAS: u64 = 30_000_000_000_000;

function lastNonce(account: Uint8Array): u64 {
  const bytes = read(keyOf(NONCE_PREFIX, account));
  return bytes ? new BorshReader(bytes).u32() : 0;
}

/** A new key's number is above all that the account has used, also those of deleted keys. */
export function checkNewNonce(account: Uint8Array, profile: Uint8Array): void {
  let nonce: u64 = 0;
  for (let i = 0; i < profile.length; i++) {
    const digit = <u64>profile[i] - 0x30;
    check(digit <= 9 && !(i == 0 && digit == 0) && i < 10, "BadNonce: a payment key's profile is a number from 1 on");
    nonce = nonce * 10 + digit;
  }
  check(nonce <= u32.MAX_VALUE, "BadNonce: too large");
  check(nonce > lastNonce(account), "NonceUsed: a payment key of this number has existed");
  const w = new BorshWriter(4);
  w.u32(<u32>nonce);
  write(keyOf(NONCE_PREFIX, account), w.done());
}

export function get_next_payment_key_nonce(): void {
  returnBytes(decimal(lastNonce(parseAccount(callArguments().required("account_id"))) + 1));
}

function keyNamed(owner: Uint8Array, nonce: u32): Secret | null {
  return new Secret(Accessor.paymentKey(), decimal(nonce), owner).find();
}

/**
 * A top-up that waits. The data ids of requests are in their events, and a resume ends whatever yield it names, so only
 * a data id that stands here is ever resumed for the operator. The callback does not know its own: it has the number.
 */
class TopUp {
  constructor(readonly number: u64, readonly dataId: Uint8Array) {}

  static nextNumber(): u64 {
    const counter = keyOf(TOP_UP_PREFIX, EMPTY), stored = read(counter);
    const number = stored ? new BorshReader(stored).u64() : 0, w = new BorshWriter(8);
    w.u64(number + 1);
    write(counter, w.done());
    return number;
  }

  static waits(dataId: Uint8Array): bool { return has(keyOf(TOP_UP_PREFIX, dataId)); }

  save(): void {
    const w = new BorshWriter(8);
    w.u64(this.number);
    write(numberedKey(TOP_UP_PREFIX, this.number), this.dataId);
    write(keyOf(TOP_UP_PREFIX, this.dataId), w.done());
  }

  static end(number: u64): void {
    const key = numberedKey(TOP_UP_PREFIX, number), dataId = read(key);
    if (!dataId) return;
    remove(keyOf(TOP_UP_PREFIX, dataId));
    remove(key);
  }
}

function fundsOf(secret: Secret): U128 {
  const bytes = read(keyOf(FUNDS_PREFIX, secret.hash()));
  return bytes ? new BorshReader(bytes).u128() : new U128();
}

/** Of a key that is gone. After its owner's bytes are paid back: those of the funds came from the contract. */
export function releaseFunds(secret: Secret): void {
  const funds = fundsOf(secret);
  if (remove(keyOf(FUNDS_PREFIX, secret.hash()))) creditStablecoins(secret.owner, funds);
}

/** Called by the token; what the callback returns is what the token gives back. */
export function topUpPaymentKey(state: State, owner: Uint8Array, nonce: u32, amount: U128): void {
  check(!amount.lessThan(new U128(MIN_TOP_UP)), "TopUpTooSmall: at least 1000000 minimal units");
  const secret = keyNamed(owner, nonce);
  if (!secret) {
    panic("NoSuchPaymentKey: store it first");
    return;
  }
  const number = TopUp.nextNumber(), args = new JsonWriter();
  args.open();
  args.numberField("number", number);
  args.textField("owner", owner);
  args.numberField("nonce", nonce);
  args.amountField("amount", amount);
  args.close();
  const dataId = suspend("on_top_up_response", args.done(), TOP_UP_GAS);
  new TopUp(number, dataId).save();
  oweStablecoins(amount);
  state.assertSolvent();
  emitTopUp(state, dataId, owner, nonce, amount, secret.encrypted);
}

/** By the operator, who serves payment keys and nothing else: {"Success":{"new_encrypted_data"}} or {"Error":{"message"}}. */
export function resume_topup(): void {
  const state = State.load();
  check(same(predecessor(), state.operator), "OperatorOnly: only the operator serves payment keys");
  const fields = callArguments();
  const result = fields.required("result").raw();
  check(result.length <= MAX_RESUME_BYTES, "TooLong: result");
  newCiphertext(fields.required("result").object());
  const dataId = parseHash(fields.required("data_id").text(MAX_NAME_BYTES), "data_id");
  check(TopUp.waits(dataId), "NoSuchTopUp: no top-up waits under this data_id");
  check(resume(dataId, result), "YieldOver: the top-up has ended");
}

function newCiphertext(result: JsonObject): Uint8Array | null {
  const success = result.optional("Success");
  if (success) return success.object().required("new_encrypted_data").text(MAX_RESUME_BYTES);
  result.required("Error").object().required("message").text(MAX_RESUME_BYTES);
  return null;
}

export function on_top_up_response(): void {
  assertPrivate();
  const fields = callArguments();
  const owner = parseAccount(fields.required("owner")), nonce = <u32>fields.required("nonce").u64();
  const amount = fields.required("amount").amount(), answer = awaited();
  const secret = keyNamed(owner, nonce), out = new JsonWriter();
  TopUp.end(fields.required("number").u64());
  const encrypted = answer ? newCiphertext(parseJson(answer).object()) : null;
  if (encrypted && secret) {
    secret.encrypted = encrypted;
    secret.save();
    write(keyOf(FUNDS_PREFIX, secret.hash()), fundsOf(secret).plus(amount).toBytes());
    out.literal('"0"');
  } else {
    releaseStablecoins(amount);
    out.amount(amount);
  }
  returnBytes(out.done());
}

/**
 * At once: nobody's consent is needed to take one's own key back. Servers of keys see the event. What the key was topped
 * up by becomes a balance, to be withdrawn or attached to requests.
 */
export function delete_payment_key(): void {
  check(!attachedDeposit().isZero(), "OneYocto: attach 1 yocto, so that a key with full access signs");
  const nonce = <u32>callArguments().required("nonce").upTo(u32.MAX_VALUE);
  const state = State.load(), owner = predecessor(), meter = new StorageMeter(), secret = keyNamed(owner, nonce);
  if (!secret) {
    panic("NoSuchPaymentKey: store it first");
    return;
  }
  secret.remove();
  meter.charge(owner);
  releaseFunds(secret);
  emitPaymentKeyDeleted(state, owner, nonce);
}
