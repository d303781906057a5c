/** `query`: looking at accounts, keys, code, storage, and calling view methods, as of some block. */
import type { DevChain } from "../chain/devchain.ts";
import { DevChainError } from "../chain/devchain-types.ts";
import { codeOf, globalCodeKey } from "../chain/global-contracts.ts";
import type { Account, StateView } from "../chain/state.ts";
import type { Block } from "../chain/types.ts";
import type { GlobalContractId } from "../codec/action.ts";
import { globalContractJson } from "../codec/global-contract.ts";
import { failureToJson } from "../vm/vm-error.ts";
import type { Params } from "./params.ts";
import { handlerError, parseError, type RpcError } from "./rpc-error.ts";
import { requireBlock } from "./unknown-block.ts";
import { accessKeyView, accountView, keyToBase64, toBase64 } from "./views.ts";

/** Contracts with more than this are not listed whole. */
const MAX_VIEWED_STATE_BYTES = 4 * 1024 * 1024;

export const REQUEST_TYPES = [
  "view_account",
  "view_access_key",
  "view_access_key_list",
  "view_code",
  "view_state",
  "call_function",
  "view_global_contract_code",
  "view_global_contract_code_by_account_id",
] as const;
export type QueryType = (typeof REQUEST_TYPES)[number];

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

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
      `Access key for public key ${publicKey} does not exist while viewing`,
    );
  }
  return accessKeyView(accessKey);
}

function viewCode(state: StateView, accountId: string, block: Block): object {
  const account = requireAccount(state, accountId, block);
  const found = codeOf(state, accountId, account);
  if (found === undefined) {
    throw handlerError(
      "NO_CONTRACT_CODE",
      { contract_account_id: accountId, ...at(block) },
      `Contract code for contract ID #${accountId} has never been observed on the node`,
    );
  }
  return { code_base64: toBase64(found.code), hash: found.codeHash };
}

/** What comes behind `after`, up to a limit; the last key of it when there is more. */
function paged<T>(
  entries: readonly [string, T][],
  after: string | undefined,
  limit: number | undefined,
): { page: readonly [string, T][]; last: string | undefined } {
  const rest = after === undefined ? entries : entries.filter(([key]) => key > after);
  if (limit === undefined || rest.length <= limit) return { page: rest, last: undefined };
  return { page: rest.slice(0, limit), last: rest[limit - 1]![0] };
}

function viewAccessKeys(state: StateView, accountId: string, params: Params, block: Block): object {
  requireAccount(state, accountId, block);
  const after = params.has("after_key") ? params.publicKey("after_key") : undefined;
  const { page, last } = paged(state.entries("accessKey", accountId), after, params.limit("limit"));
  return {
    keys: page.map(([key, accessKey]) => ({ public_key: key, access_key: accessKeyView(accessKey) })),
    ...(last === undefined ? {} : { last_key: last }),
  };
}

/** There is no trie to prove anything from. */
function refuseProof(params: Params): void {
  if (params.flag("include_proof")) throw parseError("`include_proof`: the embedded chain has no Merkle proofs");
}

function viewState(state: StateView, accountId: string, params: Params, block: Block): object {
  const prefix = params.base64("prefix_base64");
  const after = params.has("after_key_base64") ? latin1(params.base64("after_key_base64")) : undefined;
  const limit = params.limit("limit");
  refuseProof(params);
  const account = requireAccount(state, accountId, block);
  const codeBytes = state.get("code", accountId, "")?.length ?? 0;
  if (limit === undefined && account.storageUsage - codeBytes > MAX_VIEWED_STATE_BYTES) {
    throw handlerError(
      "TOO_LARGE_CONTRACT_STATE",
      { contract_account_id: accountId, ...at(block) },
      `State of contract ${accountId} is too large to be viewed`,
    );
  }
  const wanted = latin1(prefix);
  const entries = state.entries("data", accountId).filter(([key]) => key.startsWith(wanted));
  const { page, last } = paged(entries, after, limit);
  return {
    values: page.map(([key, value]) => ({ key: keyToBase64(key), value: toBase64(value) })),
    ...(last === undefined ? {} : { last_key: keyToBase64(last) }),
  };
}

function viewGlobalCode(state: StateView, contract: GlobalContractId, block: Block): object {
  const found = state.get("globalCode", "", globalCodeKey(contract));
  if (found === undefined) {
    const identifier = globalContractJson(contract);
    throw handlerError(
      "NO_GLOBAL_CONTRACT_CODE",
      { identifier, ...at(block) },
      `Global contract code with identifier ${JSON.stringify(identifier)} has never been observed on the node`,
    );
  }
  return { code_base64: toBase64(found.code), hash: found.codeHash };
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

/** @param named the kind of a method that stands for one kind of query, as `EXPERIMENTAL_view_account` does */
export function query(chain: DevChain, params: Params, named?: QueryType): object {
  const type = named ?? params.oneOf("request_type", REQUEST_TYPES);
  const block = requireBlock(chain, params.blockReference(), "query");
  const state = chain.stateAt(block.height);
  if (type === "view_global_contract_code") {
    const contract = { kind: "hash", codeHash: params.hash("code_hash") } as const;
    return { ...viewGlobalCode(state, contract, block), ...at(block) };
  }
  const accountId = params.accountId("account_id");
  const answer = (): object => {
    switch (type) {
      case "view_account":
        return accountView(requireAccount(state, accountId, block));
      case "view_access_key":
        return viewAccessKey(state, accountId, params.publicKey("public_key"), block);
      case "view_access_key_list":
        return viewAccessKeys(state, accountId, params, block);
      case "view_code":
        return viewCode(state, accountId, block);
      case "view_state":
        return viewState(state, accountId, params, block);
      case "call_function":
        return callFunction(chain, params, block);
      case "view_global_contract_code_by_account_id":
        return viewGlobalCode(state, { kind: "account", accountId }, block);
    }
  };
  return { ...answer(), ...at(block) };
}
