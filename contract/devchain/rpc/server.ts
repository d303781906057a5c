/** The chain behind an HTTP server that near-api-js takes for a NEAR node, and the timer that makes its blocks. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { DevChain } from "../chain/devchain.ts";
import { decodeSignedTransaction } from "../codec/transaction.ts";
import { encodeSnapshotFile } from "../storage/snapshot-file.ts";
import { ContractPreparation } from "./contract-preparation.ts";
import { createExplorer } from "./explorer.ts";
import { FastForward } from "./fast-forward.ts";
import { behind, FaultInjector, namedBlock, type RpcFaults, tooManyRequests } from "./faults.ts";
import { createMethods, statusOf } from "./methods.ts";
import { refuseForeignPage } from "./page-origin.ts";
import { handlerError, internalError, parseError, RpcError } from "./rpc-error.ts";
import { TransactionService } from "./transactions.ts";
import { unknownBlock } from "./unknown-block.ts";

export interface DevChainServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes any free port; a busy port is passed over for the next one. Default 3030, as near nodes have it. */
  readonly port?: number;
  /** How often a block is made; 0 makes none, so that the caller does with `chain.produceBlock`. */
  readonly blockIntervalMs: number;
  /** Blocks are made when a transaction comes, until nothing is due and the last of them is final. */
  readonly onDemand?: boolean;
  /** Blocks take their time from the chain's own interval, not from the wall clock: equal inputs give equal blocks. */
  readonly virtualClock?: boolean;
  /** What public RPC nodes do to their clients; nothing of it by default. */
  readonly faults?: RpcFaults;
  /** How long `send_tx` and `tx` wait for the level asked for. Default 10 s, as in nearcore. */
  readonly waitTimeoutMs?: number;
}

export interface DevChainServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

export class DevChainServerError extends Error {
  readonly code: "NO_FREE_PORT";
  constructor(message: string) {
    super(message);
    this.name = "DevChainServerError";
    this.code = "NO_FREE_PORT";
  }
}

const DEFAULT_PORT = 3030;
const PORTS_TO_TRY = 100;
/** nearcore's default; the largest transaction in base64 fits four times. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** A transaction that may hold a contract which takes long to prepare. */
const WORTH_LOOKING_BYTES = 16_384;
const MAX_WAITING_REQUESTS = 10_000;
const DEFAULT_WAIT_TIMEOUT_MS = 10_000;
/** A large contract's first compilation blocks the loop for seconds: idle connections have to outlive that. */
const KEEP_ALIVE_MS = 120_000;

interface RpcRequest {
  id: string | number | null;
  method: string;
  params: unknown;
}

function readRequest(body: string): RpcRequest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw parseError("the body is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw parseError("JSON RPC Request format was expected"); // batches among them, as in nearcore
  }
  const { id = null, method, params, jsonrpc } = parsed as Record<string, unknown>;
  if (jsonrpc !== "2.0") throw parseError("jsonrpc must be 2.0");
  if (typeof method !== "string" || method.length > 100) throw parseError("method must be a short text");
  if (id !== null && typeof id !== "string" && typeof id !== "number") {
    throw parseError("id must be a text, a number or null");
  }
  return { id, method, params };
}

