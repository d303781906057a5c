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

/** Locked by the protocol for every byte of state, in yocto. */
export const YOCTO_PER_BYTE: u64 = 10_000_000_000_000_000_000;

/** Gas kept for the callback: the longest output has to fit, whatever its escapes, and reading every byte of input. */
export const CALLBACK_GAS: u64 = 50_000_000_000_000;
export const CALLBACK_GAS_PER_INPUT_BYTE: u64 = 50_000_000;

/** A request that its yield did not settle can be cancelled by its caller after this many nanoseconds. */
export const STALE_NS: u64 = 600_000_000_000;
