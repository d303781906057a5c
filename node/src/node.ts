/**
 * One node: its drivers wired to one worker machine, started in the order in which they need each other and stopped
 * in the reverse one.
 */
import { createHash, randomBytes, randomInt } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { registerNodeArgs } from "@outlayer/contract/client";
import { Random } from "@outlayer/protocol/random";
import { decode, encode } from "@outlayer/protocol/wire/borsh";
import { type Receipt, receiptRecord } from "@outlayer/protocol/wire/records";
import { nodeKeyDigest } from "@outlayer/protocol/wire/registration";
import { z } from "zod";
import { NearRpc } from "./chain/near-rpc.ts";
import { TransactionSender } from "./chain/transaction-sender.ts";
import { ChainWatcher } from "./chain/watcher.ts";
import type { NodeConfig } from "./config.ts";
import { AuditedEngine, chooseSandbox, EnginePool, FallbackEngine } from "./engine/index.ts";
import { isOperatingError, OperatingError } from "./errors.ts";
import type { NodeFacade } from "./http/facade.ts";
import { type HttpServer, startHttpServer } from "./http/server.ts";
import { readAccountKeys } from "./keys/account-keys.ts";
import { NodeKey, publicKeyText, verifyEd25519 } from "./keys/index.ts";
import type { Logger } from "./logger.ts";
import { ContentExchange, cidOf, P2pHost } from "./p2p/index.ts";
import { NodeStore } from "./store/index.ts";
import { VERSION } from "./version.ts";
import { EventLog } from "./worker/event-log.ts";
import { type ReceiptJson, receiptJson } from "./worker/receipt-json.ts";
import { type Progress, WorkerDriver } from "./worker/worker-driver.ts";

const REGISTER_GAS = 30_000_000_000_000n;
const MAX_FIRST_TRIES = 5;
const FIRST_TRIES_PAUSE_MS = 500;
const MAX_REMEMBERED_PROGRESS = 500;
const MAX_REMEMBERED_TRANSACTIONS = 1_000;

const networkView = z.object({
  chain_id: z.string().min(1).max(64),
  objection_bond: z.string().regex(/^\d{1,39}$/),
});

export interface RunningNode {
  readonly httpUrl: string;
  readonly httpToken: string;
  readonly publicKey: string;
  readonly addresses: readonly string[];
  /** Resolves when something broke after which nothing can be promised any more. */
  readonly broken: Promise<unknown>;
  stop(): Promise<void>;
}

export async function startNode(config: NodeConfig, logger: Logger): Promise<RunningNode> {
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const closing: (() => Promise<void> | void)[] = [];
  try {
    return await assemble(config, logger, closing);
  } catch (error) {
    for (const close of closing.reverse()) await close();
    throw error;
  }
}

