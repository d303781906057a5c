/** Reads signed transactions in Borsh (nearcore core/primitives/src/transaction.rs, version 0). Strict and bounded. */
import { LIMITS } from "../parameters/protocol-config.ts";
import type { AccessKey, AccessKeyPermission, Action, GlobalContractId, StateInitRecord } from "./action.ts";
import { type Hash, sha256, toHash } from "./hash.ts";
import { KEY_TYPES, type PublicKey, publicKeyFromBytes } from "./public-key.ts";

export interface SignedTransaction {
  readonly hash: Hash;
  readonly signerId: string;
  readonly publicKey: PublicKey;
  readonly nonce: bigint;
  readonly receiverId: string;
  readonly blockHash: Hash;
  readonly actions: readonly Action[];
  /** `<type>:<base58>` for views. */
  readonly signature: { readonly type: number; readonly data: Uint8Array };
  readonly sizeBytes: number;
}

export type CodecErrorCode = "TRUNCATED" | "TRAILING_BYTES" | "INVALID_TAG" | "INVALID_TEXT" | "UNSUPPORTED_ACTION";

/** Bytes that are not a transaction this chain knows. */
export class TransactionCodecError extends Error {
  readonly code: CodecErrorCode;
  constructor(code: CodecErrorCode, message: string) {
    super(message);
    this.name = "TransactionCodecError";
    this.code = code;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Records of a state init: the limit on their number is checked after decoding, and bounds no memory before it. */
const MAX_STATE_INIT_RECORDS = 200_000;
/** Method names in a key: the limit on their bytes bounds them too, but only after decoding. */
const MAX_METHOD_NAMES = 2000;

class BorshReader {
  position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.position === this.#bytes.length;
  }

  take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.position) {
      throw new TransactionCodecError("TRUNCATED", `Unexpected length of input at byte ${this.position}`);
    }
    const taken = this.#bytes.slice(this.position, this.position + count);
    this.position += count;
    return taken;
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  u32(): number {
    return Buffer.from(this.take(4)).readUInt32LE();
  }

  u64(): bigint {
    return Buffer.from(this.take(8)).readBigUInt64LE();
  }

  u128(): bigint {
    const low = this.u64();
    return low | (this.u64() << 64n);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.take(this.u32()) as Uint8Array<ArrayBuffer>;
  }

  text(): string {
    try {
      return utf8.decode(this.bytes());
    } catch (error) {
      if (error instanceof TransactionCodecError) throw error;
      throw new TransactionCodecError("INVALID_TEXT", `A text before byte ${this.position} is not UTF-8`);
    }
  }

  publicKey(): PublicKey {
    const tag = this.u8();
    const type = KEY_TYPES[tag] ?? invalidTag("PublicKey", tag);
    return publicKeyFromBytes(Uint8Array.from([tag, ...this.take(type.keyBytes)]))!;
  }

  signature(): { type: number; data: Uint8Array } {
    const type = this.u8();
    const keyType = KEY_TYPES[type] ?? invalidTag("Signature", type);
    return { type, data: this.take(keyType.signatureBytes) };
  }

  /** What was read since a position. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.position);
  }

  /** A list whose items take at least one byte each. */
  list<T>(limit: number, read: () => T): T[] {
    const count = this.u32();
    if (count > limit) throw new TransactionCodecError("TRUNCATED", `A list of ${count} exceeds the limit ${limit}`);
    return Array.from({ length: count }, read);
  }
}

function invalidTag(name: string, tag: number): never {
  throw new TransactionCodecError("INVALID_TAG", `Unexpected variant index ${tag} of ${name}`);
}

function readPermission(reader: BorshReader): AccessKeyPermission {
  const tag = reader.u8();
  if (tag === 1) return { kind: "FullAccess" };
  if (tag !== 0) invalidTag("AccessKeyPermission", tag);
  const hasAllowance = reader.u8();
  if (hasAllowance > 1) invalidTag("Option", hasAllowance);
  return {
    kind: "FunctionCall",
    allowance: hasAllowance === 1 ? reader.u128() : undefined,
    receiverId: reader.text(),
    methodNames: reader.list(MAX_METHOD_NAMES, () => reader.text()),
  };
}

function readAccessKey(reader: BorshReader): AccessKey {
  return { nonce: reader.u64(), permission: readPermission(reader) };
}

/** Gas is a u64; what exceeds the number range exceeds every limit, so its exact value does not matter. */
function readGas(reader: BorshReader): number {
  return Number(reader.u64());
}

