/** Where code comes from, as callers and projects name it. */
import { ByteBuffer } from "./buffer";
import { parseHash, writeHex } from "./encoding";
import { check } from "./host";
import { Json, JsonObject } from "./json";
import { MAX_NAME_BYTES, MAX_URL_BYTES } from "./limits";
import { Message } from "./message";
import { CodeSource, SOURCE_GITHUB, SOURCE_WASM_URL } from "./records";
import { Text } from "./text";

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
