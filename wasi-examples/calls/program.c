/*
 * Carries out a script of WASI calls from standard input (README.md) and writes what each gave to standard output.
 * Freestanding C: every one of the 46 functions of wasi_snapshot_preview1 is imported by hand.
 */
typedef unsigned int u32;
typedef unsigned long long u64;

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) extern

WASI(args_get) u32 args_get(u32, u32);
WASI(args_sizes_get) u32 args_sizes_get(u32, u32);
WASI(environ_get) u32 environ_get(u32, u32);
WASI(environ_sizes_get) u32 environ_sizes_get(u32, u32);
WASI(clock_res_get) u32 clock_res_get(u32, u32);
WASI(clock_time_get) u32 clock_time_get(u32, u64, u32);
WASI(fd_advise) u32 fd_advise(u32, u64, u64, u32);
WASI(fd_allocate) u32 fd_allocate(u32, u64, u64);
WASI(fd_close) u32 fd_close(u32);
WASI(fd_datasync) u32 fd_datasync(u32);
WASI(fd_fdstat_get) u32 fd_fdstat_get(u32, u32);
WASI(fd_fdstat_set_flags) u32 fd_fdstat_set_flags(u32, u32);
WASI(fd_fdstat_set_rights) u32 fd_fdstat_set_rights(u32, u64, u64);
WASI(fd_filestat_get) u32 fd_filestat_get(u32, u32);
WASI(fd_filestat_set_size) u32 fd_filestat_set_size(u32, u64);
WASI(fd_filestat_set_times) u32 fd_filestat_set_times(u32, u64, u64, u32);
WASI(fd_pread) u32 fd_pread(u32, u32, u32, u64, u32);
WASI(fd_prestat_get) u32 fd_prestat_get(u32, u32);
WASI(fd_prestat_dir_name) u32 fd_prestat_dir_name(u32, u32, u32);
WASI(fd_pwrite) u32 fd_pwrite(u32, u32, u32, u64, u32);
WASI(fd_read) u32 fd_read(u32, u32, u32, u32);
WASI(fd_readdir) u32 fd_readdir(u32, u32, u32, u64, u32);
WASI(fd_renumber) u32 fd_renumber(u32, u32);
WASI(fd_seek) u32 fd_seek(u32, u64, u32, u32);
WASI(fd_sync) u32 fd_sync(u32);
WASI(fd_tell) u32 fd_tell(u32, u32);
WASI(fd_write) u32 fd_write(u32, u32, u32, u32);
WASI(path_create_directory) u32 path_create_directory(u32, u32, u32);
WASI(path_filestat_get) u32 path_filestat_get(u32, u32, u32, u32, u32);
WASI(path_filestat_set_times) u32 path_filestat_set_times(u32, u32, u32, u32, u64, u64, u32);
WASI(path_link) u32 path_link(u32, u32, u32, u32, u32, u32, u32);
WASI(path_open) u32 path_open(u32, u32, u32, u32, u32, u64, u64, u32, u32);
WASI(path_readlink) u32 path_readlink(u32, u32, u32, u32, u32, u32);
WASI(path_remove_directory) u32 path_remove_directory(u32, u32, u32);
WASI(path_rename) u32 path_rename(u32, u32, u32, u32, u32, u32);
WASI(path_symlink) u32 path_symlink(u32, u32, u32, u32, u32);
WASI(path_unlink_file) u32 path_unlink_file(u32, u32, u32);
WASI(poll_oneoff) u32 poll_oneoff(u32, u32, u32, u32);
WASI(proc_exit) void proc_exit(u32);
WASI(proc_raise) u32 proc_raise(u32);
WASI(random_get) u32 random_get(u32, u32);
WASI(sched_yield) u32 sched_yield(void);
WASI(sock_accept) u32 sock_accept(u32, u32, u32);
WASI(sock_recv) u32 sock_recv(u32, u32, u32, u32, u32, u32);
WASI(sock_send) u32 sock_send(u32, u32, u32, u32, u32);
WASI(sock_shutdown) u32 sock_shutdown(u32, u32);

enum { SCRIPT_BYTES = 65536, SCRATCH_BYTES = 65536, MAX_ARGUMENTS = 9, LINE_BYTES = 1024 };

static char script[SCRIPT_BYTES];
static unsigned char scratch[SCRATCH_BYTES];
static char line[LINE_BYTES];
static u32 lineLength;
static u64 argument[MAX_ARGUMENTS];
static const char *at;

static void put(char c) { line[lineLength++] = c; }

static void flushLine(void) {
  u32 vector[3] = {(u32)line, lineLength, 0};
  put('\n');
  vector[1] = lineLength;
  if (fd_write(1, (u32)vector, 1, (u32)(vector + 2)) != 0) proc_exit(99);
  lineLength = 0;
}

static void putNumber(u32 value) {
  if (value >= 10) putNumber(value / 10);
  put('0' + value % 10);
}

static void readScript(void) {
  u32 length = 0, vector[3];
  do {
    vector[0] = (u32)(script + length);
    vector[1] = SCRIPT_BYTES - 1 - length;
    if (fd_read(0, (u32)vector, 1, (u32)(vector + 2)) != 0) proc_exit(98);
    length += vector[2];
  } while (vector[2] > 0);
}

static int isEnd(char c) { return c == '\n' || c == 0; }

/* A decimal number, or with @ before it the address of that byte of the scratch. */
static u64 number(void) {
  u64 value = 0;
  int negative = 0, address = 0;
  while (*at == ' ') at++;
  if (*at == '@') address = 1, at++;
  if (*at == '-') negative = 1, at++;
  while (*at >= '0' && *at <= '9') value = value * 10 + (u64)(*at++ - '0');
  if (negative) value = -value;
  return address ? value + (u32)scratch : value;
}

