/**
 * Plain code, rewritten code and, with a library as the third argument, wasmtime with fuel and NaN canonicalisation,
 * in one process, calls interleaved so that all see the same machine. Prints CPU milliseconds by program, medians of
 * calls and of their ratios. Run with V8's flags of an engine child.
 */
import { readFileSync } from "node:fs";
import { rewriteModule } from "@outlayer/protocol/execution/index";
import { PROGRAMS } from "./programs.ts";
import { cpuMs, median } from "./timing.ts";
import { wasmtimePrograms } from "./wasmtime-programs.ts";

const [, , modulePath, roundsText, libraryPath] = process.argv as [string, string, string, string, string?];
const ROUNDS = Number(roundsText);

type Program = (work: number) => number;
type Exports = Readonly<Record<string, Program>>;

/** What one program took, medians. */
export interface Compared {
  readonly plainMs: number;
  readonly meteredMs: number;
  /** Rewritten by plain. */
  readonly ratio: number;
  readonly ticks: number;
  readonly wasmtime?: {
    readonly ms: number;
    /** Rewritten on V8 by plain on wasmtime. */
    readonly ratio: number;
    readonly fuel: number;
  };
}

const code = new Uint8Array(readFileSync(modulePath));
const plain = new WebAssembly.Instance(new WebAssembly.Module(code)).exports as unknown as Exports;
const { bytes } = rewriteModule(code, { costVersion: 1, maxMemoryPages: 1024, entryPoint: undefined });
const metered = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)).exports;
const fuel = metered.$fuel as unknown as { value: bigint };
fuel.value = 1n << 60n;
const stack = metered.$sp as unknown as { value: number };
const wholeStack = stack.value;
(metered.$start as (() => void) | undefined)?.();
const wasmtime = libraryPath === undefined ? undefined : wasmtimePrograms(libraryPath, code);

function compare(name: string, work: number): Compared {
  const times = { plain: [] as number[], metered: [] as number[], wasmtime: [] as number[] };
  const runPlain = () => plain[name]!(work);
  const runMetered = () => {
    stack.value = wholeStack;
    return (metered as unknown as Exports)[name]!(work);
  };
  if (runPlain() !== runMetered()) throw new Error(`${name} differs`);
  wasmtime?.run(name, work);
  const ticksBefore = fuel.value;
  const fuelBefore = wasmtime?.fuelLeft();
  for (let round = 0; round < ROUNDS; round++) {
    times.plain.push(cpuMs(runPlain));
    times.metered.push(cpuMs(runMetered));
    if (wasmtime !== undefined) times.wasmtime.push(cpuMs(() => wasmtime.run(name, work)));
  }
  const ratioTo = (others: readonly number[]) => median(others.map((ms, round) => times.metered[round]! / ms));
  const compared = {
    plainMs: median(times.plain),
    meteredMs: median(times.metered),
    ratio: ratioTo(times.plain),
    ticks: Number((ticksBefore - fuel.value) / BigInt(ROUNDS)),
  };
  if (wasmtime === undefined || fuelBefore === undefined) return compared;
  const spent = Number((fuelBefore - wasmtime.fuelLeft()) / BigInt(ROUNDS));
  return {
    ...compared,
    wasmtime: { ms: median(times.wasmtime), ratio: ratioTo(times.wasmtime), fuel: spent },
  };
}

console.log(JSON.stringify(Object.fromEntries(PROGRAMS.map(([name, work]) => [name, compare(name, work)]))));
