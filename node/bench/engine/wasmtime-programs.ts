/**
 * The programs on wasmtime with what determinism costs there: its own fuel and NaN canonicalisation, through koffi in
 * the calling process, so that its calls can stand between those of V8.
 */
import koffi from "koffi";
import {
  loadWasmtimeLibrary,
  PAYLOAD_OFFSET,
  STRUCTURE_BYTES,
  type WasmtimeLibrary,
} from "../../src/engine/wasmtime-library.ts";

const FUEL = 1n << 60n;

export interface WasmtimePrograms {
  /** Calls an export (i32) -> i32. */
  run(name: string, work: number): void;
  fuelLeft(): bigint;
}

interface Loaded {
  readonly library: WasmtimeLibrary;
  readonly more: ReturnType<typeof koffi.load>;
  readonly engine: unknown;
  readonly module: unknown;
}

/** @throws Error when the library is not wasmtime's or does not take the module. */
function load(libraryPath: string, code: Uint8Array): Loaded {
  const library = loadWasmtimeLibrary(libraryPath);
  const more = koffi.load(libraryPath);
  const consumeFuel = more.func("void wasmtime_config_consume_fuel_set(void *, bool)");
  const canonicaliseNans = more.func("void wasmtime_config_cranelift_nan_canonicalization_set(void *, bool)");
  const config = library.configNew();
  consumeFuel(config, true);
  canonicaliseNans(config, true);
  const engine = library.engineNew(config);
  const compiled: unknown[] = [null];
  library.check(library.moduleNew(engine, Buffer.from(code), code.length, compiled));
  return { library, more, engine, module: compiled[0] };
}

/** Programs that import nothing, in one instance. */
export function wasmtimePrograms(libraryPath: string, code: Uint8Array): WasmtimePrograms {
  const { library, more, engine, module } = load(libraryPath, code);
  const setFuel = more.func("void *wasmtime_context_set_fuel(void *, uint64_t)");
  const getFuel = more.func("void *wasmtime_context_get_fuel(void *, _Out_ uint64_t *)");
  const context = library.storeContext(library.storeNew(engine, null, null));
  library.check(setFuel(context, FUEL));
  const instance = Buffer.alloc(STRUCTURE_BYTES);
  const trap: unknown[] = [null];
  library.check(library.linkerInstantiate(library.linkerNew(engine), context, module, instance, trap));

  return {
    run(name, work) {
      const found = Buffer.alloc(STRUCTURE_BYTES);
      if (!library.exportGet(context, instance, name, name.length, found)) throw new Error(`no export ${name}`);
      const given = Buffer.alloc(STRUCTURE_BYTES);
      given.writeInt32LE(work, PAYLOAD_OFFSET);
      const result = Buffer.alloc(STRUCTURE_BYTES);
      library.check(library.call(context, found.subarray(PAYLOAD_OFFSET), given, 1, result, 1, trap));
      if (trap[0]) throw new Error(library.trapText(trap[0]));
    },
    fuelLeft() {
      const left = [0];
      library.check(getFuel(context, left));
      return BigInt(left[0]!);
    },
  };
}

/** A WASI program with this file as standard input; each call runs it from instantiation to its end. */
export function wasmtimeGuest(libraryPath: string, code: Uint8Array, inputPath: string): () => void {
  const { library, more, engine, module } = load(libraryPath, code);
  const setFuel = more.func("void *wasmtime_context_set_fuel(void *, uint64_t)");
  const configNew = more.func("void *wasi_config_new()");
  const setInput = more.func("bool wasi_config_set_stdin_file(void *, const char *)");
  const setOutput = more.func("bool wasi_config_set_stdout_file(void *, const char *)");
  const setWasi = more.func("void *wasmtime_context_set_wasi(void *, void *)");
  const defineWasi = more.func("void *wasmtime_linker_define_wasi(void *)");
  const exitStatus = more.func("bool wasmtime_error_exit_status(void *, _Out_ int *)");
  const linker = library.linkerNew(engine);
  library.check(defineWasi(linker));
  return () => {
    const store = library.storeNew(engine, null, null);
    const context = library.storeContext(store);
    library.check(setFuel(context, FUEL));
    const wasi = configNew();
    if (!setInput(wasi, inputPath) || !setOutput(wasi, "/dev/null")) throw new Error("wasmtime refused the streams");
    library.check(setWasi(context, wasi));
    const instance = Buffer.alloc(STRUCTURE_BYTES);
    const trap: unknown[] = [null];
    library.check(library.linkerInstantiate(linker, context, module, instance, trap));
    const start = Buffer.alloc(STRUCTURE_BYTES);
    if (!library.exportGet(context, instance, "_start", 6, start)) throw new Error("no _start");
    const error = library.call(context, start.subarray(PAYLOAD_OFFSET), null, 0, null, 0, trap);
    if (trap[0]) throw new Error(library.trapText(trap[0]));
    if (error && !exitStatus(error, [0])) library.check(error);
    if (error) library.errorDelete(error);
    library.storeDelete(store);
  };
}
