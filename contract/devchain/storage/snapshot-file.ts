/**
 * A chain's snapshot as a file: a line that names the format and the SHA-256 of the rest, then JSON. It holds the
 * chain's options and everything that `ChainSnapshot` has, so that a fork needs nothing else.
 */
import type { ForkOptions } from "../chain/devchain-types.ts";
import type { ChainSnapshot, StatePatch } from "../chain/snapshot.ts";
import type { Account, StateRecord } from "../chain/state.ts";
import type { ActionReceipt, ErrorJson, OutcomeStatus, Receipt } from "../chain/types.ts";
import type { AccessKeyPermission, Action, GlobalContractId } from "../codec/action.ts";
import { sha256 } from "../codec/hash.ts";
import {
  amount,
  asObject,
  boolean,
  bytes,
  count,
  type JsonCodec,
  JsonCodecError,
  list,
  nullable,
  optional,
  record,
  tagged,
  text,
  word,
} from "./json-codec.ts";

export type SnapshotFileErrorCode = "NOT_A_SNAPSHOT" | "SNAPSHOT_CORRUPT" | "MALFORMED_SNAPSHOT";

export class SnapshotFileError extends Error {
  readonly code: SnapshotFileErrorCode;
  constructor(code: SnapshotFileErrorCode, message: string) {
    super(message);
    this.name = "SnapshotFileError";
    this.code = code;
  }
}

const FORMAT = "outlayer-devchain-snapshot 1";
/** Of records, receipts, transactions: what fits into a process. */
const MANY = 10_000_000;
/** Of what one receipt or outcome holds. */
const SOME = 10_000;

const texts = list(text, SOME);
const signature = record<{ type: number; data: Uint8Array }>({ type: count, data: bytes });

const permission: JsonCodec<AccessKeyPermission> = tagged<AccessKeyPermission, "kind">("kind", {
  FullAccess: record({}),
  FunctionCall: record({ allowance: optional(amount), receiverId: text, methodNames: texts }),
});
const accessKey = record({ nonce: amount, permission });

const globalContract: JsonCodec<GlobalContractId> = tagged<GlobalContractId, "kind">("kind", {
  hash: record({ codeHash: text }),
  account: record({ accountId: text }),
});

const action: JsonCodec<Action> = tagged<Action, "kind">("kind", {
  CreateAccount: record({}),
  DeployContract: record({ code: bytes }),
  FunctionCall: record({ methodName: text, args: bytes, gas: count, deposit: amount }),
  Transfer: record({ deposit: amount }),
  Stake: record({ stake: amount, publicKey: text }),
  AddKey: record({ publicKey: text, accessKey }),
  DeleteKey: record({ publicKey: text }),
  DeleteAccount: record({ beneficiaryId: text }),
  DeployGlobalContract: record({ code: bytes, byAccount: boolean }),
  UseGlobalContract: record({ contract: globalContract }),
  DeterministicStateInit: record({
    contract: globalContract,
    data: list(record({ key: bytes, value: bytes }), SOME),
    deposit: amount,
  }),
  TransferToGasKey: record({ publicKey: text, deposit: amount }),
  UniversalStateInit: record({ stateInit: bytes, deposit: amount }),
  AddGasKey: record({ publicKey: text, nonces: count, permission }),
  Delegate: record({
    senderId: text,
    receiverId: text,
    actions: list(
      { write: (value: Action) => action.write(value), read: (json, path) => action.read(json, path) },
      SOME,
    ),
    nonce: amount,
    maxBlockHeight: amount,
    publicKey: text,
    signature,
    signedHash: bytes,
  }),
});
const actions = list(action, SOME);

const account = record<Account>({
  amount,
  locked: amount,
  codeHash: text,
  storageUsage: count,
  globalContract: optional(globalContract),
});
const at = <T>(value: JsonCodec<T>) => record({ accountId: text, key: text, value });

const patches = {
  account: at(account),
  accessKey: at(accessKey),
  code: at(bytes),
  data: at(bytes),
};
const stake = record({ publicKey: text, current: amount, next: amount, proposed: optional(amount) });

/** What `BlockInputs` has beside transactions. */
export const patchList = list(tagged<StatePatch, "column">("column", patches), SOME);

const stateRecord = tagged<StateRecord, "column">("column", {
  ...patches,
  yield: at(word("waiting", "resumed")),
  yieldId: at(text),
  stake: at(stake),
  globalCode: at(record({ code: bytes, codeHash: text })),
});

const block = record({
  height: count,
  hash: text,
  previousHash: text,
  timestampNs: amount,
  stateRoot: text,
  outcomeRoot: text,
  randomValue: text,
  transactions: list(text, MANY),
  receipts: list(text, MANY),
  gasUsed: count,
});

