/**
 * The deterministic WASI preview 1 host: what a guest reads comes from the job, what it writes goes to two buffers,
 * and every call costs fuel by what it does. No file system, no sockets, no waiting; the functions for those exist
 * and answer with the error number that stands for their absence.
 */
import { BULK_SHIFT, HOST_CALL_TICKS } from "../cost-model.ts";
import { MAX_STDERR_BYTES } from "../limits.ts";
import type { ExecutionJob } from "../outcome.ts";
import { ABSENT } from "./absent.ts";
import { DESCRIPTORS, type Descriptor } from "./descriptors.ts";
import { Errno, ErrnoError } from "./errno.ts";
import { GuestMemory } from "./guest-memory.ts";
import { GuestStop } from "./guest-stop.ts";
import { WASI_FUNCTION_NAMES, type WasiFunctionName } from "./imports.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { POLL } from "./poll.ts";
import { RandomStream } from "./random-stream.ts";
import { SYSTEM } from "./system.ts";

/** A function as engines call it: i32 as number, i64 as bigint. */
export type HostFunction = (...values: (number | bigint)[]) => number;

/** A host function's work: i32 arrive unsigned, i64 signed; returns an error number or throws ErrnoError. */
export type Handler = (host: WasiHost, ...values: never[]) => number;
export type HandlerTable = Readonly<Partial<Record<WasiFunctionName, Handler>>>;

const HANDLERS: HandlerTable = { ...ABSENT, ...SYSTEM, ...DESCRIPTORS, ...POLL };

export class WasiHost {
  readonly job: ExecutionJob;
  readonly stdout: OutputBuffer;
  readonly stderr = new OutputBuffer(MAX_STDERR_BYTES);
  readonly random: RandomStream;
  readonly descriptors = new Map<number, Descriptor>([
    [0, "stdin"],
    [1, "stdout"],
    [2, "stderr"],
  ]);
  /** Bytes of the input that were read. */
  inputPosition = 0;
  /** Nanoseconds that the guest has asked to sleep: they pass at once. */
  sleptNs = 0n;
  memory = new GuestMemory({ buffer: new ArrayBuffer(0) });
  #fuel: { value: bigint } = { value: 0n };
  readonly #budget: bigint;

  constructor(job: ExecutionJob, budgetTicks: bigint) {
    this.job = job;
    this.stdout = new OutputBuffer(job.limits.maxOutputBytes);
    this.random = new RandomStream(job.seed);
    this.#budget = budgetTicks;
  }

  /** Binds the guest's memory and counter, before anything of it runs. */
  attach(memory: { readonly buffer: ArrayBuffer }, fuel: { value: bigint }): void {
    this.memory = new GuestMemory(memory);
    this.#fuel = fuel;
  }

  /** Charges ticks before the work that they pay for. */
  charge(ticks: number): void {
    this.#fuel.value -= BigInt(ticks);
    if (this.#fuel.value < 0n) throw new GuestStop("outOfFuel");
  }

  chargeBytes(count: number): void {
    this.charge(Math.floor(count / 2 ** BULK_SHIFT));
  }

  /** Nanoseconds since the start: a tick is one, and sleeping adds what was asked for. */
  monotonicNs(): bigint {
    return BigInt.asUintN(64, this.#budget - this.#fuel.value + this.sleptNs);
  }

  /** The import object's functions, all 46 of them. */
  functions(): Readonly<Record<string, HostFunction>> {
    const functions: Record<string, HostFunction> = {};
    for (const name of WASI_FUNCTION_NAMES) functions[name] = this.#bind(HANDLERS[name] as Handler);
    return functions;
  }

  #bind(handler: Handler): HostFunction {
    return (...values) => {
      this.charge(HOST_CALL_TICKS);
      try {
        return handler(this, ...(values.map((value) => (typeof value === "number" ? value >>> 0 : value)) as never[]));
      } catch (error) {
        if (error instanceof ErrnoError) return error.errno;
        throw error;
      }
    };
  }

  /** What stands behind a descriptor, or EBADF. */
  descriptor(fd: number): Descriptor {
    const descriptor = this.descriptors.get(fd);
    if (descriptor === undefined) throw new ErrnoError(Errno.badf);
    return descriptor;
  }
}
