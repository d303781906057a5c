/** One real request on the development network: from the user's transaction to the answer in the caller's storage. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_CODE_BYTES } from "@outlayer/protocol/limits";
import { actions } from "near-api-js";
import { z } from "zod";
import { OperatingError } from "../errors.ts";
import type { ProgressJson } from "../http/status.ts";
import { cidOf } from "../p2p/index.ts";
import { PACKAGE_ROOT } from "../package-root.ts";
import type { ReceiptJson } from "../worker/receipt-json.ts";
import { readEvents } from "./event-stream.ts";
import { CALLER_ID, CONTRACT_ID, type DevNetwork, type DevNode, USER_ID } from "./network.ts";

/** The examples that came with this package: `<name>.wasm`, and `<name>.json` with an input to try. */
const EXAMPLES = join(PACKAGE_ROOT, "dist", "assets", "guests");
const GAS = 300_000_000_000_000n;
/** The yield's own end, and some blocks for what follows it. */
const YIELD_BLOCKS = 230;
const POLL_MS = 20;
const BROKEN_STREAM_MS = 1_000;
const POLL_TRIES = 3_000;
const EVENT_PREFIX = "EVENT_JSON:";
/** Two nodes keep the guest, so that the death of one does not take it away. */
const KEEPERS = 2;

export interface RequestOptions {
  /** An example's name or the path of a .wasm file. */
  readonly guest: string;
  readonly input: string | undefined;
  readonly format: "Json" | "Text" | "Bytes";
  readonly maxInstructions: number;
  readonly killHolder: boolean;
  /** The sha256 (hex) that the request names; that of the guest unless one wants to see what a wrong one does. */
  readonly hash?: string | undefined;
}

export interface DevReceipt extends ReceiptJson {
  /** What the calling contract got in its callback. */
  readonly caller_answer: unknown;
}

export type OnProgress = (node: DevNode, progress: ProgressJson) => void;

export async function requestOnce(
  network: DevNetwork,
  options: RequestOptions,
  onProgress: OnProgress,
): Promise<DevReceipt> {
  const guest = await readGuest(options);
  const alive = network.nodes.filter((node) => node.child.running);
  for (const node of alive.slice(0, KEEPERS)) await publish(node, guest.code);
  network.options.say(`guest ${guest.name} (${guest.code.length} bytes) published as ${cidOf(guest.hash)}`);

  const done = new AbortController();
  const receipts = collectReceipts(alive, done.signal, onProgress);
  try {
    const { requestId, transactionHash, killed } = await send(network, options, guest);
    const receipt = await receipts.of(requestId, network.options.blockIntervalMs * YIELD_BLOCKS);
    if (killed !== undefined && receipt.holder === killed) {
      throw new OperatingError("dev_request_failed", {
        requestId,
        killed,
        said: "its answer was on its way before it died",
      });
    }
    const answer = await callerAnswer(network, transactionHash);
    network.options.say(`request ${requestId}  callback     ${CALLER_ID} got ${JSON.stringify(answer)}`);
    const transactions = [transactionHash, ...(await transactionsOf(network, requestId))];
    return { ...receipt, transactions: [...new Set(transactions)], caller_answer: answer };
  } finally {
    done.abort();
  }
}

interface Guest {
  readonly name: string;
  readonly code: Uint8Array;
  readonly hash: Uint8Array;
  readonly input: string;
}

const expectedCases = z.object({ cases: z.array(z.object({ input: z.string() })).min(1) });

async function readGuest({ guest, input }: RequestOptions): Promise<Guest> {
  const isExample = /^[a-z0-9-]+$/.test(guest);
  const path = isExample ? join(EXAMPLES, `${guest}.wasm`) : guest;
  try {
    const { size } = await stat(path);
    if (size > MAX_CODE_BYTES) throw new OperatingError("dev_guest_unusable", { guest, sizeBytes: size });
    const code = new Uint8Array(await readFile(path));
    const hash = new Uint8Array(createHash("sha256").update(code).digest());
    return {
      name: isExample ? guest : basename(path),
      code,
      hash,
      input: input ?? (isExample ? await exampleInput(guest) : ""),
    };
  } catch (error) {
    if (error instanceof OperatingError) throw error;
    throw new OperatingError("dev_guest_unusable", { guest }, error);
  }
}

