/**
 * The NEAR host functions that the contract uses (module `env`, nearcore `runtime/near-vm-runner/src/imports.rs`),
 * wrapped so that the rest of the contract sees bytes, never pointers and registers.
 */
import { EMPTY, fresh, same, viewOf } from "./buffer";
import { SPARE_BYTES } from "./json-scan";
import { Message } from "./message";
import { Refusal } from "./refusal";
import { Text, utf8 } from "./text";
import { U128 } from "./u128";

@external("env", "read_register") declare function read_register(register: u64, pointer: u64): void;
@external("env", "register_len") declare function register_len(register: u64): u64;
@external("env", "current_account_id") declare function current_account_id(register: u64): void;
@external("env", "predecessor_account_id") declare function predecessor_account_id(register: u64): void;
@external("env", "signer_account_id") declare function signer_account_id(register: u64): void;
@external("env", "input") declare function input(register: u64): void;
@external("env", "random_seed") declare function random_seed(register: u64): void;
@external("env", "block_index") declare function block_index(): u64;
@external("env", "block_timestamp") declare function block_timestamp(): u64;
@external("env", "attached_deposit") declare function attached_deposit(pointer: u64): void;
@external("env", "account_balance") declare function account_balance(pointer: u64): void;
@external("env", "storage_usage") declare function storage_usage(): u64;
@external("env", "sha256") declare function sha256_host(length: u64, pointer: u64, register: u64): void;
@external("env", "ed25519_verify")
declare function ed25519_verify(sl: u64, sp: u64, ml: u64, mp: u64, kl: u64, kp: u64): u64;
@external("env", "value_return") declare function value_return(length: u64, pointer: u64): void;
@external("env", "panic_utf8") declare function panic_utf8(length: u64, pointer: u64): void;
@external("env", "log_utf8") declare function log_utf8(length: u64, pointer: u64): void;
@external("env", "storage_write")
declare function storage_write(kl: u64, kp: u64, vl: u64, vp: u64, register: u64): u64;
@external("env", "storage_read") declare function storage_read(kl: u64, kp: u64, register: u64): u64;
@external("env", "storage_remove") declare function storage_remove(kl: u64, kp: u64, register: u64): u64;
@external("env", "storage_has_key") declare function storage_has_key(kl: u64, kp: u64): u64;
@external("env", "promise_create")
declare function promise_create(al: u64, ap: u64, ml: u64, mp: u64, gl: u64, gp: u64, amount: u64, gas: u64): u64;
@external("env", "promise_then")
declare function promise_then(p: u64, al: u64, ap: u64, ml: u64, mp: u64, gl: u64, gp: u64, amount: u64, gas: u64): u64;
@external("env", "promise_batch_create") declare function promise_batch_create(length: u64, pointer: u64): u64;
@external("env", "promise_batch_action_transfer")
declare function promise_batch_action_transfer(promise: u64, amount: u64): void;
@external("env", "promise_batch_action_deploy_contract")
declare function promise_batch_action_deploy_contract(promise: u64, length: u64, pointer: u64): void;
@external("env", "promise_batch_action_function_call")
declare function promise_batch_action_function_call(
  promise: u64, ml: u64, mp: u64, al: u64, ap: u64, amount: u64, gas: u64,
): void;
@external("env", "promise_return") declare function promise_return(promise: u64): void;
@external("env", "promise_results_count") declare function promise_results_count(): u64;
@external("env", "promise_result") declare function promise_result(index: u64, register: u64): u64;
@external("env", "promise_yield_create")
declare function promise_yield_create(ml: u64, mp: u64, al: u64, ap: u64, gas: u64, weight: u64, register: u64): u64;
@external("env", "promise_yield_resume")
declare function promise_yield_resume(dl: u64, dp: u64, pl: u64, pp: u64): u32;
@external("env", "prepaid_gas") declare function prepaid_gas(): u64;
@external("env", "used_gas") declare function used_gas(): u64;

