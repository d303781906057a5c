/**
 * Files, error number for error number, with Node's own WASI (uvwasi over a real folder) as the referee: the same
 * calls on both, each answer compared with what it left in memory. Where the two differ on purpose, the case says so.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI } from "node:wasi";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAX_FILE_SYSTEM_BYTES, MAX_OPEN_DESCRIPTORS } from "../../../src/execution/limits.ts";
import { Errno } from "../../../src/execution/wasi/errno.ts";
import {
  Caller,
  CREATE,
  DIRECTORY,
  EXCLUSIVE,
  type Functions,
  OurCaller,
  READ,
  SET_FLAGS,
  TRUNCATE,
  WRITE,
} from "./caller.ts";

const folders: string[] = [];
function referee(): Caller {
  const folder = mkdtempSync(join(tmpdir(), "outlayer-wasi-"));
  folders.push(folder);
  const memory = new WebAssembly.Memory({ initial: 2 });
  const wasi = new WASI({ version: "preview1", preopens: { ".": folder } });
  wasi.initialize({ exports: { memory } } as unknown as object);
  return new Caller(memory, wasi.wasiImport as unknown as Functions);
}

/** Steps with names; each gives something to compare. */
const SCRIPT: readonly (readonly [string, (caller: Caller) => unknown])[] = [
  ["the preopened directory", (c) => [c.call("fd_prestat_get", 3, 0), c.view.getBigUint64(0, true)]],
  ["its name", (c) => [c.call("fd_prestat_dir_name", 3, 0, 1), c.read(0, 1)]],
  ["a name for which there is no room", (c) => c.call("fd_prestat_dir_name", 3, 0, 0)],
  ["no second one", (c) => c.call("fd_prestat_get", 4, 0)],
  ["open what is not there", (c) => c.open("nothing", 0)],
  ["an empty path", (c) => c.open("", 0)],
  ["an absolute path", (c) => c.open("/etc/passwd", 0)],
  ["above the root", (c) => c.open("../x", CREATE)],
  ["create", (c) => c.open("a", CREATE)],
  ["write", (c) => c.write(4, "hello world")],
  ["read at the end", (c) => c.readFrom(4, 10)],
  ["seek back", (c) => c.seek(4, -5n, 1)],
  ["read the rest", (c) => c.readFrom(4, 100)],
  ["seek before the start", (c) => c.seek(4, -1n, 0)],
  ["seek from the end", (c) => c.seek(4, -11n, 2)],
  ["seek nowhere", (c) => c.seek(4, 0n, 9)],
  ["read at", (c) => c.readFrom(4, 5, 6n)],
  ["the position stands", (c) => [c.call("fd_tell", 4, 208), c.view.getBigUint64(208, true)]],
  ["write at", (c) => c.writeAt(4, "WORLD", 6n)],
  ["what is there now", (c) => c.readFrom(4, 100)],
  ["its size", (c) => c.fdStat(4)],
  ["write beyond the end", (c) => [c.seek(4, 20n, 0), c.write(4, "!"), c.readFrom(4, 21, 0n)]],
  ["shorten", (c) => [c.call("fd_filestat_set_size", 4, 3n), c.stat("a")]],
  ["lengthen", (c) => [c.call("fd_filestat_set_size", 4, 6n), c.readFrom(4, 10, 0n)]],
  ["sync", (c) => [c.call("fd_sync", 4), c.call("fd_datasync", 4)]],
  ["create again", (c) => c.open("a", CREATE | EXCLUSIVE)],
  ["open as a directory", (c) => c.open("a", DIRECTORY, READ)],
  ["through a file", (c) => c.open("a/b", CREATE)],
  ["a file with a slash", (c) => c.stat("a/")],
  ["truncate", (c) => [c.open("a", TRUNCATE), c.stat("a")]],
  ["close it", (c) => [c.call("fd_close", 5), c.call("fd_close", 5)]],
  ["append", (c) => [c.open("a", 0, WRITE, 1), c.write(5, "xy"), c.write(5, "z"), c.stat("a"), c.call("fd_close", 5)]],
  ["make a directory", (c) => c.path("path_create_directory", "d")],
  ["make it again", (c) => c.path("path_create_directory", "d")],
  ["make one without a parent", (c) => c.path("path_create_directory", "no/d")],
  ["make one in a file", (c) => c.path("path_create_directory", "a/d")],
  ["what it is", (c) => c.stat("d")],
  ["a file in it", (c) => [c.open("d/f", CREATE), c.call("fd_close", 5)]],
  ["dots in a path", (c) => [c.stat("./d/./../d/f"), c.stat("d/..//a")]],
  ["remove it with something in it", (c) => c.path("path_remove_directory", "d")],
  ["unlink a directory", (c) => c.path("path_unlink_file", "d") !== 0],
  ["remove a file as a directory", (c) => c.path("path_remove_directory", "a")],
  ["unlink what is not there", (c) => c.path("path_unlink_file", "nothing")],
  ["rename a file", (c) => [c.two("path_rename", "a", "b"), c.stat("a"), c.stat("b")]],
  ["rename what is not there", (c) => c.two("path_rename", "a", "c")],
  ["rename over a directory", (c) => c.two("path_rename", "b", "d")],
  ["rename a directory over a file", (c) => c.two("path_rename", "d", "b")],
  ["rename a directory into itself", (c) => c.two("path_rename", "d", "d/e")],
  ["rename a directory", (c) => [c.two("path_rename", "d", "e"), c.stat("e/f")]],
  ["a hard link", (c) => [c.link("b", "l"), c.stat("l"), c.link("b", "l"), c.link("nothing", "m")]],
  ["a link to a directory", (c) => c.link("e", "m")],
  ["the other name survives", (c) => [c.path("path_unlink_file", "b"), c.stat("l"), c.stat("b")]],
  ["a symbolic link", (c) => [c.symlink("e/f", "s"), c.readlink("s"), c.stat("s"), c.symlink("x", "s")]],
  ["the link itself", (c) => c.stat("s", 0).slice(0, 1)],
  ["read a link that is none", (c) => c.readlink("l")],
  ["open through a link", (c) => [typeof c.open("s", 0), c.call("fd_close", 5)]],
  ["a link that leads nowhere", (c) => [c.symlink("gone", "t"), c.stat("t"), c.open("t", 0)]],
  ["links in a circle", (c) => [c.symlink("v", "u"), c.symlink("u", "v"), c.stat("u")]],
  ["a link out", (c) => [c.symlink("../..", "w"), c.stat("w/x")]],
  ["list", (c) => [c.open(".", DIRECTORY, READ | (1n << 14n)), c.list(5), c.call("fd_close", 5)]],
  ["list a file", (c) => c.list(4)],
  ["read a directory", (c) => c.readFrom(3, 1) !== "" && c.readFrom(3, 1).startsWith("errno")],
  ["a name that is too long", (c) => c.open("n".repeat(256), CREATE)],
  ["paths below a file descriptor", (c) => c.call("path_create_directory", 4, ...c.text("x"))],
  [
    "times",
    (c) => [
      c.call("path_filestat_set_times", 3, 1, ...c.text("l"), 5_000_000_000n, 7_000_000_000n, 5),
      c.stat("l"),
      c.view.getBigUint64(440, true),
      c.view.getBigUint64(448, true),
    ],
  ],
  ["create with a slash", (c) => ["l/", "e/", "new/"].map((path) => c.open(path, CREATE, READ, 0, 0))],
  ["what must be new with a slash", (c) => ["l/", "e/"].map((path) => c.open(path, CREATE | EXCLUSIVE, READ, 0, 0))],
  ["rename a file to a directory's path", (c) => [c.two("path_rename", "l", "e/"), c.two("path_rename", "l", "l/")]],
  ["rename dots", (c) => [c.two("path_rename", ".", "x"), c.two("path_rename", "e/..", "x")]],
  ["rename to dots", (c) => [c.two("path_rename", "e", "."), c.two("path_rename", "none", ".")]],
  ["remove dots", (c) => [c.path("path_remove_directory", "."), c.path("path_remove_directory", "e/..")]],
  ["names of a link", (c) => [c.symlink("x", "k"), c.link("k", "k2"), c.stat("k2", 0), c.view.getBigUint64(424, true)]],
  [
    "a link before a slash where a name is meant",
    (c) => [
      c.symlink("e", "y"),
      c.two("path_rename", "y/", "x"),
      c.path("path_remove_directory", "y/"),
      c.symlink("x", "y/"),
    ],
  ],
  ["a link to nothing before a slash", (c) => [c.path("path_create_directory", "t/"), c.path("path_unlink_file", "y")]],
  ["no longer names of it", (c) => [c.path("path_unlink_file", "k"), c.path("path_unlink_file", "k2")]],
  [
    "not blocking",
    (c) => [c.open("l", 0, READ | SET_FLAGS), ...[4, 5].map((to) => c.call("fd_fdstat_set_flags", 5, to))],
  ],
  ["blocking", (c) => [c.call("fd_fdstat_set_flags", 5, 0), c.call("fd_close", 5)]],
  ["a link's size is bytes", (c) => [c.symlink("é€", "ü"), c.stat("ü", 0), c.readlink("ü")]],
  ["a name of 255 bytes", (c) => [c.path("path_create_directory", `${"é".repeat(127)}x`)]],
  ["a name of 256 bytes", (c) => [c.path("path_create_directory", "é".repeat(128))]],
  ["clean up", (c) => [c.path("path_unlink_file", "e/f"), c.path("path_remove_directory", "e"), c.stat("e")]],
];

