/** Node's own V8 as the engine that runs rewritten guests. */
import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import type { GuestEngine, RewrittenModule } from "@outlayer/protocol/execution/index";
import { hasLargeBodies } from "./large-bodies.ts";

/** An engine that can be asked to compile before it is asked to run. */
export interface CompilingEngine extends GuestEngine {
  /** What is compiled is found again by the module's identity. */
  compile(module: RewrittenModule): void;
}

/** A new engine; compiled modules live as long as it remembers them. */
export class V8Engine implements CompilingEngine {
  readonly #compiled = new WeakMap<RewrittenModule, WebAssembly.Module>();

  instantiate(module: RewrittenModule, imports: WebAssembly.Imports): Readonly<Record<string, unknown>> {
    return new WebAssembly.Instance(this.#compiledOf(module), imports).exports;
  }

  /** What the module imports, in order. */
  importsOf(module: RewrittenModule): readonly WebAssembly.ModuleImportDescriptor[] {
    return WebAssembly.Module.imports(this.#compiledOf(module));
  }

  isTrap(error: unknown): boolean {
    return error instanceof WebAssembly.RuntimeError;
  }

  sha256(chunks: readonly Uint8Array[]): Uint8Array {
    const hash = createHash("sha256");
    for (const chunk of chunks) hash.update(chunk);
    return new Uint8Array(hash.digest());
  }

  compile(module: RewrittenModule): void {
    this.#compiledOf(module);
  }

  #compiledOf(module: RewrittenModule): WebAssembly.Module {
    let compiled = this.#compiled.get(module);
    if (compiled === undefined) {
      compiled = compileBytes(module.bytes as Uint8Array<ArrayBuffer>);
      this.#compiled.set(module, compiled);
    }
    return compiled;
  }
}

/**
 * A function is compiled when it is first called; all are beforehand where that may take long, one after the other: five
 * threads took 5 GB within 5 s for eleven bodies of table accesses, which is more than the watch on memory could stop.
 */
function compileBytes(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  if (!hasLargeBodies(bytes)) return new WebAssembly.Module(bytes);
  setFlagsFromString("--wasm-num-compilation-tasks=1");
  setFlagsFromString("--no-wasm-lazy-compilation");
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setFlagsFromString("--wasm-lazy-compilation");
  }
}
