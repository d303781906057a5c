/** What a guest can make the host hold, or do at once, is bounded; and what it gives back it can have again. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  MAX_FILE_NODES,
  MAX_FILE_SYSTEM_BYTES,
  MAX_HOST_LIST_ENTRIES,
  MAX_PATH_BYTES,
} from "../../../src/execution/limits.ts";
import { Errno } from "../../../src/execution/wasi/errno.ts";
import { CREATE, DIRECTORY, OurCaller, READ } from "./caller.ts";

const MIB = 1024 * 1024;
const ROOM = BigInt(MAX_FILE_SYSTEM_BYTES);

const setSize = (caller: OurCaller, fd: number, size: number | bigint) =>
  caller.call("fd_filestat_set_size", fd, BigInt(size));
const close = (caller: OurCaller, fd: number) => caller.call("fd_close", fd);

/** A file of this size, closed again. */
function keep(caller: OurCaller, path: string, size: number | bigint): number {
  const fd = caller.open(path, CREATE);
  if (typeof fd === "string") return Number(fd.slice("errno ".length));
  const errno = setSize(caller, fd, size);
  assert.is(close(caller, fd), 0);
  return errno;
}

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

test("links' targets are bounded and count as bytes", () => {
  const caller = new OurCaller();
  const target = "t".repeat(MAX_PATH_BYTES);
  const symlink = (value: string, path: string) =>
    caller.call("path_symlink", ...caller.text(value, 10_000), 3, ...caller.text(path));
  assert.is(symlink(`${target}t`, "l"), Errno.nametoolong);
  assert.is(keep(caller, "a", ROOM - BigInt(MAX_PATH_BYTES)), 0);
  assert.is(symlink(target, "l"), 0);
  assert.is(symlink("t", "m"), Errno.nospc);
  assert.is(caller.path("path_unlink_file", "l"), 0);
  assert.is(symlink(target, "l"), 0);
  assert.is(caller.stat("l", 0), `7: ${MAX_PATH_BYTES} bytes`);
  assert.is(caller.stat("l"), `errno ${Errno.nametoolong}`, "a name of 4,096 bytes");
});

test("a path leads through at most forty links, however long their targets", () => {
  const caller = new OurCaller();
  const dots = "./".repeat(2_000);
  for (let index = 0; index < 41; index++) {
    const target = caller.text(`${dots}l${index + 1}`, 10_000);
    assert.is(caller.call("path_symlink", ...target, 3, ...caller.text(`l${index}`)), 0);
  }
  assert.is(caller.open("l41", CREATE), 4);
  assert.is(caller.stat("l0"), `errno ${Errno.loop}`);
  assert.is(caller.stat("l1"), "4: 0 bytes");
  assert.is(caller.stat("l1/"), `errno ${Errno.notdir}`);
});

test("what follows a link in a path is followed from where it leads", () => {
  const caller = new OurCaller();
  for (const path of ["d", "d/e", "d/e/f"]) assert.is(caller.path("path_create_directory", path), 0);
  assert.is(caller.symlink("d/e/", "l"), 0);
  assert.is(caller.symlink("../../l", "d/e/m"), 0);
  assert.is(keep(caller, "d/e/a", 3), 0);
  assert.is(caller.stat("l/a"), "4: 3 bytes");
  assert.is(caller.stat("l/m/m//m/./f/../a"), "4: 3 bytes");
  assert.is(caller.stat("l", 0).slice(0, 1), "7");
  assert.is(caller.stat("l/", 0), "directory");
  assert.is(caller.stat("l/m", 0).slice(0, 1), "7");
  assert.is(caller.stat("l/..", 0), "directory");
  assert.is(caller.stat("l/../e/a/"), `errno ${Errno.notdir}`);
  assert.is(caller.stat("l/../../d/../.."), `errno ${Errno.perm}`);
});

test("nothing above the directory that a path begins at can be reached", () => {
  const caller = new OurCaller();
  assert.is(caller.path("path_create_directory", "d"), 0);
  assert.is(caller.path("path_create_directory", "d/e"), 0);
  assert.is(keep(caller, "a", 3), 0);
  assert.is(caller.symlink("../a", "d/l"), 0);
  assert.is(caller.open("d", DIRECTORY, READ), 4);
  const from4 = (path: string) => caller.call("path_filestat_get", 4, 1, ...caller.text(path), 400);
  assert.is(from4("../a"), Errno.perm);
  assert.is(from4("e/../../a"), Errno.perm);
  assert.is(from4("l"), Errno.perm);
  assert.is(from4("e/../e/.."), 0);
  assert.is(caller.stat("d/l"), "4: 3 bytes");
});

