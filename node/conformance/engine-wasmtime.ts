/**
 * The tests of `node/test/engine` that compare V8 with wasmtime: `npm test` runs them without it, since users have no
 * wasmtime library. Fetches one as engine/wasmtime-wheel.ts says; without one nothing is compared, which is said.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { findWasmtime } from "./engine/wasmtime-wheel.ts";

const REPOSITORY = join(import.meta.dirname, "../..");
const TESTS = ["wasmtime-engine", "stack", "generated"].map((name) => `node/test/engine/${name}.test.ts`);

const found = findWasmtime();
if ("missing" in found) {
  console.log(`not compared with wasmtime: ${found.missing}`);
  console.log("0 passed, 0 failed");
} else {
  const { status } = spawnSync(process.execPath, ["scripts/test.ts", ...TESTS], {
    cwd: REPOSITORY,
    stdio: "inherit",
    env: { ...process.env, OUTLAYER_WASMTIME_LIB: found.library },
  });
  process.exitCode = status ?? 1;
}
