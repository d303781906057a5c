/**
 * Projects: a name of an account, with versions of code, one of them active. `J` ‖ "owner/name" → project,
 * `V` ‖ number ‖ sha256(version key) → version, `W` ‖ number → its versions' keys, `U` ‖ owner → its projects' names,
 * `O` ‖ "owner/name" → whom the project is offered to.
 * The number outlives a change of owner, so versions stay where they are.
 */
import { parseAccount } from "./accounts";
import { BorshReader, BorshWriter } from "./borsh";
import { ByteBuffer, decimal, EMPTY, fresh, same } from "./buffer";
import { writeHex } from "./encoding";
import { emitStorageCleanup, writeSource } from "./events";
import {
  check, has, panic, predecessor, read, remove, returnBytes, sha256, storageBytes, timestampNs, transfer, write,
} from "./host";
import { callArguments, Json, JsonObject } from "./json";
import { JsonWriter } from "./json-writer";
import { keyOf, numberedKey, StoredList } from "./keys";
import {
  MAX_PAGE, MAX_PROJECT_ID_BYTES, MAX_PROJECT_NAME_BYTES, MAX_PROJECTS, MAX_VERSION_KEY_BYTES, MAX_VERSIONS, YOCTO_PER_BYTE,
} from "./limits";
import { Message } from "./message";
import { unprice } from "./pricing";
import { CodeSource } from "./records";
import { parseCode, versionKeyOf } from "./sources";
import { State } from "./state";
import { StorageMeter } from "./storage-meter";
import { U128 } from "./u128";

const PROJECT_PREFIX: u8 = 0x4a;
const VERSION_PREFIX: u8 = 0x56;
const VERSIONS_PREFIX: u8 = 0x57;
const NAMES_PREFIX: u8 = 0x55;
const OFFER_PREFIX: u8 = 0x4f;

/** Letters, digits, "-" and "_", so that it reads the same in every id, key and log. */
export function plainName(value: Json, most: i32): Uint8Array {
  const name = value.text(most);
  check(name.length > 0, "BadName: empty");
  for (let i = 0; i < name.length; i++) {
    const c = name[i], letter = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
    if (!letter && !(c >= 0x30 && c <= 0x39) && c != 0x2d && c != 0x5f) {
      new Message("BadName: ").literal(value.name).literal(" has letters, digits, - and _ only").panic();
    }
  }
  return name;
}

export class Project {
  number: u64 = 0;
  owner: Uint8Array = EMPTY;
  name: Uint8Array = EMPTY;
  activeVersion: Uint8Array = EMPTY;
  createdAt: u64 = 0;
  storageDeposit: U128 = new U128();
  /** Reserved for the root of the project's own storage; null until guests have one. */
  storageRoot: Uint8Array | null = null;

  id(): Uint8Array {
    const id = new ByteBuffer(MAX_PROJECT_ID_BYTES);
    id.raw(this.owner);
    id.byte(0x2f);
    id.raw(this.name);
    return id.done();
  }

  uuid(): Uint8Array {
    const digits = fresh(8), out = new ByteBuffer(17);
    store<u64>(digits.dataStart, bswap<u64>(this.number));
    out.byte(0x70);
    writeHex(out, digits);
    return out.done();
  }

  save(): void {
    const w = new BorshWriter();
    w.u8(1);
    w.u64(this.number);
    w.bytes(this.owner);
    w.bytes(this.name);
    w.bytes(this.activeVersion);
    w.u64(this.createdAt);
    w.u128(this.storageDeposit);
    w.optionBytes(this.storageRoot);
    write(keyOf(PROJECT_PREFIX, this.id()), w.done());
  }

  static find(id: Uint8Array): Project | null {
    const bytes = read(keyOf(PROJECT_PREFIX, id));
    if (!bytes) return null;
    const r = new BorshReader(bytes), project = new Project();
    check(r.u8() == 1, "BadRecord: a project of another version");
    project.number = r.u64();
    project.owner = r.bytes();
    project.name = r.bytes();
    project.activeVersion = r.bytes();
    project.createdAt = r.u64();
    project.storageDeposit = r.u128();
    project.storageRoot = r.optionBytes();
    return project;
  }

  static load(id: Uint8Array): Project {
    const project = Project.find(id);
    if (!project) new Message("NoSuchProject: ").bytes(id).panic();
    return project!;
  }

