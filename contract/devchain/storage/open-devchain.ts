/**
 * A chain that outlives its process: genesis and the inputs of every block go to a log, from which the chain is
 * made again at the next start. Blocks are on disk before anybody hears of them, so `kill -9` loses none; a
 * transaction that waited for its block is lost with the process, as a mempool's are.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DevChain } from "../chain/devchain.ts";
import type { BlockInputs, DevChainOptions } from "../chain/devchain-types.ts";
import { hashBytes } from "../codec/hash.ts";
import { FrameLog } from "./frame-log.ts";
import { genesisFromJson, genesisToJson } from "./genesis-file.ts";

export interface OpenDevChainOptions extends DevChainOptions {
  readonly dataDirectory: string;
}

export interface OpenedDevChain {
  readonly chain: DevChain;
  /** The genesis in force: the log's, when there was one; then the options' accounts do not count. */
  readonly genesis: DevChainOptions;
  /** Blocks that came out of the log. */
  readonly replayedBlocks: number;
  close(): void;
}

export type OpenDevChainErrorCode = "DATA_DIRECTORY_IN_USE" | "OTHER_CHAIN" | "REPLAY_DIVERGED" | "MALFORMED_RECORD";

export class OpenDevChainError extends Error {
  readonly code: OpenDevChainErrorCode;
  constructor(code: OpenDevChainErrorCode, message: string) {
    super(message);
    this.name = "OpenDevChainError";
    this.code = code;
  }
}

const LOG_FILE = "blocks.log";
const LOCK_FILE = "lock";
const HASH_BYTES = 32;

/** Hash of the block, its time, and its transactions, each with its length. */
function encodeBlock(hash: Uint8Array, { timestampNs, transactions }: BlockInputs): Uint8Array {
  const head = Buffer.alloc(HASH_BYTES + 8 + 4);
  head.set(hash, 0);
  head.writeBigUInt64LE(timestampNs, HASH_BYTES);
  head.writeUInt32LE(transactions.length, HASH_BYTES + 8);
  const framed = transactions.flatMap((bytes) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat([head, ...framed]);
}

function decodeBlock(record: Uint8Array): { hash: Uint8Array; inputs: BlockInputs } {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
  try {
    const timestampNs = bytes.readBigUInt64LE(HASH_BYTES);
    const transactions: Uint8Array[] = [];
    let offset = HASH_BYTES + 12;
    for (let rest = bytes.readUInt32LE(HASH_BYTES + 8); rest > 0; rest--) {
      const end = offset + 4 + bytes.readUInt32LE(offset);
      if (end > bytes.length) throw new RangeError("a transaction ends behind its record");
      transactions.push(new Uint8Array(bytes.subarray(offset + 4, end)));
      offset = end;
    }
    return { hash: bytes.subarray(0, HASH_BYTES), inputs: { timestampNs, transactions } };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OpenDevChainError("MALFORMED_RECORD", `a block's record cannot be read: ${error.message}`);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Two writers would ruin the log. A lock whose owner is gone is taken over. */
function takeLock(path: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = openSync(path, "wx", 0o600);
      writeSync(file, String(process.pid));
      closeSync(file);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(readFileSync(path, "utf8"));
      if (Number.isSafeInteger(owner) && owner > 0 && isAlive(owner)) {
        throw new OpenDevChainError("DATA_DIRECTORY_IN_USE", `process ${owner} has ${path}`);
      }
      rmSync(path, { force: true });
    }
  }
  throw new OpenDevChainError("DATA_DIRECTORY_IN_USE", `another process took ${path}`);
}

function replay(chain: DevChain, record: Uint8Array): void {
  const { hash, inputs } = decodeBlock(record);
  const block = chain.replayBlock(inputs);
  if (Buffer.compare(hashBytes(block.hash), hash) !== 0) {
    throw new OpenDevChainError(
      "REPLAY_DIVERGED",
      `block ${block.height} came out differently: the log is of another version of the chain`,
    );
  }
}

function openLog(options: OpenDevChainOptions, log: FrameLog): Omit<OpenedDevChain, "close"> {
  const records = log.recover();
  const first = records.next();
  const genesis = first.done ? options : genesisFromJson(Buffer.from(first.value).toString("utf8"));
  if (genesis.chainId !== options.chainId) {
    throw new OpenDevChainError("OTHER_CHAIN", `the log is of chain ${genesis.chainId}, not ${options.chainId}`);
  }
  // How transactions come in is not a matter of the log: it has them in the order in which they landed.
  const chain = new DevChain({ ...genesis, shuffleTransactions: options.shuffleTransactions ?? false });
  let replayedBlocks = 0;
  for (const record of records) {
    replay(chain, record);
    replayedBlocks++;
  }
  if (first.done) log.append(Buffer.from(genesisToJson(options), "utf8"));
  chain.onBlock((block, inputs) => log.append(encodeBlock(hashBytes(block.hash), inputs)));
  return { chain, genesis, replayedBlocks };
}

/** @throws OpenDevChainError, FrameLogError, GenesisFileError, DevChainError */
export function openDevChain(options: OpenDevChainOptions): OpenedDevChain {
  mkdirSync(options.dataDirectory, { recursive: true, mode: 0o700 });
  const lockPath = join(options.dataDirectory, LOCK_FILE);
  takeLock(lockPath);
  const log = new FrameLog(join(options.dataDirectory, LOG_FILE));
  const close = () => {
    log.close();
    rmSync(lockPath, { force: true });
  };
  try {
    return { ...openLog(options, log), close };
  } catch (error) {
    close();
    throw error;
  }
}
