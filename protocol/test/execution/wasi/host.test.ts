import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ExecutionJob } from "../../../src/execution/index.ts";
import { Errno } from "../../../src/execution/wasi/errno.ts";
import { GuestStop } from "../../../src/execution/wasi/guest-stop.ts";
import { WasiHost } from "../../../src/execution/wasi/host.ts";
import { type HostFunction, hostFunctions } from "../../../src/execution/wasi/host-functions.ts";
import { WASI_FUNCTION_NAMES, WASI_IMPORTS, WASI_MODULE } from "../../../src/execution/wasi/imports.ts";
import { I64 } from "../assembler.ts";
import { jobOf } from "../harness.ts";

const BUDGET = 100_000_000n;

function setUp(changes: Partial<ExecutionJob> = {}) {
  const memory = { buffer: new ArrayBuffer(65_536) };
  const fuel = { value: BUDGET };
  const host = new WasiHost(jobOf(new Uint8Array(0), changes), BUDGET);
  host.attach(memory, fuel);
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  return { host, wasi: hostFunctions(host), memory, fuel, view, bytes };
}

function iovec(view: DataView, at: number, pointer: number, length: number): void {
  view.setUint32(at, pointer, true);
  view.setUint32(at + 4, length, true);
}

/** Arguments of the right kinds for any function, all zero but for the first. */
function argumentsOf(name: string, first: number): (number | bigint)[] {
  const { params } = WASI_IMPORTS.get(WASI_MODULE)!.get(name)!;
  return [...params].map((type, index) => (type === I64 ? 0n : index === 0 ? first : 0));
}

test("all 46 functions exist", () => {
  const { wasi } = setUp();
  assert.is(WASI_FUNCTION_NAMES.length, 45 + 1);
  for (const name of WASI_FUNCTION_NAMES) assert.type(wasi[name], "function", name);
});

test("a descriptor that does not exist is EBADF everywhere", () => {
  const { wasi } = setUp();
  for (const name of WASI_FUNCTION_NAMES) {
    if (!/^(fd|path|sock)_/.test(name) || name === "path_symlink") continue;
    assert.is(wasi[name]!(...argumentsOf(name, 4)), Errno.badf, name);
    assert.is(wasi[name]!(...argumentsOf(name, -1)), Errno.badf, name);
  }
  assert.is(wasi.path_symlink!(0, 0, 4, 0, 0), Errno.badf);
});

test("directories and sockets are refused on the standard streams", () => {
  const { wasi } = setUp();
  for (const name of WASI_FUNCTION_NAMES) {
    if (name.startsWith("path_")) assert.is(wasi[name]!(...argumentsOf(name, 0)), Errno.badf, name);
    if (name.startsWith("sock_")) assert.is(wasi[name]!(...argumentsOf(name, 0)), Errno.notsock, name);
  }
  assert.is(wasi.fd_readdir!(0, 0, 0, 0n, 0), Errno.badf);
  assert.is(wasi.fd_prestat_get!(0, 0), Errno.badf);
  assert.is(wasi.proc_raise!(9), Errno.notsup);
});

test("pipes cannot seek", () => {
  const { wasi } = setUp();
  assert.is(wasi.fd_seek!(1, 0n, 0, 0), Errno.spipe);
  assert.is(wasi.fd_seek!(1, 0n, 3, 0), Errno.inval);
  assert.is(wasi.fd_tell!(0, 0), Errno.spipe);
  assert.is(wasi.fd_pread!(0, 0, 0, 0n, 0), Errno.spipe);
});

test("input is scattered over the buffers and ends", () => {
  const { wasi, view, bytes } = setUp({ input: new TextEncoder().encode("hello") });
  iovec(view, 0, 100, 2);
  iovec(view, 8, 200, 10);
  assert.is(wasi.fd_read!(0, 0, 2, 32), 0);
  assert.is(view.getUint32(32, true), 5);
  assert.is(Buffer.from(bytes.subarray(100, 102)).toString(), "he");
  assert.is(Buffer.from(bytes.subarray(200, 203)).toString(), "llo");
  assert.is(wasi.fd_read!(0, 0, 2, 32), 0);
  assert.is(view.getUint32(32, true), 0);
});

