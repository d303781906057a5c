/**
 * Runs one action receipt: its actions in order, all or nothing, then refunds and what it sends on
 * (nearcore runtime/src/lib.rs `apply_action_receipt`).
 */
import { SYSTEM_ACCOUNT } from "../codec/account-id.ts";
import { type Action, type DelegateAction, type FunctionCallAction, isRefused } from "../codec/action.ts";
import { deriveHash, type Hash, hashBytes, sha256, toHash } from "../codec/hash.ts";
import { publicKeyBytes } from "../codec/public-key.ts";
import { LIMITS, RECEIPT_FEE } from "../parameters/protocol-config.ts";
import { actionFee, attachedGas, delegatedSendGas, receiptFees } from "../vm/action-fees.ts";
import type { CallContext, CallExternal, CallOutcome, PromiseReceipt } from "../vm/call-context.ts";
import { runContract } from "../vm/runtime.ts";
import { failureToJson } from "../vm/vm-error.ts";
import { applyPlainAction, checkActor, checkExistence } from "./actions.ts";
import { acceptDelegate } from "./delegate.ts";
import { codeOf } from "./global-contracts.ts";
import { ActionFailure, type ReceiptScope } from "./receipt-scope.ts";
import { type NewActionReceipt, settle, transferReceipt } from "./settlement.ts";
import { validatorStake, validatorTotalStake } from "./staking.ts";
import type { State } from "./state.ts";
import { missingForStorage } from "./storage-stake.ts";
import type {
  ActionReceipt,
  DataReceipt,
  DistributionReceipt,
  ErrorJson,
  ExecutionOutcome,
  OutcomeStatus,
  OutputReceiver,
  Receipt,
} from "./types.ts";
import { checkActions } from "./verifier.ts";

/** What the block says to the receipts that run in it. */
export interface BlockContext {
  readonly chainId: string;
  readonly height: number;
  readonly timestampNs: bigint;
  readonly epochHeight: number;
  readonly gasPrice: bigint;
  readonly minimumStake: bigint;
  readonly randomValue: Hash;
}

export interface YieldTimeout {
  readonly accountId: string;
  readonly dataId: Hash;
  readonly expiresAtHeight: number;
  readonly transactionHash: Hash;
}

export interface ReceiptResult {
  readonly outcome: ExecutionOutcome;
  readonly outgoing: readonly Receipt[];
  readonly timeouts: readonly YieldTimeout[];
}

/** Collects what the actions of one receipt bring about; thrown away when one of them fails. */
class ReceiptExecution {
  readonly #scope: ReceiptScope;
  readonly #block: BlockContext;
  readonly #results: readonly (Uint8Array | null)[];
  gasBurnt = RECEIPT_FEE.execution;
  gasUsed = RECEIPT_FEE.execution;
  readonly logs: string[] = [];
  returned: { kind: "value"; value: Uint8Array } | { kind: "receipt"; index: number } = {
    kind: "value",
    value: new Uint8Array(),
  };
  made: NewActionReceipt[] = [];
  resumes: { dataId: Hash; payload: Uint8Array }[] = [];
  timeouts: YieldTimeout[] = [];

  constructor(scope: ReceiptScope, block: BlockContext, results: readonly (Uint8Array | null)[]) {
    this.#scope = scope;
    this.#block = block;
    this.#results = results;
  }

  run(): ErrorJson | undefined {
    const { receipt, state } = this.#scope;
    for (const [index, action] of receipt.actions.entries()) {
      try {
        this.#apply(action, index);
      } catch (error) {
        if (error instanceof ActionFailure) return { ActionError: { index, kind: error.kind } };
        throw error;
      }
    }
    const { account } = this.#scope;
    if (account !== undefined) {
      const missing = missingForStorage(account);
      if (missing > 0n) {
        const kind = { LackBalanceForState: { account_id: receipt.receiverId, amount: missing.toString() } };
        return { ActionError: { index: null, kind } };
      }
    }
    state.set("account", receipt.receiverId, "", account);
    return undefined;
  }

