/**
 * What a node key signs once, so that the contract registers it: that it belongs to this account on this contract.
 * Without it anybody could register the key of another node, and keep that node from registering it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { MAX_NAME_BYTES } from "../limits.ts";
import { encode, struct, text } from "./borsh.ts";
import { accountId } from "./records.ts";

export const NODE_KEY_DOMAIN = "outlayer/node-key/v1";

const nodeKeyStatement = struct({
  domain: text(MAX_NAME_BYTES),
  chainId: text(MAX_NAME_BYTES),
  contractId: accountId,
  accountId,
});

/** The 32 bytes that the node key signs. */
export function nodeKeyDigest(owner: { chainId: string; contractId: string; accountId: string }): Uint8Array {
  return sha256(encode(nodeKeyStatement, { domain: NODE_KEY_DOMAIN, ...owner }));
}
