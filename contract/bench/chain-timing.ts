/**
 * `npm run bench -- chain-timing [--json]`: does the embedded chain, as a process, keep the time of its blocks? Under
 * 500 contract calls a second over JSON-RPC, at 600 and at 100 ms, and at the first call of a contract of 4 MB, which
 * has to be instrumented and compiled before it runs. The time between blocks is what their headers say.
 */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ed25519 } from "@noble/curves/ed25519.js";
import { actions, baseDecode, createTransaction, encodeTransaction, PublicKey } from "near-api-js";
import { buildContract } from "../build.ts";
import { initializeArgs } from "../client/index.ts";
import { encodeBase58 } from "../devchain/codec/base58.ts";
import { buildModule, i64 } from "../devchain/oracle/module-builder.ts";

interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
  readonly ok: boolean;
}

const CALLS_PER_SECOND = 500;
const LOAD_MS = 6_000;
const SLICE_MS = 50;
const LARGE_BYTES = 4_000_000;
/** Under protocol 88's 10,000; the rest of the size is straight code. */
const LARGE_FUNCTIONS = 9_700;
const TGAS = 1_000_000_000_000n;
const OUTLAYER = "outlayer.test";
const LARGE = "large.test";
const ALICE = "alice.test";
const secret = createHash("sha256").update(ALICE).digest();
const publicKey = `ed25519:${encodeBase58(ed25519.getPublicKey(secret))}`;

await buildContract();
const outlayer = readFileSync(new URL("../dist/outlayer.wasm", import.meta.url));

/** About as large as a contract may be, and nearly as slow to prepare. */
function largeContract(): Uint8Array {
  const body: number[] = [];
  while (body.length < LARGE_BYTES / LARGE_FUNCTIONS) body.push(...i64(BigInt(body.length)), ...i64(5n), 0x7c, 0x1a);
  const functions = Array.from({ length: LARGE_FUNCTIONS }, (_, index) => ({
    ...(index === 0 ? { export: "main" } : {}),
    body,
  }));
  return buildModule({ functions, memory: [1, 2048] });
}

class ChainProcess {
  readonly #child;
  readonly #directory: string;
  #url = "";
  #nonce = 0n;

  constructor(blockIntervalMs: number) {
    this.#directory = mkdtempSync(join(tmpdir(), "chain-timing-"));
    const genesis = join(this.#directory, "genesis.json");
    const balanceYocto = (10n ** 29n).toString();
    const codes: [string, Uint8Array][] = [
      [OUTLAYER, outlayer],
      [LARGE, largeContract()],
    ];
    const contracts = codes.map(([accountId, code]) => ({
      accountId,
      balanceYocto,
      codeBase64: Buffer.from(code).toString("base64"),
    }));
    writeFileSync(genesis, JSON.stringify({ accounts: [{ accountId: ALICE, balanceYocto, publicKey }, ...contracts] }));
    const main = new URL("../devchain/main.ts", import.meta.url).pathname;
    const flags = ["--genesis", genesis, "--port", "0", "--block-interval-ms", String(blockIntervalMs)];
    this.#child = fork(main, flags, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  }

  async ready(): Promise<void> {
    const [message] = (await once(this.#child, "message")) as [{ url: string }];
    this.#url = message.url;
  }

  async rpc<T>(method: string, params: unknown): Promise<T> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const answer = (await (await fetch(this.#url, { method: "POST", body })).json()) as { result?: T; error?: unknown };
    if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
    return answer.result as T;
  }

  async header(height?: number): Promise<{ height: number; hash: string; timestamp_nanosec: string }> {
    const block = await this.rpc<{ header: { height: number; hash: string; timestamp_nanosec: string } }>(
      "block",
      height === undefined ? { finality: "final" } : { block_id: height },
    );
    return block.header;
  }

  sign(blockHash: string, receiverId: string, methodName: string, args: Uint8Array): string {
    const call = actions.functionCall(methodName, args, 100n * TGAS, 0n);
    const key = PublicKey.from(publicKey);
    const block = baseDecode(blockHash);
    const message = encodeTransaction(createTransaction(ALICE, key, receiverId, ++this.#nonce, [call], block));
    const signature = ed25519.sign(createHash("sha256").update(message).digest(), secret);
    return Buffer.concat([message, Uint8Array.of(0), signature]).toString("base64");
  }

  /** The longest time between two blocks from `first` on, in milliseconds. */
  async longestGap(first: number): Promise<number> {
    const last = (await this.header()).height;
    let longest = 0;
    let before = BigInt((await this.header(first)).timestamp_nanosec);
    for (let height = first + 1; height <= last; height++) {
      const at = BigInt((await this.header(height)).timestamp_nanosec);
      longest = Math.max(longest, Number(at - before) / 1e6);
      before = at;
    }
    return longest;
  }

  async end(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const figures: Record<string, Figure> = {};

function atMost(name: string, value: number, goal: number): void {
  const rounded = Math.round(value);
  figures[name] = { value: rounded, unit: "ms", goal: `<= ${goal}`, ok: rounded <= goal };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends the calls in slices, as they come from many callers; returns when all of them have run. */
async function underLoad(chain: ChainProcess): Promise<number> {
  const { hash, height } = await chain.header();
  const args = new TextEncoder().encode("{}");
  const count = (CALLS_PER_SECOND * LOAD_MS) / 1000;
  const signed = Array.from({ length: count }, () => chain.sign(hash, OUTLAYER, "get_stats", args));
  const slice = (CALLS_PER_SECOND * SLICE_MS) / 1000;
  const beginsAt = performance.now();
  for (let first = 0; first < count; first += slice) {
    const sent = signed.slice(first, first + slice);
    await Promise.all(sent.map((transaction) => chain.rpc("broadcast_tx_async", [transaction])));
    await pause(Math.max(0, beginsAt + (first / slice + 1) * SLICE_MS - performance.now()));
  }
  return height;
}

for (const blockMs of [600, 100]) {
  const chain = new ChainProcess(blockMs);
  try {
    await chain.ready();
    const { hash } = await chain.header();
    const owner = new TextEncoder().encode(initializeArgs(ALICE, ALICE, {}));
    await chain.rpc("broadcast_tx_commit", [chain.sign(hash, OUTLAYER, "new", owner)]);
    await chain.rpc("broadcast_tx_commit", [chain.sign(hash, OUTLAYER, "get_stats", new TextEncoder().encode("{}"))]);
    const loadedFrom = await underLoad(chain);
    await pause(5 * blockMs);
    atMost(`longestBlockOf${blockMs}MsUnderLoad`, await chain.longestGap(loadedFrom), 2 * blockMs);
    const { height } = await chain.header();
    await chain.rpc("broadcast_tx_commit", [chain.sign(hash, LARGE, "main", new Uint8Array())]);
    await pause(5 * blockMs);
    const goal = Math.max(2 * blockMs, 600);
    atMost(`longestBlockOf${blockMs}MsWithFirstCallOf4MB`, await chain.longestGap(height), goal);
  } finally {
    await chain.end();
  }
}

if (!process.argv.includes("--json")) {
  for (const [name, { value, unit, goal, ok }] of Object.entries(figures)) {
    console.log(`${name.padEnd(44)} ${String(value).padStart(6)} ${unit}  goal ${goal}  ${ok ? "ok" : "missed"}`);
  }
}
console.log(JSON.stringify({ topic: "chain-timing", figures }));