static int takes(const char *word) {
  const char *rest = at;
  while (*word && *word == *rest) word++, rest++;
  if (*word || !(*rest == ' ' || isEnd(*rest))) return 0;
  at = rest;
  return 1;
}

#define I(n) ((u32)argument[n])
#define L(n) (argument[n])
#define CALL(name, ...) if (takes(#name)) { arguments(); return name(__VA_ARGS__); }

static void arguments(void) {
  for (u32 n = 0; n < MAX_ARGUMENTS; n++) argument[n] = isEnd(*at) ? 0 : number();
}

static u32 callNamed(void) {
  CALL(args_get, I(0), I(1))
  CALL(args_sizes_get, I(0), I(1))
  CALL(environ_get, I(0), I(1))
  CALL(environ_sizes_get, I(0), I(1))
  CALL(clock_res_get, I(0), I(1))
  CALL(clock_time_get, I(0), L(1), I(2))
  CALL(fd_advise, I(0), L(1), L(2), I(3))
  CALL(fd_allocate, I(0), L(1), L(2))
  CALL(fd_close, I(0))
  CALL(fd_datasync, I(0))
  CALL(fd_fdstat_get, I(0), I(1))
  CALL(fd_fdstat_set_flags, I(0), I(1))
  CALL(fd_fdstat_set_rights, I(0), L(1), L(2))
  CALL(fd_filestat_get, I(0), I(1))
  CALL(fd_filestat_set_size, I(0), L(1))
  CALL(fd_filestat_set_times, I(0), L(1), L(2), I(3))
  CALL(fd_pread, I(0), I(1), I(2), L(3), I(4))
  CALL(fd_prestat_get, I(0), I(1))
  CALL(fd_prestat_dir_name, I(0), I(1), I(2))
  CALL(fd_pwrite, I(0), I(1), I(2), L(3), I(4))
  CALL(fd_read, I(0), I(1), I(2), I(3))
  CALL(fd_readdir, I(0), I(1), I(2), L(3), I(4))
  CALL(fd_renumber, I(0), I(1))
  CALL(fd_seek, I(0), L(1), I(2), I(3))
  CALL(fd_sync, I(0))
  CALL(fd_tell, I(0), I(1))
  CALL(fd_write, I(0), I(1), I(2), I(3))
  CALL(path_create_directory, I(0), I(1), I(2))
  CALL(path_filestat_get, I(0), I(1), I(2), I(3), I(4))
  CALL(path_filestat_set_times, I(0), I(1), I(2), I(3), L(4), L(5), I(6))
  CALL(path_link, I(0), I(1), I(2), I(3), I(4), I(5), I(6))
  CALL(path_open, I(0), I(1), I(2), I(3), I(4), L(5), L(6), I(7), I(8))
  CALL(path_readlink, I(0), I(1), I(2), I(3), I(4), I(5))
  CALL(path_remove_directory, I(0), I(1), I(2))
  CALL(path_rename, I(0), I(1), I(2), I(3), I(4), I(5))
  CALL(path_symlink, I(0), I(1), I(2), I(3), I(4))
  CALL(path_unlink_file, I(0), I(1), I(2))
  CALL(poll_oneoff, I(0), I(1), I(2), I(3))
  CALL(proc_raise, I(0))
  CALL(random_get, I(0), I(1))
  CALL(sched_yield)
  CALL(sock_accept, I(0), I(1), I(2))
  CALL(sock_recv, I(0), I(1), I(2), I(3), I(4), I(5))
  CALL(sock_send, I(0), I(1), I(2), I(3), I(4))
  CALL(sock_shutdown, I(0), I(1))
  if (takes("proc_exit")) {
    arguments();
    proc_exit(I(0));
  }
  proc_exit(97);
  return 0;
}

static void storeBytes(u32 offset, u64 value, u32 count) {
  for (u32 n = 0; n < count; n++) scratch[offset + n] = (unsigned char)(value >> (8 * n));
}

static void step(void) {
  if (takes("=")) {
    put('=');
    while (!isEnd(*at)) put(*at++);
    flushLine();
  } else if (takes("text")) {
    u32 offset = (u32)number();
    at++;
    while (!isEnd(*at)) scratch[offset++] = (unsigned char)*at++;
  } else if (takes("u32")) {
    u32 offset = (u32)number();
    storeBytes(offset, number(), 4);
  } else if (takes("u64")) {
    u32 offset = (u32)number();
    storeBytes(offset, number(), 8);
  } else if (takes("zero")) {
    u32 offset = (u32)number(), count = (u32)number();
    while (count-- > 0) scratch[offset++] = 0;
  } else if (takes("show")) {
    u32 offset = (u32)number(), count = (u32)number();
    for (; count > 0; count--, offset++) {
      put("0123456789abcdef"[scratch[offset] >> 4]);
      put("0123456789abcdef"[scratch[offset] & 15]);
    }
    flushLine();
  } else if (takes("call")) {
    at++;
    const char *name = at;
    u32 errno_ = callNamed();
    while (*name != ' ' && !isEnd(*name)) put(*name++);
    put(' ');
    putNumber(errno_);
    flushLine();
  } else if (*at != '#' && !isEnd(*at)) {
    proc_exit(96);
  }
}

void _start(void) {
  readScript();
  at = script;
  while (*at != 0) {
    const char *start = at;
    step();
    at = start;
    while (!isEnd(*at)) at++;
    if (*at == '\n') at++;
  }
}
