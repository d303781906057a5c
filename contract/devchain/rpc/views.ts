/** The chain's values in the JSON of nearcore's views (core/primitives/src/views.rs). */

import { BLOCK_GAS_LIMIT, type DevChain } from "../chain/devchain.ts";
import type { Account } from "../chain/state.ts";
import type { ActionReceipt, Block, ExecutionOutcome, OutcomeStatus, TransactionRecord } from "../chain/types.ts";
import type { AccessKey, AccessKeyPermission, Action, GlobalContractId } from "../codec/action.ts";
import { encodeBase58 } from "../codec/base58.ts";
import { globalContractJson } from "../codec/global-contract.ts";
import { sha256, ZERO_HASH } from "../codec/hash.ts";
import { KEY_TYPES } from "../codec/public-key.ts";
import { PROTOCOL_VERSION } from "../parameters/protocol-config.ts";

/** There are no validators: this account stands for whoever makes the blocks. */
export const BLOCK_PRODUCER = "devchain";
const NO_CONGESTION = {
  delayed_receipts_gas: "0",
  buffered_receipts_gas: "0",
  receipt_bytes: 0,
  allowed_shard: 0,
};
const NO_SIGNATURE = `ed25519:${encodeBase58(new Uint8Array(64))}`;

export const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
export const keyToBase64 = (key: string) => Buffer.from(key, "latin1").toString("base64");

export function permissionView(permission: AccessKeyPermission): unknown {
  if (permission.kind === "FullAccess") return "FullAccess";
  return {
    FunctionCall: {
      allowance: permission.allowance?.toString() ?? null,
      receiver_id: permission.receiverId,
      method_names: permission.methodNames,
    },
  };
}

export function accessKeyView(accessKey: AccessKey): Record<string, unknown> {
  return { nonce: Number(accessKey.nonce), permission: permissionView(accessKey.permission) };
}

function globalContractView(contract: GlobalContractId | undefined): object {
  if (contract === undefined) return {};
  return contract.kind === "hash"
    ? { global_contract_hash: contract.codeHash }
    : { global_contract_account_id: contract.accountId };
}

export function accountView(account: Account): Record<string, unknown> {
  return {
    amount: account.amount.toString(),
    locked: account.locked.toString(),
    code_hash: account.codeHash,
    storage_usage: account.storageUsage,
    storage_paid_at: 0,
    ...globalContractView(account.globalContract),
  };
}

export function actionView(action: Action): unknown {
  switch (action.kind) {
    case "CreateAccount":
      return "CreateAccount";
    case "DeployContract":
      return { DeployContract: { code: toBase64(sha256(action.code)) } };
    case "FunctionCall":
      return {
        FunctionCall: {
          method_name: action.methodName,
          args: toBase64(action.args),
          gas: action.gas,
          deposit: action.deposit.toString(),
        },
      };
    case "Transfer":
      return { Transfer: { deposit: action.deposit.toString() } };
    case "Stake":
      return { Stake: { stake: action.stake.toString(), public_key: action.publicKey } };
    case "AddKey":
      return { AddKey: { public_key: action.publicKey, access_key: accessKeyView(action.accessKey) } };
    case "DeleteKey":
      return { DeleteKey: { public_key: action.publicKey } };
    case "DeleteAccount":
      return { DeleteAccount: { beneficiary_id: action.beneficiaryId } };
    case "DeployGlobalContract": {
      const view = { code: toBase64(sha256(action.code)) };
      return action.byAccount ? { DeployGlobalContractByAccountId: view } : { DeployGlobalContract: view };
    }
    case "UseGlobalContract": {
      const { contract } = action;
      if (contract.kind === "hash") return { UseGlobalContract: { code_hash: contract.codeHash } };
      return { UseGlobalContractByAccountId: { account_id: contract.accountId } };
    }
    case "DeterministicStateInit": {
      const data = action.data.map(({ key, value }) => [toBase64(key), toBase64(value)] as const);
      const code = globalContractJson(action.contract);
      return { DeterministicStateInit: { code, data: Object.fromEntries(data), deposit: action.deposit.toString() } };
    }
    case "TransferToGasKey":
    case "AddGasKey":
    case "UniversalStateInit":
      throw new Error(`${action.kind} is refused before anybody can look at it`);
    case "Delegate":
      return {
        Delegate: {
          delegate_action: {
            sender_id: action.senderId,
            receiver_id: action.receiverId,
            actions: action.actions.map(plainAction),
            nonce: Number(action.nonce),
            max_block_height: Number(action.maxBlockHeight),
            public_key: action.publicKey,
          },
          signature: `${KEY_TYPES[action.signature.type]!.name}:${encodeBase58(action.signature.data)}`,
        },
      };
  }
}

