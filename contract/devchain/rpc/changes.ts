/** `EXPERIMENTAL_changes` and `EXPERIMENTAL_changes_in_block`: what a block did to accounts, keys, code and storage. */
import type { DevChain } from "../chain/devchain.ts";
import type { ChangeCause, Column, StateChange } from "../chain/state.ts";
import type { Params } from "./params.ts";
import { requireBlock } from "./unknown-block.ts";
import { accessKeyView, accountView, keyToBase64, toBase64 } from "./views.ts";

const CHANGES_TYPES = [
  "account_changes",
  "single_access_key_changes",
  "all_access_key_changes",
  "contract_code_changes",
  "data_changes",
] as const;

function causeView(cause: ChangeCause): Record<string, unknown> {
  switch (cause.kind) {
    case "genesis":
      return { type: "initial_state" };
    case "epoch":
      return { type: "validator_accounts_update" };
    case "patch":
      return { type: "migration" }; // what near-sandbox writes
    case "transaction":
      return { type: "transaction_processing", tx_hash: cause.hash };
    case "receipt":
      return { type: "receipt_processing", receipt_hash: cause.hash };
  }
}

function changeView(change: StateChange): Record<string, unknown> | undefined {
  const cause = causeView(change.cause);
  const account = { account_id: change.accountId };
  const view = (name: string, fields: object | undefined) => ({
    cause,
    type: `${name}_${fields === undefined ? "deletion" : "update"}`,
    change: { ...account, ...fields },
  });
  switch (change.column) {
    case "account":
      return view("account", change.value && accountView(change.value));
    case "accessKey": {
      const fields = change.value && { access_key: accessKeyView(change.value) };
      const result = view("access_key", fields);
      return { ...result, change: { ...account, public_key: change.key, ...fields } };
    }
    case "code":
      return view("contract_code", change.value && { code_base64: toBase64(change.value) });
    case "data": {
      const fields = change.value && { value_base64: toBase64(change.value) };
      const result = view("data", fields);
      return { ...result, change: { ...account, key_base64: keyToBase64(change.key), ...fields } };
    }
    default:
      return undefined; // yields and stakes are the chain's own bookkeeping
  }
}

function filterOf(params: Params): (change: StateChange) => boolean {
  const type = params.oneOf("changes_type", CHANGES_TYPES);
  if (type === "single_access_key_changes") {
    const keys = new Set(params.accessKeys("keys").map(({ accountId, publicKey }) => `${accountId} ${publicKey}`));
    return (change) => change.column === "accessKey" && keys.has(`${change.accountId} ${change.key}`);
  }
  const accounts = new Set(params.accountIds("account_ids"));
  if (type === "data_changes") {
    const prefix = Buffer.from(params.base64("key_prefix_base64")).toString("latin1");
    return (change) => change.column === "data" && accounts.has(change.accountId) && change.key.startsWith(prefix);
  }
  const column = { account_changes: "account", all_access_key_changes: "accessKey", contract_code_changes: "code" }[
    type
  ];
  return (change) => change.column === column && accounts.has(change.accountId);
}

export function changes(chain: DevChain, params: Params): object {
  const wanted = filterOf(params);
  const block = requireBlock(chain, params.blockReference(), "changes");
  const views = chain.changes(block.height).filter(wanted).map(changeView);
  return { block_hash: block.hash, changes: views.filter((view) => view !== undefined) };
}

const TOUCHED_TYPES = new Map<Column, string>([
  ["account", "account_touched"],
  ["accessKey", "access_key_touched"],
  ["code", "contract_code_touched"],
  ["data", "data_touched"],
]);

export function changesInBlock(chain: DevChain, params: Params): object {
  const block = requireBlock(chain, params.blockReference(), "changes");
  const touched = new Set<string>();
  for (const change of chain.changes(block.height)) {
    const type = TOUCHED_TYPES.get(change.column);
    if (type !== undefined) touched.add(`${type} ${change.accountId}`);
  }
  const views = [...touched].map((entry) => {
    const [type, accountId] = entry.split(" ");
    return { type, account_id: accountId };
  });
  return { block_hash: block.hash, changes: views };
}
