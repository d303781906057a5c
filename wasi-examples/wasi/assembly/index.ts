// The few calls of WASI preview 1 that the guests share, written directly: standard input whole, the two outputs,
// random bytes and the end of the process.

@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: u32, iovecs: usize, count: u32, size: usize): u32;

@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: u32, iovecs: usize, count: u32, size: usize): u32;

@external("wasi_snapshot_preview1", "random_get")
declare function random_get(buffer: usize, length: usize): u32;

@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: u32): void;

const CHUNK_BYTES: i32 = 4096;
/** One iovec (address, length) and the size that the host reports. */
const IOVEC = memory.data(12);

/** All of standard input. */
export function readInput(): ArrayBuffer {
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  let length = 0;
  while (true) {
    if (length == buffer.byteLength) {
      const grown = new ArrayBuffer(buffer.byteLength * 2);
      memory.copy(changetype<usize>(grown), changetype<usize>(buffer), length);
      buffer = grown;
    }
    store<usize>(IOVEC, changetype<usize>(buffer) + length);
    store<u32>(IOVEC, buffer.byteLength - length, 4);
    const errno = fd_read(0, IOVEC, 1, IOVEC + 8);
    if (errno != 0) fail("standard input cannot be read: errno " + errno.toString());
    const count = load<u32>(IOVEC, 8);
    if (count == 0) return buffer.slice(0, length);
    length += count;
  }
}

/** Writes bytes to standard output (1) or standard error (2), however many calls the host needs. */
export function writeBytes(fd: u32, address: usize, length: usize): void {
  while (length > 0) {
    store<usize>(IOVEC, address);
    store<u32>(IOVEC, <u32>length, 4);
    if (fd_write(fd, IOVEC, 1, IOVEC + 8) != 0) exit(1);
    const written = load<u32>(IOVEC, 8);
    address += written;
    length -= written;
  }
}

export function print(text: string): void {
  const bytes = String.UTF8.encode(text);
  writeBytes(1, changetype<usize>(bytes), bytes.byteLength);
}

export function exit(code: u32): void {
  proc_exit(code);
  unreachable();
}

/** Says why on standard error and exits with code 1: the caller gets the reason. */
export function fail(reason: string): void {
  const bytes = String.UTF8.encode(reason);
  writeBytes(2, changetype<usize>(bytes), bytes.byteLength);
  exit(1);
}

export function randomU64(): u64 {
  if (random_get(IOVEC, 8) != 0) fail("no random bytes");
  return load<u64>(IOVEC);
}

// The compiler calls this where the language aborts: an index out of range, an allocation that fails.
// @ts-ignore: decorator
@global
function guestAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  const reason = message === null ? "aborted" : message;
  const place = file === null ? "" : " at " + file + ":" + line.toString() + ":" + column.toString();
  fail(reason + place);
}
