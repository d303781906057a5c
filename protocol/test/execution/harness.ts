/** Runs modules in this process's own V8: the plain bytes, the rewritten ones, and whole jobs. */
import { createHash } from "node:crypto";
import {
  type ExecutionJob,
  type ExecutionOutcome,
  executeModule,
  type GuestEngine,
  ModuleRejection,
  rewriteModule,
} from "../../src/execution/index.ts";
import { assemble, type ModuleSource } from "./assembler.ts";

export const MAX_PAGES = 64;

export const engine: GuestEngine = {
  instantiate: ({ bytes }, imports) => {
    const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    return new WebAssembly.Instance(module, imports as WebAssembly.Imports).exports;
  },
  isTrap: (error) => error instanceof WebAssembly.RuntimeError,
  sha256: (chunks) => {
    const hash = createHash("sha256");
    for (const chunk of chunks) hash.update(chunk);
    return new Uint8Array(hash.digest());
  },
};

export interface Metered {
  readonly exports: Readonly<Record<string, (...values: unknown[]) => unknown>>;
  readonly fuel: { value: bigint };
  readonly stack: { value: number };
  readonly infra: { value: number };
  readonly memory: WebAssembly.Memory;
}

/** An instance of the rewritten module, without an entry point, with ticks to spend. */
export function metered(source: ModuleSource | Uint8Array, ticks = 1n << 40n, maxMemoryPages = MAX_PAGES): Metered {
  const code = source instanceof Uint8Array ? source : assemble(source);
  const { bytes } = rewriteModule(code, { costVersion: 1, maxMemoryPages, entryPoint: undefined });
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(module, {});
  const fuel = exports.$fuel as unknown as { value: bigint };
  fuel.value = ticks;
  return {
    exports: exports as unknown as Metered["exports"],
    fuel,
    stack: exports.$sp as unknown as { value: number },
    infra: exports.$infra as unknown as { value: number },
    memory: exports.$memory as WebAssembly.Memory,
  };
}

/** Ticks that one call spends. */
export function ticksOf(source: ModuleSource, exportName: string, ...values: unknown[]): bigint {
  const guest = metered(source);
  const before = guest.fuel.value;
  guest.exports[exportName]!(...values);
  return before - guest.fuel.value;
}

/** The rejection of these bytes, or undefined when they are accepted. */
export function rejectionOf(code: Uint8Array, maxMemoryPages = MAX_PAGES): ModuleRejection | undefined {
  try {
    rewriteModule(code, { costVersion: 1, maxMemoryPages, entryPoint: undefined });
    return undefined;
  } catch (error) {
    if (error instanceof ModuleRejection) return error;
    throw error;
  }
}

export function jobOf(code: Uint8Array, changes: Partial<ExecutionJob> = {}): ExecutionJob {
  return {
    codeHash: engine.sha256([code]),
    code,
    input: new Uint8Array(0),
    seed: new Uint8Array(32).fill(7),
    environ: [],
    blockTimeNs: 1_700_000_000_000_000_000n,
    limits: { maxFuel: 10_000_000n, maxMemoryPages: MAX_PAGES, maxOutputBytes: 4096 },
    ...changes,
  };
}

/** Rewrites and runs a whole job in this process. */
export function execute(source: ModuleSource | Uint8Array, changes: Partial<ExecutionJob> = {}): ExecutionOutcome {
  const code = source instanceof Uint8Array ? source : assemble(source);
  const job = jobOf(code, changes);
  const module = rewriteModule(code, { costVersion: 1, maxMemoryPages: job.limits.maxMemoryPages });
  return executeModule(module, job, engine);
}
