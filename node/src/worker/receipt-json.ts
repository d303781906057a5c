/** A receipt as people and programs read it: the same fields in the API, on the page and on the terminal. */
import { createHash } from "node:crypto";
import { encode } from "@outlayer/protocol/wire/borsh";
import { type GuestOutput, guestOutput, type Receipt } from "@outlayer/protocol/wire/records";
import { cidOf } from "../p2p/index.ts";

export interface ReceiptJson {
  readonly request_id: number;
  readonly status: "resolved" | "failed";
  /** As the caller gets it: base64 for Bytes, text for Text, the value for Json; null for a failure. */
  readonly output: unknown;
  readonly error: string | null;
  readonly fuel: string;
  readonly code_cid: string | null;
  readonly input_hash: string;
  /** sha256 of the Borsh-encoded output; null where there is none. */
  readonly output_hash: string | null;
  readonly holder: string;
  readonly lease_epoch: number;
  readonly attestations: readonly { readonly node: string; readonly signature: string }[];
  readonly blocks: { readonly requested: number; readonly leased: number; readonly resolved: number };
  readonly charged_yocto: string;
  readonly transactions: readonly string[];
}

export function receiptJson({ request, lease, outcome }: Receipt, transactions: readonly string[]): ReceiptJson {
  const { response } = outcome;
  const hasCode = outcome.codeHash.some((byte) => byte !== 0);
  return {
    request_id: request.requestId,
    status: response.success ? "resolved" : "failed",
    output: response.output ? callerValue(response.output) : null,
    error: response.error ?? null,
    fuel: response.instructions.toString(),
    code_cid: hasCode ? cidOf(outcome.codeHash) : null,
    input_hash: hex(request.inputHash),
    output_hash: response.output ? sha256Hex(encode(guestOutput, response.output)) : null,
    holder: outcome.holder,
    lease_epoch: outcome.leaseEpoch,
    attestations: outcome.attestations.map(({ accountId, signature }) => ({
      node: accountId,
      signature: Buffer.from(signature).toString("base64"),
    })),
    blocks: { requested: request.height, leased: lease.claimedHeight, resolved: outcome.resolvedHeight },
    charged_yocto: outcome.chargedYocto.toString(),
    transactions,
  };
}

function callerValue(output: GuestOutput): unknown {
  switch (output.kind) {
    case "Bytes":
      return Buffer.from(output.bytes).toString("base64");
    case "Text":
      return output.text;
    case "Json":
      return JSON.parse(output.json);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
