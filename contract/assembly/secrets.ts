/**
 * Secrets: ciphertexts for the keystore, with who may use them. `X` ‖ sha256(accessor, profile, owner) → secret,
 * `Y` ‖ owner → the hashes of its secrets. Bytes are paid by the owner and paid back when they go.
 */
import { parseAccess } from "./access";
import { parseAccount } from "./accounts";
import { BorshReader, BorshWriter } from "./borsh";
import { EMPTY, same } from "./buffer";
import { parseHash } from "./encoding";
import { check, has, panic, predecessor, read, remove, returnBytes, sha256, timestampNs, write } from "./host";
import { callArguments, Json, JsonObject } from "./json";
import { JsonWriter } from "./json-writer";
import { keyOf, StoredList } from "./keys";
import {
  MAX_ACCESS_BYTES, MAX_NAME_BYTES, MAX_PAGE, MAX_PROFILE_BYTES, MAX_PROJECT_ID_BYTES, MAX_SECRET_BYTES, MAX_SECRETS,
  MAX_URL_BYTES, YOCTO_PER_BYTE,
} from "./limits";
import { checkNewNonce, releaseFunds } from "./payment-keys";
import { plainName } from "./projects";
import { printable } from "./sources";
import { StorageMeter } from "./storage-meter";
import { sameText, utf8 } from "./text";
import { U128 } from "./u128";

const SECRET_PREFIX: u8 = 0x58;
const OWNED_PREFIX: u8 = 0x59;

const REPO: u8 = 0;
const WASM_HASH: u8 = 1;
const PROJECT: u8 = 2;
const PAYMENT_KEY: u8 = 3;

/** What a secret belongs to. */
export class Accessor {
  constructor(readonly kind: u8, readonly name: Uint8Array, public branch: Uint8Array | null) {}

  static paymentKey(): Accessor { return new Accessor(PAYMENT_KEY, EMPTY, null); }

  get isPaymentKey(): bool { return this.kind == PAYMENT_KEY; }

  static parse(value: Json): Accessor {
    const variants = value.object();
    check(variants.count == 1, "BadAccessor: exactly one of Repo, WasmHash, Project, System");
    const repo = variants.optional("Repo");
    if (repo) {
      const fields = repo.object(), branch = fields.optional("branch"), name = printable(fields.required("repo"), MAX_URL_BYTES);
      check(name.length > 0, "BadAccessor: repo is empty");
      return new Accessor(REPO, name, branch ? printable(branch, MAX_NAME_BYTES) : null);
    }
    const wasmHash = variants.optional("WasmHash");
    if (wasmHash) {
      const hash = parseHash(wasmHash.object().required("hash").text(MAX_NAME_BYTES), "hash");
      return new Accessor(WASM_HASH, hash, null);
    }
    const project = variants.optional("Project");
    if (project) return new Accessor(PROJECT, printable(project.object().required("project_id"), MAX_PROJECT_ID_BYTES), null);
    check(sameText(variants.required("System").text(MAX_NAME_BYTES), "PaymentKey"), "BadAccessor: System is PaymentKey");
    return Accessor.paymentKey();
  }

  write(w: BorshWriter): void {
    w.u8(this.kind);
    w.bytes(this.name);
    w.optionBytes(this.branch);
  }

  static read(r: BorshReader): Accessor { return new Accessor(r.u8(), r.bytes(), r.optionBytes()); }

  writeJson(out: JsonWriter): void {
    out.open();
    if (this.kind == REPO) {
      out.objectField("Repo");
      out.textField("repo", this.name);
      out.textOrNullField("branch", this.branch);
    } else if (this.kind == WASM_HASH) {
      out.objectField("WasmHash");
      out.hexField("hash", this.name);
    } else if (this.kind == PROJECT) {
      out.objectField("Project");
      out.textField("project_id", this.name);
    } else {
      out.key("System");
      out.quoted("PaymentKey");
      out.close();
      return;
    }
    out.literal("}}");
  }
}

