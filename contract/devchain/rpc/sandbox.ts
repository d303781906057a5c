/**
 * Methods that only a chain for development has: near-sandbox's `sandbox_fast_forward` and `sandbox_patch_state`, and
 * `sandbox_snapshot` and `sandbox_revert` beside them.
 */
import type { DevChain } from "../chain/devchain.ts";
import { DevChainError } from "../chain/devchain-types.ts";
import type { StatePatch } from "../chain/snapshot.ts";
import type { AccessKeyPermission } from "../codec/action.ts";
import { ZERO_HASH } from "../codec/hash.ts";
import type { FastForward } from "./fast-forward.ts";
import type { Params } from "./params.ts";
import { handlerError, parseError } from "./rpc-error.ts";

/** `{delta_height}` */
export async function fastForward(making: FastForward, params: Params): Promise<object> {
  await making.run(params.integer("delta_height"));
  return {};
}

function readPermission(params: Params): AccessKeyPermission {
  if (params.isText("permission")) {
    params.oneOf("permission", ["FullAccess"]);
    return { kind: "FullAccess" };
  }
  const call = params.object("permission").object("FunctionCall");
  return {
    kind: "FunctionCall",
    allowance: call.has("allowance") ? call.amount("allowance") : undefined,
    receiverId: call.accountId("receiver_id"),
    methodNames: call.texts("method_names"),
  };
}

/** nearcore's `StateRecord`: an object with one field, which names its kind. */
function readPatch(record: Params): StatePatch {
  if (record.has("Account")) {
    const fields = record.object("Account");
    const account = fields.object("account");
    const value = {
      amount: account.amount("amount"),
      locked: account.amount("locked"),
      codeHash: ZERO_HASH, // follows from the code that is there
      storageUsage: account.integer("storage_usage"),
    };
    return { column: "account", accountId: fields.accountId("account_id"), key: "", value };
  }
  if (record.has("Data")) {
    const fields = record.object("Data");
    const key = Buffer.from(fields.base64("data_key")).toString("latin1");
    return { column: "data", accountId: fields.accountId("account_id"), key, value: fields.base64("value") };
  }
  if (record.has("Contract")) {
    const fields = record.object("Contract");
    const value = new Uint8Array(fields.base64("code"));
    return { column: "code", accountId: fields.accountId("account_id"), key: "", value };
  }
  if (record.has("AccessKey")) {
    const fields = record.object("AccessKey");
    const accessKey = fields.object("access_key");
    const value = { nonce: BigInt(accessKey.integer("nonce")), permission: readPermission(accessKey) };
    return {
      column: "accessKey",
      accountId: fields.accountId("account_id"),
      key: fields.publicKey("public_key"),
      value,
    };
  }
  throw parseError("a record is one of `Account`, `Data`, `Contract`, `AccessKey`");
}

/** `{records}`: what they say stands in the next block, which is made at once. */
export function patchState(chain: DevChain, params: Params): object {
  const patches = params.objects("records").map(readPatch);
  try {
    chain.produceBlock(undefined, patches);
  } catch (error) {
    if (!(error instanceof DevChainError) || error.code !== "INVALID_PATCH") throw error;
    throw parseError(`\`records\`: ${error.message}`);
  }
  return {};
}

/** Answers `{snapshot_id}`. */
export function takeSnapshot(chain: DevChain): object {
  try {
    return { snapshot_id: chain.takeSnapshot() };
  } catch (error) {
    if (!(error instanceof DevChainError) || error.code !== "TOO_MANY_SNAPSHOTS") throw error;
    throw handlerError("TOO_MANY_SNAPSHOTS", {}, error.message);
  }
}

/** `{snapshot_id}` */
export function revert(chain: DevChain, params: Params): object {
  const id = params.integer("snapshot_id");
  try {
    chain.revertTo(id);
  } catch (error) {
    if (!(error instanceof DevChainError) || error.code !== "UNKNOWN_SNAPSHOT") throw error;
    throw handlerError("UNKNOWN_SNAPSHOT", { snapshot_id: id }, error.message);
  }
  return {};
}
