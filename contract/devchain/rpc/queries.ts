/** `query`: looking at accounts, keys, code, storage, and calling view methods, as of some block. */
import type { DevChain } from "../chain/devchain.ts";
import { type BlockReference, DevChainError } from "../chain/devchain-types.ts";
import type { Account, StateView } from "../chain/state.ts";
import type { Block } from "../chain/types.ts";
import { failureToJson } from "../vm/vm-error.ts";
import type { Params } from "./params.ts";
import { handlerError, type RpcError } from "./rpc-error.ts";
import { accessKeyView, accountView, keyToBase64, toBase64 } from "./views.ts";

/** Contracts with more than this are not listed whole. */
const MAX_VIEWED_STATE_BYTES = 4 * 1024 * 1024;

const REQUEST_TYPES = [
  "view_account",
  "view_access_key",
  "view_access_key_list",
  "view_code",
  "view_state",
  "call_function",
] as const;

/** A block, or the client's error: `UNKNOWN_BLOCK`. */
export function requireBlock(chain: DevChain, reference: BlockReference): Block {
  try {
    return chain.block(reference);
  } catch (error) {
    throw unknownBlock(error, reference);
  }
}

function unknownBlock(error: unknown, reference: BlockReference): unknown {
  if (!(error instanceof DevChainError) || error.code !== "UNKNOWN_BLOCK") return error;
  return handlerError("UNKNOWN_BLOCK", { block_reference: { BlockId: reference } }, error.message);
}

const at = (block: Block) => ({ block_height: block.height, block_hash: block.hash });

function unknownAccount(accountId: string, block: Block): RpcError {
  return handlerError(
    "UNKNOWN_ACCOUNT",
    { requested_account_id: accountId, ...at(block) },
    `account ${accountId} does not exist while viewing`,
  );
}

function requireAccount(state: StateView, accountId: string, block: Block): Account {
  const account = state.get("account", accountId, "");
  if (account === undefined) throw unknownAccount(accountId, block);
  return account;
}

function viewAccessKey(state: StateView, accountId: string, publicKey: string, block: Block): object {
  requireAccount(state, accountId, block);
  const accessKey = state.get("accessKey", accountId, publicKey);
  if (accessKey === undefined) {
    throw handlerError(
      "UNKNOWN_ACCESS_KEY",
      { public_key: publicKey, ...at(block) },
      `access key ${publicKey} does not exist while viewing`,
    );
  }
  return accessKeyView(accessKey);
}

function viewCode(state: StateView, accountId: string, block: Block): object {
  const account = requireAccount(state, accountId, block);
  const code = state.get("code", accountId, "");
  if (code === undefined) {
    throw handlerError(
      "NO_CONTRACT_CODE",
      { contract_account_id: accountId, ...at(block) },
      `Contract code for contract ID ${accountId} has never been observed on the node`,
    );
  }
  return { code_base64: toBase64(code), hash: account.codeHash };
}

function viewState(state: StateView, accountId: string, prefix: Uint8Array, block: Block): object {
  const account = requireAccount(state, accountId, block);
  const codeBytes = state.get("code", accountId, "")?.length ?? 0;
  if (account.storageUsage - codeBytes > MAX_VIEWED_STATE_BYTES) {
    throw handlerError(
      "TOO_LARGE_CONTRACT_STATE",
      { contract_account_id: accountId, ...at(block) },
      `State of contract ${accountId} is too large to be viewed`,
    );
  }
  const wanted = Buffer.from(prefix).toString("latin1");
  const entries = state.entries("data", accountId).filter(([key]) => key.startsWith(wanted));
  return { values: entries.map(([key, value]) => ({ key: keyToBase64(key), value: toBase64(value) })), proof: [] };
}

function callFunction(chain: DevChain, params: Params, block: Block): object {
  const accountId = params.accountId("account_id");
  const args = params.base64("args_base64");
  try {
    const { result, logs } = chain.view(accountId, params.text("method_name"), args, block.height);
    return { result: [...result], logs };
  } catch (error) {
    if (!(error instanceof DevChainError)) throw error;
    if (error.code === "UNKNOWN_ACCOUNT") throw unknownAccount(accountId, block);
    if (error.failure === undefined) throw error;
    const vmError = `wasm execution failed with error: ${error.message}`;
    throw handlerError(
      "CONTRACT_EXECUTION_ERROR",
      { vm_error: vmError, error: failureToJson(error.failure), ...at(block) },
      vmError,
    );
  }
}

export function query(chain: DevChain, params: Params): object {
  const type = params.oneOf("request_type", REQUEST_TYPES);
  const block = requireBlock(chain, params.blockReference());
  const state = chain.stateAt(block.height);
  const accountId = params.accountId("account_id");
  const answer = (): object => {
    switch (type) {
      case "view_account":
        return accountView(requireAccount(state, accountId, block));
      case "view_access_key":
        return viewAccessKey(state, accountId, params.publicKey("public_key"), block);
      case "view_access_key_list": {
        requireAccount(state, accountId, block);
        const keys = state.entries("accessKey", accountId);
        return { keys: keys.map(([key, accessKey]) => ({ public_key: key, access_key: accessKeyView(accessKey) })) };
      }
      case "view_code":
        return viewCode(state, accountId, block);
      case "view_state":
        return viewState(state, accountId, params.base64("prefix_base64"), block);
      case "call_function":
        return callFunction(chain, params, block);
    }
  };
  return { ...answer(), ...at(block) };
}
