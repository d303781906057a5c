/**
 * wasmtime as the engine that audits V8: the same rewritten bytes, the same host, another compiler. It is loaded from
 * a C library that the operator names, and runs in a child like any engine.
 */
import { type HostImports, type RewrittenModule, WASI_IMPORTS } from "@outlayer/protocol/execution/index";
import koffi from "koffi";
import { type CompilingEngine, V8Engine } from "./v8-engine.ts";
import {
  EXTERN_GLOBAL,
  EXTERN_MEMORY,
  KIND_I32,
  KIND_I64,
  loadWasmtimeLibrary,
  PAYLOAD_OFFSET,
  STRUCTURE_BYTES,
  WasmtimeError,
  type WasmtimeLibrary,
  WasmtimeTrap,
} from "./wasmtime-library.ts";

type Pointer = unknown;
type HostFunction = (...values: (number | bigint)[]) => number;

const I64 = 0x7e;
const RAW_VALUE_BYTES = 16;
/**
 * Native stack for guests: twice what the metering allows. A compiler that keeps shared values across calls can need
 * more, which is the auditor's failure and no outcome (fallback-engine.ts). The child's own stack is set far above it
 * (child-options.ts).
 */
const MAX_STACK_BYTES = 1024 * 1024;
/** `wasmtime_trap_code` of an overflow of that stack. */
const TRAP_STACK_OVERFLOW = 0;

export class WasmtimeEngine implements CompilingEngine {
  readonly #library: WasmtimeLibrary;
  readonly #engine: Pointer;
  readonly #linker: Pointer;
  readonly #modules = new WeakMap<RewrittenModule, { readonly pointer: Pointer }>();
  readonly #unused: FinalizationRegistry<Pointer>;
  #store: Pointer;
  #host: HostImports = {};
  /** What a host function threw through the guest's frames. */
  #thrown: { readonly error: unknown } | undefined;
  readonly sha256 = new V8Engine().sha256;

  /** @throws Error when the library cannot be loaded or lacks a function. */
  constructor(libraryPath: string) {
    const library = loadWasmtimeLibrary(libraryPath);
    this.#library = library;
    const config = library.configNew();
    library.setMaxStack(config, MAX_STACK_BYTES);
    this.#engine = library.engineNew(config);
    this.#linker = library.linkerNew(this.#engine);
    this.#unused = new FinalizationRegistry((module) => library.moduleDelete(module));
    this.#defineHost();
  }

