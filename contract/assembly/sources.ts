/** Where code comes from, as callers and projects name it. */
import { BorshWriter } from "./borsh";
import { ByteBuffer, fresh } from "./buffer";
import { parseHash, writeHex } from "./encoding";
import { check } from "./host";
import { Json, JsonObject } from "./json";
import { MAX_NAME_BYTES, MAX_URL_BYTES } from "./limits";
import { Message } from "./message";
import { CodeSource, SOURCE_GITHUB, SOURCE_WASM_URL } from "./records";
import { sameText, Text, utf8 } from "./text";

/** Text that stands in events: without control characters, whose escapes could make an event too long to log. */
export function printable(value: Json, most: i32): Uint8Array {
  const text = value.text(most);
  for (let i = 0; i < text.length; i++) if (text[i] < 0x20) new Message("BadName: ").literal(value.name).literal(" has control characters").panic();
  return text;
}

export function optionalName(fields: JsonObject, name: Text): Uint8Array | null {
  const value = fields.optional(name);
  return value ? printable(value, MAX_NAME_BYTES) : null;
}

/** Exactly one of GitHub and WasmUrl. */
export function parseCode(variants: JsonObject): CodeSource {
  check(variants.count == 1, "BadSource: source has exactly one of GitHub, WasmUrl, Project");
  const source = new CodeSource();
  const gitHub = variants.optional("GitHub"), wasmUrl = variants.optional("WasmUrl");
  let fields: JsonObject;
  if (gitHub) {
    fields = gitHub.object();
    source.place = printable(fields.required("repo"), MAX_URL_BYTES);
    source.version = printable(fields.required("commit"), MAX_NAME_BYTES);
  } else {
    check(wasmUrl != null, "BadSource: source has exactly one of GitHub, WasmUrl, Project");
    fields = wasmUrl!.object();
    source.kind = SOURCE_WASM_URL;
    source.place = printable(fields.required("url"), MAX_URL_BYTES);
    source.version = parseHash(fields.required("hash").text(MAX_NAME_BYTES), "hash");
  }
  source.buildTarget = optionalName(fields, "build_target");
  return source;
}

/** How a project calls a version: the hash of its code, or repository@commit. */
export function versionKeyOf(source: CodeSource): Uint8Array {
  const out = new ByteBuffer(128);
  if (source.kind == SOURCE_GITHUB) {
    out.raw(source.place);
    out.byte(0x40);
    out.raw(source.version);
  } else writeHex(out, source.version);
  return out.done();
}

const SOURCE_DOMAIN = "outlayer/source/v1";
const DEFAULT_TARGET = "wasm32-wasip1";
const COMMIT_DIGITS: i32 = 40;
/** GitHub's own limits. */
const MAX_OWNER_BYTES: i32 = 39;
const MAX_REPOSITORY_BYTES: i32 = 100;

function lowered(text: Uint8Array): Uint8Array {
  const out = fresh(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text[i] >= 0x41 && text[i] <= 0x5a ? text[i] | 0x20 : text[i];
  return out;
}

function without(text: Uint8Array, prefix: Text): Uint8Array {
  const starts = text.length >= prefix.length && sameText(text.subarray(0, prefix.length), prefix);
  return starts ? text.subarray(prefix.length) : text;
}

function withoutEnd(text: Uint8Array, suffix: Text): Uint8Array {
  const rest = text.length - suffix.length;
  return rest >= 0 && sameText(text.subarray(rest), suffix) ? text.subarray(0, rest) : text;
}

/** Letters, digits and dashes, none at the beginning, where it would look like an option; a repository has more. */
function isName(name: Uint8Array, most: i32, isRepository: bool): bool {
  if (name.length == 0 || name.length > most || name[0] == 0x2d) return false;
  let dots = 0;
  for (let i = 0; i < name.length; i++) {
    const c = name[i];
    if (isRepository && c == 0x2e) dots++;
    else if (!((c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || c == 0x2d || (isRepository && c == 0x5f))) return false;
  }
  return dots < name.length && withoutEnd(withoutEnd(name, ".git"), ".wiki").length == name.length;
}

/** `owner/repository` of every spelling of a repository of github.com; null where it is none. */
function repositoryOf(place: Uint8Array): Uint8Array | null {
  const address = lowered(place), path = without(without(address, "https://"), "www.");
  let name = without(path, "github.com/");
  if (name.length == path.length) {
    // Without the host's name there may be no scheme either: another host.
    if (path.length < address.length) return null;
    name = without(address, "git@github.com:");
  }
  name = withoutEnd(withoutEnd(name, "/"), ".git");
  let slash = 0;
  while (slash < name.length && name[slash] != 0x2f) slash++;
  if (slash == name.length) return null;
  const owner = name.subarray(0, slash), repository = name.subarray(slash + 1);
  return isName(owner, MAX_OWNER_BYTES, false) && isName(repository, MAX_REPOSITORY_BYTES, true) ? name : null;
}

/**
 * What a build is bound to (`protocol/src/wire/builds.ts`): repository, whole commit and target in one spelling. Null
 * for a branch or a tag, which can move, and for other hosts.
 */
export function canonicalSource(source: CodeSource): Uint8Array | null {
  const repository = repositoryOf(source.place), commit = lowered(source.version), target = source.buildTarget;
  if (!repository || commit.length != COMMIT_DIGITS) return null;
  for (let i = 0; i < COMMIT_DIGITS; i++) {
    const c = commit[i];
    if (!((c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66))) return null;
  }
  const w = new BorshWriter(512);
  w.text(SOURCE_DOMAIN);
  w.bytes(repository);
  w.bytes(commit);
  w.bytes(target && !sameText(target, "wasm32-wasi") ? target : utf8(DEFAULT_TARGET));
  return w.done();
}
