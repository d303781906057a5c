/**
 * Runs a WASI program on wasmtime with wasmtime's own WASI host: `<library> <module> <stdin file> <stdout file>
 * <directory preopened as ".">`. A process of its own, because the guest's end is a trap that carries the exit code
 * and because koffi's library stays loaded. Prints the exit code.
 */
import { readFileSync } from "node:fs";
import koffi from "koffi";
import { loadWasmtimeLibrary, PAYLOAD_OFFSET, STRUCTURE_BYTES } from "../../src/engine/wasmtime-library.ts";

const ALL_DIRECTORY_RIGHTS = 3;
const ALL_FILE_RIGHTS = 3;
const ENTRY = "_start";

const [, , libraryPath, modulePath, inputPath, outputPath, directory] = process.argv as string[] as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const library = loadWasmtimeLibrary(libraryPath);
const more = koffi.load(libraryPath);
const configNew = more.func("void *wasi_config_new()");
const setEnvironment = more.func("bool wasi_config_set_env(void *, size_t, const char **, const char **)");
const setInput = more.func("bool wasi_config_set_stdin_file(void *, const char *)");
const setOutput = more.func("bool wasi_config_set_stdout_file(void *, const char *)");
const setErrors = more.func("bool wasi_config_set_stderr_file(void *, const char *)");
const preopen = more.func("bool wasi_config_preopen_dir(void *, const char *, const char *, size_t, size_t)");
const setWasi = more.func("void *wasmtime_context_set_wasi(void *, void *)");
const defineWasi = more.func("void *wasmtime_linker_define_wasi(void *)");
const exitStatus = more.func("bool wasmtime_error_exit_status(void *, _Out_ int *)");

function must(done: unknown, what: string): void {
  if (done !== true) throw new Error(`wasmtime refused ${what}`);
}

const engine = library.engineNew(library.configNew());
const context = library.storeContext(library.storeNew(engine, null, null));
const wasi = configNew();
must(setEnvironment(wasi, 1, ["A"], ["1"]), "the environment");
must(setInput(wasi, inputPath), "standard input");
must(setOutput(wasi, outputPath), "standard output");
must(setErrors(wasi, "/dev/null"), "standard error");
must(preopen(wasi, directory, ".", ALL_DIRECTORY_RIGHTS, ALL_FILE_RIGHTS), "the directory");
library.check(setWasi(context, wasi));
const linker = library.linkerNew(engine);
library.check(defineWasi(linker));
const code = readFileSync(modulePath);
const compiled: unknown[] = [null];
library.check(library.moduleNew(engine, code, code.length, compiled));
const instance = Buffer.alloc(STRUCTURE_BYTES);
const trap: unknown[] = [null];
library.check(library.linkerInstantiate(linker, context, compiled[0], instance, trap));
const start = Buffer.alloc(STRUCTURE_BYTES);
if (!library.exportGet(context, instance, ENTRY, ENTRY.length, start)) throw new Error("no _start");
const error = library.call(context, start.subarray(PAYLOAD_OFFSET), null, 0, null, 0, trap);
if (trap[0]) throw new Error(library.trapText(trap[0]));
const status = [0];
if (error && !exitStatus(error, status)) library.check(error);
console.log(status[0]);
