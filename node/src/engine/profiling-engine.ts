/**
 * V8 running a guest whose calls are reported (rewriteModule with `reportCalls`): builds the tree of calls while the
 * guest runs. Host functions stand in the tree too, since they are charged for.
 */
import {
  type CallProfile,
  CallTree,
  type GuestEngine,
  type HostImports,
  type RewrittenModule,
  type Sha256,
  ticksOfFuel,
} from "@outlayer/protocol/execution/index";
import type { V8Engine } from "./v8-engine.ts";

/**
 * A module that imports h.e: (i32) -> () and h.l: () -> () and exports both: only exported WebAssembly functions can
 * stand in a table.
 */
const REPORTERS = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[1, 8, 2, 0x60, 1, 0x7f, 0, 0x60, 0, 0],
  ...[2, 13, 2, 1, 0x68, 1, 0x65, 0, 0, 1, 0x68, 1, 0x6c, 0, 1],
  ...[7, 9, 2, 1, 0x65, 0, 0, 1, 0x6c, 0, 1],
]);

interface ReportingExports {
  readonly $fuel: { readonly value: bigint };
  readonly $calls: WebAssembly.Table;
}

export class ProfilingEngine implements GuestEngine {
  readonly #v8: V8Engine;
  readonly #tree: CallTree;
  readonly sha256: Sha256;
  #fuel: { readonly value: bigint };

  /** `v8` may have compiled the module already. */
  constructor(v8: V8Engine, module: RewrittenModule, maxFuel: bigint) {
    this.#v8 = v8;
    this.sha256 = v8.sha256;
    const budget = ticksOfFuel(maxFuel);
    const afterInstantiation = budget - BigInt(module.instantiationTicks);
    this.#tree = new CallTree(budget, afterInstantiation);
    this.#fuel = { value: afterInstantiation };
  }

  instantiate(module: RewrittenModule, imports: HostImports): Readonly<Record<string, unknown>> {
    const exports = this.#v8.instantiate(module, this.#reportingHost(module, imports));
    const { $fuel, $calls } = exports as unknown as ReportingExports;
    this.#fuel = $fuel;
    const tree = this.#tree;
    const reporters = new WebAssembly.Instance(new WebAssembly.Module(REPORTERS), {
      h: { e: (index: number) => tree.enter(index, $fuel.value), l: () => tree.leave($fuel.value) },
    });
    $calls.set(0, reporters.exports.e);
    $calls.set(1, reporters.exports.l);
    return exports;
  }

  isTrap(error: unknown): boolean {
    return this.#v8.isTrap(error);
  }

  /** Where the ticks went, after the run. */
  finish(): CallProfile {
    return this.#tree.finish(this.#fuel.value);
  }

  /** Host functions that report themselves under the index of their first import. */
  #reportingHost(module: RewrittenModule, imports: HostImports): WebAssembly.Imports {
    const host: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const [index, { module: from, name }] of this.#v8.importsOf(module).entries()) {
      const work = imports[from]?.[name];
      if (work === undefined || host[from]?.[name] !== undefined) continue;
      host[from] ??= {};
      host[from][name] = (...values: (number | bigint)[]) => {
        this.#tree.enter(index, this.#fuel.value);
        // A host function that ends the guest never returns to it, so there is nothing to leave then.
        const result = work(...values);
        this.#tree.leave(this.#fuel.value);
        return result;
      };
    }
    return host;
  }
}
