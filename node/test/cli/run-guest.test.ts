/** `outlayer-node run` as a person calls it: exit codes, what goes to which stream, and the JSON line. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_FUEL } from "@outlayer/protocol/execution/index";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assemble, drop, i32, name, section, vector } from "../../../protocol/test/execution/assembler.ts";
import { buildGuests, guestPath } from "../../../wasi-examples/build.ts";
import { EXAMPLE_SEED, expectedCases } from "../../../wasi-examples/expected.ts";
import { probeSandbox } from "../../src/engine/sandbox.ts";
import { ENDLESS, INVALID, TRAPPING } from "../engine/guests.ts";

await buildGuests();
const directory = mkdtempSync(join(tmpdir(), "outlayer-run-"));
const program = new URL("../../bin/outlayer-node.mjs", import.meta.url).pathname;

function run(...args: readonly string[]) {
  const { OUTLAYER_WASMTIME_LIB: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "run", ...args], { encoding: "utf8", env });
  return { status, stdout, stderr };
}

const echo = guestPath("echo");

test("a guest's output goes to standard output, the account of it to standard error", () => {
  const { status, stdout, stderr } = run(echo, "--input", "hello");
  assert.is(status, 0, stderr);
  assert.is(stdout, "hello");
  assert.match(stderr, /exit code 0\nfuel \d+, memory peak 1 pages/);
});

test("the JSON line says it all, with replays and where the fuel went", () => {
  const expected = expectedCases("random-ark")[0]!;
  const inputFile = join(directory, "input.json");
  const graph = join(directory, "fuel.svg");
  writeFileSync(inputFile, expected.input);
  const seed = Buffer.from(EXAMPLE_SEED).toString("hex");
  const flags = ["--input-file", inputFile, "--seed", seed, "--replays", "5", "--json", "--flame-graph", graph];
  const { status, stdout } = run(guestPath("random-ark"), ...flags);
  assert.is(status, 0);
  const { fuelReport, digest, ...line } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  assert.equal(line, {
    output: expected.stdout,
    errorOutput: "",
    fuel: expected.fuel,
    memoryPages: 1,
    exitCode: 0,
    trap: null,
    replays: { total: 5, equal: 5 },
    engines: ["v8"],
  });
  assert.match(digest, /^[0-9a-f]{64}$/);
  const sum = fuelReport.functions.reduce((total: number, { fuel }: { fuel: number }) => total + fuel, 0);
  assert.is(sum, expected.fuel);
  assert.match(readFileSync(graph, "utf8"), /^<svg /);
});

test("a guest that fails, traps, lacks fuel or is refused gives exit code 1", () => {
  const json = (...args: string[]) => {
    const { status, stdout } = run(...args, "--json");
    assert.is(status, 1);
    return JSON.parse(stdout);
  };
  assert.is(json(guestPath("cpu-heavy"), "--input", "many").exitCode, 1);
  assert.is(json(echo, "--input", "x", "--max-instructions", "100").trap, "outOfFuel");
  const trapping = join(directory, "trapping.wasm");
  writeFileSync(trapping, TRAPPING);
  assert.is(json(trapping).trap, "trap");
  const invalid = join(directory, "invalid.wasm");
  writeFileSync(invalid, INVALID);
  assert.is(json(invalid).rejection.code, "invalid");
});

test("wrong usage gives exit code 2 and says what is wrong", () => {
  const wrong: readonly (readonly [RegExp, ...string[]])[] = [
    [/ENOENT/, join(directory, "nothing.wasm")],
    [/^--seed takes 64 hexadecimal digits\n$/, echo, "--seed", "12"],
    [/^--max-memory-mb takes a whole number from 1 to 512, in digits\n$/, echo, "--max-memory-mb", "100000"],
    [/^--max-instructions takes a whole number from 0 to \d+, in digits\n$/, echo, "--max-instructions", "1e9"],
    [/^--max-instructions takes a whole number from 0 to \d+, in digits\n$/, echo, "--max-instructions", "abc"],
    [/^--max-instructions takes a whole number/, echo, "--max-instructions", String(MAX_FUEL + 1n)],
    [/^--block-time-ns takes a whole number from 0 to \d+, in digits\n$/, echo, "--block-time-ns", "0x10"],
    [/^--replays takes a whole number from 0 to 100000, in digits\n$/, echo, "--replays", "-1"],
    [/^--wall-time-ms takes a whole number from 100 to 600000, in digits\n$/, echo, "--wall-time-ms", ""],
    [/^--engine takes v8, wasmtime or both\n$/, echo, "--engine", "v9"],
    [/^--env takes NAME=value\n$/, echo, "--env", "nothing"],
    [/^--env: more than 1000 variables\n$/, echo, ...Array.from({ length: 1_001 }, (_, n) => `--env=N${n}=1`)],
    [/^--flame-graph: .* cannot be written: ENOENT/, echo, "--flame-graph", join(directory, "nothing", "fuel.svg")],
    [/^--flame-graph: .* cannot be written: it is a directory\n$/, echo, "--flame-graph", directory],
    [/exclude each other/, echo, "--input", "a", "--input-file", "b"],
    [/wasmtime is not configured/, echo, "--engine", "both"],
    [/unknown option/, echo, "--fuel"],
    [/missing required argument/],
  ];
  for (const [reason, ...args] of wrong) {
    const { status, stderr } = run(...args);
    assert.is(status, 2, args.join(" "));
    assert.match(stderr, reason);
  }
});

test("a flag of the report before the guest does not take the guest for its value", () => {
  const { status, stdout, stderr } = run("--fuel-report", echo, "--input", "hello");
  assert.is(status, 0, stderr);
  assert.is(stdout, "hello");
  assert.match(stderr, /with callees {2}calls/);
});

test("what is refused is said without moving the terminal's cursor", () => {
  const guest = join(directory, "escape.wasm");
  const imports = [["env", "\u001b[2J\u001b[1;32mexit code 0\u001b[0m\u009b", [], []] as const];
  writeFileSync(guest, assemble({ imports, functions: [{ export: "_start", body: [] }] }));
  const { status, stderr } = run(guest);
  assert.is(status, 1);
  assert.match(
    stderr,
    /^refused \(import\): unknown import env\.\?\[2J\?\[1;32mexit code 0\?\[0m\? \(at byte \d+\)\n$/,
  );
});

test("an engine that fails gives exit code 70, the cause, and with --json a line all the same", () => {
  const endless = join(directory, "endless.wasm");
  writeFileSync(endless, ENDLESS);
  const forever = [endless, "--max-instructions", String(MAX_FUEL), "--wall-time-ms", "300"];
  const said = run(...forever);
  assert.is(said.status, 70);
  assert.is(
    said.stderr,
    "the engine v8 failed, which says nothing about the guest: wallTime: no answer within 300 ms\n",
  );
  const { status, stdout } = run(...forever, "--json");
  assert.is(status, 70);
  assert.equal(JSON.parse(stdout), {
    engines: ["v8"],
    error: { engine: "v8", code: "wallTime", detail: "no answer within 300 ms" },
  });
});

test("an engine that cannot be started says why, beside the outcome of the one that could", () => {
  const library = join(directory, "no-library.so");
  writeFileSync(library, "no library");
  const { status, stdout } = run(echo, "--input", "hi", "--engine", "both", "--wasmtime-library", library, "--json");
  assert.is(status, 70);
  const { output, exitCode, error } = JSON.parse(stdout);
  assert.equal({ output, exitCode }, { output: "hi", exitCode: 0 });
  assert.is(error.engine, "wasmtime");
  assert.match(error.detail, /^no engine child can be started: the engine child ended .*: Error: .*(load|koffi)/);
});

if (existsSync("/dev/full")) {
  test("a report that fails takes nothing from the outcome", () => {
    const { status, stdout } = run(echo, "--input", "hello", "--flame-graph", "/dev/full", "--json");
    const { output, exitCode, fuelReport } = JSON.parse(stdout);
    assert.equal({ output, exitCode }, { output: "hello", exitCode: 0 });
    assert.is(fuelReport.error.code, "unwritable");
    assert.ok(fuelReport.functions.length > 0);
    assert.is(status, 70);
    const said = run(echo, "--input", "hello", "--flame-graph", "/dev/full");
    assert.is(said.stdout, "hello");
    assert.match(said.stderr, /exit code 0\n.*\nthe flame graph could not be written: unwritable: ENOSPC/s);
  });
}

test("a long name leaves a flame graph its figures", () => {
  const guest = join(directory, "names.wasm");
  const graph = join(directory, "names.svg");
  const long = "core::ptr::drop_in_place<".repeat(30);
  const names = [...name("name"), ...section(1, vector([[0, ...name(long)]]))];
  const code = assemble({ functions: [{ export: "_start", body: [i32(1), drop] }] });
  writeFileSync(guest, Uint8Array.from([...code, ...section(0, names)]));
  const { status, stderr } = run(guest, "--flame-graph", graph);
  assert.is(status, 0, stderr);
  assert.match(
    readFileSync(graph, "utf8"),
    /<title>core::ptr::drop_in_place&lt;.*…: \d+ fuel, [\d.]+ %, 1 calls<\/title>/,
  );
});

if (probeSandbox().kind === "bubblewrap") {
  test("every process that a guest is given to stands in the sandbox, the report's too", async () => {
    const guest = join(directory, "spinning.wasm");
    writeFileSync(guest, ENDLESS);
    const flags = ["--max-instructions", "2000000000", "--fuel-report"];
    const child = spawn(process.execPath, [program, "run", guest, ...flags], { stdio: "ignore" });
    let ended = false;
    child.once("exit", () => {
      ended = true;
    });
    /** Process ids of engine children, with the program that was started. */
    const seen = new Map<string, string>();
    while (!ended) {
      const children = readText(`/proc/${child.pid}/task/${child.pid}/children`).split(" ").filter(Boolean);
      for (const pid of children) {
        const [started = "", ...args] = readText(`/proc/${pid}/cmdline`).split("\0");
        if (args.some((arg) => arg.endsWith("engine-child.mjs"))) seen.set(pid, started);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(seen.size >= 3, "one runs the guest, one prepares it, one profiles it");
    for (const started of seen.values()) assert.match(started, /bwrap$/);
  });
} else {
  console.log("whether the report's process stands in the sandbox is not tested: there is no bubblewrap here");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

test.after(() => rmSync(directory, { recursive: true, force: true }));
test.run();
