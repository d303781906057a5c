/** Node's own V8 as the engine that runs rewritten guests. */
import { createHash } from "node:crypto";
import type { GuestEngine, RewrittenModule } from "@outlayer/protocol/execution/index";

/** A new engine; compiled modules live as long as it remembers them. */
export class V8Engine implements GuestEngine {
  readonly #compiled = new WeakMap<RewrittenModule, WebAssembly.Module>();

  instantiate(module: RewrittenModule, imports: WebAssembly.Imports): Readonly<Record<string, unknown>> {
    return new WebAssembly.Instance(this.#compile(module), imports).exports;
  }

  /** What the module imports, in order. */
  importsOf(module: RewrittenModule): readonly WebAssembly.ModuleImportDescriptor[] {
    return WebAssembly.Module.imports(this.#compile(module));
  }

  isTrap(error: unknown): boolean {
    return error instanceof WebAssembly.RuntimeError;
  }

  sha256(chunks: readonly Uint8Array[]): Uint8Array {
    const hash = createHash("sha256");
    for (const chunk of chunks) hash.update(chunk);
    return new Uint8Array(hash.digest());
  }

  #compile(module: RewrittenModule): WebAssembly.Module {
    let compiled = this.#compiled.get(module);
    if (compiled === undefined) {
      compiled = new WebAssembly.Module(module.bytes as Uint8Array<ArrayBuffer>);
      this.#compiled.set(module, compiled);
    }
    return compiled;
  }
}