/**
 * Steps at which uvwasi answers otherwise; the value is ours, which is wasmtime's: rights are not checked, and a path
 * that leads out is EPERM, when it is followed.
 */
const ON_PURPOSE: Readonly<Record<string, unknown>> = {
  "a name for which there is no room": Errno.nametoolong,
  "an empty path": `errno ${Errno.noent}`,
  "an absolute path": `errno ${Errno.perm}`,
  "above the root": `errno ${Errno.perm}`,
  "a link out": [0, `errno ${Errno.perm}`],
  list: [4 + 1, "e:3 l:4 s:7 t:7 u:7 v:7 w:7", 0],
  "list a file": `errno ${Errno.badf}`,
  "paths below a file descriptor": Errno.badf,
};

test("files answer as Node's WASI does", () => {
  const left = new OurCaller();
  const right = referee();
  const differences: string[] = [];
  for (const [name, step] of SCRIPT) {
    const text = (value: unknown) =>
      JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? `${item}` : item));
    const [mine, theirs] = [text(step(left)), text(step(right))];
    const expected = name in ON_PURPOSE ? text(ON_PURPOSE[name]) : theirs;
    if (mine !== expected) differences.push(`${name}: ${mine}, expected ${expected}`);
  }
  for (const difference of differences) console.log(difference);
  assert.is(differences.length, 0);
});