async function exampleInput(guest: string): Promise<string> {
  const text = await readFile(join(EXAMPLES, `${guest}.json`), "utf8");
  return expectedCases.parse(JSON.parse(text)).cases[0]!.input;
}

async function publish(node: DevNode, code: Uint8Array): Promise<void> {
  const answer = await fetch(new URL("/api/v1/content", node.httpUrl), {
    method: "POST",
    headers: { authorization: `Bearer ${node.httpToken}`, "content-type": "application/wasm" },
    body: new Blob([code.slice()]),
  });
  if (!answer.ok) {
    throw new OperatingError("dev_request_failed", {
      node: node.accountId,
      status: answer.status,
      said: await answer.text(),
    });
  }
}

interface Sent {
  readonly requestId: number;
  readonly transactionHash: string;
  readonly killed: string | undefined;
}

async function send(network: DevNetwork, options: RequestOptions, guest: Guest): Promise<Sent> {
  const { provider } = network;
  const resourceLimits = { max_instructions: options.maxInstructions, max_memory_mb: 128, max_execution_seconds: 60 };
  const estimate = await provider.callFunction({
    contractId: CONTRACT_ID,
    method: "estimate_execution_cost",
    args: { resource_limits: resourceLimits },
  });
  const args = {
    source: {
      WasmUrl: { url: `ipfs://${cidOf(guest.hash)}`, hash: options.hash ?? Buffer.from(guest.hash).toString("hex") },
    },
    resource_limits: resourceLimits,
    input_data: guest.input,
    response_format: options.format,
  };
  const signed = await network.account(USER_ID).createSignedTransaction({
    receiverId: CALLER_ID,
    actions: [actions.functionCall("ask", args, GAS, BigInt(String(estimate)))],
  });
  const answer = await provider.sendTransactionUntil(signed, "INCLUDED");
  const transactionHash = z.object({ transaction: z.object({ hash: z.string() }) }).parse(answer).transaction.hash;
  const requestId = await requestIdOf(network, transactionHash);
  const killed = options.killHolder ? await killHolder(network, requestId) : undefined;
  return { requestId, transactionHash, killed };
}

const transactionAnswer = z.object({
  status: z.unknown(),
  receipts_outcome: z.array(z.object({ outcome: z.object({ logs: z.array(z.string()), status: z.unknown() }) })),
});
const requestedEvent = z.object({
  event: z.literal("execution_requested"),
  data: z.array(z.object({ request_data: z.string() })).length(1),
});

/** The contract says the request's id in its event, as it does to everybody. */
async function requestIdOf(network: DevNetwork, txHash: string): Promise<number> {
  for (let tries = 0; tries < POLL_TRIES; tries++) {
    const answer = await network.provider.viewTransactionStatus({ txHash, accountId: USER_ID, waitUntil: "INCLUDED" });
    const { receipts_outcome: outcomes } = transactionAnswer.parse(answer);
    for (const { outcome } of outcomes) {
      for (const log of outcome.logs) {
        const requestId = requestIdInLog(log);
        if (requestId !== undefined) return requestId;
      }
      const failure = JSON.stringify(outcome.status);
      if (failure.includes("Failure"))
        throw new OperatingError("dev_request_failed", { txHash, said: failure.slice(0, 500) });
    }
    await sleep(POLL_MS);
  }
  throw new OperatingError("dev_request_failed", { txHash, said: "the contract took no request" });
}

