/**
 * wasmtime's C API (wasmtime.h of releases 30 and later) as far as the auditor needs it. Only structures whose layout
 * has never changed are read: `wasmtime_val_raw_t` (16 bytes), and in `wasmtime_val_t`, `wasmtime_extern_t` the kind
 * at byte 0 and the payload at byte 8.
 */
import koffi from "koffi";

type Pointer = unknown;

/** Bytes that any of the C API's small structures fits into. */
export const STRUCTURE_BYTES = 64;
/** Where the payload of a value or an extern starts. */
export const PAYLOAD_OFFSET = 8;
export const KIND_I32 = 0;
export const KIND_I64 = 1;
export const EXTERN_GLOBAL = 1;
export const EXTERN_MEMORY = 3;

/** A failure of the library or of how it is called; never the guest's doing. */
export class WasmtimeError extends Error {
  override readonly name = "WasmtimeError";
}

/** A WebAssembly trap that wasmtime reports. */
export class WasmtimeTrap extends Error {
  override readonly name = "WasmtimeTrap";
}

const ByteVector = koffi.struct("wasm_byte_vec_t", { size: "size_t", data: "void *" });

/** Called by guests: writes its results over its arguments; a trap that it returns ends the guest. */
const HostCallback = koffi.proto("void *HostCallback(void *env, void *caller, void *values, size_t count)");

export type WasmtimeLibrary = ReturnType<typeof loadWasmtimeLibrary>;

/** @throws Error of the dynamic loader when this is no such library. */
export function loadWasmtimeLibrary(path: string) {
  const library = koffi.load(path);
  const declare = (signature: string) => library.func(signature);
  const functions = {
    configNew: declare("void *wasm_config_new()"),
    setMaxStack: declare("void wasmtime_config_max_wasm_stack_set(void *, size_t)"),
    engineNew: declare("void *wasm_engine_new_with_config(void *)"),
    moduleNew: declare("void *wasmtime_module_new(void *, const uint8_t *, size_t, _Out_ void **)"),
    moduleDelete: declare("void wasmtime_module_delete(void *)"),
    storeNew: declare("void *wasmtime_store_new(void *, void *, void *)"),
    storeDelete: declare("void wasmtime_store_delete(void *)"),
    storeContext: declare("void *wasmtime_store_context(void *)"),
    linkerNew: declare("void *wasmtime_linker_new(void *)"),
    linkerDelete: declare("void wasmtime_linker_delete(void *)"),
    linkerDefine: declare(
      "void *wasmtime_linker_define_func_unchecked(void *, const char *, size_t, const char *, size_t, void *, HostCallback *, void *, void *)",
    ),
    linkerInstantiate: declare("void *wasmtime_linker_instantiate(void *, void *, void *, void *, _Out_ void **)"),
    exportGet: declare("bool wasmtime_instance_export_get(void *, void *, const char *, size_t, void *)"),
    call: declare("void *wasmtime_func_call(void *, void *, void *, size_t, void *, size_t, _Out_ void **)"),
    globalGet: declare("void wasmtime_global_get(void *, void *, void *)"),
    globalSet: declare("void *wasmtime_global_set(void *, void *, void *)"),
    memoryData: declare("void *wasmtime_memory_data(void *, void *)"),
    memorySize: declare("size_t wasmtime_memory_data_size(void *, void *)"),
    trapNew: declare("void *wasmtime_trap_new(const char *, size_t)"),
    trapCode: declare("bool wasmtime_trap_code(void *, _Out_ uint8_t *)"),
    trapMessage: declare("void wasm_trap_message(void *, _Out_ wasm_byte_vec_t *)"),
    trapDelete: declare("void wasm_trap_delete(void *)"),
    errorMessage: declare("void wasmtime_error_message(void *, _Out_ wasm_byte_vec_t *)"),
    errorDelete: declare("void wasmtime_error_delete(void *)"),
    vectorDelete: declare("void wasm_byte_vec_delete(void *)"),
    valueTypeNew: declare("void *wasm_valtype_new(uint8_t)"),
    valueTypesNew: declare("void wasm_valtype_vec_new(void *, size_t, void *)"),
    functionTypeNew: declare("void *wasm_functype_new(void *, void *)"),
    functionTypeDelete: declare("void wasm_functype_delete(void *)"),
  };

  /** Reads a message and frees what held it. */
  function take(read: (of: Pointer, vector: Buffer) => void, free: (of: Pointer) => void, of: Pointer): string {
    const vector = Buffer.alloc(koffi.sizeof(ByteVector));
    read(of, vector);
    free(of);
    const { size, data } = koffi.decode(vector, ByteVector) as { size: bigint | number; data: Pointer };
    const text = size ? Buffer.from(koffi.decode(data, koffi.array("uint8_t", Number(size)))).toString("utf8") : "";
    functions.vectorDelete(vector);
    return text.replace(/\0$/, "");
  }

  return {
    ...functions,
    /** @throws WasmtimeError when a call of the library returned an error. */
    check(error: Pointer): void {
      if (error) throw new WasmtimeError(take(functions.errorMessage, functions.errorDelete, error));
    },
    /** What a trap says, which is freed. */
    trapText: (trap: Pointer): string => take(functions.trapMessage, functions.trapDelete, trap),
    register: (callback: (...values: unknown[]) => unknown) => koffi.register(callback, koffi.pointer(HostCallback)),
    /** Native memory as JavaScript sees it; both sides write to the same bytes. */
    view: (pointer: Pointer, length: number): ArrayBuffer => koffi.view(pointer, length),
    functionType(params: readonly number[], results: readonly number[]): Pointer {
      const vectorOf = (kinds: readonly number[]) => {
        const types = koffi.alloc("void *", Math.max(kinds.length, 1));
        for (const [index, kind] of kinds.entries()) {
          koffi.encode(types, index * koffi.sizeof("void *"), "void *", functions.valueTypeNew(kind));
        }
        const vector = Buffer.alloc(16);
        functions.valueTypesNew(vector, kinds.length, types);
        koffi.free(types);
        return vector;
      };
      return functions.functionTypeNew(vectorOf(params), vectorOf(results));
    },
  };
}