  #apply(action: Action, index: number): void {
    const { receipt } = this.#scope;
    const execution = actionFee(action, receipt.receiverId).execution;
    this.gasBurnt += execution;
    this.gasUsed += execution;
    checkExistence(this.#scope, action);
    checkActor(this.#scope, action);
    if (action.kind === "FunctionCall") {
      this.#call(action, index);
    } else if (action.kind === "Delegate") {
      this.#delegate(action);
    } else if (isRefused(action)) {
      throw new Error(`${action.kind} is refused before it gets into a receipt`);
    } else {
      applyPlainAction(this.#scope, action);
      this.returned = { kind: "value", value: new Uint8Array() };
    }
  }

  /** Sends what the sender signed; the relayer, who signed the transaction, pays and gets the refunds. */
  #delegate(action: DelegateAction): void {
    acceptDelegate(this.#scope, action);
    const { receipt } = this.#scope;
    const sending = delegatedSendGas(action);
    this.gasBurnt += sending;
    this.gasUsed +=
      sending + receiptFees(action.actions, action.receiverId, false).execution + attachedGas(action.actions);
    this.made.push({
      receiverId: action.receiverId,
      signerId: receipt.signerId,
      signerPublicKey: receipt.signerPublicKey,
      gasPrice: receipt.gasPrice,
      actions: action.actions,
      inputDataIds: [],
      outputReceivers: [],
      refundTo: receipt.receiverId,
      isYield: false,
    });
    this.returned = { kind: "value", value: new Uint8Array() };
  }

  #call(action: FunctionCallAction, index: number): void {
    const { receipt, state } = this.#scope;
    const found = codeOf(state, receipt.receiverId, this.#scope.account!);
    if (found === undefined) {
      const failure = { kind: "CodeDoesNotExist", accountId: receipt.receiverId } as const;
      throw new ActionFailure({ FunctionCallError: failureToJson(failure) });
    }
    const actionHash = deriveHash(receipt.id, this.#block.height, -1n - BigInt(index));
    const outcome = runContract(
      found.code,
      action.methodName,
      this.#callContext(action, index, actionHash, found.codeHash),
      this.#external(actionHash),
    );
    this.gasBurnt += outcome.gasBurnt;
    this.gasUsed += outcome.gasUsed;
    this.logs.push(...outcome.logs);
    if (outcome.failure !== undefined) {
      throw new ActionFailure({ FunctionCallError: failureToJson(outcome.failure) });
    }
    this.#keepOutcome(outcome);
  }

  #keepOutcome(outcome: CallOutcome): void {
    const { receipt } = this.#scope;
    const first = this.made.length;
    for (const promised of outcome.receipts) {
      const error = checkActions(promised.actions, promised.receiverId);
      if (error !== undefined) {
        throw new ActionFailure({ NewReceiptValidationError: { ActionsValidation: error } });
      }
    }
    const made = this.#connect(outcome.receipts);
    this.made.push(...made);
    this.#scope.account = {
      ...this.#scope.account!,
      amount: outcome.balance,
      storageUsage: outcome.storageUsage,
    };
    const { returned } = outcome;
    if (returned.kind === "receipt") {
      const index = first + returned.index;
      const target = this.made[index]!;
      this.made[index] = { ...target, outputReceivers: [...target.outputReceivers, ...receipt.outputReceivers] };
      this.returned = { kind: "receipt", index };
    } else {
      this.returned = { kind: "value", value: returned.kind === "value" ? returned.value : new Uint8Array() };
    }
  }

  /** Turns the promises of a call into receipts, with a data id for each result that one waits for. */
  #connect(promised: readonly PromiseReceipt[]): NewActionReceipt[] {
    const { receipt } = this.#scope;
    const outputs: OutputReceiver[][] = promised.map(() => []);
    const inputs: Hash[][] = promised.map((made) => (made.yieldDataId ? [toHash(made.yieldDataId)] : []));
    for (const [index, { dependencies, receiverId }] of promised.entries()) {
      for (const dependency of dependencies) {
        const dataId = this.#newDataId();
        outputs[dependency]!.push({ dataId, receiverId });
        inputs[index]!.push(dataId);
      }
    }
    return promised.map((made, index) => ({
      receiverId: made.receiverId,
      signerId: receipt.signerId,
      signerPublicKey: receipt.signerPublicKey,
      gasPrice: receipt.gasPrice,
      actions: made.actions,
      inputDataIds: inputs[index]!,
      outputReceivers: outputs[index]!,
      refundTo: made.refundTo ?? receipt.receiverId,
      isYield: made.yieldDataId !== undefined,
    }));
  }

  #dataIds = 0;
  #newDataId(): Hash {
    return deriveHash(this.#scope.receipt.id, this.#block.height, (1n << 32n) + BigInt(this.#dataIds++));
  }

