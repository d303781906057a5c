/**
 * A bound for everything that somebody else can make grow, each with its reason. The contract keeps the same
 * figures in `contract/assembly/limits.ts`; a test compares them.
 */

/** One encoded record or message: the contract's largest input plus room for its other fields. */
export const MAX_WIRE_BYTES = 4 << 20;
/** NEAR account ids are 2 to 64 bytes (nearcore `near-account-id`). */
export const MAX_ACCOUNT_ID_BYTES = 64;
/** A NEAR transaction holds 1,572,864 bytes; JSON around the input takes some of them. */
export const MAX_INPUT_BYTES = 1 << 20;
/** A repository or an address: longer than any that GitHub or IPFS gives out. */
export const MAX_URL_BYTES = 2_048;
/** Commit, build target, profile: names that people type. */
export const MAX_NAME_BYTES = 256;
/** Error texts of guests are cut to this (the surface's own limit for failures is 512). */
export const MAX_ERROR_BYTES = 512;
/** What a guest may print: one resolve transaction (1,572,864 bytes) must hold it even as a JSON array of numbers. */
export const MAX_OUTPUT_BYTES = 256 << 10;
/** Compiled guests: the surface's limit for WASM from an address. */
export const MAX_CODE_BYTES = 10 << 20;
/** Leases a request can see before its yield ends: 200 blocks at 4 blocks a lease. */
export const MAX_FORMER_HOLDERS = 50;
/** Attestations in one resolve: level max asks for 72. */
export const MAX_ATTESTATIONS = 144;
/** Requests a node keeps state for; above it the newest wait in the contract's view. */
export const MAX_OPEN_REQUESTS = 10_000;
/** Nodes a registry page can bring into memory. */
export const MAX_REGISTRY_NODES = 100_000;
/** Envelopes between peers: a reveal with its commitments at level max. */
export const MAX_MESSAGE_BYTES = 64 << 10;
/** Linear memory of a guest, whatever the caller asks for: 512 MiB in pages of 64 KiB; four engine children fit 2 GiB. */
export const MAX_GUEST_MEMORY_PAGES = 8_192;
/** Intents remembered for one lease: more claimants than this add nothing to the question who stays back. */
export const MAX_INTENTS = 32;
/** Messages kept for a lease that is not seen yet: a committee of level max, once. */
export const MAX_EARLY_MESSAGES = 144;
/** Of them by one sender: a commitment, a reveal, an attestation and a repetition. */
export const MAX_EARLY_MESSAGES_OF_SENDER = 4;
/** How far above the newest request here an intent may be: the requests of a few blocks that are still to be heard of. */
export const MAX_REQUESTS_AHEAD = 64;
/** Intents kept for requests that are not heard of yet, and of one sender among them. */
export const MAX_EARLY_INTENTS = 1_024;
export const MAX_EARLY_INTENTS_OF_SENDER = 16;
