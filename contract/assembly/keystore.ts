/**
 * Keystore epochs: the contract is the broadcast channel of key generation and resharing. It freezes the members,
 * keeps what they post, holds them to sizes and deadlines, and counts equal attestations; what a deal or a complaint
 * is worth, every node computes for itself from these bytes.
 *
 * `E` ‖ epoch → epoch; `F` ‖ epoch ‖ dealer (u32) → deal; `G` ‖ epoch ‖ complainer ‖ dealer → complaint;
 * `H` ‖ epoch ‖ member (u32) → attestation; `I` ‖ epoch ‖ sha256(attested) → how many attested the same.
 */
import { parseAccount } from "./accounts";
import { BorshReader, BorshWriter } from "./borsh";
import { fresh, same } from "./buffer";
import { parseBase64 } from "./encoding";
import { emitKeystore } from "./events";
import { blockHeight, check, has, panic, predecessor, read, returnBytes, sha256, write } from "./host";
import { callArguments, JsonObject } from "./json";
import { JsonWriter } from "./json-writer";
import { numberedKey } from "./keys";
import { MAX_MEMBERS, MAX_PHASE_BLOCKS, MAX_SHARES, MIN_PHASE_BLOCKS } from "./limits";
import { ownerAction } from "./owner";
import { NodeRecord } from "./records";
import { State } from "./state";
import { Text } from "./text";

const EPOCH_PREFIX: u8 = 0x45;
const DEAL_PREFIX: u8 = 0x46;
const COMPLAINT_PREFIX: u8 = 0x47;
const ATTESTATION_PREFIX: u8 = 0x48;
const COUNT_PREFIX: u8 = 0x49;

/** R, A0 in G2; proof of knowledge; t commitments in G1; an encrypted share for every share of the epoch. */
const G1_BYTES: i32 = 48;
const G2_BYTES: i32 = 96;
const PROOF_BYTES: i32 = 64;
const SHARE_BYTES: i32 = 48;
const COMPLAINT_BYTES: i32 = 120;
const HASH_BYTES: i32 = 32;

class Member {
  constructor(readonly account: Uint8Array, readonly shares: u32, readonly encryptionKey: Uint8Array) {}
}

export class KeystoreEpoch {
  number: u64 = 0;
  threshold: u32 = 0;
  dealsUntil: u64 = 0;
  complaintsUntil: u64 = 0;
  attestUntil: u64 = 0;
  /** The attested bytes, once shares of the threshold attested the same: transcript hash and master public key. */
  activated: Uint8Array | null = null;
  members: Member[] = [];

  get shares(): u32 {
    let sum: u32 = 0;
    for (let i = 0; i < this.members.length; i++) sum += this.members[i].shares;
    return sum;
  }

  save(): void {
    const w = new BorshWriter(160 * (this.members.length + 1));
    w.u8(1);
    w.u64(this.number);
    w.u32(this.threshold);
    w.u64(this.dealsUntil);
    w.u64(this.complaintsUntil);
    w.u64(this.attestUntil);
    w.optionBytes(this.activated);
    w.u32(this.members.length);
    for (let i = 0; i < this.members.length; i++) {
      w.bytes(this.members[i].account);
      w.u32(this.members[i].shares);
      w.raw(this.members[i].encryptionKey);
    }
    write(numberedKey(EPOCH_PREFIX, this.number), w.done());
  }

  static find(number: u64): KeystoreEpoch | null {
    const bytes = read(numberedKey(EPOCH_PREFIX, number));
    if (!bytes) return null;
    const r = new BorshReader(bytes), epoch = new KeystoreEpoch();
    check(r.u8() == 1, "BadRecord: a keystore epoch of another version");
    epoch.number = r.u64();
    epoch.threshold = r.u32();
    epoch.dealsUntil = r.u64();
    epoch.complaintsUntil = r.u64();
    epoch.attestUntil = r.u64();
    epoch.activated = r.optionBytes();
    for (let count = r.u32(); count > 0; count--) epoch.members.push(new Member(r.bytes(), r.u32(), r.raw(G1_BYTES)));
    return epoch;
  }

  static named(fields: JsonObject): KeystoreEpoch {
    const epoch = KeystoreEpoch.find(fields.required("epoch").u64());
    if (!epoch) panic("NoSuchEpoch: no keystore epoch of this number");
    return epoch!;
  }

