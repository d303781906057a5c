// Carries out a script of WASI calls from standard input (README.md) and writes what each gave to standard output.
// AssemblyScript: every one of the 46 functions of wasi_snapshot_preview1 is imported by hand.

@external("wasi_snapshot_preview1", "args_get")
declare function args_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "args_sizes_get")
declare function args_sizes_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "environ_get")
declare function environ_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environ_sizes_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "clock_res_get")
declare function clock_res_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "clock_time_get")
declare function clock_time_get(a: u32, b: u64, c: u32): u32;
@external("wasi_snapshot_preview1", "fd_advise")
declare function fd_advise(a: u32, b: u64, c: u64, d: u32): u32;
@external("wasi_snapshot_preview1", "fd_allocate")
declare function fd_allocate(a: u32, b: u64, c: u64): u32;
@external("wasi_snapshot_preview1", "fd_close")
declare function fd_close(a: u32): u32;
@external("wasi_snapshot_preview1", "fd_datasync")
declare function fd_datasync(a: u32): u32;
@external("wasi_snapshot_preview1", "fd_fdstat_get")
declare function fd_fdstat_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "fd_fdstat_set_flags")
declare function fd_fdstat_set_flags(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "fd_fdstat_set_rights")
declare function fd_fdstat_set_rights(a: u32, b: u64, c: u64): u32;
@external("wasi_snapshot_preview1", "fd_filestat_get")
declare function fd_filestat_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "fd_filestat_set_size")
declare function fd_filestat_set_size(a: u32, b: u64): u32;
@external("wasi_snapshot_preview1", "fd_filestat_set_times")
declare function fd_filestat_set_times(a: u32, b: u64, c: u64, d: u32): u32;
@external("wasi_snapshot_preview1", "fd_pread")
declare function fd_pread(a: u32, b: u32, c: u32, d: u64, e: u32): u32;
@external("wasi_snapshot_preview1", "fd_prestat_get")
declare function fd_prestat_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
declare function fd_prestat_dir_name(a: u32, b: u32, c: u32): u32;
@external("wasi_snapshot_preview1", "fd_pwrite")
declare function fd_pwrite(a: u32, b: u32, c: u32, d: u64, e: u32): u32;
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(a: u32, b: u32, c: u32, d: u32): u32;
@external("wasi_snapshot_preview1", "fd_readdir")
declare function fd_readdir(a: u32, b: u32, c: u32, d: u64, e: u32): u32;
@external("wasi_snapshot_preview1", "fd_renumber")
declare function fd_renumber(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "fd_seek")
declare function fd_seek(a: u32, b: u64, c: u32, d: u32): u32;
@external("wasi_snapshot_preview1", "fd_sync")
declare function fd_sync(a: u32): u32;
@external("wasi_snapshot_preview1", "fd_tell")
declare function fd_tell(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(a: u32, b: u32, c: u32, d: u32): u32;
@external("wasi_snapshot_preview1", "path_create_directory")
declare function path_create_directory(a: u32, b: u32, c: u32): u32;
@external("wasi_snapshot_preview1", "path_filestat_get")
declare function path_filestat_get(a: u32, b: u32, c: u32, d: u32, e: u32): u32;
@external("wasi_snapshot_preview1", "path_filestat_set_times")
declare function path_filestat_set_times(a: u32, b: u32, c: u32, d: u32, e: u64, f: u64, g: u32): u32;
@external("wasi_snapshot_preview1", "path_link")
declare function path_link(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32): u32;
@external("wasi_snapshot_preview1", "path_open")
declare function path_open(a: u32, b: u32, c: u32, d: u32, e: u32, f: u64, g: u64, h: u32, i: u32): u32;
@external("wasi_snapshot_preview1", "path_readlink")
declare function path_readlink(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32): u32;
@external("wasi_snapshot_preview1", "path_remove_directory")
declare function path_remove_directory(a: u32, b: u32, c: u32): u32;
@external("wasi_snapshot_preview1", "path_rename")
declare function path_rename(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32): u32;
@external("wasi_snapshot_preview1", "path_symlink")
declare function path_symlink(a: u32, b: u32, c: u32, d: u32, e: u32): u32;
@external("wasi_snapshot_preview1", "path_unlink_file")
declare function path_unlink_file(a: u32, b: u32, c: u32): u32;
@external("wasi_snapshot_preview1", "poll_oneoff")
declare function poll_oneoff(a: u32, b: u32, c: u32, d: u32): u32;
@external("wasi_snapshot_preview1", "proc_raise")
declare function proc_raise(a: u32): u32;
@external("wasi_snapshot_preview1", "random_get")
declare function random_get(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "sched_yield")
declare function sched_yield(): u32;
@external("wasi_snapshot_preview1", "sock_accept")
declare function sock_accept(a: u32, b: u32, c: u32): u32;
@external("wasi_snapshot_preview1", "sock_recv")
declare function sock_recv(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32): u32;
@external("wasi_snapshot_preview1", "sock_send")
declare function sock_send(a: u32, b: u32, c: u32, d: u32, e: u32): u32;
@external("wasi_snapshot_preview1", "sock_shutdown")
declare function sock_shutdown(a: u32, b: u32): u32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: u32): void;

