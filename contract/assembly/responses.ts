/** A guest's response: from the arguments of a resolve, and to the caller who waits for it. */
import { BorshReader } from "./borsh";
import { check, panic } from "./host";
import { Json, JsonObject, parseJson } from "./json";
import { JsonWriter } from "./json-writer";
import { MAX_ERROR_BYTES, MAX_OUTPUT_BYTES } from "./limits";
import { firstNotUtf8 } from "./utf8";
import { GuestResponse, OUTPUT_BYTES, OUTPUT_JSON, OUTPUT_TEXT } from "./records";
import { utf8 } from "./text";

function parseOutput(value: Json, response: GuestResponse): void {
  const variants = value.object();
  check(variants.count == 1, "BadOutput: output has exactly one of Bytes, Text, Json");
  const bytes = variants.optional("Bytes"), text = variants.optional("Text"), json = variants.present("Json");
  if (bytes) {
    response.outputKind = OUTPUT_BYTES;
    response.output = bytes.bytes(MAX_OUTPUT_BYTES);
  } else if (text) {
    response.outputKind = OUTPUT_TEXT;
    response.output = text.text(MAX_OUTPUT_BYTES);
  } else if (json) {
    // The guest's own spelling: nodes signed these bytes, and callers get them.
    const raw = json.raw();
    check(raw.length <= MAX_OUTPUT_BYTES, "TooLong: Json");
    response.outputKind = OUTPUT_JSON;
    response.output = raw;
  } else panic("BadOutput: output has exactly one of Bytes, Text, Json");
}

/** A response that came as bytes: these and no others, under the rules that {@link parseResponse} sees to. */
export function readResponse(encoded: Uint8Array): GuestResponse {
  const r = new BorshReader(encoded, true), response = GuestResponse.read(r);
  r.assertEnd();
  checkResponse(response);
  return response;
}

function checkResponse(response: GuestResponse): void {
  const output = response.output;
  if (output) {
    check(output.length <= MAX_OUTPUT_BYTES, "TooLong: output");
    check(response.outputKind <= OUTPUT_JSON, "BadOutput: output has exactly one of Bytes, Text, Json");
    if (response.outputKind == OUTPUT_TEXT) checkText(output, MAX_OUTPUT_BYTES);
    else if (response.outputKind == OUTPUT_JSON) parseJson(output);
  }
  if (response.error) checkText(response.error!, MAX_ERROR_BYTES);
  if (response.compilationNote) checkText(response.compilationNote!, MAX_ERROR_BYTES);
}

function checkText(text: Uint8Array, most: i32): void {
  check(text.length <= most, "TooLong: a text of the response");
  const end = text.dataStart + text.length;
  check(firstNotUtf8(text.dataStart, end) == end, "BadBorsh: a text is not UTF-8");
}

/** From the fields of a response, which `submit_execution_output_and_resolve` has among its own arguments. */
export function parseResponse(fields: JsonObject): GuestResponse {
  const response = new GuestResponse();
  response.success = fields.required("success").bool();
  const output = fields.optional("output");
  if (output) parseOutput(output, response);
  const error = fields.optional("error");
  if (error) response.error = error.text(MAX_ERROR_BYTES);
  const used = fields.required("resources_used").object();
  response.instructions = used.required("instructions").u64();
  response.timeMs = used.required("time_ms").u64();
  const compileTimeMs = used.optional("compile_time_ms");
  response.hasCompileTimeMs = compileTimeMs != null;
  if (compileTimeMs) response.compileTimeMs = compileTimeMs.u64();
  const note = fields.optional("compilation_note");
  if (note) response.compilationNote = note.text(MAX_ERROR_BYTES);
  const refundUsd = fields.optional("refund_usd");
  response.hasRefundUsd = refundUsd != null;
  if (refundUsd) response.refundUsd = refundUsd.u64();
  return response;
}

/** The plain JSON value that the caller gets: null for everything but a success with an output. */
export function answer(response: GuestResponse): Uint8Array {
  const output = response.output;
  if (!response.success || !output) return utf8("null");
  if (response.outputKind == OUTPUT_JSON) return output;
  const out = new JsonWriter(output.length * 2);
  if (response.outputKind == OUTPUT_TEXT) out.text(output);
  else out.base64(output);
  return out.done();
}