const SCRATCH: u64 = 0;
const EVICTED: u64 = 1;
const SIGNED: u64 = 2;
/** The register in which callers of today's system expect the data id; nothing depends on the number. */
const DATA_ID: u64 = 37;

// @ts-ignore: decorator
@inline function at(bytes: Uint8Array): u64 { return <u64>bytes.dataStart; }
// @ts-ignore: decorator
@inline function size(bytes: Uint8Array): u64 { return <u64>bytes.length; }

/** Ends the call and undoes what it did. `message` is "Code: detail"; the codes are listed in `client/errors.ts`. */
export function panic(message: Refusal): void { new Message(message).panic(); }

export function panicWith(message: Uint8Array): void {
  panic_utf8(size(message), at(message));
  unreachable();
}

export function check(condition: bool, message: Refusal): void {
  if (!condition) panic(message);
}

function register(id: u64): Uint8Array {
  const bytes = fresh(<i32>register_len(id));
  read_register(id, at(bytes));
  return bytes;
}

export function predecessor(): Uint8Array { predecessor_account_id(SCRATCH); return register(SCRATCH); }
/** Asked for once a call: it is part of everything that is signed and of every ticket. */
let ownAccount: Uint8Array | null = null;
export function currentAccount(): Uint8Array {
  if (!ownAccount) {
    current_account_id(SCRATCH);
    ownAccount = register(SCRATCH);
  }
  return ownAccount!;
}
/** From the contract's own record: it never changes. */
export function rememberAccount(account: Uint8Array): void { ownAccount = account; }
export function signer(): Uint8Array { signer_account_id(SCRATCH); return register(SCRATCH); }
/** For callbacks: they are exported, as NEAR demands, but only the contract's own receipts may call them. */
export function assertPrivate(): void {
  const self = currentAccount(), caller = predecessor();
  check(
    same(self, caller),
    "Private: only the contract itself may call this",
  );
}
/** With zeros behind it, for `json-scan.ts`. */
export function callInput(): Uint8Array {
  input(SCRATCH);
  const length = <i32>register_len(SCRATCH), bytes = fresh(length + SPARE_BYTES);
  read_register(SCRATCH, at(bytes));
  return viewOf(bytes.dataStart, length);
}
export function randomSeed(): Uint8Array { random_seed(SCRATCH); return register(SCRATCH); }
/** Asked for once a call. */
let height: u64 = 0;
export function blockHeight(): u64 {
  if (height == 0) height = block_index();
  return height;
}
export function timestampNs(): u64 { return block_timestamp(); }
export function storageBytes(): u64 { return storage_usage(); }
export function gasLeft(): u64 { return prepaid_gas() - used_gas(); }

export function attachedDeposit(): U128 {
  const bytes = fresh(16);
  attached_deposit(at(bytes));
  return U128.read(bytes.dataStart);
}

/** The contract's own balance with the attached deposit and without the transfers already promised. */
export function balance(): U128 {
  const bytes = fresh(16);
  account_balance(at(bytes));
  return U128.read(bytes.dataStart);
}

export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = fresh(32);
  sha256_host(size(bytes), at(bytes), SCRATCH);
  read_register(SCRATCH, at(digest));
  return digest;
}

/** Hashes what many have signed, and leaves the digest with the host, for {@link verifiesSigned}. */
export function hashSigned(bytes: Uint8Array): void { sha256_host(size(bytes), at(bytes), SIGNED); }

/** A signature under what was hashed last: a length of 2^64 - 1 means a register. */
export function verifiesSigned(signature: Uint8Array, publicKey: Uint8Array): bool {
  return ed25519_verify(
    size(signature), at(signature), u64.MAX_VALUE, SIGNED, size(publicKey), at(publicKey),
  ) == 1;
}

export function verifies(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): bool {
  return ed25519_verify(
    size(signature), at(signature), size(message), at(message), size(publicKey), at(publicKey),
  ) == 1;
}