const SCRATCH_BYTES = 65536;
const SCRATCH = memory.data(SCRATCH_BYTES);
const VECTOR = memory.data(12);
const given = new StaticArray<u64>(9);

/** Argument `index` of the call, as 32 or as 64 bits. */
function w(index: i32): u32 {
  return <u32>given[index];
}

function d(index: i32): u64 {
  return given[index];
}

function callNamed(name: string): u32 {
  if (name == "args_get") return args_get(w(0), w(1));
  if (name == "args_sizes_get") return args_sizes_get(w(0), w(1));
  if (name == "environ_get") return environ_get(w(0), w(1));
  if (name == "environ_sizes_get") return environ_sizes_get(w(0), w(1));
  if (name == "clock_res_get") return clock_res_get(w(0), w(1));
  if (name == "clock_time_get") return clock_time_get(w(0), d(1), w(2));
  if (name == "fd_advise") return fd_advise(w(0), d(1), d(2), w(3));
  if (name == "fd_allocate") return fd_allocate(w(0), d(1), d(2));
  if (name == "fd_close") return fd_close(w(0));
  if (name == "fd_datasync") return fd_datasync(w(0));
  if (name == "fd_fdstat_get") return fd_fdstat_get(w(0), w(1));
  if (name == "fd_fdstat_set_flags") return fd_fdstat_set_flags(w(0), w(1));
  if (name == "fd_fdstat_set_rights") return fd_fdstat_set_rights(w(0), d(1), d(2));
  if (name == "fd_filestat_get") return fd_filestat_get(w(0), w(1));
  if (name == "fd_filestat_set_size") return fd_filestat_set_size(w(0), d(1));
  if (name == "fd_filestat_set_times") return fd_filestat_set_times(w(0), d(1), d(2), w(3));
  if (name == "fd_pread") return fd_pread(w(0), w(1), w(2), d(3), w(4));
  if (name == "fd_prestat_get") return fd_prestat_get(w(0), w(1));
  if (name == "fd_prestat_dir_name") return fd_prestat_dir_name(w(0), w(1), w(2));
  if (name == "fd_pwrite") return fd_pwrite(w(0), w(1), w(2), d(3), w(4));
  if (name == "fd_read") return fd_read(w(0), w(1), w(2), w(3));
  if (name == "fd_readdir") return fd_readdir(w(0), w(1), w(2), d(3), w(4));
  if (name == "fd_renumber") return fd_renumber(w(0), w(1));
  if (name == "fd_seek") return fd_seek(w(0), d(1), w(2), w(3));
  if (name == "fd_sync") return fd_sync(w(0));
  if (name == "fd_tell") return fd_tell(w(0), w(1));
  if (name == "fd_write") return fd_write(w(0), w(1), w(2), w(3));
  if (name == "path_create_directory") return path_create_directory(w(0), w(1), w(2));
  if (name == "path_filestat_get") return path_filestat_get(w(0), w(1), w(2), w(3), w(4));
  if (name == "path_filestat_set_times") return path_filestat_set_times(w(0), w(1), w(2), w(3), d(4), d(5), w(6));
  if (name == "path_link") return path_link(w(0), w(1), w(2), w(3), w(4), w(5), w(6));
  if (name == "path_open") return path_open(w(0), w(1), w(2), w(3), w(4), d(5), d(6), w(7), w(8));
  if (name == "path_readlink") return path_readlink(w(0), w(1), w(2), w(3), w(4), w(5));
  if (name == "path_remove_directory") return path_remove_directory(w(0), w(1), w(2));
  if (name == "path_rename") return path_rename(w(0), w(1), w(2), w(3), w(4), w(5));
  if (name == "path_symlink") return path_symlink(w(0), w(1), w(2), w(3), w(4));
  if (name == "path_unlink_file") return path_unlink_file(w(0), w(1), w(2));
  if (name == "poll_oneoff") return poll_oneoff(w(0), w(1), w(2), w(3));
  if (name == "proc_raise") return proc_raise(w(0));
  if (name == "random_get") return random_get(w(0), w(1));
  if (name == "sched_yield") return sched_yield();
  if (name == "sock_accept") return sock_accept(w(0), w(1), w(2));
  if (name == "sock_recv") return sock_recv(w(0), w(1), w(2), w(3), w(4), w(5));
  if (name == "sock_send") return sock_send(w(0), w(1), w(2), w(3), w(4));
  if (name == "sock_shutdown") return sock_shutdown(w(0), w(1));
  if (name == "proc_exit") proc_exit(w(0));
  proc_exit(97);
  return 0;
}

