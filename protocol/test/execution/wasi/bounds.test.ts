/** What a guest can make the host do at once is bounded. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAX_HOST_LIST_ENTRIES, MAX_PATH_BYTES } from "../../../src/execution/limits.ts";
import { Errno } from "../../../src/execution/wasi/errno.ts";
import { CREATE, OurCaller } from "./caller.ts";

test("a path that is too long is refused before it is read", () => {
  const caller = new OurCaller();
  new Uint8Array(caller.memory.buffer).fill(0xff);
  const stat = (length: number) => caller.call("path_filestat_get", 3, 0, 0, length, 100_000);
  assert.is(stat(MAX_PATH_BYTES), Errno.ilseq);
  assert.is(stat(MAX_PATH_BYTES + 1), Errno.nametoolong);
  assert.is(stat(100_000), Errno.nametoolong);
  assert.is(stat(200_000), Errno.fault);
  assert.ok(caller.ticks(() => stat(100_000)) < 3_000, "and before it is paid for");
  assert.is(caller.stat("./".repeat(MAX_PATH_BYTES / 2)), "directory");
  assert.is(caller.stat(`${"/".repeat(MAX_PATH_BYTES - 1)}`), `errno ${Errno.perm}`);
});

test("a list of buffers or subscriptions has at most 1,024 entries", () => {
  const caller = new OurCaller();
  assert.is(caller.open("a", CREATE), 4);
  const most = MAX_HOST_LIST_ENTRIES;
  new Uint8Array(caller.memory.buffer).fill(0);
  assert.is(most, 1024);
  for (const [name, fd, ...offset] of [
    ["fd_write", 2],
    ["fd_write", 4],
    ["fd_read", 0],
    ["fd_read", 4],
    ["fd_pwrite", 4, 0n],
    ["fd_pread", 4, 0n],
  ] as const) {
    assert.is(caller.call(name, fd, 0, most, ...offset, 100_000), 0, name);
    assert.is(caller.call(name, fd, 0, most + 1, ...offset, 100_000), Errno.inval, name);
    assert.is(caller.call(name, fd, 0, 2 ** 31, ...offset, 100_000), Errno.inval, name);
  }
  assert.is(caller.call("poll_oneoff", 0, 60_000, most, 100_000), 0);
  assert.is(caller.call("poll_oneoff", 0, 60_000, most + 1, 100_000), Errno.inval);
});

test.run();
