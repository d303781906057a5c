/**
 * The 46 functions of WASI preview 1 over one run's host. No sockets, no waiting: the functions for those exist and
 * answer with the error number that stands for their absence. Files live in memory for the length of the run.
 */
import { HOST_CALL_TICKS, HOST_ERROR_TICKS } from "../cost-model.ts";
import { ABSENT } from "./absent.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import { Errno, ErrnoError } from "./errno.ts";
import type { Handler, HandlerTable, WasiHost } from "./host.ts";
import { WASI_FUNCTION_NAMES } from "./imports.ts";
import { PATHS } from "./paths.ts";
import { POLL } from "./poll.ts";
import { SYSTEM } from "./system.ts";

/** A function as engines call it: i32 as number, i64 as bigint. */
export type HostFunction = (...values: (number | bigint)[]) => number;

const HANDLERS: HandlerTable = { ...ABSENT, ...SYSTEM, ...DESCRIPTORS, ...PATHS, ...POLL };

/** The import object's functions by name. */
export function hostFunctions(host: WasiHost): Readonly<Record<string, HostFunction>> {
  const functions: Record<string, HostFunction> = {};
  for (const name of WASI_FUNCTION_NAMES) functions[name] = bind(host, HANDLERS[name] as Handler);
  return functions;
}

function bind(host: WasiHost, handler: Handler): HostFunction {
  return (...values) => {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (typeof value === "number") values[index] = value >>> 0;
    }
    host.enter();
    try {
      host.charge(HOST_CALL_TICKS);
      const errno = answer(host, handler, values);
      if (errno !== Errno.success) host.charge(HOST_ERROR_TICKS);
      return errno;
    } finally {
      host.leave();
    }
  };
}

function answer(host: WasiHost, handler: Handler, values: readonly (number | bigint)[]): number {
  try {
    return handler(host, ...(values as never[]));
  } catch (error) {
    // Anything else ends the run. Above all the RangeError of a native stack that has ended, which comes at another
    // depth on every engine: the guest must never see it, as an error number or as a change that was half made.
    if (error instanceof ErrnoError) return error.errno;
    throw error;
  }
}