/** 2^30 + 366: so that no signed delegate action is a signed transaction as well (NEP-461). */
const DELEGATE_PREFIX = Buffer.from([0x6e, 0x01, 0x00, 0x40]);

function readDelegate(reader: BorshReader): Action {
  const start = reader.position;
  const senderId = reader.text();
  const receiverId = reader.text();
  const actions = reader.list(LIMITS.max_actions_per_receipt, () => {
    const action = readAction(reader);
    return action.kind === "Delegate" ? invalidTag("NonDelegateAction", DELEGATE_TAG) : action;
  });
  const nonce = reader.u64();
  const maxBlockHeight = reader.u64();
  const publicKey = reader.publicKey();
  const signedHash = sha256(DELEGATE_PREFIX, reader.since(start));
  const signature = reader.signature();
  return {
    kind: "Delegate",
    senderId,
    receiverId,
    actions,
    nonce,
    maxBlockHeight,
    publicKey,
    signature,
    signedHash,
  };
}

const DELEGATE_TAG = 8;

function readFlag(reader: BorshReader, name: string): boolean {
  const tag = reader.u8();
  return tag > 1 ? invalidTag(name, tag) : tag === 1;
}

function readGlobalContract(reader: BorshReader): GlobalContractId {
  return readFlag(reader, "GlobalContractIdentifier")
    ? { kind: "account", accountId: reader.text() }
    : { kind: "hash", codeHash: toHash(reader.take(32)) };
}

function readStateInit(reader: BorshReader): Action {
  const version = reader.u8();
  if (version !== 0) invalidTag("DeterministicAccountStateInit", version);
  const contract = readGlobalContract(reader);
  // A map, which nearcore reads in any order; the last of equal keys stays.
  const records = new Map<string, StateInitRecord>();
  for (const made of reader.list(MAX_STATE_INIT_RECORDS, () => ({ key: reader.bytes(), value: reader.bytes() }))) {
    records.set(Buffer.from(made.key).toString("latin1"), made);
  }
  const data = [...records.values()].sort((a, b) => Buffer.compare(a.key, b.key));
  return { kind: "DeterministicStateInit", contract, data, deposit: reader.u128() };
}

function readAction(reader: BorshReader): Action {
  const tag = reader.u8();
  switch (tag) {
    case 0:
      return { kind: "CreateAccount" };
    case 1:
      return { kind: "DeployContract", code: reader.bytes() };
    case 2:
      return {
        kind: "FunctionCall",
        methodName: reader.text(),
        args: reader.bytes(),
        gas: readGas(reader),
        deposit: reader.u128(),
      };
    case 3:
      return { kind: "Transfer", deposit: reader.u128() };
    case 4:
      return { kind: "Stake", stake: reader.u128(), publicKey: reader.publicKey() };
    case 5:
      return { kind: "AddKey", publicKey: reader.publicKey(), accessKey: readAccessKey(reader) };
    case 6:
      return { kind: "DeleteKey", publicKey: reader.publicKey() };
    case 7:
      return { kind: "DeleteAccount", beneficiaryId: reader.text() };
    case DELEGATE_TAG:
      return readDelegate(reader);
    case 9:
      return { kind: "DeployGlobalContract", code: reader.bytes(), byAccount: readFlag(reader, "DeployMode") };
    case 10:
      return { kind: "UseGlobalContract", contract: readGlobalContract(reader) };
    case 11:
      return readStateInit(reader);
    default:
      throw new TransactionCodecError(
        "UNSUPPORTED_ACTION",
        `Action ${tag} is not supported by the embedded chain (gas keys, universal accounts)`,
      );
  }
}

/** @throws TransactionCodecError */
export function decodeSignedTransaction(bytes: Uint8Array): SignedTransaction {
  if (bytes.length > LIMITS.max_transaction_size) {
    throw new TransactionCodecError("TRAILING_BYTES", `A transaction of ${bytes.length} bytes exceeds the limit`);
  }
  const reader = new BorshReader(bytes);
  const signerId = reader.text();
  const publicKey = reader.publicKey();
  const nonce = reader.u64();
  const receiverId = reader.text();
  const blockHash = toHash(reader.take(32));
  const actions = reader.list(bytes.length, () => readAction(reader));
  const hash = toHash(sha256(bytes.subarray(0, reader.position)));
  const signature = reader.signature();
  if (!reader.isAtEnd) throw new TransactionCodecError("TRAILING_BYTES", "Not all bytes read");
  return { hash, signerId, publicKey, nonce, receiverId, blockHash, actions, signature, sizeBytes: bytes.length };
}
