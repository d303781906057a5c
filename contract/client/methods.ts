/**
 * Every method of the contract: who may call it, what it takes and what it gives. The types of the client and the
 * NEAR ABI are made from this table, and tests hold the contract to it: its exports, its fields and its refusals.
 *
 * Types: `u16`, `u32`, `u64` whole numbers; `yocto` and `usd` decimal strings (10^-24 NEAR; 10^-6 of the payment
 * token); `account`; `hash` 64 hex digits; `base64`; `text`; `bool`; `bytes`; `json` any value; a capital letter names
 * a shape of the surface that `arguments.ts` or the specification gives. `?` may be absent or null, `[]` is an array.
 * Refusals are panics that begin with a code of `errors.ts`.
 */

/** Who may call: everybody else gets the code beside it. */
export const CALLERS = {
  anyone: undefined,
  owner: "OwnerOnly",
  operator: "OperatorOnly",
  /** The contract's own receipts. */
  self: "Private",
  /** An account with a registered node. */
  node: "NotRegistered",
  /** The node that holds the request's lease. */
  holder: "NotTheHolder",
  /** The account that made the request. */
  requester: "NotTheCaller",
  /** The token that is taken for payment. */
  token: "WrongToken",
  /** A member of the keystore epoch. */
  member: "NotAMember",
  /** Nobody: kept as a name that says why. */
  nobody: "Refused",
} as const;
export type Caller = keyof typeof CALLERS;

type Fields = Readonly<Record<string, string>>;
export interface Method {
  readonly by: Caller;
  readonly args: Fields;
  readonly result?: string;
  /** Takes a deposit; all other calls refuse none but keep it as a gift, so attach nothing. */
  readonly payable?: true;
  readonly view?: true;
}

const id = { request_id: "u64" } as const;
const answer = {
  ...id,
  lease_epoch: "u32",
  code_hash: "hash",
  tape_hash: "hash",
  attestations: "Attestation[]",
} as const;
const secret = { accessor: "Accessor", profile: "text" } as const;
const page = { from_index: "u64?", limit: "u64?" } as const;
const nobody = { by: "nobody", args: {} } as const;

