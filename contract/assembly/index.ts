/**
 * The OutLayer contract: what it exports is its surface, and nothing else is callable.
 *
 * A contract calls `request_execution` and is suspended; nodes claim a lease, run the guest and sign what they found;
 * `resolve_execution` accepts an answer with enough signatures and resumes the caller, for whom
 * `on_execution_response` settles the money. What is stored and signed is specified in `protocol/src/wire`.
 */
export { initialize as new, set_operator, set_owner, set_paused, set_pricing } from "./admin";
export { claim_lease } from "./leases";
export { get_earnings, on_refund, withdraw_earnings } from "./money";
export { add_stake, begin_exit, register_node, set_node_status, withdraw_stake } from "./registry";
export { request_execution } from "./requests";
export { cancel_stale_execution, on_execution_response, resolve_execution } from "./results";
export {
  estimate_execution_cost, get_config, get_lease, get_max_limits, get_network, get_node, get_nodes,
  get_pending_records, get_pending_request_ids, get_pricing, get_request, get_stats, is_paused,
} from "./views";
