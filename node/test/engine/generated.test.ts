/** Random programs on each of V8's compilers, and on wasmtime when it is configured; conformance runs thousands. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { randomModule } from "../../conformance/engine/random-module.ts";
import { DEFAULT_V8_FLAGS } from "../../src/engine/child-options.ts";
import { EnginePool } from "../../src/engine/index.ts";
import { jobOf, textOf } from "./guests.ts";

const MODULES = 150;
const pools = [DEFAULT_V8_FLAGS, ["--liftoff-only"]].map(
  (v8Flags) => new EnginePool({ children: 1, wallTimeMs: 60_000, v8Flags }),
);
const wasmtimeLibrary = process.env.OUTLAYER_WASMTIME_LIB;
if (wasmtimeLibrary !== undefined) pools.push(new EnginePool({ children: 1, wallTimeMs: 60_000, wasmtimeLibrary }));

test(`${MODULES} random programs come to one outcome on ${pools.length} engines`, async () => {
  const ends = new Set<string>();
  for (let seed = 0; seed < MODULES; seed++) {
    const limits = { maxFuel: 30_000n, maxMemoryPages: 64, maxOutputBytes: 0 };
    const job = jobOf(randomModule(seed + 1_000_000), { limits });
    const [first, ...others] = await Promise.all(pools.map((pool) => pool.run(job)));
    for (const other of others) assert.is(textOf(other), textOf(first!), `seed ${seed}`);
    assert.is.not(first!.kind, "rejected");
    ends.add(first!.kind === "trapped" ? first!.trap : first!.kind);
  }
  assert.equal([...ends].sort(), ["exited", "outOfFuel", "stackExhausted", "trap"]);
});

test.after(async () => {
  await Promise.all(pools.map((pool) => pool.stop()));
});
test.run();
