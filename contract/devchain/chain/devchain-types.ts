/** What the chain is made of, asked with, and answers with. */
import type { Hash } from "../codec/hash.ts";
import type { FunctionCallFailure } from "../vm/vm-error.ts";
import type { StatePatch } from "./snapshot.ts";
import type { Block } from "./types.ts";

export interface GenesisAccount {
  readonly accountId: string;
  readonly balanceYocto: bigint;
  /** Gets full access. */
  readonly publicKey?: string;
  readonly code?: Uint8Array;
}

export interface DevChainOptions {
  readonly chainId: string;
  /** Determines every `random_seed` of the chain. */
  readonly seed: string;
  readonly genesisTimestampNs: bigint;
  /** How far a block without a timestamp of its own moves time. */
  readonly blockIntervalMs: number;
  /** How many blocks the final block lags behind the head. */
  readonly finalityLagBlocks?: number;
  /** How many blocks, with their states, changes and outcomes, can still be asked for. */
  readonly historyBlocks?: number;
  /** How long an epoch is: when stakes take effect and come back. Default 43,200, as on mainnet. */
  readonly epochBlocks?: number;
  /** The least that may be staked. Default 1,000 NEAR; on mainnet it follows from what others stake. */
  readonly minimumStakeYocto?: bigint;
  /**
   * Writes and removals pay for the trie nodes that they touch, as many as this chain's own records make. Off by
   * default: on a network the number also depends on who else lives in the shard.
   */
  readonly trieNodes?: boolean;
  /**
   * Transactions of one key land in an order of chance, as they do when several nodes take them: a nonce that comes
   * too early kills the lower ones. The order follows from the seed.
   */
  readonly shuffleTransactions?: boolean;
  /** The head can be taken back (`dropHead`), which costs some time in each block. */
  readonly droppableHead?: boolean;
  readonly accounts: readonly GenesisAccount[];
}

/** What a fork of a chain takes over. */
export type ForkOptions = Omit<
  DevChainOptions,
  "accounts" | "genesisTimestampNs" | "shuffleTransactions" | "droppableHead"
>;

export const GENESIS_HEIGHT = 1;

export type Finality = "optimistic" | "near-final" | "final";
/** `earliest`: the oldest block that is kept. */
export type BlockReference = Finality | "earliest" | number | Hash;

/** What a block was made from: enough to make it again. */
export interface BlockInputs {
  readonly timestampNs: bigint;
  readonly transactions: readonly Uint8Array[];
  /** Put into the state before anything else. */
  readonly patches: readonly StatePatch[];
}

/** Everything that moves a chain. */
export type ChainInput =
  | { readonly kind: "block"; readonly block: Block; readonly inputs: BlockInputs }
  | { readonly kind: "snapshot"; readonly id: number }
  | { readonly kind: "revert"; readonly id: number }
  /** The head was taken back. */
  | { readonly kind: "drop" };
export type InputListener = (input: ChainInput) => void;

export type BlockListener = (block: Block, inputs: BlockInputs) => void;

export interface ViewResult {
  readonly result: Uint8Array;
  readonly logs: readonly string[];
  readonly block: Block;
}

export type DevChainErrorCode =
  | "INVALID_OPTIONS"
  | "INVALID_PATCH"
  | "NOTHING_TO_DROP"
  | "TIMESTAMP_NOT_LATER"
  | "UNKNOWN_BLOCK"
  | "UNKNOWN_ACCOUNT"
  | "NO_CONTRACT_CODE"
  | "CONTRACT_EXECUTION_ERROR"
  | "MEMPOOL_FULL"
  | "UNKNOWN_SNAPSHOT"
  | "TOO_MANY_SNAPSHOTS";

export class DevChainError extends Error {
  readonly code: DevChainErrorCode;
  /** The block a view looked at. */
  readonly block: Block | undefined;
  /** Of `CONTRACT_EXECUTION_ERROR`. */
  readonly failure: FunctionCallFailure | undefined;
  constructor(
    code: DevChainErrorCode,
    message: string,
    context: { block?: Block; failure?: FunctionCallFailure } = {},
  ) {
    super(message);
    this.name = "DevChainError";
    this.code = code;
    this.block = context.block;
    this.failure = context.failure;
  }
}
