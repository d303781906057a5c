/** `validators`: who has a stake in an epoch. They produce nothing here, so every count of blocks and chunks is 0. */
import type { DevChain } from "../chain/devchain.ts";
import { type BlockReference, DevChainError } from "../chain/devchain-types.ts";
import type { Stake } from "../chain/state.ts";
import type { Block } from "../chain/types.ts";
import type { Params } from "./params.ts";
import { handlerError } from "./rpc-error.ts";
import { epochIdOf } from "./views.ts";

export function epochStart(chain: DevChain, height: number): number {
  return (chain.epochHeight(height) - 1) * chain.epochBlocks;
}

const NOTHING_PRODUCED = {
  is_slashed: false,
  shards: [0],
  shards_endorsed: [0],
  num_produced_blocks: 0,
  num_expected_blocks: 0,
  num_produced_chunks: 0,
  num_expected_chunks: 0,
  num_produced_chunks_per_shard: [0],
  num_expected_chunks_per_shard: [0],
  num_produced_endorsements: 0,
  num_expected_endorsements: 0,
  num_produced_endorsements_per_shard: [0],
  num_expected_endorsements_per_shard: [0],
};

/** Here a block that is not there means an epoch that is not. */
function knownBlock(chain: DevChain, reference: BlockReference): Block {
  try {
    return chain.block(reference);
  } catch (error) {
    if (!(error instanceof DevChainError) || error.code !== "UNKNOWN_BLOCK") throw error;
    throw handlerError("UNKNOWN_EPOCH", {}, "Unknown Epoch");
  }
}

/** The block as of which the epoch asked about is told: its last one, or the head in the running epoch. */
function lastBlock(chain: DevChain, params: Params): Block {
  const { head } = chain;
  const endOf = (start: number) => Math.min(head.height, start + chain.epochBlocks - 1);
  if (params.has("epoch_id")) {
    const epochId = params.hash("epoch_id");
    for (let start = epochStart(chain, head.height); start >= 0; start -= chain.epochBlocks) {
      const height = endOf(start);
      if (height < chain.oldestBlock.height) break;
      const block = chain.block(height);
      if (epochIdOf(chain, block) === epochId) return block;
    }
    throw handlerError("UNKNOWN_EPOCH", {}, "Unknown Epoch");
  }
  if (!params.has("block_id")) return head;
  const block = knownBlock(chain, params.blockId("block_id"));
  if (block.height === endOf(epochStart(chain, block.height))) return block;
  throw handlerError("VALIDATOR_INFO_UNAVAILABLE", {}, "Validator info unavailable");
}

/** `{block_id}`, `{epoch_id}`, or the running epoch: by null or without either. */
export function validators(chain: DevChain, params: Params): object {
  const block = lastBlock(chain, params);
  const state = chain.stateAt(block.height);
  const stakes = state.accounts("stake").map((accountId) => ({ accountId, ...state.get("stake", accountId, "")! }));
  const listed = (amount: (stake: Stake) => bigint | undefined, fields: object) =>
    stakes.flatMap((stake) => {
      const yocto = amount(stake);
      if (yocto === undefined) return [];
      return [{ account_id: stake.accountId, public_key: stake.publicKey, stake: yocto.toString(), ...fields }];
    });
  const unlessNothing = (yocto: bigint) => (yocto > 0n ? yocto : undefined);
  return {
    current_validators: listed(({ current }) => unlessNothing(current), NOTHING_PRODUCED),
    next_validators: listed(({ next }) => unlessNothing(next), { shards: [0] }),
    current_fishermen: [],
    next_fishermen: [],
    current_proposals: listed(({ proposed }) => proposed, { validator_stake_struct_version: "V1" }),
    prev_epoch_kickout: [],
    validator_reward_paid_prev_epoch: {},
    epoch_start_height: epochStart(chain, block.height),
    epoch_height: chain.epochHeight(block.height),
  };
}

/** `EXPERIMENTAL_validators_ordered`: those of the epoch of a block, by account. */
export function validatorsOrdered(chain: DevChain, params: Params): { readonly account_id: string }[] {
  const block = params.has("block_id") ? knownBlock(chain, params.blockId("block_id")) : chain.head;
  const state = chain.stateAt(block.height);
  return state.accounts("stake").flatMap((accountId) => {
    const { publicKey, current } = state.get("stake", accountId, "")!;
    if (current === 0n) return [];
    const stake = current.toString();
    return [{ account_id: accountId, public_key: publicKey, stake, validator_stake_struct_version: "V1" }];
  });
}
