/** Records of a chain's log behind its first one: blocks as they were made, and snapshots taken and gone back to. */
import type { BlockInputs, ChainInput } from "../chain/devchain-types.ts";
import type { StatePatch } from "../chain/snapshot.ts";
import { hashBytes } from "../codec/hash.ts";
import { patchList } from "./snapshot-file.ts";

export type LogRecord =
  | { readonly kind: "block"; readonly hash: Uint8Array; readonly inputs: BlockInputs }
  | Exclude<ChainInput, { readonly kind: "block" }>;

const TAGS = { block: 0, snapshot: 1, revert: 2, drop: 3 } as const;
const HASH_BYTES = 32;

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const framed = (bytes: Uint8Array) => [u32(bytes.length), bytes];

function encodePatches(patches: readonly StatePatch[]): Uint8Array {
  return patches.length === 0 ? new Uint8Array() : Buffer.from(JSON.stringify(patchList.write([...patches])), "utf8");
}

/** A block: its hash, time, transactions, patches. A snapshot and going back: its number. A drop: 0. */
export function encodeInput(input: ChainInput): Uint8Array {
  const tag = Uint8Array.from([TAGS[input.kind]]);
  if (input.kind !== "block") return Buffer.concat([tag, u32(input.kind === "drop" ? 0 : input.id)]);
  const { timestampNs, transactions, patches } = input.inputs;
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE(timestampNs);
  return Buffer.concat([
    tag,
    hashBytes(input.block.hash),
    time,
    u32(transactions.length),
    ...transactions.flatMap(framed),
    ...framed(encodePatches(patches)),
  ]);
}

class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(record: Uint8Array) {
    this.#bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
  }

  take(count: number): Buffer {
    if (count > this.#bytes.length - this.#at) throw new RangeError("the record ends too early");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  framed(): Buffer {
    return this.take(this.u32());
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError("the record goes on behind its end");
  }
}

/** @throws RangeError, SyntaxError, JsonCodecError: a record that this chain did not write */
export function decodeRecord(record: Uint8Array): LogRecord {
  const reader = new RecordReader(record);
  const tag = reader.take(1)[0]!;
  if (tag === TAGS.block) {
    const hash = reader.take(HASH_BYTES);
    const timestampNs = reader.take(8).readBigUInt64LE();
    const transactions: Uint8Array[] = [];
    for (let rest = reader.u32(); rest > 0; rest--) transactions.push(new Uint8Array(reader.framed()));
    const json = reader.framed().toString("utf8");
    reader.end();
    const patches = json === "" ? [] : patchList.read(JSON.parse(json), "patches");
    return { kind: "block", hash, inputs: { timestampNs, transactions, patches } };
  }
  const id = reader.u32();
  reader.end();
  if (tag === TAGS.snapshot) return { kind: "snapshot", id };
  if (tag === TAGS.drop && id === 0) return { kind: "drop" };
  if (tag === TAGS.revert) return { kind: "revert", id };
  throw new RangeError(`${tag} is no kind of record`);
}