async function assemble(
  config: NodeConfig,
  logger: Logger,
  closing: (() => Promise<void> | void)[],
): Promise<RunningNode> {
  const { accountId, contractId, dataDirectory } = config;
  const startedAtMs = Date.now();
  const store = await NodeStore.open({
    directory: join(dataDirectory, "store"),
    contentCapacityBytes: config.contentCapacityBytes,
    logger,
  });
  closing.push(() => store.close());
  const nodeKey = await NodeKey.loadOrCreate(join(dataDirectory, "node-key.json"));
  const accountKeys = await readAccountKeys(config.accountKeyFile, accountId);
  const rpc = new NearRpc(config.rpc);
  const network = await askAtStart(() => rpc.view(contractId, "get_network", {}, networkView), logger);
  const { chain_id: chainId } = network;
  const networkId = `${chainId}/${contractId}`;

  const host = await P2pHost.start({ nodeKey, listen: config.listen, bootstrap: config.bootstrap, networkId, logger });
  closing.push(() => host.stop());
  const content = await ContentExchange.start({
    host,
    source: { get: (hash) => store.content.get(hash) },
    onRejected: ({ reason, hash, publicKey }) =>
      logger.warn("content refused", { reason, hash, from: publicKeyText(publicKey) }),
    lookupTimeoutMs: config.contentTimeoutMs,
  });
  closing.push(() => content.stop());
  // Provider records live as long as the process that made them: what is kept is announced anew.
  for (const { hash } of store.content.list()) content.announce(hash);
  const sandbox = chooseSandbox(config.engineSandbox);
  if (sandbox.kind === "none")
    logger.warn("guests run without a sandbox around their process", { reason: sandbox.reason });
  else logger.info("guests run in a sandbox", { program: sandbox.program });
  const { engineWallTimeMs: wallTimeMs, wasmtimeLib: wasmtimeLibrary } = config;
  const v8 = new FallbackEngine({ children: config.engineChildren, wallTimeMs, sandbox, logger });
  closing.push(() => v8.stop());
  let audited: AuditedEngine | undefined;
  if (wasmtimeLibrary !== undefined) {
    const auditor = new EnginePool({ children: 1, wallTimeMs, sandbox, wasmtimeLibrary, logger });
    closing.push(() => auditor.stop());
    const { auditPerMille: perMille } = config;
    audited = new AuditedEngine({ engine: v8, auditor, perMille, drawBelow: (bound) => randomInt(bound), logger });
    logger.info("wasmtime audits V8", { library: wasmtimeLibrary, perMille });
  }
  const sender = new TransactionSender(rpc, accountId, accountKeys, logger.child({ part: "transactions" }));
  closing.push(() => sender.stop());

  const progress = new EventLog<Progress>(MAX_REMEMBERED_PROGRESS);
  const receipts = new EventLog<ReceiptJson>(0);
  const transactions = new TransactionMemory();
  let connected = true;
  let breakNode: (error: unknown) => void = () => undefined;
  const broken = new Promise<unknown>((resolve) => {
    breakNode = resolve;
  });

  const driver = await WorkerDriver.start({
    config: {
      accountId,
      publicKey: nodeKey.publicKey,
      network: { chainId, contractId },
      random: new Random(randomBytes(32)),
      verify: verifyEd25519,
    },
    identity: { networkId, accountId, nodeKey },
    host,
    content,
    store,
    engine: audited ?? v8,
    sender,
    contractId,
    objectionBondYocto: BigInt(network.objection_bond),
    logger: logger.child({ part: "worker" }),
    onProgress: (entry) => progress.add(entry),
    onReceipt: async (receipt) => {
      await store.receipts.put(receipt.request.requestId, encode(receiptRecord, receipt));
      receipts.add(receiptJson(receipt, transactions.of(receipt.request.requestId)));
    },
    onTransaction: (requestId, hash) => transactions.add(requestId, hash),
    onFatal: breakNode,
  });
  closing.push(() => driver.stop());

  const watcher = new ChainWatcher({
    rpc,
    contractId,
    logger: logger.child({ part: "chain" }),
    deliver: async (event) => void (await driver.deliver(event)),
    onContact: (now) => {
      connected = now;
    },
  });
  closing.push(() => watcher.stop());
  await watcher.start();

  const publicKey = publicKeyText(nodeKey.publicKey);
  const toJson = (receipt: Uint8Array): ReceiptJson => {
    const decoded: Receipt = decode(receiptRecord, receipt);
    return receiptJson(decoded, transactions.of(decoded.request.requestId));
  };
  const facade: NodeFacade = {
    info: () => ({
      version: VERSION,
      accountId,
      contractId,
      chainId,
      publicKey,
      peerId: nodeKey.peerId.toString(),
      addresses: host.addresses(),
      startedAtMs,
    }),
    chain: () => ({ connected, height: watcher.height }),
    worker: () => driver.view(),
    peers: () => host.peers(),
    receipts: async (limit, before) =>
      (await store.receipts.list(limit, before)).receipts.map(({ receipt }) => toJson(receipt)),
    receipt: async (requestId) => {
      const value = await store.receipts.get(requestId);
      return value && toJson(value);
    },
    engine: () => ({ ...v8.stats(), audits: audited?.counts() }),
    recentProgress: () => progress.recent(),
    onProgress: (listener) => progress.subscribe(listener),
    onReceipt: (listener) => receipts.subscribe(listener),
    publishContent: async (bytes) => {
      const known = store.content.has(createHash("sha256").update(bytes).digest());
      const hash = await store.content.put(bytes);
      if (!known) content.announce(hash);
      return { cid: cidOf(hash), sha256: Buffer.from(hash).toString("hex") };
    },
  };
  const httpToken = config.httpToken ?? (await writeToken(dataDirectory));
  const http: HttpServer = await startHttpServer({
    facade,
    host: config.httpHost,
    port: config.httpPort,
    token: httpToken,
    logger: logger.child({ part: "http" }),
  });
  closing.push(() => http.stop());

  await register(config, driver, sender, nodeKey, chainId, logger);
  logger.info("node started", { accountId, contractId, chainId, publicKey, http: http.url });
  return {
    httpUrl: http.url,
    httpToken,
    publicKey,
    addresses: host.addresses(),
    broken,
    async stop() {
      for (const close of closing.splice(0).reverse()) await close();
    },
  };
}

/** An endpoint's first answer: a moment's outage does not end the start, a wrong address does within seconds. */
async function askAtStart<T>(question: () => Promise<{ value: T }>, logger: Logger): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return (await question()).value;
    } catch (error) {
      if (tries === MAX_FIRST_TRIES || !isOperatingError(error, "rpc_failed")) throw error;
      logger.warn("the endpoint does not answer yet, asking again", { tries }, error);
      await sleep(FIRST_TRIES_PAUSE_MS);
    }
  }
}

/** Registers the account with its stake where the configuration asks for it and the contract does not know it yet. */
async function register(
  config: NodeConfig,
  driver: WorkerDriver,
  sender: TransactionSender,
  nodeKey: NodeKey,
  chainId: string,
  logger: Logger,
): Promise<void> {
  const { registerStakeYocto, contractId, accountId } = config;
  if (registerStakeYocto === undefined || driver.view().registered) return;
  const proof = nodeKey.sign(nodeKeyDigest({ chainId, contractId, accountId }));
  const { accepted, reason } = await sender.call({
    contractId,
    method: "register_node",
    args: new TextEncoder().encode(registerNodeArgs(publicKeyText(nodeKey.publicKey), proof)),
    gas: REGISTER_GAS,
    depositYocto: BigInt(registerStakeYocto),
  });
  if (!accepted) throw new OperatingError("registration_refused", { accountId, reason });
  logger.info("registered", { accountId, stakeYocto: registerStakeYocto });
}

async function writeToken(dataDirectory: string): Promise<string> {
  const token = randomBytes(24).toString("base64url");
  await writeFile(join(dataDirectory, "http-token"), token, { mode: 0o600 });
  return token;
}

/** Which of this node's transactions belong to which request; bounded, and only for show. */
class TransactionMemory {
  readonly #hashes = new Map<number, string[]>();

  add(requestId: number, hash: string): void {
    const known = this.#hashes.get(requestId);
    if (known) known.push(hash);
    else this.#hashes.set(requestId, [hash]);
    if (this.#hashes.size > MAX_REMEMBERED_TRANSACTIONS) {
      const [oldest] = this.#hashes.keys();
      if (oldest !== undefined) this.#hashes.delete(oldest);
    }
  }

  of(requestId: number): readonly string[] {
    return this.#hashes.get(requestId) ?? [];
  }
}
