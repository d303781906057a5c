/**
 * What the capital letters of the table of methods stand for, and what its arguments mean: what the ABI says beside names
 * and types. Shapes that are arguments have their fields, in the types of `methods.ts`; answers have the words of
 * docs/spec/contract.md.
 */

export type Shape =
  /** An object of these fields. */
  | { readonly about: string; readonly fields: Readonly<Record<string, string>> }
  /** An object of exactly one of these, each an object of fields, or a type. */
  | { readonly about: string; readonly oneOf: Readonly<Record<string, string | Readonly<Record<string, string>>>> }
  /** Described in words alone. */
  | { readonly about: string };

const attested = {
  lease_epoch: "u32",
  holder: "account",
  code_hash: "hash",
  response_hash: "hash?",
  tape_hash: "hash?",
  recipe_id: "hash?",
  details_hash: "hash?",
  attestations: "Attestation[]",
} as const;

export const SHAPES: Readonly<Record<string, Shape>> = {
  Access: {
    about:
      'Who may use a secret: "AllowAll", or an object of one of Whitelist, AccountPattern, NearBalance, FtBalance, NftOwned, DaoMember, Not, Logic. The contract checks its structure; key holders judge it.',
  },
  Accessor: {
    about: "What code a secret is for.",
    oneOf: {
      Repo: { repo: "text", branch: "text?" },
      WasmHash: { hash: "hash" },
      Project: { project_id: "text" },
      System: "text",
    },
  },
  Attestation: {
    about: "A node's signature (Ed25519, 64 bytes, base64) over the statement of an answer or a build.",
    fields: { account_id: "account", seat: "u32", signature: "base64" },
  },
  AttestedResult: {
    about: "An answer with its signatures (response_hash, tape_hash), or a build (recipe_id, details_hash).",
    fields: attested,
  },
  Build: { about: "The code that a source is bound to, by what recipe, and how strongly." },
  KeystoreEpoch: { about: "Members, threshold, phases and keys of one generation of the keystore." },
  KeystorePosts: { about: "What one member posted in a keystore epoch, base64." },
  Lease: { about: "Who holds a request, until what height, with what ticket (a decimal text)." },
  Level: {
    about:
      "What an answer needs and costs: seats and signers, and a base fee in yocto, above that of the level before.",
    fields: { replay_seats: "u32", quorum: "u32", replicas: "u32?", challenge_blocks: "u32?", base_fee: "yocto" },
  },
  Limits: {
    about:
      "Most of each that may be spent: instructions of fuel (at most 500 * 10^9), MiB of memory, seconds (at most 180).",
    fields: { max_instructions: "u64?", max_memory_mb: "u64?", max_execution_seconds: "u64?" },
  },
  Member: {
    about: "A member of a keystore epoch, with the key (base64) that its shares are encrypted to.",
    fields: { account_id: "account", shares: "u32", encryption_key: "base64" },
  },
  Network: {
    about:
      "Parameters of the network, all but the last three fixed for good: stakes in yocto, durations in blocks, shares in basis points (1/10,000).",
    fields: {
      chain_id: "text?",
      seat_stake: "yocto?",
      stake_epoch_blocks: "u64?",
      bootstrap_blocks: "u64?",
      lease_blocks: "u64?",
      instructions_per_block: "u64?",
      replay_seats: "u32?",
      replicas: "u32?",
      quorum: "u32?",
      deadline_reserve_blocks: "u64?",
      holder_share_bps: "u16?",
      challenge_blocks: "u64?",
      lease_penalty: "yocto?",
      objection_bond: "yocto?",
      timelock_blocks: "u64?",
      builder_share_bps: "u16?",
      keystore_share_bps: "u16?",
      levels: "Level[]?",
    },
  },
  NetworkState: {
    about: "The parameters of `new`, heights, epochs, totals, liabilities in yocto, levels from the lowest on.",
  },
  Node: {
    about:
      "A registered node: key, stake in yocto, seats, whether it drains or leaves, and `record`, the stored bytes in base64.",
  },
  Output: {
    about: "What the guest gave: bytes (each a number from 0 to 255), a text, or any JSON.",
    oneOf: { Bytes: "u8[]", Text: "text", Json: "json" },
  },
  Params: {
    about: "How to run it; `attached_usd` is millionths of the payment token, taken from the caller's balance.",
    fields: {
      force_rebuild: "bool?",
      store_on_fastfs: "bool?",
      compile_only: "bool?",
      use_bound_identity: "bool?",
      project_uuid: "text?",
      attached_usd: "usd?",
    },
  },
  Penalties: { about: "What of a node's stake is frozen (yocto), why, and until what height." },
  PendingOutput: { about: "Digest (hexadecimal) and length in bytes of an output that was announced." },
  PendingRecord: { about: "`{request, lease, outcome, proposal, objected}`: the stored records in base64." },
  PricedOperation: {
    about: "What one operation costs, in millionths of the payment token, and the author's basis points of it.",
    fields: { operation: "text", price_usd: "usd", developer_share_bp: "u16" },
  },
  Pricing: {
    about: "What a project's operations cost, and who wrote it.",
    fields: { author_account_id: "account", operations: "PricedOperation[]" },
  },
  Prices: {
    about: "Base fee, and yocto for each million instructions, each millisecond and each millisecond of compilation.",
  },
  Project: { about: "A project: owner, name, uuid and active version." },
  Proposal: { about: "`{final_height, response_hash, objector}` of an answer that waits for objections." },
  Request: {
    about: "An open request: source, limits, payment in yocto, deadline_height, stake_epoch, seats_total, level.",
  },
  Resources: {
    about: "What the run took: instructions of fuel, and milliseconds.",
    fields: { instructions: "u64", time_ms: "u64", compile_time_ms: "u64?" },
  },
  Response: {
    about: "What the guest answered; `refund_usd` is millionths of the payment token.",
    fields: {
      success: "bool",
      output: "Output?",
      error: "text?",
      resources_used: "Resources",
      compilation_note: "text?",
      refund_usd: "u64?",
    },
  },
  Secret: {
    about: "An encrypted secret: accessor, profile, access, ciphertext, times in nanoseconds, deposit in yocto.",
  },
  SecretsRef: {
    about: "The secrets of an account that the run may ask for.",
    fields: { profile: "text", account_id: "account" },
  },
  SignedStatement: {
    about: "A statement as nodes sign it (Borsh, base64), and the signature over its digest (base64).",
    fields: { statement: "base64", signature: "base64" },
  },
  Source: {
    about:
      "The code to run: a commit, a file by its SHA-256, or a version of a project, the active one if none is named.",
    oneOf: {
      GitHub: { repo: "text", commit: "text", build_target: "text?" },
      WasmUrl: { url: "text", hash: "hash", build_target: "text?" },
      Project: { project_id: "text", version_key: "text?" },
    },
  },
  Stats: { about: "How many requests were made and ended, and how." },
  TopUpResult: {
    about: "The operator's answer to a top-up: the key's new ciphertext, or why there is none.",
    oneOf: { Success: { new_encrypted_data: "text" }, Error: { message: "text" } },
  },
  Version: { about: "A version of a project: its key, source and when it was added." },
};