function requestIdInLog(log: string): number | undefined {
  if (!log.startsWith(EVENT_PREFIX)) return undefined;
  const event = requestedEvent.safeParse(JSON.parse(log.slice(EVENT_PREFIX.length)));
  if (!event.success) return undefined;
  return z.object({ request_id: z.number() }).parse(JSON.parse(event.data.data[0]!.request_data)).request_id;
}

/** Waits for the block in which somebody leases the request and kills that node's process at once. */
async function killHolder(network: DevNetwork, requestId: number): Promise<string> {
  for (let tries = 0; tries < POLL_TRIES; tries++) {
    const view = await network.provider.callFunction({
      contractId: CONTRACT_ID,
      method: "get_lease",
      args: { request_id: requestId },
    });
    const lease = z
      .object({ holder: z.string() })
      .nullable()
      .parse(view ?? null);
    if (lease) {
      const node = network.nodes.find(({ accountId }) => accountId === lease.holder);
      if (!node)
        throw new OperatingError("dev_request_failed", { requestId, said: `${lease.holder} is not one of ours` });
      node.child.kill();
      await node.child.ended;
      network.options.say(`killed the process of ${node.accountId}, which held the lease`);
      return node.accountId;
    }
    await sleep(POLL_MS);
  }
  throw new OperatingError("dev_request_failed", { requestId, said: "nobody leased the request" });
}

/** Follows the nodes' event streams: shows their progress and keeps the first receipt of each request. */
function collectReceipts(nodes: readonly DevNode[], signal: AbortSignal, onProgress: OnProgress) {
  const known = new Map<number, ReceiptJson>();
  const ended = new Set<number>();
  for (const node of nodes) {
    const follow = async () => {
      for await (const { event, data } of readEvents(new URL("/api/v1/events", node.httpUrl), signal)) {
        if (event === "receipt") {
          const receipt = JSON.parse(data) as ReceiptJson;
          if (!known.has(receipt.request_id)) known.set(receipt.request_id, receipt);
        } else if (event === "progress") {
          const progress = JSON.parse(data) as ProgressJson;
          if (progress.stage === "closed") ended.add(progress.request_id);
          onProgress(node, progress);
        }
      }
    };
    follow().catch(async (error: unknown) => {
      // A killed node's stream breaks off a moment before its process is seen to end; the others go on.
      await Promise.race([node.child.ended, sleep(BROKEN_STREAM_MS)]);
      if (!signal.aborted && node.child.running) noteBrokenStream(node, error);
    });
  }
  return {
    async of(requestId: number, timeoutMs: number): Promise<ReceiptJson> {
      for (const until = Date.now() + timeoutMs; Date.now() < until; await sleep(POLL_MS)) {
        const receipt = known.get(requestId);
        if (receipt) return receipt;
        if (ended.has(requestId)) break;
      }
      const said = "nobody answered it within its 200 blocks; the deposit less the base fee went back";
      throw new OperatingError("dev_request_failed", { requestId, said });
    },
  };
}

function noteBrokenStream(node: DevNode, error: unknown): void {
  console.error(
    `the event stream of ${node.accountId} broke off: ${error instanceof Error ? error.message : String(error)}`,
  );
}

/** The caller's callback runs a block or two after the resolve. */
async function callerAnswer(network: DevNetwork, txHash: string): Promise<unknown> {
  await network.provider.viewTransactionStatus({ txHash, accountId: USER_ID, waitUntil: "EXECUTED_OPTIMISTIC" });
  return network.provider.callFunction({ contractId: CALLER_ID, method: "last_answer", args: {} });
}

/** Claims and resolves are known to the nodes that sent them. */
async function transactionsOf(network: DevNetwork, requestId: number): Promise<string[]> {
  const hashes: string[] = [];
  for (const node of network.nodes) {
    if (!node.child.running) continue;
    const answer = await fetch(new URL(`/api/v1/receipts/${requestId}`, node.httpUrl));
    if (answer.ok) hashes.push(...((await answer.json()) as ReceiptJson).transactions);
  }
  return hashes;
}
