/**
 * From what a guest did to what its caller gets. Every node must come to the same bytes, so nothing here depends
 * on an engine's own words, on a clock or on a locale.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { ExecutionOutcome } from "../execution/index.ts";
import { MAX_ERROR_BYTES, MAX_GUEST_MEMORY_PAGES, MAX_OUTPUT_BYTES } from "../limits.ts";
import { type GuestOutput, type GuestResponse, RESPONSE_FORMATS, type RequestRecord } from "../wire/records.ts";

const RANDOM_DOMAIN = utf8ToBytes("outlayer/guest-random/v1");
const PAGES_PER_MEBIBYTE = 16;

/** Everything that a run depends on, but for the code itself. */
export interface JobDescription {
  readonly input: Uint8Array;
  /** Seed of the guest's `random_get`. */
  readonly seed: Uint8Array;
  readonly environ: readonly (readonly [string, string])[];
  readonly blockTimeNs: bigint;
  readonly limits: { readonly maxFuel: bigint; readonly maxMemoryPages: number; readonly maxOutputBytes: number };
}

/** The run that a request asks for; the same for its holder and for everybody who replays it. */
export function jobOf(record: RequestRecord, network: { chainId: string; contractId: string }): JobDescription {
  return {
    input: record.input,
    seed: sha256(concatBytes(RANDOM_DOMAIN, record.seed, record.inputHash)),
    environ: environOf(record, network),
    blockTimeNs: record.timestampNs,
    limits: {
      maxFuel: record.maxInstructions,
      maxMemoryPages: Math.min(record.maxMemoryMb * PAGES_PER_MEBIBYTE, MAX_GUEST_MEMORY_PAGES),
      maxOutputBytes: MAX_OUTPUT_BYTES,
    },
  };
}

function environOf(record: RequestRecord, network: { chainId: string; contractId: string }): [string, string][] {
  return [
    ["NEAR_SENDER_ID", record.signerId],
    ["NEAR_USER_ACCOUNT_ID", record.signerId],
    ["NEAR_PREDECESSOR_ID", record.predecessorId],
    ["NEAR_NETWORK_ID", network.chainId],
    ["OUTLAYER_EXECUTION_TYPE", "NEAR"],
    ["NEAR_REQUEST_ID", String(record.requestId)],
    ["OUTLAYER_CALL_ID", ""],
    ["NEAR_CONTRACT_ID", network.contractId],
    ["NEAR_BLOCK_HEIGHT", String(record.height)],
    ["NEAR_BLOCK_TIMESTAMP", String(record.timestampNs)],
    ["NEAR_PAYMENT_YOCTO", String(record.paymentYocto)],
    ["ATTACHED_USD", String(record.attachedUsd)],
    ["USD_PAYMENT", "0"],
    ["NEAR_MAX_INSTRUCTIONS", String(record.maxInstructions)],
    ["NEAR_MAX_MEMORY_MB", String(record.maxMemoryMb)],
    ["NEAR_MAX_EXECUTION_SECONDS", String(record.maxExecutionSeconds)],
  ];
}

/** A failure that the caller can read; nothing was charged by fuel unless `instructions` says so. */
export function failure(error: string, instructions = 0n): GuestResponse {
  return response({ success: false, output: undefined, error: cutUtf8(error, MAX_ERROR_BYTES), instructions });
}

export function responseOf(record: RequestRecord, outcome: ExecutionOutcome): GuestResponse {
  switch (outcome.kind) {
    case "rejected":
      return failure(`the code is not an acceptable module: ${outcome.code}: ${outcome.detail}`);
    case "trapped":
      return failure(trapText(record, outcome), outcome.fuel);
    case "exited":
      // A compile-only request answers with no output: its result is that the code is there and acceptable.
      if (record.compileOnly) return response({ success: true, output: undefined, error: undefined, instructions: 0n });
      if (outcome.exitCode !== 0) {
        const said = lossyText(outcome.stderr).trim();
        return failure(`the guest exited with code ${outcome.exitCode}${said ? `: ${said}` : ""}`, outcome.fuel);
      }
      return formatted(record, outcome.stdout, outcome.fuel);
  }
}

function trapText(record: RequestRecord, outcome: Extract<ExecutionOutcome, { kind: "trapped" }>): string {
  switch (outcome.trap) {
    case "outOfFuel":
      return `out of fuel: the guest used all of its ${record.maxInstructions} instructions`;
    case "stackExhausted":
      return "the guest exhausted its stack";
    case "outputLimit":
      return `the guest printed more than ${MAX_OUTPUT_BYTES} bytes`;
    case "trap":
      return `the guest trapped${outcome.detail ? `: ${outcome.detail}` : ""}`;
  }
}

function formatted(record: RequestRecord, stdout: Uint8Array, instructions: bigint): GuestResponse {
  const format = RESPONSE_FORMATS[record.responseFormat];
  if (format === "Bytes") return success({ kind: "Bytes", bytes: stdout }, instructions);
  const text = strictText(stdout);
  if (text === undefined) return failure(`the guest's output is not UTF-8, and ${format} was asked for`, instructions);
  if (format === "Text") return success({ kind: "Text", text }, instructions);
  const json = text.trim();
  return isJson(json)
    ? success({ kind: "Json", json }, instructions)
    : failure("the guest's output is not JSON, and Json was asked for", instructions);
}

function success(output: GuestOutput, instructions: bigint): GuestResponse {
  return response({ success: true, output, error: undefined, instructions });
}

function response(part: Pick<GuestResponse, "success" | "output" | "error" | "instructions">): GuestResponse {
  // Milliseconds differ from node to node, so a signed response says 0 and nothing is charged by them.
  return { ...part, timeMs: 0n, compileTimeMs: undefined, compilationNote: undefined, refundUsd: undefined };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function strictText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function lossyText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, MAX_ERROR_BYTES));
}

/** The longest prefix of whole characters that fits `max` bytes of UTF-8. */
function cutUtf8(text: string, max: number): string {
  const bytes = utf8ToBytes(text.toWellFormed());
  if (bytes.length <= max) return text.toWellFormed();
  let end = max;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