  /** The caller's own, by `project_name`. */
  static own(fields: JsonObject): Project {
    const project = new Project();
    project.owner = predecessor();
    project.name = plainName(fields.required("project_name"), MAX_PROJECT_NAME_BYTES);
    return Project.load(project.id());
  }

  versions(): StoredList { return new StoredList(numberedKey(VERSIONS_PREFIX, this.number), MAX_VERSIONS); }

  private versionKey(key: Uint8Array): Uint8Array { return numberedKey(VERSION_PREFIX, this.number, sha256(key)); }

  hasVersion(key: Uint8Array): bool { return has(this.versionKey(key)); }

  addVersion(source: CodeSource): Uint8Array {
    const key = versionKeyOf(source);
    check(!this.hasVersion(key), "VersionExists: the project has this version");
    const w = new BorshWriter();
    source.write(w);
    w.u64(timestampNs());
    write(this.versionKey(key), w.done());
    this.versions().add(key);
    return key;
  }

  withdrawOffer(): void { remove(keyOf(OFFER_PREFIX, this.id())); }

  removeVersion(key: Uint8Array): void { remove(this.versionKey(key)); }

  version(key: Uint8Array): Version {
    const bytes = read(this.versionKey(key));
    if (!bytes) panic("NoSuchVersion: not a version of this project");
    const r = new BorshReader(bytes!);
    return new Version(key, CodeSource.read(r), r.u64());
  }
}

class Version {
  constructor(readonly key: Uint8Array, readonly source: CodeSource, readonly addedAt: u64) {}
}

function namesOf(owner: Uint8Array): StoredList { return new StoredList(keyOf(NAMES_PREFIX, owner), MAX_PROJECTS); }

export function create_project(): void {
  const state = State.load();
  state.assertRunning();
  const fields = callArguments(), meter = new StorageMeter(), project = new Project();
  project.owner = predecessor();
  project.name = plainName(fields.required("name"), MAX_PROJECT_NAME_BYTES);
  check(!has(keyOf(PROJECT_PREFIX, project.id())), "ProjectExists: the account has a project of this name");
  project.number = ++state.nextProjectNumber;
  project.createdAt = timestampNs();
  project.activeVersion = project.addVersion(parseCode(fields.required("source").object()));
  namesOf(project.owner).add(project.name);
  project.save();
  project.storageDeposit = meter.charge(project.owner);
  project.save();
  state.save();
}

export function add_version(): void {
  State.load().assertRunning();
  const fields = callArguments(), meter = new StorageMeter(), project = Project.own(fields);
  project.withdrawOffer();
  const key = project.addVersion(parseCode(fields.required("source").object()));
  if (fields.required("set_active").bool()) {
    project.activeVersion = key;
    project.save();
  }
  meter.charge(project.owner);
}

export function set_active_version(): void {
  const fields = callArguments(), meter = new StorageMeter(), project = Project.own(fields);
  const key = fields.required("version_key").text(MAX_VERSION_KEY_BYTES);
  check(project.hasVersion(key), "NoSuchVersion: not a version of this project");
  project.withdrawOffer();
  project.activeVersion = key;
  project.save();
  meter.charge(project.owner);
}

export function remove_version(): void {
  const fields = callArguments(), meter = new StorageMeter(), project = Project.own(fields);
  const key = fields.required("version_key").text(MAX_VERSION_KEY_BYTES);
  check(!same(key, project.activeVersion), "ActiveVersion: make another version active first");
  check(project.hasVersion(key), "NoSuchVersion: not a version of this project");
  project.withdrawOffer();
  project.removeVersion(key);
  project.versions().take(key);
  meter.charge(project.owner);
}

export function delete_project(): void {
  const state = State.load();
  const meter = new StorageMeter(), project = Project.own(callArguments());
  const versions = project.versions().items;
  for (let i = 0; i < versions.length; i++) project.removeVersion(versions[i]);
  remove(numberedKey(VERSIONS_PREFIX, project.number));
  remove(keyOf(PROJECT_PREFIX, project.id()));
  project.withdrawOffer();
  namesOf(project.owner).take(project.name);
  meter.charge(project.owner);
  // After the owner's bytes: those of the price are not the project owner's.
  unprice(project.id());
  emitStorageCleanup(state, project.id(), project.uuid());
}

/**
 * Offers it: a project's code runs under its owner's name, which nobody may lend to foreign code. One offer a project;
 * to oneself takes it back, and so does a change of its versions: nobody accepts other code than was offered.
 */
