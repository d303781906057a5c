/**
 * The programs on wasmtime with what determinism costs there: its own fuel and NaN canonicalisation. Prints CPU
 * milliseconds and consumed fuel by program. The library's path is the second argument.
 */
import { readFileSync } from "node:fs";
import koffi from "koffi";
import { loadWasmtimeLibrary, PAYLOAD_OFFSET, STRUCTURE_BYTES } from "../../src/engine/wasmtime-library.ts";
import { PROGRAMS } from "./programs.ts";

const [, , modulePath, libraryPath] = process.argv as [string, string, string, string];
const ROUNDS = 7;
const FUEL = 1n << 60n;

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
const code = readFileSync(modulePath);
const compiled: unknown[] = [null];
library.check(library.moduleNew(engine, code, code.length, compiled));
const context = library.storeContext(library.storeNew(engine, null, null));
library.check(setFuel(context, FUEL));
const instance = Buffer.alloc(STRUCTURE_BYTES);
const trap: unknown[] = [null];
library.check(library.linkerInstantiate(library.linkerNew(engine), context, compiled[0], instance, trap));

function fuelLeft(): bigint {
  const left = [0];
  library.check(getFuel(context, left));
  return BigInt(left[0]!);
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
const result: Record<string, { ms: number; fuel: number }> = {};
for (const [name, work] of PROGRAMS) {
  const found = Buffer.alloc(STRUCTURE_BYTES);
  if (!library.exportGet(context, instance, name, name.length, found)) throw new Error(`no export ${name}`);
  const call = () => {
    const given = Buffer.alloc(STRUCTURE_BYTES);
    given.writeInt32LE(work, PAYLOAD_OFFSET);
    library.check(
      library.call(context, found.subarray(PAYLOAD_OFFSET), given, 1, Buffer.alloc(STRUCTURE_BYTES), 1, trap),
    );
    if (trap[0]) throw new Error(library.trapText(trap[0]));
  };
  call();
  const times: number[] = [];
  const before = fuelLeft();
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    call();
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000);
  }
  result[name] = { ms: median(times), fuel: Number((before - fuelLeft()) / BigInt(ROUNDS)) };
}
console.log(JSON.stringify(result));
