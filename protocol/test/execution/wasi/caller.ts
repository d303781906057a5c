/** A WASI host with the calls that a C library would make, for tests: ours, or another one to compare with. */
import { WasiHost } from "../../../src/execution/wasi/host.ts";
import { hostFunctions } from "../../../src/execution/wasi/host-functions.ts";
import { jobOf } from "../harness.ts";

export type Functions = Readonly<Record<string, (...values: (number | bigint)[]) => number>>;

export class Caller {
  readonly memory: WebAssembly.Memory;
  readonly #wasi: Functions;

  constructor(memory: WebAssembly.Memory, wasi: Functions) {
    this.memory = memory;
    this.#wasi = wasi;
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  call(name: string, ...values: (number | bigint)[]): number {
    return this.#wasi[name]!(...values);
  }

  /** Puts text at an address and gives [address, length]. */
  text(value: string, at = 1_000): [number, number] {
    const bytes = Buffer.from(value);
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return [at, bytes.length];
  }

  open(path: string, flags: number, rights = READ | WRITE, fdFlags = 0, lookup = 1): number | string {
    const errno = this.call("path_open", 3, lookup, ...this.text(path), flags, rights, 0n, fdFlags, 200);
    return errno === 0 ? this.view.getUint32(200, true) : `errno ${errno}`;
  }

  path(name: string, path: string): number {
    return this.call(name, 3, ...this.text(path));
  }

  two(name: "path_rename", from: string, to: string): number {
    return this.call(name, 3, ...this.text(from), 3, ...this.text(to, 3_000));
  }

  link(from: string, to: string): number {
    return this.call("path_link", 3, 0, ...this.text(from), 3, ...this.text(to, 3_000));
  }

  symlink(target: string, path: string): number {
    return this.call("path_symlink", ...this.text(target), 3, ...this.text(path, 3_000));
  }

  readlink(path: string): string {
    const errno = this.call("path_readlink", 3, ...this.text(path), 5_000, 100, 200);
    return errno === 0 ? this.read(5_000, this.view.getUint32(200, true)) : `errno ${errno}`;
  }

  read(at: number, length: number): string {
    return Buffer.from(this.memory.buffer.slice(at, at + length)).toString();
  }

  #iovec(at: number, length: number): void {
    this.view.setUint32(100, at, true);
    this.view.setUint32(104, length, true);
  }

  write(fd: number, value: string): string {
    this.#iovec(...this.text(value));
    const errno = this.call("fd_write", fd, 100, 1, 200);
    return errno === 0 ? `wrote ${this.view.getUint32(200, true)}` : `errno ${errno}`;
  }

  readFrom(fd: number, length: number, offset?: bigint): string {
    this.#iovec(5_000, length);
    const errno =
      offset === undefined ? this.call("fd_read", fd, 100, 1, 200) : this.call("fd_pread", fd, 100, 1, offset, 200);
    return errno === 0 ? this.read(5_000, this.view.getUint32(200, true)) : `errno ${errno}`;
  }

  writeAt(fd: number, value: string, offset: bigint): number {
    this.#iovec(...this.text(value));
    return this.call("fd_pwrite", fd, 100, 1, offset, 200);
  }

  seek(fd: number, offset: bigint, whence: number): string {
    const errno = this.call("fd_seek", fd, offset, whence, 208);
    return errno === 0 ? `at ${this.view.getBigUint64(208, true)}` : `errno ${errno}`;
  }

  /** Kind and size of what is at a path, or of an open file. */
  stat(path: string, lookup = 1): string {
    const errno = this.call("path_filestat_get", 3, lookup, ...this.text(path), 400);
    return this.#stat(errno);
  }

  fdStat(fd: number): string {
    return this.#stat(this.call("fd_filestat_get", fd, 400));
  }

  #stat(errno: number): string {
    if (errno !== 0) return `errno ${errno}`;
    const kind = this.view.getUint8(416);
    return kind === 3 ? "directory" : `${kind}: ${this.view.getBigUint64(432, true)} bytes`;
  }

  /** Names in a directory, sorted: hosts list them in orders of their own. */
  list(fd: number): string {
    const errno = this.call("fd_readdir", fd, 6_000, 4_000, 0n, 200);
    if (errno !== 0) return `errno ${errno}`;
    const names: string[] = [];
    const end = 6_000 + this.view.getUint32(200, true);
    for (let at = 6_000; at < end; ) {
      const length = this.view.getUint32(at + 16, true);
      names.push(`${this.read(at + 24, length)}:${this.view.getUint8(at + 20)}`);
      at += 24 + length;
    }
    return names
      .filter((name) => !name.startsWith("."))
      .sort()
      .join(" ");
  }
}

export const READ = 1n << 1n;
export const WRITE =
  (1n << 6n) | (1n << 2n) | (1n << 5n) | (1n << 8n) | (1n << 21n) | (1n << 22n) | (1n << 23n) | (1n << 0n) | (1n << 4n);
export const SET_FLAGS = 1n << 3n;
export const CREATE = 1;
export const DIRECTORY = 2;
export const EXCLUSIVE = 4;
export const TRUNCATE = 8;

/** Our host on an empty file system. */
export class OurCaller extends Caller {
  readonly host: WasiHost;
  readonly #fuel: { value: bigint };

  constructor() {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const fuel = { value: 1_000_000_000_000n };
    const host = new WasiHost(jobOf(new Uint8Array(0)), fuel.value);
    host.attach(memory, fuel);
    super(memory, hostFunctions(host));
    this.host = host;
    this.#fuel = fuel;
  }

  /** Ticks that calls cost. */
  ticks(calls: () => unknown): number {
    const before = this.#fuel.value;
    calls();
    return Number(before - this.#fuel.value);
  }
}
