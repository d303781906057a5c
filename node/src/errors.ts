/**
 * Errors that concern the person who runs the node. Where a peer's bad input is a `Rejection` and our own bug an
 * invariant, everything else that can go wrong in the drivers (disk, network, keys, configuration) is an
 * {@link OperatingError} whose code stands in the one table below, with what the operator can do about it.
 */

/** Every code of the node and what its operator can do. A new code is a new line here, nowhere else. */
export const OPERATOR_ADVICE = {
  // keys
  key_file_permissions: "Make the key file readable by its owner only: chmod 600 <file>.",
  key_file_malformed: "Restore the key file from a backup, or move it away to have a new key (and a new peer id) made.",
  key_file_unreadable: "Check that the key file and its directory exist and belong to the user who runs the node.",
  // peer-to-peer
  p2p_address_invalid: "Write the address as a multiaddr, for example /ip4/203.0.113.7/tcp/7100/p2p/12D3Koo....",
  p2p_network_id_invalid: "Use the chain id and contract account, for example testnet/outlayer.testnet.",
  p2p_listen_failed: "Another program may hold the port: change the listen address or stop that program.",
  p2p_not_running: "The peer-to-peer host has stopped; restart the node.",
  gossip_too_large: "The message is larger than the network carries; send it as content and gossip its hash.",
  gossip_failed: "The message could not be published; look at the peers and the log around this line.",
  direct_too_large: "The message is larger than a direct frame may be; send it as content by hash.",
  direct_queue_full: "The peer takes frames more slowly than they are made; check the connection to it.",
  peer_unreachable: "The peer could not be dialled or closed the stream; check bootstrap addresses and firewalls.",
  content_invalid_hash: "A content hash is 32 bytes (sha-256), or a CIDv1 of raw sha-256 in text.",
  content_not_found: "No provider was found in time; retry later, or check that this node has DHT peers.",
  content_unavailable: "Providers were found and each failed; the context names them and why.",
  content_too_large: "The content is larger than the caller allows; raise the limit only if that is intended.",
  content_announce_failed: "The DHT took no provider record; check that this node has peers.",
  content_aborted: "The fetch was cancelled by its caller; nothing needs doing.",
  // configuration
  config_unreadable: "The configuration file must exist and hold one JSON object.",
  config_invalid: "Correct the named values; `outlayer-node config print` shows where each value comes from.",
  // chain
  rpc_failed: "The NEAR endpoint did not answer: check its address, or name a second one with --rpc.",
  rpc_answer_malformed:
    "The NEAR endpoint answered in an unknown shape: use an endpoint that runs nearcore's JSON-RPC.",
  block_unknown:
    "The NEAR endpoint lacks a block that it named: several machines may answer in turn. Name another one with --rpc.",
  chain_went_back: "The endpoint's head is far behind what was seen before: it serves another chain, or an old state.",
  contract_record_malformed: "The contract's records are of another version: use the node version that belongs to it.",
  account_key_unusable: "The account key file must hold the private key of an access key of the account.",
  registration_refused: "The contract did not take the registration: the reason names what to change.",
  transaction_queue_full: "Transactions wait for a free access key: add keys to the account key file.",
  transaction_unsent: "The transaction did not reach the chain: check the account's balance, its key and the endpoint.",
  // development network
  dev_process_failed: "Look at what the process said; npm start -- --verbose shows all logs.",
  dev_guest_unusable: "Name a guest of wasi-examples or a .wasm file.",
  dev_request_failed: "The request ended without the receipt that was asked for; npm start -- --verbose shows why.",
  // engine
  engine_sandbox_missing: "Install bubblewrap and allow user namespaces, or set engineSandbox to auto or off.",
  // local HTTP server
  http_listen_failed: "Name a free port, or an address of this machine, for the local page and API.",
  // store
  store_locked: "Another process has this data directory open; stop it, or choose another directory.",
  store_unreadable: "Check disk space, and that the data directory belongs to the user who runs the node.",
  store_corrupted: "The database is damaged; restore the directory from a backup or move it away and start anew.",
  store_schema_newer: "The data was written by a newer version; install that version or choose another directory.",
  store_record_invalid: "A record does not fit the store's limits; the context says which.",
  store_full: "The store's capacity is taken by pinned content; raise the capacity or release pins.",
  store_closed: "The store was closed; restart the node.",
} as const satisfies Record<string, string>;

export type OperatingErrorCode = keyof typeof OPERATOR_ADVICE;

/** Facts that help to find the cause. Values are printable; never put secrets here. */
export type ErrorContext = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;

export class OperatingError extends Error {
  override readonly name = "OperatingError";
  readonly code: OperatingErrorCode;
  readonly context: ErrorContext;

  constructor(code: OperatingErrorCode, context: ErrorContext = {}, cause?: unknown) {
    super(describe(code, context, cause), cause === undefined ? undefined : { cause });
    this.code = code;
    this.context = context;
  }

  /** What the operator can do. */
  get advice(): string {
    return OPERATOR_ADVICE[this.code];
  }
}

export function isOperatingError(error: unknown, code?: OperatingErrorCode): error is OperatingError {
  return error instanceof OperatingError && (code === undefined || error.code === code);
}

function describe(code: string, context: ErrorContext, cause: unknown): string {
  const facts = Object.entries(context)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
  const because = cause instanceof Error ? `: ${cause.message}` : "";
  return `${code}${facts ? ` (${facts})` : ""}${because}`;
}
