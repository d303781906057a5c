/**
 * Where the native stack ends differs by engine, so a host function that meets its end must fail as the engine's
 * failure: never with an error number, and never with an answer that it would not have given elsewhere.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { WasiHost } from "../../../src/execution/wasi/host.ts";
import { type HostFunction, hostFunctions } from "../../../src/execution/wasi/host-functions.ts";
import { jobOf } from "../harness.ts";

/** How far above the end calls are tried: more frames than any host function needs. */
const FRAMES = 400;

/** Every answer that a call gives while the stack is unwound from its end. */
function answersNearTheEnd(call: () => number): Set<string> {
  const answers = new Set<string>();
  let left = FRAMES;
  const dive = (): void => {
    try {
      dive();
    } catch {
      left = Math.min(left, FRAMES);
    }
    if (left-- <= 0) return;
    try {
      answers.add(`errno ${call()}`);
    } catch (error) {
      answers.add(error instanceof RangeError ? "the engine fails" : String(error));
    }
  };
  dive();
  return answers;
}

const memory = { buffer: new ArrayBuffer(65_536) };
const host = new WasiHost(jobOf(new Uint8Array(0), { environ: [["NAME", "välue"]] }), 1_000_000_000n);
host.attach(memory, { value: 1_000_000_000n });
const wasi = hostFunctions(host) as Readonly<Record<string, HostFunction>>;
const bytes = new Uint8Array(memory.buffer);
bytes.set(new TextEncoder().encode("./ä/../l"), 1_000);
bytes.set(new TextEncoder().encode("l"), 1_100);
const PATH = [1_000, 9] as const;
assert.is(wasi.path_create_directory!(3, 1_002, 2), 0);
assert.is(wasi.path_symlink!(1_002, 2, 3, 1_100, 1), 0);
// One clock, one second ahead.
new DataView(memory.buffer).setUint32(2_016, 1, true);
new DataView(memory.buffer).setBigUint64(2_024, 1_000_000_000n, true);

const CALLS: Readonly<Record<string, () => number>> = {
  path_filestat_get: () => wasi.path_filestat_get!(3, 1, ...PATH, 4_000),
  "path_filestat_get of nothing": () => wasi.path_filestat_get!(3, 1, 1_100, 2, 4_000),
  path_open: () => wasi.path_open!(3, 1, 1_002, 2, 1, 0n, 0n, 0, 4_000),
  path_create_directory: () => wasi.path_create_directory!(3, 1_002, 2),
  path_symlink: () => wasi.path_symlink!(...PATH, 3, 1_100, 1),
  path_readlink: () => wasi.path_readlink!(3, 1_100, 1, 4_000, 100, 4_200),
  fd_readdir: () => wasi.fd_readdir!(3, 4_000, 1_000, 0n, 6_000),
  environ_get: () => wasi.environ_get!(4_000, 4_100),
  poll_oneoff: () => wasi.poll_oneoff!(2_000, 4_000, 1, 6_000),
  random_get: () => wasi.random_get!(4_000, 40),
  fd_close: () => wasi.fd_close!(77),
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} answers as ever or fails as the engine`, () => {
    const answer = `errno ${call()}`;
    const answers = answersNearTheEnd(call);
    assert.equal([...answers].sort(), [answer, "the engine fails"].sort());
  });
}

test.run();