  indexOf(account: Uint8Array): u32 {
    for (let i = 0; i < this.members.length; i++) if (same(this.members[i].account, account)) return i;
    panic("NotAMember: not a member of this keystore epoch");
    return 0;
  }

  /** Who holds a share, by its place among all. */
  holderOf(share: u32): Uint8Array {
    let i = 0;
    for (; share >= this.members[i].shares; i++) share -= this.members[i].shares;
    return this.members[i].account;
  }

  /** Exact, so that a deal with a missing share is no deal. */
  get dealBytes(): i32 {
    return 2 * G2_BYTES + PROOF_BYTES + G1_BYTES * <i32>this.threshold + SHARE_BYTES * <i32>this.shares;
  }
}

function pairOf(first: u32, second: u32): Uint8Array {
  const bytes = fresh(8);
  store<u32>(bytes.dataStart, bswap<u32>(first));
  store<u32>(bytes.dataStart, bswap<u32>(second), 4);
  return bytes;
}

function phase(fields: JsonObject, name: Text): u64 {
  const blocks = fields.required(name).upTo(MAX_PHASE_BLOCKS);
  check(blocks >= MIN_PHASE_BLOCKS, "BadPhase: too few blocks");
  return blocks;
}

/** Opens the next epoch with its members. Members have active stake; how shares are drawn from it is the caller's proof to give off-chain. */
export function open_epoch(): void {
  const state = State.load();
  const fields = ownerAction(state, "open_epoch");
  if (!fields) return;
  const epoch = new KeystoreEpoch(), members = fields.required("members").elements(MAX_MEMBERS);
  epoch.number = ++state.keystoreEpoch;
  for (let i = 0; i < members.length; i++) {
    const member = members[i].object(), account = parseAccount(member.required("account_id"));
    const shares = <u32>member.required("shares").upTo(MAX_SHARES);
    const key = parseBase64(member.required("encryption_key").text(2 * G1_BYTES));
    check(shares > 0 && key.length == G1_BYTES, "BadMember: shares above 0 and a key of 48 bytes");
    check(NodeRecord.load(account).seatsCurrent > 0, "BadMember: no active stake");
    for (let j = 0; j < i; j++) check(!same(epoch.members[j].account, account), "BadMember: named twice");
    epoch.members.push(new Member(account, shares, key));
  }
  epoch.threshold = <u32>fields.required("threshold").upTo(MAX_SHARES);
  const total = epoch.shares;
  // n = 3f + 1 shares and t = 2f + 1 of them: a third may fail or lie.
  check(total > 0 && total <= <u32>MAX_SHARES && epoch.threshold == total - (total - 1) / 3, "BadThreshold: 2f + 1 of 3f + 1 shares");
  epoch.dealsUntil = blockHeight() + phase(fields, "deal_blocks");
  epoch.complaintsUntil = epoch.dealsUntil + phase(fields, "complaint_blocks");
  epoch.attestUntil = epoch.complaintsUntil + phase(fields, "attest_blocks");
  epoch.save();
  state.save();
  state.assertSolvent();
  emitKeystore(state, "keystore_epoch_opened", epoch.number);
}

/** Stores what a member posts once, in its phase. */
function post(key: Uint8Array, bytes: Uint8Array): void {
  check(!write(key, bytes), "AlreadyPosted: it counts once");
  State.load().assertSolvent();
}

export function post_deal(): void {
  const fields = callArguments(), epoch = KeystoreEpoch.named(fields), dealer = epoch.indexOf(predecessor());
  check(blockHeight() <= epoch.dealsUntil, "PhaseOver: deals are no longer taken");
  const deal = parseBase64(fields.required("deal").text(epoch.dealBytes * 2));
  check(deal.length == epoch.dealBytes, "BadDeal: not the bytes of a whole deal");
  post(numberedKey(DEAL_PREFIX, epoch.number, pairOf(dealer, 0)), deal);
}

export function post_complaint(): void {
  const fields = callArguments(), epoch = KeystoreEpoch.named(fields), complainer = epoch.indexOf(predecessor());
  const dealer = epoch.indexOf(parseAccount(fields.required("dealer"))), height = blockHeight();
  check(height > epoch.dealsUntil && height <= epoch.complaintsUntil, "PhaseOver: complaints come after deals and in time");
  check(has(numberedKey(DEAL_PREFIX, epoch.number, pairOf(dealer, 0))), "NoSuchDeal: this member has not dealt");
  const complaint = parseBase64(fields.required("complaint").text(2 * COMPLAINT_BYTES));
  check(complaint.length == COMPLAINT_BYTES, "BadComplaint: 120 bytes");
  post(numberedKey(COMPLAINT_PREFIX, epoch.number, pairOf(complainer, dealer)), complaint);
}