function readScript(): string {
  const buffer = new ArrayBuffer(65536);
  let length: u32 = 0;
  do {
    store<usize>(VECTOR, changetype<usize>(buffer) + length);
    store<u32>(VECTOR, buffer.byteLength - length, 4);
    if (fd_read(0, <u32>VECTOR, 1, <u32>VECTOR + 8) != 0) proc_exit(98);
    length += load<u32>(VECTOR, 8);
  } while (load<u32>(VECTOR, 8) > 0);
  return String.UTF8.decodeUnsafe(changetype<usize>(buffer), length);
}

function print(line: string): void {
  const bytes = String.UTF8.encode(line + "\n");
  store<usize>(VECTOR, changetype<usize>(bytes));
  store<u32>(VECTOR, bytes.byteLength, 4);
  if (fd_write(1, <u32>VECTOR, 1, <u32>VECTOR + 8) != 0) proc_exit(99);
}

/** A decimal number, or with @ before it the address of that byte of the scratch. */
function number(text: string): u64 {
  const address = text.startsWith("@");
  const digits = address ? text.slice(1) : text;
  const negative = digits.startsWith("-");
  let value: u64 = 0;
  for (let index = negative ? 1 : 0; index < digits.length; index++) value = value * 10 + (digits.charCodeAt(index) - 48);
  if (negative) value = -value;
  return address ? value + <u64>SCRATCH : value;
}

function call(words: string[]): void {
  for (let index = 0; index < given.length; index++) {
    given[index] = index + 2 < words.length ? number(words[index + 2]) : 0;
  }
  const errno = callNamed(words[1]);
  print(words[1] + " " + errno.toString());
}

function show(offset: usize, count: usize): void {
  let line = "";
  for (let index: usize = 0; index < count; index++) {
    line += load<u8>(SCRATCH + offset + index).toString(16).padStart(2, "0");
  }
  print(line);
}

function step(line: string): void {
  if (line.length == 0 || line.startsWith("#")) return;
  const words = line.split(" ");
  const kind = words[0];
  if (kind == "=") return print(line);
  if (kind == "call") return call(words);
  const offset = <usize>number(words[1]);
  if (kind == "text") {
    const bytes = String.UTF8.encode(line.slice(words[0].length + words[1].length + 2));
    memory.copy(SCRATCH + offset, changetype<usize>(bytes), bytes.byteLength);
  } else if (kind == "u32") store<u32>(SCRATCH + offset, <u32>number(words[2]));
  else if (kind == "u64") store<u64>(SCRATCH + offset, number(words[2]));
  else if (kind == "zero") memory.fill(SCRATCH + offset, 0, <usize>number(words[2]));
  else if (kind == "show") show(offset, <usize>number(words[2]));
  else proc_exit(96);
}

const lines = readScript().split("\n");
for (let index = 0; index < lines.length; index++) step(lines[index]);
