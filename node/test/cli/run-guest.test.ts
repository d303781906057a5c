/** `outlayer-node run` as a person calls it: exit codes, what goes to which stream, and the JSON line. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { buildGuests, guestPath } from "../../../wasi-examples/build.ts";
import { EXAMPLE_SEED, expectedCases } from "../../../wasi-examples/expected.ts";
import { INVALID, TRAPPING } from "../engine/guests.ts";

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
  const flags = ["--input-file", inputFile, "--seed", seed, "--replays", "5", "--json", "--fuel-report", graph];
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
    [/--seed: must be 64 hex/, echo, "--seed", "12"],
    [/--max-memory-mb/, echo, "--max-memory-mb", "100000"],
    [/--replays/, echo, "--replays", "-1"],
    [/NAME=value/, echo, "--env", "nothing"],
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

test.after(() => rmSync(directory, { recursive: true, force: true }));
test.run();