test("where Node's WASI and wasmtime's differ, the answer is Linux's", () => {
  // As wasmtime 50 answers; uvwasi takes dots out of a path before it looks at anything.
  const caller = new OurCaller();
  assert.is(caller.path("path_create_directory", "d"), 0);
  assert.is(caller.open("a", CREATE), 4);
  assert.is(caller.open("a/.", CREATE), `errno ${Errno.notdir}`);
  assert.is(caller.two("path_rename", "d/.", "b"), Errno.busy);
  assert.is(caller.two("path_rename", "d", "d/."), Errno.busy);
  assert.is(caller.path("path_remove_directory", "d/."), Errno.inval);
  assert.is(caller.path("path_create_directory", "n/."), Errno.noent);
  assert.is(caller.path("path_create_directory", "n/.."), Errno.noent);
  // As uvwasi answers.
  assert.is(caller.symlink("x", "a/"), Errno.exist);
  assert.is(caller.open("b", CREATE), 5);
  assert.is(caller.link("a", "b/"), Errno.exist);
  assert.is(caller.call("fd_fdstat_set_flags", 3, 4), 0);
  assert.is(caller.path("path_remove_directory", "d/"), 0);
});

test("every position that is not negative can be sought", () => {
  const caller = new OurCaller();
  const last = 2n ** 63n - 1n;
  assert.is(caller.open("a", CREATE), 4);
  assert.is(caller.write(4, "x"), "wrote 1");
  assert.is(caller.seek(4, last, 0), `at ${last}`);
  assert.equal([caller.call("fd_tell", 4, 208), caller.view.getBigUint64(208, true)], [0, last]);
  assert.is(caller.seek(4, 1n, 1), `errno ${Errno.inval}`);
  assert.is(caller.readFrom(4, 10), "");
  assert.is(caller.write(4, "x"), `errno ${Errno.fbig}`);
  assert.is(caller.write(4, ""), "wrote 0");
  assert.is(caller.seek(4, -last, 1), "at 0");
  assert.is(caller.readFrom(4, 10), "x");
});

