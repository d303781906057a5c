/** The guest's memory as host functions see it: little-endian, every access inside or EFAULT. */
import { Errno, ErrnoError } from "./errno.ts";

export class GuestMemory {
  readonly #memory: { readonly buffer: ArrayBuffer };
  #view: DataView;
  #bytes: Uint8Array;

  constructor(memory: { readonly buffer: ArrayBuffer }) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Checks [pointer, pointer + length) and takes up a buffer that a growth has replaced. */
  check(pointer: number, length: number): void {
    const { buffer } = this.#memory;
    if (buffer !== this.#bytes.buffer) {
      this.#view = new DataView(buffer);
      this.#bytes = new Uint8Array(buffer);
    }
    if (pointer + length > this.#bytes.length) throw new ErrnoError(Errno.fault);
  }

  /** A view of the guest's bytes; the host copies from or into it before the guest runs on. */
  slice(pointer: number, length: number): Uint8Array {
    this.check(pointer, length);
    return this.#bytes.subarray(pointer, pointer + length);
  }

  u8(pointer: number): number {
    this.check(pointer, 1);
    return this.#view.getUint8(pointer);
  }

  u16(pointer: number): number {
    this.check(pointer, 2);
    return this.#view.getUint16(pointer, true);
  }

  u32(pointer: number): number {
    this.check(pointer, 4);
    return this.#view.getUint32(pointer, true);
  }

  u64(pointer: number): bigint {
    this.check(pointer, 8);
    return this.#view.getBigUint64(pointer, true);
  }

  setU32(pointer: number, value: number): void {
    this.check(pointer, 4);
    this.#view.setUint32(pointer, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.check(pointer, 8);
    this.#view.setBigUint64(pointer, value, true);
  }

  write(pointer: number, bytes: Uint8Array): void {
    this.slice(pointer, bytes.length).set(bytes);
  }
}