export class Secret {
  encrypted: Uint8Array = EMPTY;
  access: Uint8Array = EMPTY;
  createdAt: u64 = 0;
  updatedAt: u64 = 0;
  deposit: U128 = new U128();

  constructor(readonly accessor: Accessor, readonly profile: Uint8Array, readonly owner: Uint8Array) {}

  /** Identity: what hashes to the storage key. */
  hash(): Uint8Array {
    const w = new BorshWriter();
    this.accessor.write(w);
    w.bytes(this.profile);
    w.bytes(this.owner);
    return sha256(w.done());
  }

  encode(): Uint8Array {
    const w = new BorshWriter(this.encrypted.length + 1_024);
    w.u8(1);
    this.accessor.write(w);
    w.bytes(this.profile);
    w.bytes(this.owner);
    w.bytes(this.encrypted);
    w.bytes(this.access);
    w.u64(this.createdAt);
    w.u64(this.updatedAt);
    w.u128(this.deposit);
    return w.done();
  }

  save(): void { write(keyOf(SECRET_PREFIX, this.hash()), this.encode()); }

  static stored(hash: Uint8Array): Secret | null {
    const bytes = read(keyOf(SECRET_PREFIX, hash));
    if (!bytes) return null;
    const r = new BorshReader(bytes);
    check(r.u8() == 1, "BadRecord: a secret of another version");
    const secret = new Secret(Accessor.read(r), r.bytes(), r.bytes());
    secret.encrypted = r.bytes();
    secret.access = r.bytes();
    secret.createdAt = r.u64();
    secret.updatedAt = r.u64();
    secret.deposit = r.u128();
    return secret;
  }

  static named(fields: JsonObject, owner: Uint8Array): Secret {
    const accessor = Accessor.parse(fields.required("accessor"));
    return new Secret(accessor, plainName(fields.required("profile"), MAX_PROFILE_BYTES), owner);
  }

  find(): Secret | null { return Secret.stored(this.hash()); }

  load(): Secret {
    const secret = this.find();
    if (!secret) panic("NoSuchSecret: the account has none under this accessor and profile");
    return secret!;
  }

  remove(): void {
    const hash = this.hash();
    remove(keyOf(SECRET_PREFIX, hash));
    ownedBy(this.owner).take(hash);
  }
}

function ownedBy(owner: Uint8Array): StoredList { return new StoredList(keyOf(OWNED_PREFIX, owner), MAX_SECRETS); }

function filled(fields: JsonObject, secret: Secret): void {
  check(fields.optional("vault_id") == null, "VaultsUnavailable: secrets have no vaults here");
  secret.encrypted = fields.required("encrypted_secrets_base64").text(MAX_SECRET_BYTES);
  check(secret.encrypted.length > 0, "BadSecret: empty");
  secret.access = parseAccess(fields.required("access"), MAX_ACCESS_BYTES);
}

export function store_secrets(): void {
  const fields = callArguments(), meter = new StorageMeter(), secret = Secret.named(fields, predecessor());
  filled(fields, secret);
  const before = secret.find();
  secret.updatedAt = timestampNs();
  secret.createdAt = before ? before.createdAt : secret.updatedAt;
  secret.deposit = cost(secret, before);
  if (!before) {
    if (secret.accessor.isPaymentKey) checkNewNonce(secret.owner, secret.profile);
    ownedBy(secret.owner).add(secret.hash());
  }
  secret.save();
  meter.charge(secret.owner);
}

export function delete_secrets(): void {
  const fields = callArguments(), meter = new StorageMeter(), owner = predecessor();
  const secret = Secret.named(fields, owner).load();
  secret.remove();
  meter.charge(owner);
  if (secret.accessor.isPaymentKey) releaseFunds(secret);
}

