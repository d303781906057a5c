/** The JSON-RPC methods by name. */
import { BLOCK_GAS_LIMIT, type DevChain } from "../chain/devchain.ts";
import { DevChainError, GENESIS_HEIGHT } from "../chain/devchain-types.ts";
import type { Block } from "../chain/types.ts";
import { PROTOCOL_CONFIG, PROTOCOL_VERSION } from "../parameters/protocol-config.ts";
import { changes, changesInBlock } from "./changes.ts";
import type { FastForward } from "./fast-forward.ts";
import { Params } from "./params.ts";
import { query, REQUEST_TYPES } from "./queries.ts";
import { parseQueryParams } from "./query-path.ts";
import { handlerError, methodNotFound } from "./rpc-error.ts";
import { fastForward, patchState, revert, takeSnapshot } from "./sandbox.ts";
import type { TransactionService } from "./transactions.ts";
import { requireBlock } from "./unknown-block.ts";
import { epochStart, validators, validatorsOrdered } from "./validators.ts";
import { BLOCK_PRODUCER, blockView, chunkView, epochIdOf, receiptView } from "./views.ts";

type Method = (params: unknown) => object | string | null | Promise<object | string>;

const isoTime = (timestampNs: bigint) => {
  const seconds = new Date(Number(timestampNs / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${(timestampNs % 1_000_000_000n).toString().padStart(9, "0")}Z`;
};

export function statusOf(chain: DevChain): object {
  const { head, oldestBlock } = chain;
  return {
    version: { version: "devchain", build: "embedded", commit: "embedded", rustc_version: "none" },
    chain_id: chain.chainId,
    protocol_version: PROTOCOL_VERSION,
    latest_protocol_version: PROTOCOL_VERSION,
    genesis_hash: chain.genesisHash,
    validators: validatorsOrdered(chain, Params.parse(undefined)).map((stake) => ({ account_id: stake.account_id })),
    sync_info: {
      latest_block_hash: head.hash,
      latest_block_height: head.height,
      latest_state_root: head.stateRoot,
      latest_block_time: isoTime(head.timestampNs),
      syncing: false,
      earliest_block_hash: oldestBlock.hash,
      earliest_block_height: oldestBlock.height,
      earliest_block_time: isoTime(oldestBlock.timestampNs),
      epoch_id: epochIdOf(chain, head),
      epoch_start_height: epochStart(chain, head.height),
    },
    validator_account_id: null,
    validator_public_key: null,
    node_public_key: `ed25519:${"1".repeat(32)}`,
    node_key: null,
    uptime_sec: 0,
  };
}

/** Of nearcore's `ProtocolConfigView`, what a chain without validators has; rates and thresholds are mainnet's. */
function protocolConfig(chain: DevChain): object {
  return {
    protocol_version: PROTOCOL_VERSION,
    genesis_time: isoTime(chain.genesisTimestampNs),
    chain_id: chain.chainId,
    genesis_height: GENESIS_HEIGHT,
    num_block_producer_seats: 1,
    dynamic_resharding: false,
    protocol_upgrade_stake_threshold: [4, 5],
    epoch_length: chain.epochBlocks,
    gas_limit: BLOCK_GAS_LIMIT,
    min_gas_price: chain.gasPrice.toString(),
    max_gas_price: chain.gasPrice.toString(),
    block_producer_kickout_threshold: 0,
    chunk_producer_kickout_threshold: 0,
    chunk_validator_only_kickout_threshold: 0,
    target_validator_mandates_per_shard: 1,
    online_min_threshold: [9, 10],
    online_max_threshold: [99, 100],
    gas_price_adjustment_rate: [0, 1],
    runtime_config: PROTOCOL_CONFIG,
    transaction_validity_period: 86_400,
    protocol_reward_rate: [0, 1],
    max_inflation_rate: [0, 1],
    num_blocks_per_year: 31_536_000,
    protocol_treasury_account: BLOCK_PRODUCER,
    fishermen_threshold: "0",
    minimum_stake_divisor: 10,
    max_kickout_stake_perc: 0,
    minimum_stake_ratio: [1, 62_500],
    shuffle_shard_assignment_for_chunk_producers: false,
    minimum_validators_per_shard: 1,
    shard_layout: { V0: { num_shards: 1, version: 0 } },
  };
}

/** The chunk of a block, by its hash or by the block and shard 0. */
function chunkBlock(chain: DevChain, params: Params): Block {
  if (params.has("block_id")) {
    const shard = params.integer("shard_id");
    const block = requireBlock(chain, params.blockId("block_id"));
    if (shard !== 0) throw handlerError("INVALID_SHARD_ID", { shard_id: shard }, `Shard id ${shard} does not exist`);
    return block;
  }
  const hash = params.hash("chunk_id");
  try {
    return chain.block(hash);
  } catch (error) {
    if (!(error instanceof DevChainError) || error.code !== "UNKNOWN_BLOCK") throw error;
    const missing = `Chunk Missing (unavailable on the node): ChunkHash(\`${hash}\`) \n Cause: Unknown`;
    throw handlerError("UNKNOWN_CHUNK", { chunk_hash: hash }, missing);
  }
}

/** `[chunk_id]` or `[block_id, shard_id]`, or the same by name. */
function parseChunkParams(params: unknown): Params {
  const byBlock = Array.isArray(params) && params.length > 1;
  return Params.parse(params, byBlock ? ["block_id", "shard_id"] : ["chunk_id"]);
}

function genesisConfig(chain: DevChain): object {
  const { runtime_config: _, ...config } = protocolConfig(chain) as Record<string, unknown>;
  return { ...config, validators: [], total_supply: "0" };
}

function receipt(chain: DevChain, params: Params): object {
  const id = params.hash("receipt_id");
  const found = chain.transactions.receipt(id);
  if (found === undefined) {
    const cause = { info: { receipt_id: id }, name: "UNKNOWN_RECEIPT" };
    throw handlerError("UNKNOWN_RECEIPT", cause.info, cause);
  }
  return receiptView(found);
}

/** All methods over one chain; anything else is `METHOD_NOT_FOUND`. */
export function createMethods(
  chain: DevChain,
  transactions: TransactionService,
  making: FastForward,
): (name: string) => Method {
  const signed = ["signed_tx_base64"];
  const byHash = ["tx_hash", "sender_account_id"];
  const methods = new Map<string, Method>(
    Object.entries<Method>({
      status: () => statusOf(chain),
      health: () => null,
      network_info: () => ({
        active_peers: [],
        num_active_peers: 0,
        peer_max_count: 0,
        sent_bytes_per_sec: 0,
        received_bytes_per_sec: 0,
        known_producers: [{ account_id: BLOCK_PRODUCER, addr: null, peer_id: `ed25519:${"1".repeat(32)}` }],
      }),
      block: (params) => {
        const parsed = Params.parse(params, ["block_id"]);
        return blockView(chain, requireBlock(chain, parsed.blockReference()));
      },
      chunk: (params) => chunkView(chain, chunkBlock(chain, parseChunkParams(params))),
      gas_price: (params) => {
        const parsed = Params.parse(params, ["block_id"]);
        if (parsed.has("block_id")) requireBlock(chain, parsed.blockId("block_id"));
        return { gas_price: chain.gasPrice.toString() };
      },
      validators: (params) => validators(chain, Params.parse(params, ["block_id"])),
      query: (params) => query(chain, parseQueryParams(params)),
      send_tx: (params) => making.whenDone(() => transactions.send(Params.parse(params, signed))),
      broadcast_tx_async: (params) =>
        making.whenDone(() => transactions.submit(Params.parse(params, signed).base64("signed_tx_base64"))),
      broadcast_tx_commit: (params) => making.whenDone(() => transactions.commit(Params.parse(params, signed))),
      tx: (params) => transactions.status(Params.parse(params, byHash), false),
      EXPERIMENTAL_tx_status: (params) => transactions.status(Params.parse(params, byHash), true),
      EXPERIMENTAL_receipt: (params) => receipt(chain, Params.parse(params, ["receipt_id"])),
      EXPERIMENTAL_changes: (params) => changes(chain, Params.parse(params)),
      EXPERIMENTAL_changes_in_block: (params) => changesInBlock(chain, Params.parse(params)),
      sandbox_fast_forward: (params) => fastForward(making, Params.parse(params, ["delta_height"])),
      sandbox_patch_state: (params) => making.whenDone(() => patchState(chain, Params.parse(params, ["records"]))),
      sandbox_snapshot: () => making.whenDone(() => takeSnapshot(chain)),
      sandbox_revert: (params) => making.whenDone(() => revert(chain, Params.parse(params, ["snapshot_id"]))),
      EXPERIMENTAL_protocol_config: (params) => {
        requireBlock(chain, Params.parse(params).blockReference(), "config");
        return protocolConfig(chain);
      },
      EXPERIMENTAL_genesis_config: () => genesisConfig(chain),
      EXPERIMENTAL_congestion_level: (params) => {
        chunkBlock(chain, parseChunkParams(params));
        return { congestion_level: 0 };
      },
      EXPERIMENTAL_validators_ordered: (params) => validatorsOrdered(chain, Params.parse(params, ["block_id"])),
      EXPERIMENTAL_maintenance_windows: (params) => {
        Params.parse(params, ["account_id"]).accountId("account_id");
        return [];
      },
    }),
  );
  // Names without the prefix that nearcore is moving to.
  for (const name of ["changes", "receipt", "protocol_config", "tx_status", "genesis_config", "maintenance_windows"]) {
    methods.set(name, methods.get(`EXPERIMENTAL_${name}`)!);
  }
  methods.set("block_effects", methods.get("EXPERIMENTAL_changes_in_block")!);
  for (const type of REQUEST_TYPES.filter((name) => !name.includes("global"))) {
    methods.set(`EXPERIMENTAL_${type}`, (params) => query(chain, Params.parse(params), type));
  }
  return (name) => {
    const method = methods.get(name);
    if (method === undefined) throw methodNotFound(name);
    return method;
  };
}
