/**
 * The OutLayer contract: what it exports is its surface, and nothing else is callable.
 *
 * A contract calls `request_execution` and is suspended; nodes claim a lease, run the guest and sign what they found;
 * `resolve_execution` accepts an answer with enough signatures and resumes the caller, for whom
 * `on_execution_response` settles the money. What is stored and signed is specified in `protocol/src/wire`.
 */
export {
  initialize as new, migrate, set_event_metadata, set_levels, set_operator, set_owner, set_paused, set_payment_token_contract,
  set_pricing, upgrade,
} from "./admin";
export { add_recipe, bind_build, get_build, get_recipes, retire_recipe } from "./builds";
export { dispute, object, prove_equivocation } from "./disputes";
export { attest, get_keystore_epoch, get_keystore_posts, open_epoch, post_complaint, post_deal } from "./keystore";
export { claim_lease, renew_lease } from "./leases";
export { get_earnings, on_refund, withdraw_earnings } from "./money";
export { cancel_announcement } from "./owner";
export { delete_payment_key, get_next_payment_key_nonce, on_top_up_response, resume_topup } from "./payment-keys";
export {
  get_priced_project_count, get_priced_projects, get_project_max_price, get_project_pricing, remove_project_pricing,
  set_project_pricing,
} from "./pricing";
export {
  accept_project, add_version, create_project, delete_project, get_project, get_version, get_version_count, list_user_projects,
  list_versions, remove_version, set_active_version, transfer_project,
} from "./projects";
export {
  refused as cancel_pending_requests, refused as delete_agent_secret, refused as delete_wallet_policy,
  refused as estimate_wallet_policy_cost, refused as freeze_wallet, refused as get_secret_vault,
  refused as get_secret_with_vault, refused as get_wallet_policies_by_owner, refused as get_wallet_policy,
  refused as has_wallet_policy, refused as resume_delete_payment_key, refused as set_subscription_plans,
  refused as store_agent_secret, refused as store_wallet_policy, refused as top_up_payment_key_with_near,
  refused as top_up_payment_key_with_token, refused as unbind_secret_vault, refused as unfreeze_wallet,
} from "./refused";
export { add_stake, begin_exit, register_node, set_node_status, withdraw_stake } from "./registry";
export { request_execution } from "./requests";
export {
  claim_and_resolve, drop_output_chunks, finalize_execution, resolve_execution, submit_execution_output,
  submit_execution_output_and_resolve, submit_output_chunk,
} from "./results";
export { appeal, clear_slash, get_penalties, take_slashed } from "./slashing";
export {
  delete_secrets, estimate_storage_cost, get_secrets, list_profiles, list_user_secrets, secrets_exist, store_secrets,
  update_access,
} from "./secrets";
export {
  cancel_stale_execution, clear_all_pending_requests, emergency_cancel_execution, on_execution_response,
} from "./settling";
export {
  ft_on_transfer, get_developer_earnings, get_user_stablecoin_balance, on_stablecoin_sent,
  withdraw_developer_earnings, withdraw_stablecoin_balance,
} from "./stablecoins";
export {
  estimate_execution_cost, get_config, get_event_metadata, get_lease, get_max_limits, get_network, get_node, get_nodes,
  get_payment_token_contract, get_pending_output, get_pending_records, get_pending_request_ids, get_pricing,
  get_pricing_full, get_proposal, get_request, get_stats, get_subscription_plans, has_pending_output, is_paused,
} from "./views";
