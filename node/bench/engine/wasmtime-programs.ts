/**
 * The programs on wasmtime with what determinism costs there: its own fuel and NaN canonicalisation, through koffi in
 * the calling process, so that its calls can stand between those of V8.
 */
import koffi from "koffi";
import { loadWasmtimeLibrary, PAYLOAD_OFFSET, STRUCTURE_BYTES } from "../../src/engine/wasmtime-library.ts";

const FUEL = 1n << 60n;

export interface WasmtimePrograms {
  /** Calls an export (i32) -> i32. */
  run(name: string, work: number): void;
  fuelLeft(): bigint;
}

/** @throws Error when the library is not wasmtime's or does not take the module. */
export function wasmtimePrograms(libraryPath: string, code: Uint8Array): WasmtimePrograms {
  const library = loadWasmtimeLibrary(libraryPath);
  const more = koffi.load(libraryPath);
  const consumeFuel = more.func("void wasmtime_config_consume_fuel_set(void *, bool)");
  const canonicaliseNans = more.func("void wasmtime_config_cranelift_nan_canonicalization_set(void *, bool)");
  const setFuel = more.func("void *wasmtime_context_set_fuel(void *, uint64_t)");
  const getFuel = more.func("void *wasmtime_context_get_fuel(void *, _Out_ uint64_t *)");

  const config = library.configNew();
  consumeFuel(config, true);
  canonicaliseNans(config, true);
  const engine = library.engineNew(config);
  const compiled: unknown[] = [null];
  library.check(library.moduleNew(engine, Buffer.from(code), code.length, compiled));
  const context = library.storeContext(library.storeNew(engine, null, null));
  library.check(setFuel(context, FUEL));
  const instance = Buffer.alloc(STRUCTURE_BYTES);
  const trap: unknown[] = [null];
  library.check(library.linkerInstantiate(library.linkerNew(engine), context, compiled[0], instance, trap));

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
