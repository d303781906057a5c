/**
 * The example guests from instantiation to their end: plain code and rewritten code on V8 with the same host, and, with
 * a library as the only argument, wasmtime with fuel, NaN canonicalisation and its own host; calls interleaved. Prints
 * CPU milliseconds of one run, medians. The hash over the memory is left out, since the others make none.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ExecutionJob,
  executeModule,
  type GuestEngine,
  type RewrittenModule,
  rewriteModule,
} from "@outlayer/protocol/execution/index";
import { type GuestName, guestNames, guestPath } from "../../../wasi-examples/build.ts";
import { V8Engine } from "../../src/engine/v8-engine.ts";
import { GUEST_LIMITS, GUEST_WORK } from "./guest-inputs.ts";
import { cpuMs, median } from "./timing.ts";
import { wasmtimeGuest } from "./wasmtime-programs.ts";

const ROUNDS = 21;
const [, , libraryPath] = process.argv as [string, string, string?];
const folder = mkdtempSync(join(tmpdir(), "outlayer-bench-"));
const NOTHING = new Uint8Array(0);

class Undigested extends V8Engine {
  override sha256(): Uint8Array {
    return NOTHING;
  }
}

/** Code as it came, for the driver that looks at the counters. */
class Plain extends Undigested {
  override instantiate(module: RewrittenModule, imports: WebAssembly.Imports): Readonly<Record<string, unknown>> {
    const exports = super.instantiate(module, imports);
    return { ...exports, $fuel: { value: 0n }, $sp: { value: 1 }, $infra: { value: 0 }, $memory: exports.memory };
  }
}

/** What one run of a guest took, medians. */
export interface ComparedGuest {
  readonly meteredMs: number;
  /** Rewritten by plain. */
  readonly ratio: number;
  /** Rewritten on V8 by plain on wasmtime. */
  readonly wasmtimeRatio: number | undefined;
}

function compare(name: GuestName): ComparedGuest {
  const { input, runs } = GUEST_WORK[name];
  const code = new Uint8Array(readFileSync(guestPath(name)));
  const job: ExecutionJob = {
    codeHash: new Uint8Array(32),
    code,
    input: new TextEncoder().encode(input),
    seed: new Uint8Array(32),
    environ: [],
    blockTimeNs: 0n,
    limits: GUEST_LIMITS,
  };
  const rewritten = rewriteModule(code, { costVersion: 1, maxMemoryPages: GUEST_LIMITS.maxMemoryPages });
  const run = (module: RewrittenModule, engine: GuestEngine) => () => {
    for (let done = 0; done < runs; done++) {
      const { kind } = executeModule(module, job, engine);
      if (kind !== "exited") throw new Error(`${name} was ${kind}`);
    }
  };
  const plain = run({ ...rewritten, bytes: code }, new Plain());
  const metered = run(rewritten, new Undigested());
  const inputPath = join(folder, name);
  writeFileSync(inputPath, input);
  const once = libraryPath === undefined ? undefined : wasmtimeGuest(libraryPath, code, inputPath);
  const times = { plain: [] as number[], metered: [] as number[], wasmtime: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.plain.push(cpuMs(plain));
    times.metered.push(cpuMs(metered));
    if (once === undefined) continue;
    times.wasmtime.push(
      cpuMs(() => {
        for (let done = 0; done < runs; done++) once();
      }),
    );
  }
  const ratioTo = (others: readonly number[]) => median(others.map((ms, round) => times.metered[round]! / ms));
  return {
    meteredMs: median(times.metered) / runs,
    ratio: ratioTo(times.plain),
    wasmtimeRatio: once === undefined ? undefined : ratioTo(times.wasmtime),
  };
}

try {
  console.log(JSON.stringify(Object.fromEntries(guestNames.map((name) => [name, compare(name)]))));
} finally {
  rmSync(folder, { recursive: true });
}