test("a descriptor's flags are what was asked for", () => {
  const caller = new OurCaller();
  const flags = (fd: number) => [caller.call("fd_fdstat_get", fd, 400), caller.view.getUint16(402, true)];
  assert.is(caller.open("a", CREATE, WRITE, 4), 4);
  assert.equal(flags(4), [0, 4]);
  assert.is(caller.call("fd_fdstat_set_flags", 4, 5), 0);
  assert.equal(flags(4), [0, 5]);
  assert.is(caller.call("fd_fdstat_set_flags", 4, 2), Errno.notsup);
  assert.equal(flags(4), [0, 5]);
});

test("a directory that was removed while it is open is empty and takes nothing up", () => {
  const caller = new OurCaller();
  assert.is(caller.path("path_create_directory", "d"), 0);
  assert.is(caller.open("d", DIRECTORY, READ), 4);
  assert.is(caller.open("a", CREATE), 5);
  assert.is(caller.path("path_remove_directory", "d"), 0);
  const within = (name: string, ...values: (number | bigint)[]) => caller.call(name, 4, ...caller.text("x"), ...values);
  assert.is(within("path_create_directory"), Errno.noent);
  assert.is(caller.call("path_open", 4, 0, ...caller.text("x"), CREATE, WRITE, 0n, 0, 200), Errno.noent);
  assert.is(caller.call("path_symlink", ...caller.text("t"), 4, ...caller.text("x", 3_000)), Errno.noent);
  assert.is(caller.call("path_link", 3, 0, ...caller.text("a"), 4, ...caller.text("x", 3_000)), Errno.noent);
  assert.is(caller.call("path_rename", 3, ...caller.text("a"), 4, ...caller.text("x", 3_000)), Errno.noent);
  assert.is(caller.stat("a"), "4: 0 bytes", "what could not be moved is where it was");
  assert.is(caller.call("path_filestat_get", 4, 0, ...caller.text("."), 400), 0);
  assert.is(caller.view.getBigUint64(424, true), 0n, "it has no name");
});

test("a link that is not to be followed is not opened", () => {
  const caller = new OurCaller();
  assert.is(caller.symlink("a", "s"), 0);
  assert.is(caller.open("s", 0, READ, 0, 0), `errno ${Errno.loop}`);
  assert.is(caller.open("s", 0), `errno ${Errno.noent}`);
  assert.is(caller.open("s", CREATE), 4, "what a link names is made, as in POSIX");
  assert.is(caller.stat("a"), "4: 0 bytes");
});

test("times that contradict each other are refused", () => {
  // Not in the script: uvwasi answers the same and then keeps the directory locked for good.
  const caller = new OurCaller();
  assert.is(caller.open("a", CREATE), 4);
  assert.is(caller.call("path_filestat_set_times", 3, 1, ...caller.text("a"), 0n, 0n, 3), Errno.inval);
});

test("files have bounds: bytes, descriptors, nodes", () => {
  const caller = new OurCaller();
  assert.is(caller.open("big", CREATE), 4);
  assert.is(caller.call("fd_filestat_set_size", 4, BigInt(MAX_FILE_SYSTEM_BYTES) + 1n), Errno.fbig);
  assert.is(caller.call("fd_filestat_set_size", 4, BigInt(MAX_FILE_SYSTEM_BYTES)), 0);
  assert.is(caller.open("more", CREATE), 5);
  assert.is(caller.write(5, "x"), `errno ${Errno.nospc}`);
  assert.is(caller.call("fd_filestat_set_size", 4, 0n), 0);
  assert.is(caller.write(5, "x"), "wrote 1");
  for (let fd = 6; fd < MAX_OPEN_DESCRIPTORS; fd++) assert.is(caller.open("more", 0), fd);
  assert.is(caller.open("more", 0), `errno ${Errno.mfile}`);
  let made = 0;
  while (caller.path("path_create_directory", `d${made}`) === 0) made++;
  assert.is(caller.path("path_create_directory", "one-more"), Errno.nospc);
  assert.ok(made > 4_000 && made < 4_096);
});

test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
test.run();
