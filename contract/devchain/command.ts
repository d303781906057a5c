/** The chain as a command: what `main.ts` runs, and other commands can call. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { DevChain } from "./chain/devchain.ts";
import type { DevChainOptions } from "./chain/devchain-types.ts";
import type { ChainSnapshot } from "./chain/snapshot.ts";
import type { RpcFaults } from "./rpc/faults.ts";
import { startDevChainServer } from "./rpc/server.ts";
import { FIRST_ACCOUNT_ID, FirstAccount } from "./storage/first-account.ts";
import { GenesisFileError, readGenesisAccounts } from "./storage/genesis-file.ts";
import { hasChain, type OpenedDevChain, openDevChain } from "./storage/open-devchain.ts";
import { decodeSnapshotFile } from "./storage/snapshot-file.ts";

const DEFAULT_BLOCK_INTERVAL_MS = 600;
const DEFAULT_PORT = 3030;
const DEFAULT_SEED = "devchain";
/** 14 November 2023, 22:13:20. */
const VIRTUAL_GENESIS_NS = 1_700_000_000_000_000_000n;

const HELP = `An embedded NEAR chain: one shard, no validators, contracts with the gas of protocol 88.

Usage: chain [options]

  --data-dir DIR           keep the chain in DIR, so that it comes back after a restart; in memory without it
  --genesis FILE           the accounts it begins with, in place of ${FIRST_ACCOUNT_ID}. JSON: {"accounts": [{"accountId", "balanceYocto", "publicKey"?, "codeBase64"?}],
                           "seed"?, "genesisTimestampNs"?}; amounts and times are decimal texts
  --fork FILE              begin where a snapshot was taken: a file of GET /snapshot; instead of --genesis
  --host HOST              where to listen (127.0.0.1)
  --port N                 the first port to try (${DEFAULT_PORT}); 0 takes any that is free
  --block-interval-ms N    how often a block is made (${DEFAULT_BLOCK_INTERVAL_MS})
  --on-demand              make blocks when transactions come, and only then
  --virtual-clock          time passes with the blocks, from a fixed beginning: equal inputs give equal blocks
  --seed TEXT              determines every random seed of the chain (devchain)
  --epoch-blocks N         how long an epoch is (43200)
  --trie-nodes             writes pay for the trie nodes that they touch, as many as this chain has
  --chain-id ID            what the chain calls itself (devchain)
  --shuffle-transactions   transactions of one key land in an order of chance: nonces get lost
  --faults JSON            what public RPC nodes do, as shares of requests from 0 to 1:
                           {"seed": "…", "tooManyRequests"?, "timeouts"?, "staleHeads"?, "staleBlocks"?, "unknownBlocks"?,
                           "droppedBlocks"?}; the last is a share of blocks
  --help                   this text

It answers NEAR's JSON-RPC to POST / and shows its blocks, receipts and accounts to a browser at GET /. GET /snapshot
is the whole chain as a file. sandbox_fast_forward, sandbox_patch_state, sandbox_snapshot and sandbox_revert are for tests.
A chain without --genesis and --fork begins with ${FIRST_ACCOUNT_ID} and a million NEAR. Its key is in ${FIRST_ACCOUNT_ID}.json in the
data directory, or in a file that goes away with the chain; it follows from the seed with --seed or --virtual-clock.
When it listens, it prints one JSON line, {"url":…, "keyFile"?}. It ends on SIGTERM and SIGINT.
`;

export class DevChainCommandError extends Error {
  readonly code: "INVALID_FLAG";
  constructor(message: string) {
    super(message);
    this.name = "DevChainCommandError";
    this.code = "INVALID_FLAG";
  }
}

function integer(text: string, flag: string, maximum: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > maximum) {
    throw new DevChainCommandError(`--${flag} ${text}: 0 to ${maximum} is taken`);
  }
  return value;
}

interface Beginning {
  readonly options: DevChainOptions;
  readonly fork?: ChainSnapshot;
  readonly first?: FirstAccount;
}