test("output is gathered; a stream is written only in its direction", () => {
  const { host, wasi, view, bytes } = setUp();
  bytes.set(new TextEncoder().encode("hello"), 100);
  iovec(view, 0, 100, 2);
  iovec(view, 8, 102, 3);
  assert.is(wasi.fd_write!(1, 0, 2, 32), 0);
  assert.is(view.getUint32(32, true), 5);
  assert.is(Buffer.from(host.stdout.finish()).toString(), "hello");
  assert.is(wasi.fd_write!(0, 0, 2, 32), Errno.badf);
  assert.is(wasi.fd_read!(1, 0, 2, 32), Errno.badf);
});

test("pointers outside the memory are EFAULT, and nothing happens", () => {
  const { host, wasi, view } = setUp({ input: new Uint8Array(4), environ: [["A", "B"]] });
  iovec(view, 0, 65_530, 10);
  assert.is(wasi.fd_read!(0, 0, 1, 32), Errno.fault);
  assert.is(wasi.fd_write!(1, 0, 1, 32), Errno.fault);
  iovec(view, 0, 0, 4);
  assert.is(wasi.fd_write!(1, 0, 1, 65_533), Errno.fault);
  assert.is(wasi.fd_read!(0, 0, 1, -1), Errno.fault);
  assert.is(host.stdout.finish().length, 0);
  assert.is(host.inputPosition, 0);
  assert.is(wasi.random_get!(65_535, 2), Errno.fault);
  assert.is(wasi.environ_get!(65_533, 0), Errno.fault);
  assert.is(wasi.clock_time_get!(0, 0n, 65_529), Errno.fault);
  assert.is(wasi.poll_oneoff!(65_500, 0, 1, 0), Errno.fault);
  assert.is(wasi.fd_write!(1, 65_535, 1, 0), Errno.fault);
  // Without a memory every pointer is outside.
  assert.is(wasi.fd_filestat_get!(1, 65_500), Errno.fault);
});

test("the environment arrives as given, arguments are none", () => {
  const { wasi, view, bytes } = setUp({
    environ: [
      ["NEAR_SENDER_ID", "alice.near"],
      ["Ü", ""],
    ],
  });
  assert.is(wasi.environ_sizes_get!(0, 4), 0);
  assert.is(view.getUint32(0, true), 2);
  const size = view.getUint32(4, true);
  assert.is(wasi.environ_get!(16, 100), 0);
  assert.is(view.getUint32(16, true), 100);
  assert.is(view.getUint32(20, true), 126);
  assert.is(Buffer.from(bytes.subarray(100, 100 + size)).toString(), "NEAR_SENDER_ID=alice.near\0Ü=\0");
  assert.is(wasi.args_sizes_get!(0, 4), 0);
  assert.is(view.getBigUint64(0, true), 0n);
});

test("the wall clock stands still, the monotonic one advances with ticks and sleep", () => {
  const { wasi, view, fuel } = setUp();
  const time = (id: number): bigint => {
    assert.is(wasi.clock_time_get!(id, 0n, 0), 0);
    return view.getBigUint64(0, true);
  };
  assert.is(time(0), 1_700_000_000_000_000_000n);
  const before = time(1);
  fuel.value -= 1000n;
  assert.is(time(1) - before, 1500n, "a host call costs 500");
  assert.is(wasi.clock_time_get!(2, 0n, 0), Errno.badf);
  assert.is(wasi.clock_time_get!(9, 0n, 0), Errno.inval);
  // A subscription to one second on the monotonic clock.
  view.setBigUint64(100, 42n, true);
  view.setUint32(116, 1, true);
  view.setBigUint64(124, 1_000_000_000n, true);
  const asleep = time(1);
  assert.is(wasi.poll_oneoff!(100, 200, 1, 300), 0);
  assert.is(view.getUint32(300, true), 1);
  assert.is(view.getBigUint64(200, true), 42n);
  assert.ok(time(1) - asleep >= 1_000_000_000n);
  assert.is(time(0), 1_700_000_000_000_000_000n);
  assert.is(wasi.poll_oneoff!(100, 200, 0, 300), Errno.inval);
});

