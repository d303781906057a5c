/** What the host's work costs, in ticks: all that a guest can make it do is paid for, and before it is done. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  FILE_BYTE_TICKS,
  HOST_CALL_TICKS,
  HOST_ENTRY_TICKS,
  HOST_ERROR_TICKS,
  HOST_ITEM_TICKS,
  PATH_BYTE_TICKS,
} from "../../../src/execution/cost-model.ts";
import { WasiHost } from "../../../src/execution/wasi/host.ts";
import { hostFunctions } from "../../../src/execution/wasi/host-functions.ts";
import { jobOf } from "../harness.ts";
import { CREATE, OurCaller } from "./caller.ts";

const pathTicks = (bytes: number, names: number) => bytes * PATH_BYTE_TICKS + names * HOST_ITEM_TICKS;

test("an error costs more than an answer, thrown or not", () => {
  const caller = new OurCaller();
  assert.is(
    caller.ticks(() => caller.call("sched_yield")),
    HOST_CALL_TICKS,
  );
  assert.is(
    caller.ticks(() => caller.call("fd_prestat_get", 3, 0)),
    HOST_CALL_TICKS,
  );
  assert.is(
    caller.ticks(() => caller.call("fd_prestat_get", 4, 0)),
    HOST_CALL_TICKS + HOST_ERROR_TICKS,
  );
  assert.is(
    caller.ticks(() => caller.call("fd_close", 77)),
    HOST_CALL_TICKS + HOST_ERROR_TICKS,
  );
});

test("a poll is charged by its subscriptions and its events", () => {
  const caller = new OurCaller();
  const clock = (index: number, timeoutNs: bigint) => {
    caller.view.setUint32(1_000 + index * 48 + 16, 1, true);
    caller.view.setBigUint64(1_000 + index * 48 + 24, timeoutNs, true);
  };
  clock(0, 5n);
  clock(1, 5n);
  clock(2, 6n);
  const ticks = caller.ticks(() => assert.is(caller.call("poll_oneoff", 1_000, 4_000, 3, 200), 0));
  assert.is(caller.view.getUint32(200, true), 2);
  assert.is(ticks, HOST_CALL_TICKS + (3 + 2) * HOST_ITEM_TICKS);
});

test("the environment is charged by variables and bytes where it is copied", () => {
  const memory = { buffer: new ArrayBuffer(65_536) };
  const fuel = { value: 1_000_000n };
  const environ = Array.from({ length: 10 }, (_, index) => [`N${index}`, "x".repeat(796)] as const);
  const host = new WasiHost(jobOf(new Uint8Array(0), { environ }), fuel.value);
  host.attach(memory, fuel);
  const wasi = hostFunctions(host);
  assert.is(wasi.environ_sizes_get!(0, 4), 0);
  assert.is(fuel.value, 1_000_000n - BigInt(HOST_CALL_TICKS));
  assert.is(wasi.environ_get!(0, 1_000), 0);
  assert.is(fuel.value, 1_000_000n - BigInt(2 * HOST_CALL_TICKS + 10 * HOST_ENTRY_TICKS + 1_000));
});

test("a path is charged by its bytes and names, and so is every link on it", () => {
  const caller = new OurCaller();
  const target = `${"./".repeat(100)}d`;
  assert.is(caller.path("path_create_directory", "d"), 0);
  assert.is(caller.path("path_create_directory", "d/e"), 0);
  const symlink = () => caller.call("path_symlink", ...caller.text(target, 3_000), 3, ...caller.text("l"));
  assert.is(caller.ticks(symlink), HOST_CALL_TICKS + 201 * PATH_BYTE_TICKS + pathTicks(1, 1));
  assert.is(
    caller.ticks(() => caller.stat("d/e")),
    HOST_CALL_TICKS + pathTicks(3, 2),
  );
  assert.is(
    caller.ticks(() => caller.stat("d/../d//./e")),
    HOST_CALL_TICKS + pathTicks(11, 3),
  );
  assert.is(
    caller.ticks(() => caller.stat("none/e/f/g")),
    HOST_CALL_TICKS + HOST_ERROR_TICKS + pathTicks(10, 1),
  );
  assert.is(
    caller.ticks(() => caller.stat("l/e")),
    HOST_CALL_TICKS + pathTicks(3, 1) + pathTicks(201, 1) + pathTicks(0, 1),
  );
  assert.is(
    caller.ticks(() => caller.stat("l", 0)),
    HOST_CALL_TICKS + pathTicks(1, 1),
    "not followed",
  );
  assert.is(
    caller.ticks(() => caller.readlink("l")),
    HOST_CALL_TICKS + pathTicks(1, 1) + Math.floor(100 / 8),
  );
});

test("a list of a directory is charged by the entries it shows and those it passes by", () => {
  const caller = new OurCaller();
  for (let index = 0; index < 100; index++)
    assert.is(caller.path("path_create_directory", `d${index % 10}${index}`), 0);
  const list = (cookie: bigint, room: number) => () => caller.call("fd_readdir", 3, 6_000, room, cookie, 200);
  const dots = 2 * HOST_ITEM_TICKS + 3 * PATH_BYTE_TICKS;
  const names = 100 * HOST_ITEM_TICKS + (10 * 3 + 90 * 4) * PATH_BYTE_TICKS;
  assert.is(caller.ticks(list(0n, 10_000)), HOST_CALL_TICKS + dots + names);
  assert.is(caller.ticks(list(0n, 0)), HOST_CALL_TICKS);
  assert.is(
    caller.ticks(list(2n, 28)),
    HOST_CALL_TICKS +
      2 * HOST_ENTRY_TICKS +
      HOST_ITEM_TICKS +
      3 * PATH_BYTE_TICKS +
      HOST_ITEM_TICKS +
      3 * PATH_BYTE_TICKS,
  );
  assert.is(caller.ticks(list(102n, 100)), HOST_CALL_TICKS + 102 * HOST_ENTRY_TICKS);
  assert.is(caller.ticks(list(2n ** 63n - 1n, 100)), HOST_CALL_TICKS + 102 * HOST_ENTRY_TICKS);
  assert.is(caller.ticks(list(-1n, 100)), HOST_CALL_TICKS + 102 * HOST_ENTRY_TICKS);
});

test("a file is charged by the bytes that it grows by and that move", () => {
  const caller = new OurCaller();
  assert.is(caller.open("a", CREATE), 4);
  const size = (bytes: number) =>
    caller.ticks(() => caller.call("fd_filestat_set_size", 4, BigInt(bytes))) - HOST_CALL_TICKS;
  assert.is(size(8_000), 8_000 * FILE_BYTE_TICKS);
  assert.is(size(8_001), (1 + 8_000) * FILE_BYTE_TICKS, "it moves to a buffer of 16,000 bytes");
  assert.is(size(16_000), 7_999 * FILE_BYTE_TICKS);
  assert.is(size(8_800), 7_200 / 8, "cleared");
  assert.is(size(8_000), 8_000 * FILE_BYTE_TICKS, "it moves to a smaller buffer");
  assert.is(size(0), 0);
  assert.is(
    caller.ticks(() => caller.call("fd_allocate", 4, 0n, 800n)),
    HOST_CALL_TICKS + 800 * FILE_BYTE_TICKS,
  );
  const buffers = HOST_CALL_TICKS + HOST_ITEM_TICKS;
  assert.is(
    caller.ticks(() => caller.writeAt(4, "x".repeat(80), 0n)),
    buffers + 10,
  );
  assert.is(
    caller.ticks(() => caller.writeAt(4, "x".repeat(80), 800n)),
    buffers + 10 + 880 * FILE_BYTE_TICKS,
  );
});

test("moving a directory is charged by the depth of where it goes", () => {
  const caller = new OurCaller();
  let deep = "d";
  for (let depth = 0; depth < 20; depth++) {
    assert.is(caller.path("path_create_directory", deep), 0);
    deep += "/d";
  }
  assert.is(caller.path("path_create_directory", "m"), 0);
  const move = caller.ticks(() => caller.two("path_rename", "m", deep));
  assert.is(move, HOST_CALL_TICKS + pathTicks(1, 1) + pathTicks(41, 21) + 21 * HOST_ENTRY_TICKS);
});

test.run();