export function update_access(): void {
  const fields = callArguments(), meter = new StorageMeter(), owner = predecessor();
  const secret = Secret.named(fields, owner).load();
  secret.access = parseAccess(fields.required("new_access"), MAX_ACCESS_BYTES);
  secret.updatedAt = timestampNs();
  secret.save();
  meter.charge(owner);
}

/** A record's share of the trie beside its key and value (nearcore `num_extra_bytes_record`). */
const RECORD_BYTES: u64 = 40;

/** What the secret's own bytes and its place in the owner's list cost, whether it replaces one or not. */
function cost(secret: Secret, before: Secret | null): U128 {
  let bytes: u64 = RECORD_BYTES + 33 + secret.encode().length + 4 + 32;
  const owned = ownedBy(secret.owner).items.length;
  if (owned == 0 || (before && owned == 1)) bytes += RECORD_BYTES + 1 + secret.owner.length + 4;
  return new U128(YOCTO_PER_BYTE).times(bytes);
}

export function estimate_storage_cost(): void {
  const fields = callArguments(), secret = Secret.named(fields, parseAccount(fields.required("owner")));
  filled(fields, secret);
  const out = new JsonWriter();
  out.amount(cost(secret, secret.find()));
  returnBytes(out.done());
}

function asked(): Secret | null {
  const fields = callArguments(), secret = Secret.named(fields, parseAccount(fields.required("owner")));
  const found = secret.find();
  if (found || !secret.accessor.branch) return found;
  // Secrets without a branch are for all of them.
  secret.accessor.branch = null;
  return secret.find();
}

function writeSecret(out: JsonWriter, secret: Secret, withCiphertext: bool): void {
  out.open();
  out.key("accessor");
  secret.accessor.writeJson(out);
  out.textOrNullField("branch", secret.accessor.branch);
  out.textField("profile", secret.profile);
  if (withCiphertext) {
    out.textField("encrypted_secrets", secret.encrypted);
  }
  out.key("access");
  out.raw(secret.access);
  out.numberField("created_at", secret.createdAt);
  out.numberField("updated_at", secret.updatedAt);
  out.amountField("storage_deposit", secret.deposit);
  out.close();
}

export function get_secrets(): void {
  const secret = asked(), out = new JsonWriter(4_096);
  if (secret) writeSecret(out, secret, true);
  else out.literal("null");
  returnBytes(out.done());
}

export function secrets_exist(): void {
  const fields = callArguments(), secret = Secret.named(fields, parseAccount(fields.required("owner")));
  returnBytes(utf8(has(keyOf(SECRET_PREFIX, secret.hash())) ? "true" : "false"));
}

/** Metadata only, a page of it. */
export function list_user_secrets(): void {
  const fields = callArguments(), out = new JsonWriter(4_096);
  const hashes = ownedBy(parseAccount(fields.required("account_id"))).items;
  const from = min<u64>(fields.u64Or("from_index", 0), hashes.length);
  const to = min<u64>(hashes.length, from + min<u64>(fields.u64Or("limit", MAX_PAGE), MAX_PAGE));
  out.byte(0x5b);
  for (let i = <i32>from; i < <i32>to; i++) writeSecret(out, Secret.stored(hashes[i])!, false);
  out.byte(0x5d);
  returnBytes(out.done());
}

/** The profiles that `owner` has under an accessor. */
export function list_profiles(): void {
  const fields = callArguments(), accessor = Accessor.parse(fields.required("accessor"));
  const wanted = new BorshWriter(), hashes = ownedBy(parseAccount(fields.required("owner"))).items;
  accessor.write(wanted);
  const profiles: Uint8Array[] = [];
  for (let i = 0; i < hashes.length; i++) {
    const secret = Secret.stored(hashes[i])!, w = new BorshWriter();
    secret.accessor.write(w);
    if (same(w.done(), wanted.done())) profiles.push(secret.profile);
  }
  const out = new JsonWriter();
  out.textPage(profiles, 0, profiles.length);
  returnBytes(out.done());
}