const receiptBase = { id: text, predecessorId: text, receiverId: text, transactionHash: text };
const actionFields = {
  ...receiptBase,
  signerId: text,
  signerPublicKey: text,
  gasPrice: amount,
  actions,
  inputDataIds: texts,
  outputReceivers: list(record({ dataId: text, receiverId: text }), SOME),
  refundTo: text,
  isYield: boolean,
};
const receipt = tagged<Receipt, "kind">("kind", {
  action: record(actionFields),
  distribution: record({ ...receiptBase, contract: globalContract, code: bytes }),
  data: record({ ...receiptBase, dataId: text, data: nullable(bytes), isResume: boolean }),
});
const actionReceipt: JsonCodec<ActionReceipt> = {
  write: receipt.write,
  read: (json, path) => {
    const read = receipt.read(json, path);
    if (read.kind !== "action") throw new JsonCodecError(`${path} is not a receipt with actions`);
    return read;
  },
};

const queue = record({
  outgoing: list(receipt, MANY),
  delayed: list(receipt, MANY),
  waiting: list(actionReceipt, MANY),
  received: list(record({ dataId: text, data: nullable(bytes) }), MANY),
  yielded: list(actionReceipt, MANY),
  timeouts: list(record({ accountId: text, dataId: text, expiresAtHeight: count, transactionHash: text }), MANY),
});

/** nearcore's errors are told as they are. */
const error: JsonCodec<ErrorJson> = {
  write: (value) => value,
  read: (json, path) => (typeof json === "string" ? json : asObject(json, path)),
};

const outcome = record({
  id: text,
  blockHeight: count,
  executorId: text,
  logs: texts,
  receiptIds: list(text, SOME),
  gasBurnt: count,
  tokensBurnt: amount,
  status: tagged<OutcomeStatus, "kind">("kind", {
    value: record({ value: bytes }),
    receipt: record({ id: text }),
    failure: record({ error }),
  }),
});

const transaction = record({
  hash: text,
  signerId: text,
  publicKey: text,
  nonce: amount,
  receiverId: text,
  blockHash: text,
  actions,
  signature,
  sizeBytes: count,
});

const openTransaction = record({
  record: record({
    transaction,
    outcome,
    receiptOutcomes: list(outcome, MANY),
    openReceipts: count,
    openRefunds: count,
  }),
  root: actionReceipt,
  receipts: list(actionReceipt, MANY),
});

const snapshot = record<ChainSnapshot>({
  chainId: text,
  genesisHash: text,
  genesisTimestampNs: amount,
  head: block,
  blockHashes: list(text, MANY),
  records: list(stateRecord, MANY),
  queue,
  open: list(openTransaction, MANY),
  pending: list(bytes, MANY),
});

const options = record<ForkOptions>({
  chainId: text,
  seed: text,
  blockIntervalMs: count,
  finalityLagBlocks: optional(count),
  historyBlocks: optional(count),
  epochBlocks: optional(count),
  minimumStakeYocto: optional(amount),
  trieNodes: optional(boolean),
});

const file = record<{ options: ForkOptions; snapshot: ChainSnapshot }>({ options, snapshot });

const digestOf = (body: string) => Buffer.from(sha256(Buffer.from(body, "utf8"))).toString("hex");

export function encodeSnapshotFile(forkOptions: ForkOptions, taken: ChainSnapshot): Buffer {
  const body = JSON.stringify(file.write({ options: forkOptions, snapshot: taken }));
  return Buffer.from(`${FORMAT} ${digestOf(body)}\n${body}\n`, "utf8");
}

export const isSnapshotFile = (content: Buffer) => content.subarray(0, FORMAT.length).toString("latin1") === FORMAT;

/** @throws SnapshotFileError */
export function decodeSnapshotFile(content: Buffer): { options: ForkOptions; snapshot: ChainSnapshot } {
  if (!isSnapshotFile(content)) throw new SnapshotFileError("NOT_A_SNAPSHOT", `the file does not begin with ${FORMAT}`);
  const end = content.indexOf("\n");
  const head = content.subarray(0, end === -1 ? content.length : end).toString("latin1");
  const body = content
    .subarray(head.length + 1)
    .toString("utf8")
    .trimEnd();
  if (head !== `${FORMAT} ${digestOf(body)}`) {
    throw new SnapshotFileError("SNAPSHOT_CORRUPT", "the file is damaged: its digest is another one");
  }
  try {
    return file.read(JSON.parse(body), "");
  } catch (error) {
    if (!(error instanceof JsonCodecError) && !(error instanceof SyntaxError)) throw error;
    throw new SnapshotFileError("MALFORMED_SNAPSHOT", `the snapshot cannot be read: ${error.message}`);
  }
}
