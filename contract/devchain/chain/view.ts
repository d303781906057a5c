/** View calls: a contract's method on the state after a block, without writing. */
import { hashBytes } from "../codec/hash.ts";
import { LIMITS } from "../parameters/protocol-config.ts";
import { runContract } from "../vm/runtime.ts";
import { describeFailure } from "../vm/vm-error.ts";
import { DevChainError, type ViewResult } from "./devchain-types.ts";
import { codeOf } from "./global-contracts.ts";
import { validatorStake, validatorTotalStake } from "./staking.ts";
import type { StateView } from "./state.ts";
import type { Block } from "./types.ts";

const NO_SIGNER_KEY = new Uint8Array(33);

function notInView(): never {
  throw new Error("the host refuses writes in views before they get here");
}

/** @throws DevChainError `UNKNOWN_ACCOUNT`, `NO_CONTRACT_CODE`, `CONTRACT_EXECUTION_ERROR` */
export function viewContract(
  chain: { readonly chainId: string; epochHeight(height: number): number },
  state: StateView,
  block: Block,
  call: { accountId: string; methodName: string; args: Uint8Array },
): ViewResult {
  const { accountId, methodName, args } = call;
  const account = state.get("account", accountId, "");
  if (account === undefined) {
    throw new DevChainError("UNKNOWN_ACCOUNT", `account ${accountId} does not exist while viewing`, { block });
  }
  const found = codeOf(state, accountId, account);
  if (found === undefined) {
    const failure = { kind: "CodeDoesNotExist", accountId } as const;
    throw new DevChainError("NO_CONTRACT_CODE", describeFailure(failure), { block, failure });
  }
  const context = {
    chainId: chain.chainId,
    currentAccountId: accountId,
    signerAccountId: accountId,
    signerPublicKey: NO_SIGNER_KEY,
    predecessorAccountId: accountId,
    refundToAccountId: accountId,
    input: args,
    promiseResults: [],
    blockHeight: block.height,
    blockTimestampNs: block.timestampNs,
    epochHeight: chain.epochHeight(block.height),
    balance: account.amount,
    lockedBalance: account.locked,
    storageUsage: account.storageUsage,
    attachedDeposit: 0n,
    prepaidGas: LIMITS.max_gas_burnt,
    randomSeed: hashBytes(block.randomValue),
    isView: true,
    outputDataReceivers: [],
    codeHash: hashBytes(found.codeHash),
    globalContract: account.globalContract,
  };
  const outcome = runContract(found.code, methodName, context, {
    storageGet: (key) => state.get("data", accountId, key),
    storageSet: notInView,
    storageRemove: notInView,
    validatorStake: (validatorId) => validatorStake(state, validatorId),
    validatorTotalStake: () => validatorTotalStake(state),
    createYield: notInView,
    createYieldWithId: notInView,
    resumeYield: notInView,
    resumeYieldWithId: notInView,
  });
  if (outcome.failure !== undefined) {
    const { failure } = outcome;
    throw new DevChainError("CONTRACT_EXECUTION_ERROR", describeFailure(failure), { block, failure });
  }
  const result = outcome.returned.kind === "value" ? outcome.returned.value : new Uint8Array();
  return { result, logs: outcome.logs, block };
}