  /** The instance before this one is gone afterwards, with its memory. */
  instantiate(module: RewrittenModule, imports: HostImports): Readonly<Record<string, unknown>> {
    const library = this.#library;
    const compiled = this.#compiledOf(module);
    if (this.#store !== undefined) library.storeDelete(this.#store);
    this.#store = library.storeNew(this.#engine, null, null);
    this.#host = imports;
    const context = library.storeContext(this.#store);
    const instance = Buffer.alloc(STRUCTURE_BYTES);
    const trap: Pointer[] = [null];
    library.check(library.linkerInstantiate(this.#linker, context, compiled, instance, trap));
    if (trap[0]) throw new WasmtimeError(library.trapText(trap[0]));
    return this.#exports(context, instance);
  }

  isTrap(error: unknown): boolean {
    return error instanceof WasmtimeTrap;
  }

  compile(module: RewrittenModule): void {
    this.#compiledOf(module);
  }

  #compiledOf(module: RewrittenModule): Pointer {
    const known = this.#modules.get(module);
    if (known !== undefined) return known.pointer;
    const made: Pointer[] = [null];
    this.#library.check(this.#library.moduleNew(this.#engine, module.bytes, module.bytes.length, made));
    this.#modules.set(module, { pointer: made[0] });
    this.#unused.register(module, made[0]);
    return made[0];
  }

  /** Every function that a guest may import, answered by whatever host the instance at hand was given. */
  #defineHost(): void {
    const library = this.#library;
    for (const [from, functions] of WASI_IMPORTS) {
      for (const [name, { params, results }] of functions) {
        const isLong = [...params].map((type) => type === I64);
        const callback = library.register((_environment, _caller, values) => {
          try {
            const given = isLong.map((long, index) =>
              koffi.decode(values, index * RAW_VALUE_BYTES, long ? "int64_t" : "int32_t"),
            );
            const result = (this.#host[from]![name] as HostFunction)(
              ...given.map((value, index) => (isLong[index] ? BigInt(value) : value)),
            );
            if (results.length > 0) koffi.encode(values, 0, "int32_t", result);
            return null;
          } catch (error) {
            this.#thrown = { error };
            return library.trapNew(name, Buffer.byteLength(name));
          }
        });
        const kinds = isLong.map((long) => (long ? KIND_I64 : KIND_I32));
        const type = library.functionType(kinds, results.length > 0 ? [KIND_I32] : []);
        const sizes = [Buffer.byteLength(from), Buffer.byteLength(name)] as const;
        library.check(library.linkerDefine(this.#linker, from, sizes[0], name, sizes[1], type, callback, null, null));
        library.functionTypeDelete(type);
      }
    }
  }

  /** The exports by name, looked up when asked for and shaped as V8's are. */
  #exports(context: Pointer, instance: Buffer): Readonly<Record<string, unknown>> {
    const known = new Map<PropertyKey, unknown>();
    return new Proxy(
      {},
      {
        get: (_target, name) => {
          if (typeof name !== "string") return undefined;
          if (!known.has(name)) known.set(name, this.#export(context, instance, name));
          return known.get(name);
        },
      },
    );
  }

  #export(context: Pointer, instance: Buffer, name: string): unknown {
    const found = Buffer.alloc(STRUCTURE_BYTES);
    if (!this.#library.exportGet(context, instance, name, Buffer.byteLength(name), found)) return undefined;
    const item = found.subarray(PAYLOAD_OFFSET);
    if (found[0] === EXTERN_GLOBAL) return this.#global(context, item);
    if (found[0] === EXTERN_MEMORY) return this.#memory(context, item);
    return () => this.#call(context, item);
  }

  #global(context: Pointer, item: Buffer): { value: number | bigint } {
    const library = this.#library;
    const value = Buffer.alloc(STRUCTURE_BYTES);
    return {
      get value() {
        library.globalGet(context, item, value);
        return value[0] === KIND_I64 ? value.readBigInt64LE(PAYLOAD_OFFSET) : value.readInt32LE(PAYLOAD_OFFSET);
      },
      set value(next: number | bigint) {
        value[0] = typeof next === "bigint" ? KIND_I64 : KIND_I32;
        value.writeBigInt64LE(BigInt(next), PAYLOAD_OFFSET);
        library.check(library.globalSet(context, item, value));
      },
    };
  }

  #memory(context: Pointer, item: Buffer): { readonly buffer: ArrayBuffer } {
    const library = this.#library;
    let view = new ArrayBuffer(0);
    return {
      // A memory that has not grown has not moved.
      get buffer() {
        const size = Number(library.memorySize(context, item));
        if (size !== view.byteLength) view = library.view(library.memoryData(context, item), size);
        return view;
      },
    };
  }

  #call(context: Pointer, item: Buffer): void {
    const library = this.#library;
    const trap: Pointer[] = [null];
    this.#thrown = undefined;
    const error = library.call(context, item, null, 0, null, 0, trap);
    // What a host function throws comes back as a trap or as an error, depending on the release.
    const thrown = this.#thrown as { readonly error: unknown } | undefined;
    if (thrown !== undefined) {
      if (error) library.errorDelete(error);
      if (trap[0]) library.trapDelete(trap[0]);
      throw thrown.error;
    }
    library.check(error);
    if (!trap[0]) return;
    const overflow = this.#trapCode(trap[0]) === TRAP_STACK_OVERFLOW;
    const text = library.trapText(trap[0]);
    if (overflow) throw new WasmtimeError("the native stack overflowed before the metered one");
    throw new WasmtimeTrap(text);
  }

  /** wasmtime's number for a trap; undefined for one that the host made. */
  #trapCode(trap: Pointer): number | undefined {
    const code = [0];
    return this.#library.trapCode(trap, code) ? code[0] : undefined;
  }
}
