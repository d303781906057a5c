/**
 * The state that a `0u…` account follows from (NEP-642), as far as contracts ask about it: is it one, is it spelled in
 * the one way that counts, how large is it, which account does it make (nearcore core/primitives
 * universal_state_init.rs, core/primitives-core universal_account_id.rs).
 */
import { sha3_256 } from "@noble/hashes/sha3.js";
import { isAccountId } from "./account-id.ts";

export interface StateInitSize {
  readonly entries: number;
  readonly keys: number;
}

/** What `universal_state_init_to_account_id` answers. */
export type StateInitStatus = "canonical" | "malformed" | "nonCanonical";

/** Ed25519, secp256k1, and the hash of an ML-DSA-65 key, with the bytes behind each tag. */
const KEY_BYTES: Readonly<Record<number, number>> = { 0: 32, 1: 64, 3: 32 };
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Malformed extends Error {}

class Reader {
  readonly #bytes: Buffer;
  position = 0;
  /** Nothing was out of order or there twice. */
  isOrdered = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.position === this.#bytes.length;
  }

  take(count: number): Buffer {
    if (count > this.#bytes.length - this.position) throw new Malformed();
    this.position += count;
    return this.#bytes.subarray(this.position - count, this.position);
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  framed(): Buffer {
    return this.take(this.take(4).readUInt32LE());
  }

  /** Items in the order of what `read` returns. */
  ordered(read: () => Buffer): number {
    const count = this.take(4).readUInt32LE();
    let before: Buffer | undefined;
    for (let index = 0; index < count; index++) {
      const item = read();
      if (before !== undefined && Buffer.compare(before, item) >= 0) this.isOrdered = false;
      before = item;
    }
    return count;
  }
}

function readContract(reader: Reader): void {
  const tag = reader.u8();
  if (tag === 0) {
    reader.take(32);
    return;
  }
  if (tag !== 1) throw new Malformed();
  let accountId: string;
  try {
    accountId = utf8.decode(reader.framed());
  } catch (error) {
    if (error instanceof Malformed) throw error;
    throw new Malformed();
  }
  if (!isAccountId(accountId)) throw new Malformed();
}

function readSize(reader: Reader): StateInitSize {
  if (reader.u8() !== 0) throw new Malformed(); // version
  const hasContract = reader.u8();
  if (hasContract > 1) throw new Malformed();
  if (hasContract === 1) readContract(reader);
  const entries = reader.ordered(() => {
    const key = reader.framed();
    reader.framed();
    return key;
  });
  const keys = reader.ordered(() => {
    const start = reader.u8();
    const length = KEY_BYTES[start];
    if (length === undefined) throw new Malformed();
    return Buffer.concat([Uint8Array.of(start), reader.take(length)]);
  });
  if (!reader.isAtEnd) throw new Malformed();
  return { entries, keys };
}

export function inspectStateInit(bytes: Uint8Array): { status: StateInitStatus; size: StateInitSize | undefined } {
  const reader = new Reader(bytes);
  try {
    const size = readSize(reader);
    return reader.isOrdered ? { status: "canonical", size } : { status: "nonCanonical", size: undefined };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { status: "malformed", size: undefined };
  }
}

/** The most that so many bytes could hold: what is paid for a state init that its receipt will refuse. */
export function largestStateInit(bytes: number): StateInitSize {
  return {
    entries: Math.ceil(Math.max(0, bytes - 6) / 8),
    keys: Math.ceil(Math.max(0, bytes - 10) / 33),
  };
}

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";
const SYMBOL_BITS = 5;
const SYMBOLS = 52;

export function universalAccountId(stateInit: Uint8Array): string {
  // 256 bits and four of padding make 52 symbols.
  const value = BigInt(`0x${Buffer.from(sha3_256(stateInit)).toString("hex")}`) << 4n;
  const symbols = Array.from({ length: SYMBOLS }, (_, index) => {
    const shift = BigInt(SYMBOL_BITS * (SYMBOLS - 1 - index));
    return CROCKFORD[Number((value >> shift) & 31n)]!;
  });
  return `0u${symbols.join("")}`;
}
