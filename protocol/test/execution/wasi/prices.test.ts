/** What the host's work costs, in ticks: all that a guest can make it do is paid for, and before it is done. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { HOST_CALL_TICKS, HOST_ENTRY_TICKS, HOST_ERROR_TICKS } from "../../../src/execution/cost-model.ts";
import { WasiHost } from "../../../src/execution/wasi/host.ts";
import { hostFunctions } from "../../../src/execution/wasi/host-functions.ts";
import { jobOf } from "../harness.ts";
import { OurCaller } from "./caller.ts";

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

test.run();