/** An action inside a delegate action: nearcore writes it as it is, not as a view of it. */
function plainAction(action: Action): unknown {
  switch (action.kind) {
    case "CreateAccount":
      return { CreateAccount: {} };
    case "DeployContract":
      return { DeployContract: { code: toBase64(action.code) } };
    case "DeployGlobalContract": {
      const deploy_mode = action.byAccount ? "AccountId" : "CodeHash";
      return { DeployGlobalContract: { code: toBase64(action.code), deploy_mode } };
    }
    case "UseGlobalContract":
      return { UseGlobalContract: { contract_identifier: globalContractJson(action.contract) } };
    default:
      return actionView(action);
  }
}

export function receiptView(receipt: ActionReceipt): Record<string, unknown> {
  return {
    predecessor_id: receipt.predecessorId,
    receiver_id: receipt.receiverId,
    receipt_id: receipt.id,
    receipt: {
      Action: {
        signer_id: receipt.signerId,
        signer_public_key: receipt.signerPublicKey,
        gas_price: receipt.gasPrice.toString(),
        output_data_receivers: receipt.outputReceivers.map(({ dataId, receiverId }) => ({
          data_id: dataId,
          receiver_id: receiverId,
        })),
        input_data_ids: receipt.inputDataIds,
        actions: receipt.actions.map(actionView),
        is_promise_yield: receipt.isYield,
        ...(receipt.refundTo === receipt.predecessorId ? {} : { refund_to: receipt.refundTo }),
      },
    },
    priority: 0,
  };
}

function statusView(status: OutcomeStatus): Record<string, unknown> {
  if (status.kind === "value") return { SuccessValue: toBase64(status.value) };
  if (status.kind === "receipt") return { SuccessReceiptId: status.id };
  return { Failure: status.error };
}

function outcomeView(chain: DevChain, outcome: ExecutionOutcome): Record<string, unknown> {
  return {
    id: outcome.id,
    // An outcome can outlive its block in the history, when its transaction is still running.
    block_hash: outcome.blockHeight < chain.oldestBlock.height ? ZERO_HASH : chain.block(outcome.blockHeight).hash,
    proof: [],
    outcome: {
      logs: outcome.logs,
      receipt_ids: outcome.receiptIds,
      gas_burnt: outcome.gasBurnt,
      tokens_burnt: outcome.tokensBurnt.toString(),
      executor_id: outcome.executorId,
      status: statusView(outcome.status),
      metadata: { version: 3, gas_profile: [] },
    },
  };
}

/** What the transaction came to: its first receipt's result, followed through the receipts it returned. */
function finalStatus(record: TransactionRecord): unknown {
  const outcomes = new Map(record.receiptOutcomes.map((outcome) => [outcome.id, outcome]));
  let status: OutcomeStatus = record.outcome.status;
  while (status.kind === "receipt") {
    const next = outcomes.get(status.id);
    if (next === undefined) return record.receiptOutcomes.length > 0 ? "Started" : "NotStarted";
    status = next.status;
  }
  return statusView(status);
}

export function transactionView(record: TransactionRecord): Record<string, unknown> {
  const { transaction } = record;
  const { type, data } = transaction.signature;
  return {
    signer_id: transaction.signerId,
    public_key: transaction.publicKey,
    nonce: Number(transaction.nonce),
    receiver_id: transaction.receiverId,
    actions: transaction.actions.map(actionView),
    priority_fee: 0,
    signature: `${KEY_TYPES[type]!.name}:${encodeBase58(data)}`,
    hash: transaction.hash,
  };
}

