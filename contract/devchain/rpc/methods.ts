/** The JSON-RPC methods by name. */
import type { DevChain } from "../chain/devchain.ts";
import { PROTOCOL_CONFIG, PROTOCOL_VERSION } from "../parameters/protocol-config.ts";
import { changes, changesInBlock } from "./changes.ts";
import { Params } from "./params.ts";
import { query, requireBlock } from "./queries.ts";
import { handlerError, methodNotFound } from "./rpc-error.ts";
import { fastForward, patchState, revert, takeSnapshot } from "./sandbox.ts";
import type { TransactionService } from "./transactions.ts";
import { epochStart, validators } from "./validators.ts";
import { BLOCK_PRODUCER, blockView, chunkView, epochIdOf, receiptView } from "./views.ts";

type Method = (params: unknown) => object | string | Promise<object>;

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
    rpc_addr: null,
    validators: [],
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

function protocolConfig(chain: DevChain): object {
  return {
    protocol_version: PROTOCOL_VERSION,
    chain_id: chain.chainId,
    genesis_height: 0,
    epoch_length: chain.epochBlocks,
    min_gas_price: chain.gasPrice.toString(),
    max_gas_price: chain.gasPrice.toString(),
    gas_limit: 1_000_000_000_000_000,
    num_block_producer_seats: 1,
    runtime_config: PROTOCOL_CONFIG,
    transaction_validity_period: 86_400,
    minimum_stake_ratio: [1, 6250],
    max_inflation_rate: [0, 1],
    protocol_reward_rate: [0, 1],
  };
}

function chunk(chain: DevChain, params: Params): object {
  if (params.has("block_id")) return chunkView(chain, requireBlock(chain, params.blockId("block_id")));
  const hash = params.hash("chunk_id");
  try {
    return chunkView(chain, requireBlock(chain, hash));
  } catch {
    throw handlerError("UNKNOWN_CHUNK", { chunk_hash: hash }, `Chunk Missing (unavailable on the node): ${hash}`);
  }
}

function receipt(chain: DevChain, params: Params): object {
  const id = params.hash("receipt_id");
  const found = chain.transactions.receipt(id);
  if (found === undefined) {
    throw handlerError("UNKNOWN_RECEIPT", { receipt_id: id }, `Receipt with id ${id} has never been observed`);
  }
  return receiptView(found);
}

/** All methods over one chain; anything else is `METHOD_NOT_FOUND`. */
export function createMethods(chain: DevChain, transactions: TransactionService): (name: string) => Method {
  const signed = ["signed_tx_base64"];
  const byHash = ["tx_hash", "sender_account_id"];
  const methods = new Map<string, Method>(
    Object.entries<Method>({
      status: () => statusOf(chain),
      health: () => ({}),
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
      chunk: (params) => chunk(chain, Params.parse(params, ["chunk_id"])),
      gas_price: (params) => {
        const parsed = Params.parse(params, ["block_id"]);
        if (parsed.has("block_id")) requireBlock(chain, parsed.blockId("block_id"));
        return { gas_price: chain.gasPrice.toString() };
      },
      validators: (params) => validators(chain, Params.parse(params, ["block_id"])),
      query: (params) => query(chain, Params.parse(params)),
      send_tx: (params) => transactions.send(Params.parse(params, signed)),
      broadcast_tx_async: (params) => transactions.submit(Params.parse(params, signed).base64("signed_tx_base64")),
      broadcast_tx_commit: (params) => transactions.commit(Params.parse(params, signed)),
      tx: (params) => transactions.status(Params.parse(params, byHash), false),
      EXPERIMENTAL_tx_status: (params) => transactions.status(Params.parse(params, byHash), true),
      EXPERIMENTAL_receipt: (params) => receipt(chain, Params.parse(params, ["receipt_id"])),
      EXPERIMENTAL_changes: (params) => changes(chain, Params.parse(params)),
      EXPERIMENTAL_changes_in_block: (params) => changesInBlock(chain, Params.parse(params)),
      sandbox_fast_forward: (params) => fastForward(chain, Params.parse(params, ["delta_height"])),
      sandbox_patch_state: (params) => patchState(chain, Params.parse(params, ["records"])),
      sandbox_snapshot: () => takeSnapshot(chain),
      sandbox_revert: (params) => revert(chain, Params.parse(params, ["snapshot_id"])),
      EXPERIMENTAL_protocol_config: (params) => {
        requireBlock(chain, Params.parse(params).blockReference());
        return protocolConfig(chain);
      },
    }),
  );
  // Names without the prefix that nearcore is moving to.
  for (const name of ["changes", "receipt", "protocol_config", "tx_status"]) {
    methods.set(name, methods.get(`EXPERIMENTAL_${name}`)!);
  }
  return (name) => {
    const method = methods.get(name);
    if (method === undefined) throw methodNotFound(name);
    return method;
  };
}