/** The key of the chain's own account: what a directory has, or a new one. */
function readFirst(flags: ReturnType<typeof readFlags>): FirstAccount | undefined {
  const { seed, "data-dir": directory, "virtual-clock": virtual } = flags;
  const kept = directory === undefined ? undefined : FirstAccount.read(directory);
  if (directory !== undefined && hasChain(directory)) return kept;
  // A virtual clock promises equal blocks, the first among them.
  if (seed !== undefined || virtual) return FirstAccount.fromSeed(seed ?? DEFAULT_SEED);
  return kept ?? FirstAccount.random();
}

/** `{accounts, seed?, genesisTimestampNs?}` */
function readGenesis(path: string, now: bigint): Pick<DevChainOptions, "genesisTimestampNs" | "accounts"> {
  const genesis = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const { seed, genesisTimestampNs = String(now), accounts } = genesis;
  if (seed !== undefined && typeof seed !== "string") throw new GenesisFileError("genesis: `seed` must be a text");
  if (typeof genesisTimestampNs !== "string" || !/^\d{1,20}$/.test(genesisTimestampNs)) {
    throw new GenesisFileError("genesis: `genesisTimestampNs` must be a decimal text");
  }
  return {
    ...(seed === undefined ? {} : { seed }),
    genesisTimestampNs: BigInt(genesisTimestampNs),
    accounts: readGenesisAccounts(accounts),
  };
}

function readFork(path: string): ReturnType<typeof decodeSnapshotFile> {
  try {
    return decodeSnapshotFile(readFileSync(path));
  } catch (error) {
    throw new DevChainCommandError(`--fork ${path}: ${(error as Error).message}`);
  }
}

/** The accounts of a genesis file, or the chain that a snapshot holds; flags that say otherwise come first. */
function readBeginning(flags: ReturnType<typeof readFlags>, blockIntervalMs: number): Beginning {
  const epochBlocks = flags["epoch-blocks"];
  const given = {
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(epochBlocks === undefined ? {} : { epochBlocks: integer(epochBlocks, "epoch-blocks", 100_000_000) }),
    ...(flags["trie-nodes"] ? { trieNodes: true } : {}),
    blockIntervalMs,
    shuffleTransactions: flags["shuffle-transactions"],
    droppableHead: flags.faults !== undefined,
  };
  if (flags.fork === undefined) {
    const now = flags["virtual-clock"] ? VIRTUAL_GENESIS_NS : BigInt(Date.now()) * 1_000_000n;
    const first = flags.genesis === undefined ? readFirst(flags) : undefined;
    const accounts = first === undefined ? [] : [first.genesis];
    const genesis =
      flags.genesis === undefined ? { genesisTimestampNs: now, accounts } : readGenesis(flags.genesis, now);
    const options = { seed: DEFAULT_SEED, chainId: flags["chain-id"] ?? "devchain", ...genesis, ...given };
    return { options, ...(first === undefined ? {} : { first }) };
  }
  if (flags.genesis !== undefined || flags["chain-id"] !== undefined) {
    throw new DevChainCommandError("--fork brings its accounts and its chain id along: no --genesis, no --chain-id");
  }
  const { options, snapshot } = readFork(flags.fork);
  const genesisTimestampNs = snapshot.head.timestampNs;
  return { options: { ...options, ...given, genesisTimestampNs, accounts: [] }, fork: snapshot };
}

const FAULT_NAMES = [
  "tooManyRequests",
  "timeouts",
  "staleHeads",
  "staleBlocks",
  "unknownBlocks",
  "droppedBlocks",
] as const;

