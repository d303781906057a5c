/**
 * The bounds that the contract enforces. Those of the first group are `protocol/src/limits.ts`'s own figures (a test
 * compares them); the second group is the surface's and the contract's.
 */
export const MAX_ACCOUNT_ID_BYTES: i32 = 64;
export const MAX_INPUT_BYTES: i32 = 1_048_576;
export const MAX_URL_BYTES: i32 = 2_048;
export const MAX_NAME_BYTES: i32 = 256;
export const MAX_ERROR_BYTES: i32 = 512;
export const MAX_OUTPUT_BYTES: i32 = 262_144;
export const MAX_FORMER_HOLDERS: i32 = 50;
export const MAX_ATTESTATIONS: i32 = 144;

/**
 * Bytes that a request leaves uncovered for the answers to those that are open, a longest one among them, and an input that no event carries for
 * smaller requests besides: whoever fills the free balance with inputs must not keep an honest holder from answering.
 */
export const ANSWERS_RESERVE_BYTES: u64 = 400_000;
export const REQUESTS_RESERVE_BYTES: u64 = 700_000;

/** Earlier prices that open requests may still be charged by. */
export const MAX_OLD_PRICES: i32 = 8;

/** Hard limits of the surface; compilation is bounded by the nodes, the figure is only reported. */
export const MAX_INSTRUCTIONS: u64 = 500_000_000_000;
export const MAX_EXECUTION_SECONDS: u64 = 180;
export const MAX_COMPILATION_SECONDS: u64 = 300;

/** What a caller gets who names no limit. */
export const DEFAULT_INSTRUCTIONS: u64 = 1_000_000_000;
export const DEFAULT_MEMORY_MB: u32 = 128;
export const DEFAULT_EXECUTION_SECONDS: u64 = 60;

/** Inputs from here on stand in the state only: a call's logs hold 16,384 bytes. */
export const INPUT_IN_EVENT_BYTES: i32 = 10_000;
/** All logs of a call together (protocol 88), less what other lines of the call need. */
export const MAX_EVENT_BYTES: i32 = 16_000;

/** Blocks after which the protocol itself ends a yield (nearcore `yield_timeout_length_in_blocks`). */
export const YIELD_BLOCKS: u64 = 200;
/** A lease shorter than this would let one request see more former holders than its record holds. */
export const MIN_LEASE_BLOCKS: u32 = 4;
/** Seats of one account: bounds the tickets that every peer draws for it. */
export const MAX_SEATS: u32 = 1_024;
/** Elements of a page of requests or nodes. */
export const MAX_PAGE: u64 = 50;
/** Ids a page may hold: they are small. */
export const MAX_ID_PAGE: u64 = 1_000;
/** A page of records ends early rather than exceed this: a view returns at most 4 MiB. */
export const MAX_PAGE_BYTES: i32 = 3_145_728;

/** JSON: fields of one object, and nesting (serde_json's own limit). */
export const MAX_JSON_FIELDS: i32 = 64;
export const MAX_JSON_DEPTH: i32 = 128;

/** Recipes that are listed at a time. */
export const MAX_RECIPES: i32 = 16;
/** What the protocol counts for a record beside its key and value (nearcore `num_extra_bytes_record`). */
export const RECORD_OVERHEAD_BYTES: i32 = 40;

/** Locked by the protocol for every byte of state, in yocto. */
export const YOCTO_PER_BYTE: u64 = 10_000_000_000_000_000_000;

/** Gas kept for the callback: the longest output has to fit, whatever its escapes, and reading every byte of input. */
export const CALLBACK_GAS: u64 = 50_000_000_000_000;
export const CALLBACK_GAS_PER_INPUT_BYTE: u64 = 50_000_000;

/** A request that its yield did not settle can be cancelled by its caller after this many nanoseconds. */
export const STALE_NS: u64 = 600_000_000_000;

/** Level max (144 seats, 72 of them agreeing): what an answer needs that was objected to, or that another one contradicts. */
export const MAX_LEVEL_SEATS: u32 = 144;
export const MAX_LEVEL_QUORUM: u32 = 72;
/** Levels above the lowest, and the blocks that one may wait for objections. */
export const MAX_LEVELS: i32 = 8;
export const MAX_CHALLENGE_BLOCKS: u64 = 100;
/** Attestations beyond twice the quorum that a resolve may bring. */
export const EXTRA_ATTESTATIONS: i32 = 6;
/** Gas kept for the callback to credit each signer. */
export const CALLBACK_GAS_PER_ATTESTATION: u64 = 250_000_000_000;
/** Signers that fit {@link CALLBACK_GAS} even beside the longest answer. */
export const CALLBACK_FREE_ATTESTATIONS: i32 = 16;

/** A contradiction costs a tenth of the stake, of which whoever shows it gets a fifth: never worth provoking. */
export const SLASH_DIVISOR: u32 = 10;
export const SLASH_REWARD_DIVISOR: u32 = 5;
/** Stake epochs for which a request that is over can be disputed: a stake is free after two. */
export const DISPUTE_EPOCHS: u64 = 3;
/** Stake epochs for which slashed stake is frozen before it is taken. */
export const SLASH_DELAY_EPOCHS: u64 = 2;
/** A statement is a few hundred bytes; its base64. */
export const MAX_STATEMENT_BYTES: i32 = 2_048;
/** The longest output with its other fields. */
export const MAX_RESPONSE_BYTES: u64 = 266_240;

/** Projects: of an account, versions of one, and their names. */
export const MAX_PROJECTS: i32 = 100;
export const MAX_VERSIONS: i32 = 100;
export const MAX_PROJECT_NAME_BYTES: i32 = 64;
/** Account, "/" and name. */
export const MAX_PROJECT_ID_BYTES: i32 = 129;
/** Repository, "@" and commit. */
export const MAX_VERSION_KEY_BYTES: i32 = 2_305;
export const MAX_PRICED_PROJECTS: i32 = 200;
export const MAX_OPERATIONS: i32 = 32;

/** Secrets of an account; ciphertext (base64) and condition of one. */
export const MAX_SECRETS: i32 = 100;
export const MAX_SECRET_BYTES: i32 = 131_072;
export const MAX_PROFILE_BYTES: i32 = 64;
export const MAX_ACCESS_BYTES: i32 = 8_192;
export const MAX_CONDITIONS: i32 = 32;
export const MAX_CONDITION_DEPTH: i32 = 8;
export const MAX_WHITELIST: i32 = 100;

/** What a yield is resumed with (nearcore `max_yield_payload_size`). */
export const MAX_RESUME_BYTES: i32 = 1_024;

/** Keystore epochs: members and their shares together, and the blocks of a phase. */
export const MAX_MEMBERS: i32 = 128;
export const MAX_SHARES: u64 = 128;
export const MIN_PHASE_BLOCKS: u64 = 5;
export const MAX_PHASE_BLOCKS: u64 = 100_000;
