/** What each action does to an account (nearcore runtime/src/actions.rs). */
import { accountKind, isSubAccountOf, isTopLevel, SYSTEM_ACCOUNT } from "../codec/account-id.ts";
import type { Action, RefusedAction } from "../codec/action.ts";
import { sha256, toHash, ZERO_HASH } from "../codec/hash.ts";
import { publicKeyFromBytes } from "../codec/public-key.ts";
import { ACCOUNT_CREATION, STORAGE_USAGE } from "../parameters/protocol-config.ts";
import { MAX_BALANCE_YOCTO } from "./balance.ts";
import {
  deployGlobalContract,
  initDeterministicAccount,
  useGlobalContract,
  withoutContract,
} from "./global-contracts.ts";
import { ActionFailure, type ReceiptScope } from "./receipt-scope.ts";
import { applyStake } from "./staking.ts";
import { type Account, accessKeyBytes } from "./state.ts";
import { NONCES_PER_BLOCK } from "./verifier.ts";

/** Larger accounts (code aside) cannot be deleted in one block. */
const MAX_DELETED_STORAGE_BYTES = 10_000;

const initialNonce = (blockHeight: number) => BigInt(Math.max(0, blockHeight - 1)) * NONCES_PER_BLOCK;

export function newAccount(amount: bigint): Account {
  return { amount, locked: 0n, codeHash: ZERO_HASH, storageUsage: STORAGE_USAGE.num_bytes_account };
}

/** Accounts that exist are required, except by what makes one. */
export function checkExistence(scope: ReceiptScope, action: Action): void {
  const { receiverId, actions, predecessorId } = scope.receipt;
  if (action.kind === "CreateAccount") {
    if (scope.account !== undefined) throw new ActionFailure({ AccountAlreadyExists: { account_id: receiverId } });
    if (accountKind(receiverId) !== "named") {
      throw new ActionFailure({ OnlyImplicitAccountCreationAllowed: { account_id: receiverId } });
    }
    return;
  }
  if (scope.account !== undefined) return;
  if (action.kind === "DeterministicStateInit") return;
  const makesImplicit =
    action.kind === "Transfer" &&
    ["near-implicit", "deterministic"].includes(accountKind(receiverId)) &&
    actions.length === 1 &&
    predecessorId !== SYSTEM_ACCOUNT;
  if (!makesImplicit) throw new ActionFailure({ AccountDoesNotExist: { account_id: receiverId } });
}

const OWN_ACTIONS: readonly string[] = [
  "DeployContract",
  "DeployGlobalContract",
  "UseGlobalContract",
  "Stake",
  "AddKey",
  "DeleteKey",
  "DeleteAccount",
] satisfies Action["kind"][];

/** Only the account itself may change its code, keys and existence. */
export function checkActor(scope: ReceiptScope, action: Action): void {
  const own = OWN_ACTIONS.includes(action.kind);
  const accountId = scope.receipt.receiverId;
  if (own && scope.actorId !== accountId) {
    throw new ActionFailure({ ActorNoPermission: { account_id: accountId, actor_id: scope.actorId } });
  }
  if (action.kind === "DeleteAccount" && (scope.account?.locked ?? 0n) > 0n) {
    throw new ActionFailure({ DeleteAccountStaking: { account_id: accountId } });
  }
}

function createAccount(scope: ReceiptScope): void {
  const { receiverId, predecessorId } = scope.receipt;
  if (isTopLevel(receiverId)) {
    const registrar = ACCOUNT_CREATION.registrar_account_id;
    const tooShort = receiverId.length < ACCOUNT_CREATION.min_allowed_top_level_account_length;
    if (tooShort && predecessorId !== registrar) {
      throw new ActionFailure({
        CreateAccountOnlyByRegistrar: {
          account_id: receiverId,
          registrar_account_id: registrar,
          predecessor_id: predecessorId,
        },
      });
    }
  } else if (!isSubAccountOf(receiverId, predecessorId)) {
    throw new ActionFailure({
      CreateAccountNotAllowed: { account_id: receiverId, predecessor_id: predecessorId },
    });
  }
  scope.actorId = receiverId;
  scope.account = newAccount(0n);
  scope.createdAccount = true;
}

/** Gas that comes back also comes back to the allowance of the key that paid for it, up to the most of a u128. */
function refundAllowance(scope: ReceiptScope, amount: bigint): void {
  const { receipt, state } = scope;
  if (receipt.predecessorId !== SYSTEM_ACCOUNT || receipt.signerId !== receipt.receiverId) return;
  const accessKey = state.get("accessKey", receipt.receiverId, receipt.signerPublicKey);
  if (accessKey?.permission.kind !== "FunctionCall" || accessKey.permission.allowance === undefined) return;
  let allowance = accessKey.permission.allowance + amount;
  if (allowance > MAX_BALANCE_YOCTO) allowance = MAX_BALANCE_YOCTO;
  const permission = { ...accessKey.permission, allowance };
  state.set("accessKey", receipt.receiverId, receipt.signerPublicKey, { ...accessKey, permission });
}