/** By an argument's name; what is not here has the description of its type. */
export const ARGUMENTS: Readonly<Record<string, string>> = {
  attest_blocks: "length of the phase of attestations, in blocks",
  base_fee: "what every answer costs, in yocto",
  builder_share_bps: "part of a charge for who signed the build, in basis points (1/10,000)",
  code_hash: "SHA-256 of the WebAssembly that ran, hexadecimal",
  complaint_blocks: "length of the phase of complaints, in blocks",
  data: "the next bytes of the response in Borsh, base64",
  deal_blocks: "length of the phase of deals, in blocks",
  draining: "true: take no leases any more",
  encrypted_secrets_base64: "ciphertext for the keystore, base64, at most 128 KiB",
  epoch: "number of the keystore epoch; the active one if absent, where that is allowed",
  from_index: "how many to pass over; 0 if absent",
  from_request_id: "the first request to show",
  input_data: "the guest's input; absent or empty for a request that only compiles",
  keystore_share_bps: "part of a charge for who keeps the secrets, in basis points (1/10,000)",
  lease_epoch: "how often the request's lease went to another node before",
  level: "number of the level, 0 the lowest; without it the lowest one's estimate",
  limit: "how many at most; the method's own bound if absent",
  msg: 'JSON: {"action":"deposit_balance"} or {"action":"top_up_payment_key","nonce","owner"?}',
  nonce: "number of the payment key",
  offset: "of the first byte of data in the response, in bytes",
  payer_account_id: "who gets what is left of the deposit; the caller if absent",
  per_compile_ms_fee: "for each millisecond of compilation, in yocto",
  per_instruction_fee: "for each million instructions of fuel, in yocto",
  per_ms_fee: "for each millisecond, in yocto; counts in estimates only",
  profile: "name of the secret, one among those of its accessor",
  project_id: "`owner/name`",
  proof: "the key's own signature over the registration, base64",
  public_key: "`ed25519:<base58>`",
  recipe_id: "SHA-256 that names the recipe of a build, hexadecimal",
  request: "the stored request record, base64: both sides signed its hash",
  request_id: "number of the request",
  response_bytes: "length of the response in Borsh, in bytes",
  response_format: "Bytes, Text or Json",
  response_hash: "SHA-256 of the response in Borsh, hexadecimal",
  seat: "number of one of the account's seats for the request",
  tape_hash: "SHA-256 of the record of what the run asked of the outside, hexadecimal",
  threshold: "how many shares make the key",
  token_contract: "account of the payment token; none if absent",
  vault_id: "refused (VaultsUnavailable)",
  version_key: "hash of the code, or `repository@commit`",
};