export const CALLS = {
  new: { by: "anyone", args: { owner_id: "account", operator_id: "account?", network: "Network?" } },
  migrate: { by: "self", args: {} },
  upgrade: { by: "owner", args: {} },
  cancel_announcement: { by: "owner", args: { method: "text" } },
  set_owner: { by: "owner", args: { new_owner_id: "account" } },
  set_operator: { by: "owner", args: { new_operator_id: "account" } },
  set_paused: { by: "owner", args: { paused: "bool" } },
  set_pricing: {
    by: "owner",
    args: {
      base_fee: "yocto?",
      per_instruction_fee: "yocto?",
      per_ms_fee: "yocto?",
      per_compile_ms_fee: "yocto?",
      builder_share_bps: "u16?",
      keystore_share_bps: "u16?",
    },
  },
  set_levels: { by: "owner", args: { levels: "Level[]" } },
  set_event_metadata: { by: "owner", args: { standard: "text?", version: "text?" } },
  set_payment_token_contract: { by: "owner", args: { token_contract: "account?" } },
  set_project_pricing: { by: "owner", args: { project_id: "text", pricing: "Pricing" } },
  remove_project_pricing: { by: "owner", args: { project_id: "text" } },
  emergency_cancel_execution: { by: "owner", args: id },
  clear_all_pending_requests: { by: "owner", args: { limit: "u64?" }, result: "u64" },
  open_epoch: {
    by: "owner",
    args: { members: "Member[]", threshold: "u32", deal_blocks: "u64", complaint_blocks: "u64", attest_blocks: "u64" },
  },

  request_execution: {
    by: "anyone",
    payable: true,
    args: {
      source: "Source",
      resource_limits: "Limits?",
      input_data: "text?",
      secrets_ref: "SecretsRef?",
      response_format: "text?",
      payer_account_id: "account?",
      params: "Params?",
    },
    result: "json",
  },
  on_execution_response: { by: "self", args: id, result: "json" },
  on_refund: { by: "self", args: { account_id: "account", amount: "yocto" } },
  cancel_stale_execution: { by: "requester", args: id },

  register_node: { by: "anyone", payable: true, args: { public_key: "text", proof: "base64" } },
  add_stake: { by: "node", payable: true, args: {} },
  begin_exit: { by: "node", args: {} },
  withdraw_stake: { by: "node", args: {} },
  set_node_status: { by: "node", args: { draining: "bool" } },
  claim_lease: { by: "node", args: { ...id, seat: "u32", lease_epoch: "u32" } },
  renew_lease: { by: "holder", args: { ...id, lease_epoch: "u32" } },
  claim_and_resolve: { by: "node", args: { ...answer, seat: "u32", response: "Response" } },
  resolve_execution: { by: "anyone", args: { ...answer, response: "Response" } },
  submit_execution_output_and_resolve: {
    by: "anyone",
    args: {
      ...answer,
      success: "bool",
      output: "Output?",
      error: "text?",
      resources_used: "Resources",
      compilation_note: "text?",
    },
  },
  submit_execution_output: { by: "anyone", args: { ...answer, response_hash: "hash", response_bytes: "u32" } },
  submit_output_chunk: { by: "anyone", payable: true, args: { ...id, offset: "u64", data: "base64" } },
  drop_output_chunks: { by: "anyone", args: id },
  finalize_execution: { by: "anyone", args: id },
  add_recipe: { by: "owner", args: { recipe_id: "hash" } },
  retire_recipe: { by: "owner", args: { recipe_id: "hash" } },
  bind_build: {
    by: "anyone",
    payable: true,
    args: {
      ...id,
      lease_epoch: "u32",
      recipe_id: "hash",
      code_hash: "hash",
      details_hash: "hash",
      attestations: "Attestation[]",
    },
  },
  object: { by: "node", payable: true, args: { ...id, seat: "u32" } },
  dispute: {
    by: "anyone",
    args: { request: "base64", wrong: "AttestedResult", right: "AttestedResult" },
    result: "yocto",
  },
  prove_equivocation: {
    by: "anyone",
    args: { account_id: "account", first: "SignedStatement", second: "SignedStatement" },
    result: "yocto",
  },
  take_slashed: { by: "anyone", args: { account_id: "account" } },
  clear_slash: { by: "owner", args: { account_id: "account", ...id } },
  appeal: { by: "anyone", args: { account_id: "account", request: "base64", right: "AttestedResult" } },
  withdraw_earnings: { by: "anyone", args: {}, result: "yocto" },

  create_project: { by: "anyone", payable: true, args: { name: "text", source: "Source" } },
  add_version: { by: "anyone", payable: true, args: { project_name: "text", source: "Source", set_active: "bool" } },
  set_active_version: { by: "anyone", payable: true, args: { project_name: "text", version_key: "text" } },
  remove_version: { by: "anyone", args: { project_name: "text", version_key: "text" } },
  delete_project: { by: "anyone", args: { project_name: "text" } },
  transfer_project: { by: "anyone", payable: true, args: { project_name: "text", new_owner: "account" } },
  accept_project: { by: "anyone", payable: true, args: { from: "account", project_name: "text" } },

  store_secrets: {
    by: "anyone",
    payable: true,
    args: { ...secret, encrypted_secrets_base64: "text", access: "Access", vault_id: "account?" },
  },
  delete_secrets: { by: "anyone", args: secret },
  update_access: { by: "anyone", payable: true, args: { ...secret, new_access: "Access" } },

  ft_on_transfer: { by: "token", args: { sender_id: "account", amount: "usd", msg: "text" }, result: "usd" },
  on_top_up_response: {
    by: "self",
    args: { number: "u64", owner: "account", nonce: "u32", amount: "usd" },
    result: "usd",
  },
  resume_topup: { by: "operator", args: { data_id: "hash", result: "TopUpResult" } },
  delete_payment_key: { by: "anyone", payable: true, args: { nonce: "u32" } },
  withdraw_developer_earnings: { by: "anyone", args: {}, result: "usd" },
  withdraw_stablecoin_balance: { by: "anyone", args: {}, result: "usd" },
  on_stablecoin_sent: {
    by: "self",
    args: { account_id: "account", developer: "bool", amount: "usd" },
    result: "usd",
  },

  post_deal: { by: "member", args: { epoch: "u64", deal: "base64" } },
  post_complaint: { by: "member", args: { epoch: "u64", dealer: "account", complaint: "base64" } },
  attest: {
    by: "member",
    args: { epoch: "u64", transcript_hash: "base64", master_public_key: "base64", own_public_key: "base64" },
  },

  cancel_pending_requests: nobody,
  delete_agent_secret: nobody,
  delete_wallet_policy: nobody,
  estimate_wallet_policy_cost: nobody,
  freeze_wallet: nobody,
  get_secret_vault: nobody,
  get_secret_with_vault: nobody,
  get_wallet_policies_by_owner: nobody,
  get_wallet_policy: nobody,
  has_wallet_policy: nobody,
  resume_delete_payment_key: nobody,
  set_subscription_plans: nobody,
  store_agent_secret: nobody,
  store_wallet_policy: nobody,
  top_up_payment_key_with_near: nobody,
  top_up_payment_key_with_token: nobody,
  unbind_secret_vault: nobody,
  unfreeze_wallet: nobody,
} as const satisfies Readonly<Record<string, Method>>;

const view = { by: "anyone", view: true } as const;
const account = { account_id: "account" } as const;
const project = { project_id: "text" } as const;