function transfer(scope: ReceiptScope, deposit: bigint): void {
  const { receiverId } = scope.receipt;
  if (scope.account !== undefined) {
    scope.account = { ...scope.account, amount: scope.account.amount + deposit };
    refundAllowance(scope, deposit);
    return;
  }
  if (accountKind(receiverId) === "deterministic") {
    // It waits for its state init; nobody has a key to it.
    scope.account = newAccount(deposit);
    scope.createdAccount = true;
    return;
  }
  // The hexadecimal name of an implicit account is its Ed25519 key.
  const publicKey = publicKeyFromBytes(Uint8Array.from([0, ...Buffer.from(receiverId, "hex")]))!;
  scope.account = newAccount(deposit);
  scope.createdAccount = true;
  addKey(scope, { kind: "AddKey", publicKey, accessKey: { nonce: 0n, permission: { kind: "FullAccess" } } });
}

function deploy(scope: ReceiptScope, account: Account, code: Uint8Array<ArrayBuffer>): void {
  const { receiverId } = scope.receipt;
  const cleared = withoutContract(scope, account);
  scope.state.set("code", receiverId, "", code);
  scope.account = {
    ...cleared,
    storageUsage: cleared.storageUsage + code.length,
    codeHash: toHash(sha256(code)),
  };
}

function addKey(scope: ReceiptScope, action: Extract<Action, { kind: "AddKey" }>): void {
  const { receiverId } = scope.receipt;
  if (scope.state.get("accessKey", receiverId, action.publicKey) !== undefined) {
    throw new ActionFailure({ AddKeyAlreadyExists: { account_id: receiverId, public_key: action.publicKey } });
  }
  const accessKey = { ...action.accessKey, nonce: initialNonce(scope.blockHeight) };
  scope.state.set("accessKey", receiverId, action.publicKey, accessKey);
  const bytes = accessKeyBytes(action.publicKey, accessKey) + STORAGE_USAGE.num_extra_bytes_record;
  scope.account = { ...scope.account!, storageUsage: scope.account!.storageUsage + bytes };
}

function deleteKey(scope: ReceiptScope, account: Account, publicKey: string): void {
  const { receiverId } = scope.receipt;
  const accessKey = scope.state.get("accessKey", receiverId, publicKey);
  if (accessKey === undefined) {
    throw new ActionFailure({ DeleteKeyDoesNotExist: { account_id: receiverId, public_key: publicKey } });
  }
  scope.state.set("accessKey", receiverId, publicKey, undefined);
  const bytes = accessKeyBytes(publicKey, accessKey) + STORAGE_USAGE.num_extra_bytes_record;
  scope.account = { ...account, storageUsage: account.storageUsage - bytes };
}

function deleteAccount(scope: ReceiptScope, account: Account, beneficiaryId: string): void {
  const { receiverId, predecessorId } = scope.receipt;
  const codeBytes = scope.state.get("code", receiverId, "")?.length ?? 0;
  if (account.storageUsage - codeBytes > MAX_DELETED_STORAGE_BYTES) {
    throw new ActionFailure({ DeleteAccountWithLargeState: { account_id: receiverId } });
  }
  if (account.amount > 0n) scope.bequests.push({ beneficiaryId, amount: account.amount });
  // Yields survive in nearcore as well: they find no account when their time comes.
  for (const column of ["data", "accessKey", "code"] as const) {
    for (const [key] of scope.state.entries(column, receiverId)) scope.state.set(column, receiverId, key, undefined);
  }
  scope.account = undefined;
  scope.actorId = predecessorId;
}

/** Runs every kind of action but `FunctionCall`. @throws ActionFailure */
export function applyPlainAction(
  scope: ReceiptScope,
  action: Exclude<Action, { kind: "FunctionCall" | "Delegate" } | RefusedAction>,
): void {
  switch (action.kind) {
    case "CreateAccount":
      return createAccount(scope);
    case "Transfer":
      return transfer(scope, action.deposit);
    case "DeployContract":
      return deploy(scope, scope.account!, action.code);
    case "AddKey":
      return addKey(scope, action);
    case "DeleteKey":
      return deleteKey(scope, scope.account!, action.publicKey);
    case "DeleteAccount":
      return deleteAccount(scope, scope.account!, action.beneficiaryId);
    case "DeployGlobalContract":
      scope.account = deployGlobalContract(scope, scope.account!, action);
      return;
    case "UseGlobalContract":
      scope.account = useGlobalContract(scope, scope.account!, action.contract);
      return;
    case "DeterministicStateInit":
      // Who acts stays the predecessor: nobody may add a key to such an account.
      scope.createdAccount ||= scope.account === undefined;
      scope.account = initDeterministicAccount(scope, scope.account ?? newAccount(0n), action);
      return;
    case "Stake":
      scope.account = applyStake(scope, scope.account!, action);
  }
}
