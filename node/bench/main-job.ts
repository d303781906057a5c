/**
 * `npm run bench -- main-job [--json]`: the development network on this machine: time until it is ready, blocks from
 * request to resolve over ten requests, blocks that a killed holder costs, memory of a node's processes.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DevNetwork } from "../src/dev/network.ts";
import { type DevReceipt, type RequestOptions, requestOnce } from "../src/dev/request.ts";

interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
  readonly ok: boolean;
}

const REQUESTS = 10;
const BLOCK_MS = 600;
const request: RequestOptions = {
  guest: "random-ark",
  input: '{"min":1,"max":100}',
  format: "Json",
  maxInstructions: 1_000_000_000,
  killHolder: false,
};

const directory = await mkdtemp(join(tmpdir(), "outlayer-bench-"));
const network = new DevNetwork({
  directory,
  nodes: 4,
  blockIntervalMs: BLOCK_MS,
  challengeBlocks: 0,
  httpPort: 0,
  verbose: false,
  say: (text) => console.error(text),
});
try {
  const startedAt = performance.now();
  await network.start();
  const readySeconds = (performance.now() - startedAt) / 1000;
  const receipts: DevReceipt[] = [];
  for (let i = 0; i < REQUESTS; i++) receipts.push(await requestOnce(network, request, () => undefined));
  const mainMegabytes = residentMegabytes(network.nodes[1]!.child.pid!);
  const takeover = await requestOnce(
    network,
    { ...request, killHolder: true, maxInstructions: 3_000_000_000 },
    () => undefined,
  );

  const blocks = receipts.map((receipt) => receipt.blocks.resolved - receipt.blocks.requested).sort((a, b) => a - b);
  const takeoverBlocks = takeover.blocks.resolved - takeover.blocks.requested;
  const figures: Record<string, Figure> = {
    readySeconds: atMost(readySeconds, "s", 60),
    resolvedBlocksP50: atMost(blocks[Math.floor(blocks.length / 2)]!, "blocks", 3),
    resolvedBlocksMax: atMost(blocks.at(-1)!, "blocks", 6),
    takeoverBlocks: atMost(takeoverBlocks, "blocks", 30),
    nodeMainProcessMegabytes: atMost(mainMegabytes, "MB", 180),
  };
  if (!process.argv.includes("--json")) {
    for (const [name, { value, unit, goal, ok }] of Object.entries(figures)) {
      console.log(
        `${name.padEnd(26)} ${value.toFixed(1).padStart(8)} ${unit.padEnd(7)} goal ${goal}  ${ok ? "ok" : "missed"}`,
      );
    }
  }
  console.log(JSON.stringify({ topic: "main-job", figures }));
} finally {
  await network.stop();
  await rm(directory, { recursive: true, force: true });
}

function atMost(value: number, unit: string, goal: number): Figure {
  return { value: Math.round(value * 10) / 10, unit, goal: `<= ${goal}`, ok: value <= goal };
}

/** Linux only: what the kernel counts as resident, in 10^6 bytes. */
function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}