export function returnBytes(bytes: Uint8Array): void { value_return(size(bytes), at(bytes)); }
let logged: i32 = 0;
export function log(bytes: Uint8Array): void {
  logged += bytes.length;
  log_utf8(size(bytes), at(bytes));
}
/** Bytes that this call has logged. */
export function loggedBytes(): i32 { return logged; }

export function read(key: Uint8Array): Uint8Array | null {
  return storage_read(size(key), at(key), SCRATCH) == 1 ? register(SCRATCH) : null;
}
/** True where something stood there before. */
export function write(key: Uint8Array, value: Uint8Array): bool {
  return storage_write(size(key), at(key), size(value), at(value), EVICTED) == 1;
}
export function remove(key: Uint8Array): bool { return storage_remove(size(key), at(key), EVICTED) == 1; }
export function has(key: Uint8Array): bool { return storage_has_key(size(key), at(key)) == 1; }

export function transfer(account: Uint8Array, amount: U128): void {
  const promise = promise_batch_create(size(account), at(account));
  const bytes = amount.toBytes();
  promise_batch_action_transfer(promise, at(bytes));
}

/** A transfer whose end `callback` learns (its only promise result). */
export function transferThen(account: Uint8Array, amount: U128, callback: Text, args: Uint8Array, gas: u64): void {
  const promise = promise_batch_create(size(account), at(account));
  const bytes = amount.toBytes(), nothing = new U128().toBytes(), then = utf8(callback), self = currentAccount();
  promise_batch_action_transfer(promise, at(bytes));
  promise_then(promise, size(self), at(self), size(then), at(then), size(args), at(args), at(nothing), gas);
}

/** New code for this account, and a first call of it in the same receipt: where it fails the old code stays. */
export function deployThen(code: Uint8Array, method: Text, gas: u64): void {
  const self = currentAccount(), called = utf8(method), nothing = new U128().toBytes();
  const promise = promise_batch_create(size(self), at(self));
  promise_batch_action_deploy_contract(promise, size(code), at(code));
  promise_batch_action_function_call(promise, size(called), at(called), 0, 0, at(nothing), gas);
  promise_return(promise);
}

/** Suspends the call until {@link resume} or until 200 blocks have passed; returns the data id that resumes it. */
export function suspend(callback: Text, args: Uint8Array, gas: u64): Uint8Array {
  const method = utf8(callback);
  // Weight 1: the gas that the caller attached beyond what is needed serves the callback, and what stays is refunded.
  const promise = promise_yield_create(size(method), at(method), size(args), at(args), gas, 1, DATA_ID);
  promise_return(promise);
  return register(DATA_ID);
}

/** False where the yield is over: resumed before, or timed out. */
export function resume(dataId: Uint8Array, payload: Uint8Array): bool {
  return promise_yield_resume(size(dataId), at(dataId), size(payload), at(payload)) == 1;
}

export function callThen(
  account: Uint8Array, method: Text, args: Uint8Array, amount: U128, gas: u64,
  callback: Text, callbackGas: u64,
): void {
  callThenWith(account, method, args, amount, gas, callback, EMPTY, callbackGas);
}

/** Calls a contract, then a callback of this one, whose value is this call's. */
export function callThenWith(
  account: Uint8Array, method: Text, args: Uint8Array, amount: U128, gas: u64,
  callback: Text, callbackArgs: Uint8Array, callbackGas: u64,
): void {
  const called = utf8(method), then = utf8(callback), self = currentAccount();
  const attached = amount.toBytes(), nothing = new U128().toBytes();
  const first = promise_create(
    size(account), at(account), size(called), at(called), size(args), at(args), at(attached), gas,
  );
  promise_return(promise_then(
    first, size(self), at(self), size(then), at(then), size(callbackArgs), at(callbackArgs), at(nothing), callbackGas,
  ));
}

/** The awaited promise's value, or null where it failed. */
export function awaited(): Uint8Array | null {
  check(promise_results_count() == 1, "NotACallback: only a receipt that awaits another may call this");
  return promise_result(0, SCRATCH) == 1 ? register(SCRATCH) : null;
}
