/**
 * An append-only file of records, each with its length and CRC-32 in front. A record that a crash cut short at the
 * end is dropped when the file is opened; damage anywhere else is an error, because what follows would be wrong.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

export type FrameLogErrorCode = "LOG_CORRUPT" | "RECORD_TOO_LARGE";

export class FrameLogError extends Error {
  readonly code: FrameLogErrorCode;
  constructor(code: FrameLogErrorCode, message: string) {
    super(message);
    this.name = "FrameLogError";
    this.code = code;
  }
}

const HEADER_BYTES = 8;
/** A block of the largest transactions the mempool holds. */
const MAX_RECORD_BYTES = 128 * 1024 * 1024;

export class FrameLog {
  readonly #file: number;
  #end = 0;

  constructor(path: string) {
    this.#file = openSync(path, "a+", 0o600);
  }

  /** Reads every record and cuts off an unfinished one. Must be called once, before the first `append`. */
  *recover(): Generator<Uint8Array> {
    const size = fstatSync(this.#file).size;
    let offset = 0;
    while (offset < size) {
      const record = this.#read(offset, size);
      if (record === undefined) break;
      yield record;
      offset += HEADER_BYTES + record.length;
    }
    if (offset < size) ftruncateSync(this.#file, offset);
    this.#end = offset;
  }

  append(record: Uint8Array): void {
    if (record.length > MAX_RECORD_BYTES) {
      throw new FrameLogError("RECORD_TOO_LARGE", `a record of ${record.length} bytes cannot be written`);
    }
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(record.length, 0);
    header.writeUInt32LE(crc32(record), 4);
    const frame = Buffer.concat([header, record]);
    for (let written = 0; written < frame.length; ) written += writeSync(this.#file, frame, written);
    this.#end += frame.length;
  }

  get sizeBytes(): number {
    return this.#end;
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The record at `offset`; undefined when the file ends within it. */
  #read(offset: number, size: number): Uint8Array | undefined {
    const header = this.#bytes(offset, Math.min(HEADER_BYTES, size - offset));
    if (header.length < HEADER_BYTES) return undefined;
    const length = header.readUInt32LE(0);
    const end = offset + HEADER_BYTES + length;
    if (length > MAX_RECORD_BYTES) throw this.#corrupt(offset);
    if (end > size) return undefined;
    const record = this.#bytes(offset + HEADER_BYTES, length);
    if (crc32(record) === header.readUInt32LE(4)) return record;
    if (end === size) return undefined;
    throw this.#corrupt(offset);
  }

  #bytes(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    let read = 0;
    while (read < length) {
      const count = readSync(this.#file, bytes, read, length - read, offset + read);
      if (count === 0) throw this.#corrupt(offset);
      read += count;
    }
    return bytes;
  }

  #corrupt(offset: number): FrameLogError {
    return new FrameLogError("LOG_CORRUPT", `the log is damaged at byte ${offset}`);
  }
}