/** The transcript, the master key and the member's own public share. Active when shares of the threshold agree. */
export function attest(): void {
  const fields = callArguments(), epoch = KeystoreEpoch.named(fields), member = epoch.indexOf(predecessor());
  const height = blockHeight();
  check(height > epoch.complaintsUntil && height <= epoch.attestUntil, "PhaseOver: attestations come after complaints and in time");
  const transcript = parseBase64(fields.required("transcript_hash").text(2 * HASH_BYTES));
  const masterKey = parseBase64(fields.required("master_public_key").text(2 * G2_BYTES));
  const ownKey = parseBase64(fields.required("own_public_key").text(2 * G2_BYTES));
  check(
    transcript.length == HASH_BYTES && masterKey.length == G2_BYTES && ownKey.length == G2_BYTES,
    "BadAttestation: 32, 96 and 96 bytes",
  );
  const agreed = new BorshWriter(128);
  agreed.raw(transcript);
  agreed.raw(masterKey);
  const countKey = numberedKey(COUNT_PREFIX, epoch.number, sha256(agreed.done())), stored = read(countKey);
  const count = (stored ? new BorshReader(stored).u32() : 0) + epoch.members[member].shares;
  const counted = new BorshWriter(4);
  counted.u32(count);
  write(countKey, counted.done());
  const whole = new BorshWriter(224);
  whole.raw(agreed.done());
  whole.raw(ownKey);
  post(numberedKey(ATTESTATION_PREFIX, epoch.number, pairOf(member, 0)), whole.done());
  if (epoch.activated || count < epoch.threshold) return;
  epoch.activated = agreed.done();
  epoch.save();
  const state = State.load();
  state.activeKeystoreEpoch = max(state.activeKeystoreEpoch, epoch.number);
  state.save();
  emitKeystore(state, "keystore_epoch_active", epoch.number);
}

/** Null where there is none; without `epoch` the latest. */
export function get_keystore_epoch(): void {
  const fields = callArguments(), epoch = KeystoreEpoch.find(fields.u64Or("epoch", State.load().keystoreEpoch));
  const out = new JsonWriter(4_096);
  if (!epoch) out.literal("null");
  else {
    out.open();
    out.numberField("epoch", epoch.number);
    out.numberField("threshold", epoch.threshold);
    out.numberField("deals_until", epoch.dealsUntil);
    out.numberField("complaints_until", epoch.complaintsUntil);
    out.numberField("attest_until", epoch.attestUntil);
    out.base64OrNullField("activated", epoch.activated);
    out.listField("members");
    for (let i = 0; i < epoch.members.length; i++) {
      out.open();
      out.textField("account_id", epoch.members[i].account);
      out.numberField("shares", epoch.members[i].shares);
      out.base64OrNullField("encryption_key", epoch.members[i].encryptionKey);
      out.close();
    }
    out.literal("]}");
  }
  returnBytes(out.done());
}

/** What one member posted: its deal, its attestation, and its complaints by dealer. Base64, or null. */
export function get_keystore_posts(): void {
  const fields = callArguments(), epoch = KeystoreEpoch.named(fields);
  const member = epoch.indexOf(parseAccount(fields.required("account_id"))), out = new JsonWriter(16_384);
  out.open();
  out.base64OrNullField("deal", read(numberedKey(DEAL_PREFIX, epoch.number, pairOf(member, 0))));
  out.base64OrNullField("attestation", read(numberedKey(ATTESTATION_PREFIX, epoch.number, pairOf(member, 0))));
  out.listField("complaints");
  for (let dealer = 0; dealer < epoch.members.length; dealer++) {
    const complaint = read(numberedKey(COMPLAINT_PREFIX, epoch.number, pairOf(member, dealer)));
    if (!complaint) continue;
    out.open();
    out.textField("dealer", epoch.members[dealer].account);
    out.base64OrNullField("complaint", complaint);
    out.close();
  }
  out.literal("]}");
  returnBytes(out.done());
}
