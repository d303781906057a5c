/**
 * The state of the deterministic WASI preview 1 host during one run: what a guest reads comes from the job, what it
 * writes goes to two buffers, and what it asks for is charged. host-functions.ts puts the 46 functions around it.
 */
import { BULK_SHIFT } from "../cost-model.ts";
import { MAX_OPEN_DESCRIPTORS, MAX_STDERR_BYTES } from "../limits.ts";
import type { ExecutionJob } from "../outcome.ts";
import { type Environment, encodeEnvironment } from "./environment.ts";
import { Errno, ErrnoError } from "./errno.ts";
import { FileSystem, type FileSystemNode } from "./file-system.ts";
import { GuestMemory } from "./guest-memory.ts";
import { GuestStop } from "./guest-stop.ts";
import type { WasiFunctionName } from "./imports.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { RandomStream } from "./random-stream.ts";

/** A file or directory that was opened. */
export interface OpenNode {
  readonly node: FileSystemNode;
  /** Up to 2^63 - 1: a guest may look for the end of everything. */
  position: bigint;
  readonly readable: boolean;
  readonly writable: boolean;
  /** `fdflags`: of them only appending does something. */
  flags: number;
}

/** A standard stream or something of the file system. */
export type Descriptor = "stdin" | "stdout" | "stderr" | OpenNode;

/** The directory that a guest finds open, under the name ".". */
export const PREOPENED_FD = 3;
const LAST_MOMENT_NS = 2n ** 64n - 1n;

/** A host function's work: i32 arrive unsigned, i64 signed; returns an error number or throws ErrnoError. */
export type Handler = (host: WasiHost, ...values: never[]) => number;
export type HandlerTable = Readonly<Partial<Record<WasiFunctionName, Handler>>>;

export class WasiHost {
  readonly job: ExecutionJob;
  readonly stdout: OutputBuffer;
  readonly stderr = new OutputBuffer(MAX_STDERR_BYTES);
  readonly random: RandomStream;
  readonly files: FileSystem;
  readonly environment: Environment;
  readonly #descriptors: (Descriptor | undefined)[];
  /** Bytes of the input that were read. */
  inputPosition = 0;
  /** Nanoseconds that the guest has asked to sleep: they pass at once. */
  sleptNs = 0n;
  memory = new GuestMemory({ buffer: new ArrayBuffer(0) });
  #fuel: { value: bigint } = { value: 0n };
  /** The counter during a host call. */
  #ticksLeft = 0;
  readonly #budget: bigint;

  constructor(job: ExecutionJob, budgetTicks: bigint) {
    this.job = job;
    this.stdout = new OutputBuffer(job.limits.maxOutputBytes);
    this.random = new RandomStream(job.seed);
    this.environment = encodeEnvironment(job.environ);
    this.files = new FileSystem(job.blockTimeNs, this);
    this.#descriptors = new Array(MAX_OPEN_DESCRIPTORS).fill(undefined);
    this.#descriptors[0] = "stdin";
    this.#descriptors[1] = "stdout";
    this.#descriptors[2] = "stderr";
    this.openDescriptor({ node: this.files.root, position: 0n, readable: true, writable: false, flags: 0 });
    this.#budget = budgetTicks;
  }

  /** Binds the guest's memory and counter, before anything of it runs. */
  attach(memory: { readonly buffer: ArrayBuffer }, fuel: { value: bigint }): void {
    this.memory = new GuestMemory(memory);
    this.#fuel = fuel;
  }

  /** Begins a host call: the counter is taken from the engine, since each access of it there is a crossing. */
  enter(): void {
    this.#ticksLeft = Number(this.#fuel.value);
  }

  /** Gives the counter back, however the call ended. */
  leave(): void {
    this.#fuel.value = BigInt(this.#ticksLeft);
  }

  /** Charges ticks before the work that they pay for. */
  charge(ticks: number): void {
    this.#ticksLeft -= ticks;
    if (this.#ticksLeft < 0) throw new GuestStop("outOfFuel");
  }

  chargeBytes(count: number): void {
    this.charge(Math.floor(count / 2 ** BULK_SHIFT));
  }

  /** Nanoseconds since the start: a tick is one, and sleeping adds what was asked for. It ends where 64 bits do. */
  monotonicNs(): bigint {
    const now = this.#budget - BigInt(this.#ticksLeft) + this.sleptNs;
    return now < LAST_MOMENT_NS ? now : LAST_MOMENT_NS;
  }

  /** Throws EMFILE where no descriptor is free. */
  requireFreeDescriptor(): void {
    if (this.#lowestFree() < 0) throw new ErrnoError(Errno.mfile);
  }

  /** The lowest free descriptor, of which there must be one, stands for this from now on. */
  openDescriptor(opened: OpenNode): number {
    const fd = this.#lowestFree();
    this.#descriptors[fd] = opened;
    this.files.opened(opened.node);
    return fd;
  }

  closeDescriptor(fd: number): void {
    const descriptor = this.descriptor(fd);
    this.#descriptors[fd] = undefined;
    if (typeof descriptor === "object") this.files.closed(descriptor.node);
  }

  /** What was open as `from` is open as `to`, and what that was is closed. */
  renumber(from: number, to: number): void {
    const descriptor = this.descriptor(from);
    this.descriptor(to);
    if (from === to) return;
    this.closeDescriptor(to);
    this.#descriptors[to] = descriptor;
    this.#descriptors[from] = undefined;
  }

  /** What stands behind a descriptor, if anything does. */
  descriptorIfOpen(fd: number): Descriptor | undefined {
    return fd < MAX_OPEN_DESCRIPTORS ? this.#descriptors[fd] : undefined;
  }

  /** What stands behind a descriptor, or EBADF. */
  descriptor(fd: number): Descriptor {
    const descriptor = this.descriptorIfOpen(fd);
    if (descriptor === undefined) throw new ErrnoError(Errno.badf);
    return descriptor;
  }

  #lowestFree(): number {
    return this.#descriptors.indexOf(undefined);
  }
}
