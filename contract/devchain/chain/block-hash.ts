/** Hashes over what a block contains, so that equal inputs can be seen to give equal chains. */
import { createHash } from "node:crypto";
import { type Hash, hashBytes, sha256, toHash, u64le } from "../codec/hash.ts";
import { globalCodeKey } from "./global-contracts.ts";
import type { StateChange } from "./state.ts";
import type { Block, ExecutionOutcome } from "./types.ts";

function framed(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = typeof part === "string" ? Buffer.from(part, "utf8") : part;
      return [u64le(bytes.length), bytes];
    }),
  );
}

function encodeValue(change: StateChange): string | Uint8Array {
  if (change.value === undefined) return "removed";
  switch (change.column) {
    case "account": {
      const { amount, locked, codeHash, storageUsage, globalContract } = change.value;
      const shared = globalContract === undefined ? "" : ` ${globalCodeKey(globalContract)}`;
      return `${amount} ${locked} ${codeHash} ${storageUsage}${shared}`;
    }
    case "accessKey": {
      const { nonce, permission } = change.value;
      if (permission.kind === "FullAccess") return `${nonce} full`;
      const { allowance, receiverId, methodNames } = permission;
      return framed(`${nonce} call ${allowance ?? "unlimited"} ${receiverId}`, ...methodNames);
    }
    case "stake": {
      const { publicKey, current, next, proposed } = change.value;
      return `${publicKey} ${current} ${next} ${proposed ?? "-"}`;
    }
    case "globalCode":
      return change.value.code;
    case "yield":
    case "yieldId":
    case "code":
    case "data":
      return change.value;
  }
}

/** The root after `changes`, made in this order on top of `previous`. */
export function nextStateRoot(previous: Hash, changes: readonly StateChange[]): Hash {
  if (changes.length === 0) return previous;
  // One after the other: a genesis may hold more changes than a function takes arguments.
  const hash = createHash("sha256").update(hashBytes(previous));
  for (const change of changes) {
    const { column, accountId, key, value } = change;
    hash.update(framed(column, accountId, key, value === undefined ? "-" : "+", encodeValue(change)));
  }
  return toHash(hash.digest());
}

export function hashOutcomes(outcomes: readonly ExecutionOutcome[]): Hash {
  const hash = createHash("sha256");
  for (const { id, gasBurnt, tokensBurnt, status, logs, receiptIds } of outcomes) {
    const result =
      status.kind === "value" ? status.value : status.kind === "receipt" ? status.id : JSON.stringify(status.error);
    hash.update(
      framed(id, `${gasBurnt} ${tokensBurnt} ${status.kind}`, result, framed(...logs), framed(...receiptIds)),
    );
  }
  return toHash(hash.digest());
}

export function hashBlock(block: Omit<Block, "hash">): Hash {
  return toHash(
    sha256(
      framed(
        "devchain block",
        u64le(block.height),
        block.previousHash,
        u64le(block.timestampNs),
        block.stateRoot,
        block.outcomeRoot,
        block.randomValue,
        framed(...block.transactions),
        framed(...block.receipts),
        u64le(block.gasUsed),
      ),
    ),
  );
}