/** Without `receipts`, as `tx` answers; with them, as `EXPERIMENTAL_tx_status` does. */
export function finalOutcomeView(
  chain: DevChain,
  record: TransactionRecord,
  level: string,
  withReceipts: boolean,
): Record<string, unknown> {
  const receipts = record.receiptOutcomes.map((outcome) => chain.transactions.receipt(outcome.id));
  return {
    final_execution_status: level,
    status: finalStatus(record),
    transaction: transactionView(record),
    transaction_outcome: outcomeView(chain, record.outcome),
    receipts_outcome: record.receiptOutcomes.map((outcome) => outcomeView(chain, outcome)),
    ...(withReceipts ? { receipts: receipts.filter((receipt) => receipt !== undefined).map(receiptView) } : {}),
  };
}

function chunkHeaderView(block: Block): Record<string, unknown> {
  return {
    chunk_hash: block.hash,
    prev_block_hash: block.previousHash,
    outcome_root: block.outcomeRoot,
    prev_state_root: block.stateRoot,
    encoded_merkle_root: ZERO_HASH,
    encoded_length: 0,
    height_created: block.height,
    height_included: block.height,
    shard_id: 0,
    gas_used: block.gasUsed,
    gas_limit: BLOCK_GAS_LIMIT,
    rent_paid: "0",
    validator_reward: "0",
    balance_burnt: "0",
    outgoing_receipts_root: ZERO_HASH,
    tx_root: ZERO_HASH,
    validator_proposals: [],
    congestion_info: NO_CONGESTION,
    bandwidth_requests: null,
    signature: NO_SIGNATURE,
  };
}

export function blockView(chain: DevChain, block: Block): Record<string, unknown> {
  const final = chain.finalHead.height >= block.height ? block : chain.finalHead;
  const epochId = epochIdOf(chain, block);
  return {
    author: BLOCK_PRODUCER,
    header: {
      height: block.height,
      prev_height: Math.max(0, block.height - 1),
      epoch_id: epochId,
      next_epoch_id: epochId,
      hash: block.hash,
      prev_hash: block.previousHash,
      prev_state_root: block.stateRoot,
      block_body_hash: block.outcomeRoot,
      chunk_receipts_root: ZERO_HASH,
      chunk_headers_root: ZERO_HASH,
      chunk_tx_root: ZERO_HASH,
      outcome_root: block.outcomeRoot,
      chunks_included: 1,
      challenges_root: ZERO_HASH,
      timestamp: Number(block.timestampNs),
      timestamp_nanosec: block.timestampNs.toString(),
      random_value: block.randomValue,
      validator_proposals: [],
      chunk_mask: [true],
      gas_price: chain.gasPrice.toString(),
      block_ordinal: block.height,
      rent_paid: "0",
      validator_reward: "0",
      total_supply: "0",
      challenges_result: [],
      last_final_block: final.hash,
      last_ds_final_block: final.hash,
      next_bp_hash: ZERO_HASH,
      block_merkle_root: ZERO_HASH,
      epoch_sync_data_hash: null,
      approvals: [],
      signature: NO_SIGNATURE,
      latest_protocol_version: PROTOCOL_VERSION,
      chunk_endorsements: null,
      shard_split: null,
    },
    chunks: [chunkHeaderView(block)],
  };
}

export function chunkView(chain: DevChain, block: Block): Record<string, unknown> {
  const transactions = block.transactions.map((hash) => chain.transactions.transaction(hash));
  const receipts = block.receipts.map((id) => chain.transactions.receipt(id));
  return {
    author: BLOCK_PRODUCER,
    header: chunkHeaderView(block),
    transactions: transactions.filter((record) => record !== undefined).map(transactionView),
    receipts: receipts.filter((receipt) => receipt !== undefined).map(receiptView),
  };
}

/** One name for each epoch. */
export function epochIdOf(chain: DevChain, block: Block): string {
  return encodeBase58(sha256("epoch ", chain.chainId, ` ${chain.epochHeight(block.height) - 1}`));
}