export const VIEWS = {
  get_request: { ...view, args: id, result: "Request?" },
  get_lease: { ...view, args: id, result: "Lease?" },
  get_proposal: { ...view, args: id, result: "Proposal?" },
  get_pending_output: { ...view, args: id, result: "PendingOutput?" },
  has_pending_output: { ...view, args: id, result: "bool" },
  get_pending_request_ids: { ...view, args: { ...page, from_request_id: "u64?" }, result: "u64[]" },
  get_pending_records: { ...view, args: { ...page, from_request_id: "u64?" }, result: "PendingRecord[]" },
  get_build: { ...view, args: { source: "Source" }, result: "Build?" },
  get_recipes: { ...view, args: {}, result: "hash[]" },
  get_node: { ...view, args: account, result: "Node?" },
  get_nodes: { ...view, args: page, result: "Node[]" },
  get_network: { ...view, args: {}, result: "NetworkState" },
  get_stats: { ...view, args: {}, result: "Stats" },
  get_pricing: { ...view, args: {}, result: "yocto[]" },
  get_pricing_full: { ...view, args: {}, result: "Prices" },
  estimate_execution_cost: { ...view, args: { resource_limits: "Limits?", level: "u64?" }, result: "yocto" },
  get_max_limits: { ...view, args: {}, result: "u64[]" },
  is_paused: { ...view, args: {}, result: "bool" },
  get_config: { ...view, args: {}, result: "account[]" },
  get_event_metadata: { ...view, args: {}, result: "text[]" },
  get_payment_token_contract: { ...view, args: {}, result: "account?" },
  get_subscription_plans: { ...view, args: {}, result: "json[]" },
  get_earnings: { ...view, args: account, result: "yocto" },
  get_penalties: { ...view, args: account, result: "Penalties" },
  get_developer_earnings: { ...view, args: account, result: "usd" },
  get_user_stablecoin_balance: { ...view, args: account, result: "usd" },
  get_next_payment_key_nonce: { ...view, args: account, result: "u32" },
  get_project: { ...view, args: project, result: "Project?" },
  list_user_projects: { ...view, args: { ...account, ...page }, result: "Project[]" },
  get_version: { ...view, args: { ...project, version_key: "text" }, result: "Version?" },
  list_versions: { ...view, args: { ...project, ...page }, result: "Version[]" },
  get_version_count: { ...view, args: project, result: "u64" },
  get_project_pricing: { ...view, args: project, result: "Pricing?" },
  get_project_max_price: { ...view, args: project, result: "usd" },
  get_priced_projects: { ...view, args: page, result: "text[]" },
  get_priced_project_count: { ...view, args: {}, result: "u64" },
  get_secrets: { ...view, args: { ...secret, owner: "account" }, result: "Secret?" },
  secrets_exist: { ...view, args: { ...secret, owner: "account" }, result: "bool" },
  list_profiles: { ...view, args: { accessor: "Accessor", owner: "account" }, result: "text[]" },
  list_user_secrets: { ...view, args: { ...account, ...page }, result: "Secret[]" },
  estimate_storage_cost: {
    ...view,
    args: { ...secret, owner: "account", encrypted_secrets_base64: "text", access: "Access", vault_id: "account?" },
    result: "yocto",
  },
  get_keystore_epoch: { ...view, args: { epoch: "u64?" }, result: "KeystoreEpoch?" },
  get_keystore_posts: { ...view, args: { epoch: "u64", account_id: "account" }, result: "KeystorePosts" },
} as const satisfies Readonly<Record<string, Method>>;

export const METHODS: Readonly<Record<MethodName, Method>> = { ...CALLS, ...VIEWS };
type Table = typeof CALLS & typeof VIEWS;
export type MethodName = keyof Table;

interface Scalars {
  u16: number;
  u32: number;
  u64: number | bigint;
  bool: boolean;
}
type Value<T extends string> = T extends `${infer U}?`
  ? Value<U> | null | undefined
  : T extends `${infer U}[]`
    ? readonly Value<U>[]
    : T extends keyof Scalars
      ? Scalars[T]
      : T extends Uncapitalize<T>
        ? T extends "json"
          ? unknown
          : string
        : unknown;
type Needed<F extends Fields> = { [K in keyof F]: F[K] extends `${string}?` ? never : K }[keyof F];

/** A method's arguments as a program holds them; shapes with a capital letter are JSON values of the surface. */
export type MethodArgs<M extends MethodName> = Table[M]["args"] extends infer F extends Fields
  ? { readonly [K in Needed<F>]: Value<F[K]> } & { readonly [K in Exclude<keyof F, Needed<F>>]?: Value<F[K]> }
  : never;

function spell(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map((element) => spell(element ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${spell(member)}`).join(",")}}`;
}

/** The JSON text of a call: whole numbers above 2^53 keep their digits. */
export function methodArgs<M extends MethodName>(_method: M, args: MethodArgs<M>): string {
  return spell(args);
}