test("temporary files give their bytes and nodes back", () => {
  const caller = new OurCaller();
  for (let round = 0; round < 40; round++) {
    assert.is(keep(caller, "tmp", MIB), 0, `round ${round}`);
    assert.is(caller.path("path_unlink_file", "tmp"), 0);
  }
  for (let round = 0; round < MAX_FILE_NODES + 10; round++) {
    assert.is(keep(caller, "tmp", 1), 0);
    assert.is(caller.path("path_unlink_file", "tmp"), 0);
    assert.is(caller.path("path_create_directory", "d"), 0);
    assert.is(caller.path("path_remove_directory", "d"), 0);
  }
  assert.is(keep(caller, "all", ROOM), 0, "nothing is left behind");
});

test("a file stays for as long as it has a name or is open", () => {
  const caller = new OurCaller();
  const full = () => {
    const errno = keep(caller, "x", 1);
    assert.is(caller.path("path_unlink_file", "x"), 0);
    return errno === Errno.nospc;
  };
  assert.is(caller.open("a", CREATE), 4);
  assert.is(setSize(caller, 4, ROOM), 0);
  assert.is(caller.link("a", "b"), 0);
  assert.is(caller.path("path_unlink_file", "a"), 0);
  assert.ok(full(), "it has another name");
  assert.is(caller.path("path_unlink_file", "b"), 0);
  assert.ok(full(), "it is open");
  assert.is(caller.readFrom(4, 3), "\0\0\0");
  assert.is(close(caller, 4), 0);
  assert.not.ok(full());

  assert.is(keep(caller, "a", ROOM), 0);
  assert.is(keep(caller, "b", 0), 0);
  assert.is(caller.two("path_rename", "b", "a"), 0);
  assert.not.ok(full(), "another took its name");

  assert.is(caller.open("c", CREATE), 4);
  assert.is(setSize(caller, 4, ROOM - 100n), 0);
  assert.is(caller.open("d", CREATE), 5);
  assert.is(caller.path("path_unlink_file", "c"), 0);
  assert.is(caller.call("fd_renumber", 4, 4), 0);
  assert.is(setSize(caller, 5, 101), Errno.nospc);
  assert.is(caller.call("fd_renumber", 5, 4), 0, "its descriptor became another's");
  assert.is(setSize(caller, 4, 101), 0);
});

test("names of one file are bounded too", () => {
  const caller = new OurCaller();
  assert.is(keep(caller, "a", 0), 0);
  let made = 0;
  while (caller.link("a", `l${made}`) === 0) made++;
  assert.is(made, MAX_FILE_NODES - 2, "the root's and its first are names as well");
  assert.is(caller.link("a", "more"), Errno.nospc);
  assert.is(keep(caller, "more", 0), Errno.nospc);
  assert.is(caller.two("path_rename", "l0", "more"), 0, "moving needs no room");
  assert.is(caller.path("path_unlink_file", "l1"), 0);
  assert.is(keep(caller, "new", 0), 0);
});

test("a buffer is never more than twice its file", () => {
  const caller = new OurCaller();
  assert.is(caller.open("a", CREATE), 4);
  const open = caller.host.descriptor(4);
  assert.ok(typeof open === "object" && open.node.kind === "file");
  const file = open.node;
  for (const size of [MIB, 0, 7, 8, MIB, MIB - 1, MIB / 2 + 1, MIB / 2, 3, 0, 1, 2, 3, 4, 5, 9]) {
    assert.is(setSize(caller, 4, size), 0);
    assert.is(file.size, size);
    assert.ok(file.bytes.length >= size && file.bytes.length <= 2 * size, `${file.bytes.length} for ${size}`);
  }
  assert.is(caller.writeAt(4, "abcdefgh", 0n), 0);
  assert.is(setSize(caller, 4, 6), 0);
  assert.is(setSize(caller, 4, 8), 0);
  assert.is(setSize(caller, 4, 2), 0);
  assert.is(setSize(caller, 4, 4), 0);
  assert.is(caller.readFrom(4, 10), "ab\0\0", "what was cut off is zero when it comes back");
});

test.run();
