/**
 * Who earns a charge: whoever built the code, whoever keeps the secrets, and whoever signed the result. The first two
 * get configured parts where there is somebody to get them; without, the signers get all.
 */
import { BuildRecord } from "./builds";
import { same } from "./buffer";
import { KeystoreEpoch } from "./keystore";
import { credit } from "./money";
import { Attestation, OutcomeRecord, RequestRecord, SOURCE_GITHUB } from "./records";
import { State } from "./state";
import { U128 } from "./u128";

const BPS: u32 = 10_000;
/** Builders, and shares of the keystore, that one request pays: a callback's work has to be bounded. The next ones' turn is the next request's. */
const MOST_PAID: u64 = 4;

/** In equal parts; what does not divide goes to the first. Returns what nobody got. */
function creditEqually(accounts: Uint8Array[], amount: U128): U128 {
  const count = <u32>accounts.length;
  if (count == 0) return amount;
  const share = amount.dividedBy(count);
  for (let i: u32 = 0; i < count; i++) {
    credit(accounts[i], i == 0 ? amount.minus(share.times(count - 1)) : share);
  }
  return new U128();
}

/** Whose turn it is of `total` that are paid in turns. */
function turns(total: u64, requestId: u64): u64[] {
  const places: u64[] = [], count = min<u64>(MOST_PAID, total);
  for (let i: u64 = 0; i < count; i++) places.push((requestId * count + i) % total);
  return places;
}

/** Who signed the build of the code that answered, while it is bound. */
function builders(request: RequestRecord, codeHash: Uint8Array): Uint8Array[] {
  const paid: Uint8Array[] = [];
  const build = request.source.kind == SOURCE_GITHUB ? BuildRecord.find(request.source) : null;
  if (!build || !same(build.codeHash, codeHash)) return paid;
  const places = turns(build.signers.length, request.requestId);
  for (let i = 0; i < places.length; i++) paid.push(build.signers[<i32>places[i]]);
  return paid;
}

/** Who holds shares of the active keystore epoch, where the request has secrets. */
function keyHolders(state: State, request: RequestRecord): Uint8Array[] {
  const paid: Uint8Array[] = [];
  const epoch = request.secretsProfile ? KeystoreEpoch.find(state.activeKeystoreEpoch) : null;
  if (!epoch) return paid;
  const places = turns(epoch.shares, request.requestId);
  for (let i = 0; i < places.length; i++) paid.push(epoch.holderOf(<u32>places[i]));
  return paid;
}

/**
 * Those who signed the result: the lease holder, who pays for claim and resolve, gets the configured share, the others
 * equal parts of the rest. Where the holder did not sign, the first signer named stands for it: somebody of theirs sent
 * the resolve. What does not divide goes to that one too.
 */
function creditSigners(state: State, amount: U128, signed: Attestation[], holder: Uint8Array): void {
  let favoured = 0;
  for (let i = 0; i < signed.length; i++) if (same(signed[i].accountId, holder)) favoured = i;
  const others = <u32>signed.length - 1;
  const share = others == 0 ? new U128() : amount.part(BPS - state.holderShareBps).dividedBy(others);
  for (let i = 0; i < signed.length; i++) {
    credit(signed[i].accountId, i == favoured ? amount.minus(share.times(others)) : share);
  }
}

export function creditShares(state: State, request: RequestRecord, outcome: OutcomeRecord): void {
  const charged = outcome.charged;
  let left = charged;
  if (state.builderShareBps > 0) {
    const part = charged.part(state.builderShareBps);
    left = left.minus(part).plus(creditEqually(builders(request, outcome.codeHash), part));
  }
  if (state.keystoreShareBps > 0) {
    const part = charged.part(state.keystoreShareBps);
    left = left.minus(part).plus(creditEqually(keyHolders(state, request), part));
  }
  creditSigners(state, left, outcome.attestations, outcome.holder);
}
