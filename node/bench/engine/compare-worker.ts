/**
 * Plain against rewritten code in one process, calls interleaved so that both see the same machine. Prints CPU
 * milliseconds by program, medians. Run with V8's flags of an engine child.
 */
import { readFileSync } from "node:fs";
import { rewriteModule } from "@outlayer/protocol/execution/index";
import { PROGRAMS } from "./programs.ts";

const ROUNDS = Number(process.argv[3] ?? 11);

type Program = (work: number) => number;
type Exports = Readonly<Record<string, Program>>;

const code = new Uint8Array(readFileSync(process.argv[2]!));
const plain = new WebAssembly.Instance(new WebAssembly.Module(code)).exports as unknown as Exports;
const { bytes } = rewriteModule(code, { costVersion: 1, maxMemoryPages: 1024, entryPoint: undefined });
const metered = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)).exports;
const fuel = metered.$fuel as unknown as { value: bigint };
fuel.value = 1n << 60n;
const stack = metered.$sp as unknown as { value: number };
const wholeStack = stack.value;
(metered.$start as (() => void) | undefined)?.();

function cpuMs(call: () => void): number {
  const before = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

const result: Record<string, { plainMs: number; meteredMs: number; ratio: number; ticks: number }> = {};
for (const [name, work] of PROGRAMS) {
  const plainMs: number[] = [];
  const meteredMs: number[] = [];
  const run = (exports: Exports) => {
    stack.value = wholeStack;
    return exports[name]!(work);
  };
  if (run(plain) !== run(metered as unknown as Exports)) throw new Error(`${name} differs`);
  const before = fuel.value;
  for (let round = 0; round < ROUNDS; round++) {
    plainMs.push(cpuMs(() => run(plain)));
    meteredMs.push(cpuMs(() => run(metered as unknown as Exports)));
  }
  const ticks = Number((before - fuel.value) / BigInt(ROUNDS));
  const ratio = median(plainMs.map((ms, round) => meteredMs[round]! / ms));
  result[name] = { plainMs: median(plainMs), meteredMs: median(meteredMs), ratio, ticks };
}
console.log(JSON.stringify(result));
