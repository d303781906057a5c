/** A real embedded chain with the real contract on it, served over HTTP, for the tests of what talks to a chain. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { initializeArgs } from "@outlayer/contract/client";
import { DevChain, type RpcFaults, startDevChainServer } from "@outlayer/contract/devchain";
import { Account, JsonRpcProvider, KeyPair, KeyPairSigner, type KeyPairString } from "near-api-js";
import { createLogger, type Logger } from "../../src/logger.ts";

export const CONTRACT_ID = "outlayer.test";
export const USER_ID = "user.test";
const YOCTO = 10n ** 24n;

export const silent: Logger = createLogger({ level: "silent" });

export interface ContractChain {
  readonly chain: DevChain;
  readonly url: string;
  readonly port: number;
  readonly userKey: string;
  account(accountId: string): Account;
  /** Stops answering, as an endpoint that is down. */
  stop(): Promise<void>;
  /** Answers again, on the same port. */
  restart(): Promise<void>;
}

/** With `faults` it is set up first, in blocks that stay: nobody set it up through an endpoint like that. */
export async function startContractChain(blockIntervalMs: number, faults?: RpcFaults): Promise<ContractChain> {
  const keys = new Map([CONTRACT_ID, USER_ID].map((accountId) => [accountId, KeyPair.fromRandom("ed25519")]));
  const wasm = fileURLToPath(import.meta.resolve("@outlayer/contract/wasm/outlayer.wasm"));
  const chain = new DevChain({
    chainId: "test",
    seed: "watcher",
    genesisTimestampNs: 1_700_000_000_000_000_000n,
    blockIntervalMs,
    droppableHead: faults !== undefined,
    accounts: [...keys].map(([accountId, pair]) => ({
      accountId,
      balanceYocto: 10_000n * YOCTO,
      publicKey: pair.getPublicKey().toString(),
      ...(accountId === CONTRACT_ID ? { code: new Uint8Array(readFileSync(wasm)) } : {}),
    })),
  });
  let server = await startDevChainServer(chain, { port: 0, blockIntervalMs });
  const { url, port } = server;
  const account = (accountId: string) =>
    new Account(
      accountId,
      new JsonRpcProvider({ url }),
      KeyPairSigner.fromSecretKey(keys.get(accountId)!.toString() as KeyPairString),
    );
  await account(CONTRACT_ID).callFunction({
    contractId: CONTRACT_ID,
    methodName: "new",
    args: JSON.parse(initializeArgs(CONTRACT_ID, undefined, { chainId: "test", bootstrapBlocks: 100_000 })),
  });
  const restart = async () => {
    server = await startDevChainServer(chain, { port, blockIntervalMs, ...(faults ? { faults } : {}) });
  };
  if (faults) {
    await server.stop();
    await restart();
  }
  return {
    chain,
    url,
    port,
    userKey: keys.get(USER_ID)!.toString(),
    account,
    stop: () => server.stop(),
    restart,
  };
}