  #callContext(action: FunctionCallAction, index: number, actionHash: Hash, codeHash: Hash): CallContext {
    const { receipt } = this.#scope;
    const account = this.#scope.account!;
    const isLast = index === receipt.actions.length - 1;
    return {
      chainId: this.#block.chainId,
      currentAccountId: receipt.receiverId,
      signerAccountId: receipt.signerId,
      signerPublicKey: publicKeyBytes(receipt.signerPublicKey),
      predecessorAccountId: receipt.predecessorId,
      refundToAccountId: receipt.refundTo,
      input: action.args,
      promiseResults: this.#results,
      blockHeight: this.#block.height,
      blockTimestampNs: this.#block.timestampNs,
      epochHeight: this.#block.epochHeight,
      balance: account.amount,
      lockedBalance: account.locked,
      storageUsage: account.storageUsage,
      attachedDeposit: action.deposit,
      prepaidGas: action.gas,
      randomSeed: sha256(hashBytes(actionHash), hashBytes(this.#block.randomValue)),
      isView: false,
      outputDataReceivers: isLast ? receipt.outputReceivers.map((output) => output.receiverId) : [],
      codeHash: hashBytes(codeHash),
      globalContract: account.globalContract,
    };
  }

  #external(actionHash: Hash): CallExternal {
    const { receipt, state } = this.#scope;
    const accountId = receipt.receiverId;
    let yields = 0;
    const createYield = () => {
      const dataId = deriveHash(actionHash, this.#block.height, yields++);
      state.set("yield", accountId, dataId, "waiting");
      const expiresAtHeight = this.#block.height + LIMITS.yield_timeout_length_in_blocks;
      this.timeouts.push({ accountId, dataId, expiresAtHeight, transactionHash: receipt.transactionHash });
      return dataId;
    };
    const resume = (dataId: Hash, payload: Uint8Array) => {
      if (state.get("yield", accountId, dataId) !== "waiting") return false;
      state.set("yield", accountId, dataId, "resumed");
      this.resumes.push({ dataId, payload });
      return true;
    };
    const idKey = (yieldId: Uint8Array) => Buffer.from(yieldId).toString("latin1");
    return {
      storageGet: (key) => state.get("data", accountId, key),
      storageSet: (key, value) => state.set("data", accountId, key, value),
      storageRemove: (key) => state.set("data", accountId, key, undefined),
      touchedNodes: (key) => state.touchedNodes(accountId, key),
      validatorStake: (validatorId) => validatorStake(state, validatorId),
      validatorTotalStake: () => validatorTotalStake(state),
      createYield: () => hashBytes(createYield()),
      createYieldWithId: (yieldId) => {
        if (state.get("yieldId", accountId, idKey(yieldId)) !== undefined) return undefined;
        const dataId = createYield();
        state.set("yieldId", accountId, idKey(yieldId), dataId);
        return hashBytes(dataId);
      },
      resumeYield: (dataId, payload) => resume(toHash(dataId), payload),
      resumeYieldWithId: (yieldId, payload) => {
        const dataId = state.get("yieldId", accountId, idKey(yieldId));
        return dataId !== undefined && resume(dataId, payload);
      },
    };
  }
}

/**
 * Runs `receipt`, whose dependencies have the results given, and commits or rolls back.
 * Outgoing receipts are due in the next block.
 */
export function executeReceipt(
  state: State,
  receipt: ActionReceipt,
  results: readonly (Uint8Array | null)[],
  block: BlockContext,
): ReceiptResult {
  const scope: ReceiptScope = {
    receipt,
    state,
    blockHeight: block.height,
    minimumStake: block.minimumStake,
    account: state.get("account", receipt.receiverId, ""),
    actorId: receipt.predecessorId,
    createdAccount: false,
    bequests: [],
    distributions: [],
  };
  const run = new ReceiptExecution(scope, block, results);
  const error = run.run();
  if (error === undefined) state.commit({ kind: "receipt", hash: receipt.id });
  else state.rollback();
  const failed = error !== undefined;
  const { refunds, tokensBurnt } = settle(run, scope, failed, block.gasPrice);

  let made = 0;
  const nextId = () => deriveHash(receipt.id, block.height, made++);
  const { transactionHash } = receipt;
  const action = (fields: NewActionReceipt, predecessorId: string): ActionReceipt => ({
    kind: "action",
    id: nextId(),
    predecessorId,
    transactionHash,
    ...fields,
  });
  const calls = failed ? [] : run.made.map((fields) => action(fields, receipt.receiverId));
  const bequests = failed ? [] : scope.bequests;
  const transfers = [
    ...bequests.map(({ beneficiaryId, amount }) => transferReceipt(beneficiaryId, amount, undefined)),
    ...refunds,
  ].map((fields) => action(fields, SYSTEM_ACCOUNT));
  const data = (receiverId: string, dataId: Hash, value: Uint8Array | null, isResume: boolean): DataReceipt => ({
    kind: "data",
    id: nextId(),
    predecessorId: receipt.receiverId,
    receiverId,
    transactionHash,
    dataId,
    data: value,
    isResume,
  });
  const resumes = failed
    ? []
    : run.resumes.map(({ dataId, payload }) => data(receipt.receiverId, dataId, payload, true));
  const { returned } = run;
  const answer = failed ? null : returned.kind === "value" ? returned.value : undefined;
  const answers =
    answer === undefined
      ? []
      : receipt.outputReceivers.map(({ receiverId, dataId }) => data(receiverId, dataId, answer, false));

  const distributions = (failed ? [] : scope.distributions).map(
    (made): DistributionReceipt => ({
      kind: "distribution",
      id: nextId(),
      predecessorId: receipt.receiverId,
      receiverId: receipt.receiverId,
      transactionHash,
      ...made,
    }),
  );

  const status: OutcomeStatus = failed
    ? { kind: "failure", error }
    : returned.kind === "receipt"
      ? { kind: "receipt", id: calls[returned.index]!.id }
      : { kind: "value", value: returned.value };
  const outcome: ExecutionOutcome = {
    id: receipt.id,
    blockHeight: block.height,
    executorId: receipt.receiverId,
    logs: run.logs,
    receiptIds: [...calls, ...transfers].map(({ id }) => id),
    gasBurnt: run.gasBurnt,
    tokensBurnt,
    status,
  };
  return {
    outcome,
    outgoing: [...calls, ...transfers, ...resumes, ...answers, ...distributions],
    timeouts: failed ? [] : run.timeouts,
  };
}