export function transfer_project(): void {
  const fields = callArguments(), meter = new StorageMeter(), project = Project.own(fields);
  const newOwner = parseAccount(fields.required("new_owner")), key = keyOf(OFFER_PREFIX, project.id());
  if (same(newOwner, project.owner)) remove(key);
  else write(key, newOwner);
  meter.charge(project.owner);
}

/** By whom it is offered to. Versions and number stay; what the longer or shorter name costs or frees is the new owner's. */
export function accept_project(): void {
  const fields = callArguments(), named = new Project();
  named.owner = parseAccount(fields.required("from"));
  named.name = plainName(fields.required("project_name"), MAX_PROJECT_NAME_BYTES);
  const project = Project.load(named.id()), before = named.id(), newOwner = predecessor(), used = storageBytes();
  const offered = read(keyOf(OFFER_PREFIX, before));
  if (!offered || !same(offered, newOwner)) panic("NotOffered: its owner has not offered this project to the caller");
  remove(keyOf(OFFER_PREFIX, before));
  // The offer's bytes are the old owner's.
  transfer(named.owner, new U128(YOCTO_PER_BYTE).times(used - storageBytes()));
  const meter = new StorageMeter();
  project.owner = newOwner;
  check(!has(keyOf(PROJECT_PREFIX, project.id())), "ProjectExists: the account has a project of this name");
  remove(keyOf(PROJECT_PREFIX, before));
  project.save();
  namesOf(named.owner).take(project.name);
  namesOf(newOwner).add(project.name);
  meter.charge(newOwner);
  unprice(before);
}

function writeProject(out: JsonWriter, project: Project): void {
  out.open();
  out.textField("uuid", project.uuid());
  out.textField("owner", project.owner);
  out.textField("name", project.name);
  out.textField("project_id", project.id());
  out.textField("active_version", project.activeVersion);
  out.numberField("created_at", project.createdAt);
  out.amountField("storage_deposit", project.storageDeposit);
  out.textOrNullField("storage_root", null);
  out.close();
}

function writeVersion(out: JsonWriter, project: Project, version: Version): void {
  out.open();
  out.textField("version_key", version.key);
  out.key("source");
  writeSource(out, version.source);
  out.numberField("added_at", version.addedAt);
  out.boolField("is_active", same(version.key, project.activeVersion));
  out.close();
}

function named(fields: JsonObject): Project | null {
  return Project.find(fields.required("project_id").text(MAX_PROJECT_ID_BYTES));
}

export function get_project(): void {
  const project = named(callArguments()), out = new JsonWriter();
  if (project) writeProject(out, project);
  else out.literal("null");
  returnBytes(out.done());
}

export function list_user_projects(): void {
  const fields = callArguments(), out = new JsonWriter(4_096);
  const owner = parseAccount(fields.required("account_id")), names = namesOf(owner).items;
  const from = min<u64>(fields.u64Or("from_index", 0), names.length);
  const to = min<u64>(names.length, from + min<u64>(fields.u64Or("limit", MAX_PAGE), MAX_PAGE));
  out.byte(0x5b);
  for (let i = <i32>from; i < <i32>to; i++) {
    const project = new Project();
    project.owner = owner;
    project.name = names[i];
    writeProject(out, Project.load(project.id()));
  }
  out.byte(0x5d);
  returnBytes(out.done());
}

export function get_version(): void {
  const fields = callArguments(), out = new JsonWriter(), project = named(fields);
  const key = fields.required("version_key").text(MAX_VERSION_KEY_BYTES);
  if (project && project.hasVersion(key)) writeVersion(out, project, project.version(key));
  else out.literal("null");
  returnBytes(out.done());
}

export function list_versions(): void {
  const fields = callArguments(), out = new JsonWriter(4_096), project = named(fields);
  out.byte(0x5b);
  if (project) {
    const keys = project.versions().items, from = min<u64>(fields.u64Or("from_index", 0), keys.length);
    const to = min<u64>(keys.length, from + min<u64>(fields.u64Or("limit", MAX_PAGE), MAX_PAGE));
    for (let i = <i32>from; i < <i32>to; i++) writeVersion(out, project, project.version(keys[i]));
  }
  out.byte(0x5d);
  returnBytes(out.done());
}

export function get_version_count(): void {
  const project = named(callArguments());
  returnBytes(decimal(project ? project.versions().items.length : 0));
}