function createApp(
  chain: DevChain,
  transactions: TransactionService,
  making: FastForward,
  faults: FaultInjector,
): Hono {
  const methodOf = createMethods(chain, transactions, making);
  const staleMethodOf = createMethods(behind(chain, faults.staleBlocks), transactions, making);
  const answerTo = async ({ method, params }: RpcRequest): Promise<object | string | null> => {
    const hit = faults.next();
    if (hit.has("tooManyRequests")) throw tooManyRequests();
    const named = namedBlock(params);
    if (hit.has("unknownBlocks") && named !== undefined)
      throw unknownBlock(named, method === "query" ? "query" : "block");
    const result = await (hit.has("staleHeads") ? staleMethodOf : methodOf)(method)(params);
    if (hit.has("timeouts")) throw handlerError("TIMEOUT_ERROR", {}, "Timeout");
    return result;
  };
  const app = new Hono();
  const answer = (context: Context, id: RpcRequest["id"], error: unknown) => {
    if (!(error instanceof RpcError)) console.error("devchain: a request failed", error);
    const rpcError = error instanceof RpcError ? error : internalError("the embedded chain failed, see its log");
    return context.json({ jsonrpc: "2.0", error: rpcError.body, id }, rpcError.httpStatus as 200);
  };
  // Every page may read and send transactions, as with any RPC node: that is how dapps in browsers are developed.
  app.use((context, next) => {
    context.header("access-control-allow-origin", "*");
    return next();
  });
  app.options("*", (context) => {
    context.header("access-control-allow-headers", "content-type");
    return context.body(null, 204);
  });
  app.route("/", createExplorer(chain));
  app.get("/status", (context) => context.json(statusOf(chain)));
  app.get("/health", (context) => context.json(null));
  app.get("/snapshot", (context) => {
    const file = encodeSnapshotFile(chain.options, chain.snapshot());
    context.header("content-disposition", 'attachment; filename="devchain.snapshot"');
    return context.body(new Uint8Array(file), 200, { "content-type": "application/octet-stream" });
  });
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (context) => answer(context, null, parseError(`the body is larger than ${MAX_BODY_BYTES} bytes`)),
  });
  app.post("/", limit, async (context) => {
    let id: RpcRequest["id"] = null;
    try {
      const request = readRequest(await context.req.text());
      id = request.id;
      if (request.method.startsWith("sandbox_")) refuseForeignPage(context.req.raw.headers);
      const result = await answerTo(request);
      return context.json({ jsonrpc: "2.0", result, id });
    } catch (error) {
      return answer(context, id, error);
    }
  });
  app.notFound((context) => answer(context, null, parseError("JSON-RPC is answered to POST / only")));
  return app;
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  const attempt = (candidate: number) =>
    new Promise<boolean>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => {
        server.off("listening", onListening);
        if (error.code === "EADDRINUSE") resolve(false);
        else reject(error);
      };
      const onListening = () => {
        server.off("error", onError);
        resolve(true);
      };
      server.once("error", onError);
      server.once("listening", onListening);
      server.listen(candidate, host);
    });
  const last = port === 0 ? 0 : Math.min(65_535, port + PORTS_TO_TRY - 1);
  for (let candidate = port; candidate <= last; candidate++) {
    if (await attempt(candidate)) return (server.address() as AddressInfo).port;
  }
  throw new DevChainServerError(`every port from ${port} to ${last} of ${host} is taken`);
}

/** The next block, with the wall clock's time when that is later. */
function produceNow(chain: DevChain): void {
  const now = BigInt(Date.now()) * 1_000_000n;
  const { timestampNs } = chain.head;
  chain.produceBlock(now > timestampNs ? now : timestampNs + 1n);
}

/** Makes a block every interval, never two at once. */
function startBlockTimer(produce: () => void, intervalMs: number): () => void {
  if (intervalMs === 0) return () => {};
  const timer = setInterval(produce, intervalMs);
  return () => clearInterval(timer);
}

/** Makes blocks while there is something to do, one for each turn of the loop, so that requests come in between. */
function blocksOnDemand(chain: DevChain, produce: () => void): { wake(): void; stop(): void } {
  let timer: NodeJS.Immediate | undefined;
  let settled = chain.head.height;
  const step = () => {
    timer = undefined;
    if (!chain.isIdle) settled = chain.head.height + 1;
    else if (chain.finalHead.height >= settled) return;
    produce();
    timer = setImmediate(step);
  };
  return {
    wake: () => {
      timer ??= setImmediate(step);
    },
    stop: () => clearImmediate(timer),
  };
}

/**
 * Serves a chain. The timers are here, the chain itself has none.
 * @throws DevChainServerError when no port is free
 */
export async function startDevChainServer(chain: DevChain, options: DevChainServerOptions): Promise<DevChainServer> {
  const host = options.host ?? "127.0.0.1";
  const transactions = new TransactionService(chain, {
    timeoutMs: options.waitTimeoutMs ?? DEFAULT_WAIT_TIMEOUT_MS,
    maxWaiting: MAX_WAITING_REQUESTS,
  });
  const faults = new FaultInjector(options.faults);
  const making = new FastForward(chain);
  const app = createApp(chain, transactions, making, faults);
  const server = createServer(getRequestListener(app.fetch));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listen(server, host, options.port ?? DEFAULT_PORT);
  const next = options.virtualClock === true ? () => void chain.produceBlock() : () => produceNow(chain);
  const produce = () => {
    if (making.isRunning) return;
    if (faults.dropsHead() && chain.canDropHead) chain.dropHead();
    next();
  };
  const stopTimer = options.onDemand === true ? () => {} : startBlockTimer(produce, options.blockIntervalMs);
  const demand = options.onDemand === true ? blocksOnDemand(chain, produce) : undefined;
  const preparation = new ContractPreparation(chain);
  transactions.onSubmit((bytes) => {
    if (bytes.length >= WORTH_LOOKING_BYTES) preparation.see(decodeSignedTransaction(bytes));
    demand?.wake();
  });
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    stop: async () => {
      stopTimer();
      demand?.stop();
      await making.stop();
      await preparation.stop();
      transactions.stop();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
