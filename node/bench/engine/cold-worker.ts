/**
 * What it takes to load a guest of a given size: rewriting it (warm, in MB/s), and from its rewritten bytes to its
 * first instruction, in CPU time. Prints one JSON object.
 */
import { rewriteModule } from "@outlayer/protocol/execution/index";
import { largeModule } from "../../conformance/engine/random-module.ts";
import { cpuMs, median } from "./timing.ts";

const sizeBytes = Number(process.argv[2]);
const ROUNDS = 9;
/** Bytes to rewrite before the rewriting itself is compiled and measured. */
const WARM_UP_BYTES = 20_000_000;
const OPTIONS = { costVersion: 1, maxMemoryPages: 64 } as const;

/** The same module with a custom section of its own: engines remember bytes that they have seen. */
function fresh(bytes: Uint8Array, round: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...bytes, 0, 3, 1, 0x72, round]);
}

const code = largeModule(sizeBytes);
const rewriteMs: number[] = [];
let rewritten = code;
for (let bytes = 0; bytes < WARM_UP_BYTES; bytes += code.length) rewritten = rewriteModule(code, OPTIONS).bytes;
for (let round = 0; round < ROUNDS; round++) {
  rewriteMs.push(cpuMs(() => (rewritten = rewriteModule(code, OPTIONS).bytes)));
}

const startMs: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const bytes = fresh(rewritten, round);
  startMs.push(
    cpuMs(() => {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
      (exports.$fuel as unknown as { value: bigint }).value = 1_000_000n;
      (exports._start as () => void)();
    }),
  );
}
const seconds = median(rewriteMs) / 1000;
console.log(
  JSON.stringify({
    sizeBytes: code.length,
    startMs: median(startMs),
    rewriteMbPerSecond: code.length / 1e6 / seconds,
    growth: rewritten.length / code.length,
  }),
);