function readFaults(text: string): RpcFaults {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new DevChainCommandError("--faults: not JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new DevChainCommandError("--faults: an object was expected");
  }
  const { seed = "faults", ...shares } = parsed as Record<string, unknown>;
  if (typeof seed !== "string") throw new DevChainCommandError("--faults: `seed` must be a text");
  for (const [name, value] of Object.entries(shares)) {
    const known = FAULT_NAMES.some((candidate) => candidate === name);
    if (!known || typeof value !== "number") throw new DevChainCommandError(`--faults: \`${name}\` is not taken`);
  }
  return { seed, ...shares };
}

function readFlags(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        "data-dir": { type: "string" },
        genesis: { type: "string" },
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: String(DEFAULT_PORT) },
        "block-interval-ms": { type: "string", default: String(DEFAULT_BLOCK_INTERVAL_MS) },
        "chain-id": { type: "string" },
        fork: { type: "string" },
        seed: { type: "string" },
        "epoch-blocks": { type: "string" },
        "trie-nodes": { type: "boolean", default: false },
        "on-demand": { type: "boolean", default: false },
        "virtual-clock": { type: "boolean", default: false },
        "shuffle-transactions": { type: "boolean", default: false },
        faults: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new DevChainCommandError((error as Error).message);
  }
}

/** A chain in memory, or that of a directory. The key of a new one is on disk before its log begins. */
function open(
  { options, fork, first }: Beginning,
  dataDirectory: string | undefined,
): Pick<OpenedDevChain, "chain" | "close"> {
  if (dataDirectory === undefined) return { chain: new DevChain(options, fork), close: () => {} };
  if (first !== undefined && !hasChain(dataDirectory)) first.save(dataDirectory);
  return openDevChain({ ...options, dataDirectory, ...(fork === undefined ? {} : { fork }) });
}

/** Where the key of the first account is, if the chain has that account (still); says so to who reads along. */
function tellFirst(chain: DevChain, first: FirstAccount | undefined, directory: string | undefined, url: string) {
  const key = first && chain.stateAt("optimistic").get("accessKey", FIRST_ACCOUNT_ID, first.publicKey);
  if (first === undefined || key === undefined) return undefined;
  const file = directory === undefined ? first.save() : first.fileIn(directory);
  const body = `{"jsonrpc":"2.0","id":1,"method":"query","params":["account/${FIRST_ACCOUNT_ID}",""]}`;
  console.error(`${FIRST_ACCOUNT_ID} has the key in ${file.path}; look at it: curl -d '${body}' ${url}`);
  return file;
}

/**
 * Runs the chain until it is told to end: by SIGTERM or SIGINT, or when the process that forked this one goes away.
 * Returns when it listens. @throws DevChainCommandError, GenesisFileError, OpenDevChainError, DevChainServerError
 */
export async function runDevChainCommand(argv: readonly string[]): Promise<void> {
  const flags = readFlags(argv);
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  const blockIntervalMs = Math.max(1, integer(flags["block-interval-ms"], "block-interval-ms", 3_600_000));
  const beginning = readBeginning(flags, blockIntervalMs);
  const port = integer(flags.port, "port", 65_535);
  const faults = flags.faults === undefined ? {} : { faults: readFaults(flags.faults) };
  const dataDirectory = flags["data-dir"];
  const opened = open(beginning, dataDirectory);
  const server = await startDevChainServer(opened.chain, {
    host: flags.host,
    port,
    blockIntervalMs,
    onDemand: flags["on-demand"],
    virtualClock: flags["virtual-clock"],
    ...faults,
  });
  const keyFile = tellFirst(opened.chain, beginning.first, dataDirectory, server.url);
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await server.stop();
    opened.close();
    keyFile?.remove();
    process.exit(0);
  };
  for (const event of ["SIGTERM", "SIGINT", "disconnect"] as const) process.on(event, stop);

  const ready = { url: server.url, ...(keyFile === undefined ? {} : { keyFile: keyFile.path }) };
  console.log(JSON.stringify(ready));
  // A parent that went away meanwhile is what `disconnect` stands for, not an error of its own.
  process.send?.(ready, undefined, undefined, (error) => {
    if (error !== null) void stop();
  });
}