test("sleep beyond the end of time ends there", () => {
  const { wasi, view } = setUp();
  const last = 2n ** 64n - 1n;
  const sleep = (timeout: bigint, flags = 0): bigint => {
    view.setUint32(116, 1, true);
    view.setBigUint64(124, timeout, true);
    view.setUint16(140, flags, true);
    assert.is(wasi.poll_oneoff!(100, 200, 1, 300), 0);
    assert.is(view.getUint32(300, true), 1);
    assert.is(wasi.clock_time_get!(1, 0n, 0), 0);
    return view.getBigUint64(0, true);
  };
  const now = sleep(2n ** 63n);
  assert.ok(now > 2n ** 63n && now < 2n ** 63n + 100_000n);
  assert.is(sleep(last), last);
  assert.is(sleep(last), last);
  assert.is(sleep(last, 1), last);
});

test("random bytes depend on the seed alone, not on how they are asked for", () => {
  const draw = (seed: number, sizes: number[]): string => {
    const { wasi, bytes } = setUp({ seed: new Uint8Array(32).fill(seed) });
    let at = 0;
    for (const size of sizes) {
      assert.is(wasi.random_get!(at, size), 0);
      at += size;
    }
    return Buffer.from(bytes.subarray(0, at)).toString("hex");
  };
  assert.is(draw(1, [100]), draw(1, [1, 31, 33, 35]));
  assert.is.not(draw(1, [100]), draw(2, [100]));
  const blocks = [0n, 1n].map((counter) => {
    const message = Buffer.concat([Buffer.from("outlayer:wasi-random:1"), Buffer.alloc(40)]);
    message.writeBigUInt64LE(counter, message.length - 8);
    return createHash("sha256").update(message).digest("hex");
  });
  assert.is(draw(0, [64]), blocks.join(""));
});

test("the end of the process carries its code, output has its limit, fuel its end", () => {
  const stop = (call: () => void): GuestStop => {
    try {
      call();
    } catch (error) {
      assert.instance(error, GuestStop);
      return error as GuestStop;
    }
    throw new Error("the guest goes on");
  };
  const { host, wasi, view, fuel } = setUp();
  const exit = stop(() => wasi.proc_exit!(-1));
  assert.is(exit.reason, "exit");
  assert.is(exit.exitCode, 0xffff_ffff);
  iovec(view, 0, 0, 4097);
  assert.is(stop(() => wasi.fd_write!(1, 0, 1, 32)).reason, "outputLimit");
  assert.is(wasi.fd_write!(2, 0, 1, 32), 0);
  for (let index = 0; index < 20; index++) assert.is(wasi.fd_write!(2, 0, 1, 32), 0);
  assert.is(host.stderr.finish().length, 65_536, "standard error is cut, not refused");
  const before = fuel.value;
  assert.is(stop(() => wasi.random_get!(0, 2 ** 31)).reason, "outOfFuel");
  assert.ok(fuel.value < 0n && before > 0n);
  fuel.value = 299n;
  assert.is(stop(() => (wasi.sched_yield as HostFunction)()).reason, "outOfFuel");
});

test("closed and renumbered descriptors behave as in POSIX", () => {
  const { host, wasi, view } = setUp();
  iovec(view, 0, 0, 1);
  assert.is(wasi.fd_renumber!(2, 1), 0);
  assert.is(wasi.fd_write!(1, 0, 1, 32), 0);
  assert.is(host.stderr.finish().length, 1);
  assert.is(wasi.fd_write!(2, 0, 1, 32), Errno.badf);
  assert.is(wasi.fd_close!(0), 0);
  assert.is(wasi.fd_close!(0), Errno.badf);
  assert.is(wasi.fd_read!(0, 0, 1, 32), Errno.badf);
});

test.run();
