/**
 * The chain as a process: `node main.ts [--data-dir DIR] [--genesis FILE] [--port N] [--host H]
 * [--block-interval-ms N] [--chain-id ID]`. Prints one JSON line, `{"url":…}`, when it listens, and sends
 * the same over IPC when it was forked.
 * Ends on SIGTERM and SIGINT, and when the process that forked it goes away.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { DevChain } from "./chain/devchain.ts";
import type { DevChainOptions } from "./chain/devchain-types.ts";
import { startDevChainServer } from "./rpc/server.ts";
import { GenesisFileError, readGenesisAccounts } from "./storage/genesis-file.ts";
import { openDevChain } from "./storage/open-devchain.ts";

const DEFAULT_BLOCK_INTERVAL_MS = 600;
const DEFAULT_PORT = 3030;

function integer(text: string, flag: string, maximum: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > maximum) throw new RangeError(`--${flag} ${text}: 0 to ${maximum} is taken`);
  return value;
}

/** `{accounts, seed?, genesisTimestampNs?}` */
function readGenesis(path: string | undefined): Pick<DevChainOptions, "seed" | "genesisTimestampNs" | "accounts"> {
  const now = BigInt(Date.now()) * 1_000_000n;
  if (path === undefined) return { seed: "devchain", genesisTimestampNs: now, accounts: [] };
  const genesis = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const { seed = "devchain", genesisTimestampNs = String(now), accounts } = genesis;
  if (typeof seed !== "string") throw new GenesisFileError("genesis: `seed` must be a text");
  if (typeof genesisTimestampNs !== "string" || !/^\d{1,20}$/.test(genesisTimestampNs)) {
    throw new GenesisFileError("genesis: `genesisTimestampNs` must be a decimal text");
  }
  return { seed, genesisTimestampNs: BigInt(genesisTimestampNs), accounts: readGenesisAccounts(accounts) };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "data-dir": { type: "string" },
      genesis: { type: "string" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: String(DEFAULT_PORT) },
      "block-interval-ms": { type: "string", default: String(DEFAULT_BLOCK_INTERVAL_MS) },
      "chain-id": { type: "string", default: "devchain" },
    },
  });
  const blockIntervalMs = Math.max(1, integer(values["block-interval-ms"], "block-interval-ms", 3_600_000));
  const options: DevChainOptions = {
    chainId: values["chain-id"],
    blockIntervalMs,
    ...readGenesis(values.genesis),
  };
  const dataDirectory = values["data-dir"];
  const opened =
    dataDirectory === undefined
      ? { chain: new DevChain(options), close: () => {} }
      : openDevChain({ ...options, dataDirectory });
  const server = await startDevChainServer(opened.chain, {
    host: values.host,
    port: integer(values.port, "port", 65_535),
    blockIntervalMs,
  });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await server.stop();
    opened.close();
    process.exit(0);
  };
  for (const event of ["SIGTERM", "SIGINT", "disconnect"] as const) process.on(event, stop);

  const ready = { url: server.url };
  console.log(JSON.stringify(ready));
  // A parent that went away meanwhile is what `disconnect` stands for, not an error of its own.
  process.send?.(ready, undefined, undefined, (error) => {
    if (error !== null) void stop();
  });
}

await main();
