/**
 * A chain that outlives its process: genesis and the inputs of every block go to a log, from which the chain is
 * made again at the next start. Blocks are on disk before anybody hears of them, so `kill -9` loses none; a
 * transaction that waited for its block is lost with the process, as a mempool's are.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DevChain } from "../chain/devchain.ts";
import type { DevChainOptions } from "../chain/devchain-types.ts";
import type { ChainSnapshot } from "../chain/snapshot.ts";
import { hashBytes } from "../codec/hash.ts";
import { decodeRecord, encodeInput, type LogRecord } from "./block-log.ts";
import { FrameLog } from "./frame-log.ts";
import { genesisFromJson, genesisToJson } from "./genesis-file.ts";
import { JsonCodecError } from "./json-codec.ts";
import { decodeSnapshotFile, encodeSnapshotFile, isSnapshotFile } from "./snapshot-file.ts";

export interface OpenDevChainOptions extends DevChainOptions {
  readonly dataDirectory: string;
  /** What a new directory's chain begins with, instead of with accounts. */
  readonly fork?: ChainSnapshot;
}

export interface OpenedDevChain {
  readonly chain: DevChain;
  /** The genesis in force: the log's, when there was one; then the options' accounts do not count. */
  readonly genesis: DevChainOptions;
  /** Blocks (and snapshots) that came out of the log. */
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

/** Whether a chain began in this directory: then its log says which accounts it has. */
export function hasChain(dataDirectory: string): boolean {
  return existsSync(join(dataDirectory, LOG_FILE));
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

function replay(chain: DevChain, bytes: Uint8Array): void {
  let record: LogRecord;
  try {
    record = decodeRecord(bytes);
  } catch (error) {
    const known = error instanceof RangeError || error instanceof SyntaxError || error instanceof JsonCodecError;
    if (!known) throw error;
    throw new OpenDevChainError("MALFORMED_RECORD", `a record of the log cannot be read: ${error.message}`);
  }
  const diverged = (what: string) =>
    new OpenDevChainError(
      "REPLAY_DIVERGED",
      `${what} came out differently: the log is of another version of the chain`,
    );
  if (record.kind === "block") {
    const block = chain.replayBlock(record.inputs);
    if (Buffer.compare(hashBytes(block.hash), record.hash) !== 0) throw diverged(`block ${block.height}`);
  } else if (record.kind === "snapshot") {
    if (chain.takeSnapshot() !== record.id) throw diverged(`snapshot ${record.id}`);
  } else if (record.kind === "drop") {
    chain.dropHead();
  } else {
    chain.revertTo(record.id);
  }
}

/** What a log begins with: genesis, or the snapshot that the chain was forked from. */
function firstRecord(options: OpenDevChainOptions): Buffer {
  const { fork } = options;
  return fork === undefined ? Buffer.from(genesisToJson(options), "utf8") : encodeSnapshotFile(options, fork);
}

function readFirst(bytes: Uint8Array): { genesis: DevChainOptions; fork: ChainSnapshot | undefined } {
  const content = Buffer.from(bytes);
  if (!isSnapshotFile(content)) return { genesis: genesisFromJson(content.toString("utf8")), fork: undefined };
  const { options, snapshot } = decodeSnapshotFile(content);
  return { genesis: { ...options, genesisTimestampNs: snapshot.head.timestampNs, accounts: [] }, fork: snapshot };
}

function openLog(options: OpenDevChainOptions, log: FrameLog): Omit<OpenedDevChain, "close"> {
  const records = log.recover();
  const first = records.next();
  const { genesis, fork } = first.done ? { genesis: options, fork: options.fork } : readFirst(first.value);
  if (genesis.chainId !== options.chainId) {
    throw new OpenDevChainError("OTHER_CHAIN", `the log is of chain ${genesis.chainId}, not ${options.chainId}`);
  }
  if (!first.done && options.fork !== undefined && options.fork.head.hash !== fork?.head.hash) {
    throw new OpenDevChainError("OTHER_CHAIN", "the directory has a chain that was not forked from this snapshot");
  }
  // How transactions come in is not a matter of the log: it has them in the order in which they landed.
  const { shuffleTransactions = false, droppableHead = false } = options;
  const livesOn = { shuffleTransactions, droppableHead };
  const chain = new DevChain({ ...genesis, ...livesOn }, fork);
  let replayedBlocks = 0;
  for (const record of records) {
    replay(chain, record);
    replayedBlocks++;
  }
  if (first.done) log.append(firstRecord(options));
  chain.onInput((input) => log.append(encodeInput(input)));
  return { chain, genesis, replayedBlocks };
}

/** @throws OpenDevChainError, FrameLogError, GenesisFileError, SnapshotFileError, DevChainError */
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
