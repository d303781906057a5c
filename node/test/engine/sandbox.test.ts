/**
 * bubblewrap around engine children. Where the machine has none, or forbids it, the refusals are what is tested, and
 * that nothing else is is said.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rewriteModule } from "@outlayer/protocol/execution/index";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ChildHandle } from "../../src/engine/child-handle.ts";
import { EnginePool, sameOutcome } from "../../src/engine/index.ts";
import { chooseSandbox, probeSandbox, type Sandbox, sandboxArguments } from "../../src/engine/sandbox.ts";
import { isOperatingError } from "../../src/errors.ts";
import { ENDLESS, HOURS, jobOf, QUIET, RECURSIVE, TRAPPING } from "./guests.ts";

const NOTHING: Sandbox = { kind: "none", reason: "it is not there" };
const sandbox = probeSandbox();

test("what cannot be had is said when it may be done without, and refused by name when it may not", () => {
  assert.equal(
    chooseSandbox("auto", () => NOTHING),
    NOTHING,
  );
  assert.throws(
    () => chooseSandbox("require", () => NOTHING),
    (error: unknown) => isOperatingError(error, "engine_sandbox_missing") && error.message.includes("it is not there"),
  );
  const off = chooseSandbox("off", () => assert.unreachable("nobody is asked") as never);
  assert.is(off.kind, "none");
});

test("a bwrap that starts nothing is found out by the canary", () => {
  const folder = mkdtempSync(join(tmpdir(), "outlayer-bwrap-"));
  const broken = join(folder, "bwrap");
  writeFileSync(broken, "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n", {
    mode: 0o755,
  });
  const probed = probeSandbox([broken]);
  rmSync(folder, { recursive: true });
  assert.ok(probed.kind === "none" && /does not start Node here: .*No permissions/.test(probed.reason), probed.kind);
  const missing = probeSandbox([broken]);
  assert.ok(missing.kind === "none" && missing.reason.includes("not installed"));
});

if (sandbox.kind === "none") {
  console.log(`guests in a sandbox are not tested: ${sandbox.reason}`);
} else {
  test("outcomes in the sandbox are those outside of it", async () => {
    const inside = new EnginePool({ children: 1, wallTimeMs: 60_000, sandbox });
    const outside = new EnginePool({ children: 1, wallTimeMs: 60_000 });
    try {
      for (const code of [QUIET, TRAPPING, RECURSIVE, ENDLESS]) {
        const [a, b] = await Promise.all([inside.run(jobOf(code)), outside.run(jobOf(code))]);
        assert.ok(sameOutcome(a, b), `${a.kind} inside, ${b.kind} outside`);
      }
      assert.is(inside.stats().faults, 0);
    } finally {
      await Promise.all([inside.stop(), outside.stop()]);
    }
  });

  test("an endless run in the sandbox ends with its wall time, and nothing of it is left", async () => {
    const pool = new EnginePool({ children: 1, wallTimeMs: 500, sandbox });
    try {
      const [monitor] = pool.childPids();
      await pool.run(jobOf(ENDLESS, { limits: HOURS })).then(
        () => assert.unreachable("it cannot end by itself"),
        (fault: { code: string }) => assert.is(fault.code, "wallTime"),
      );
      // Its namespace goes with the process that was started, and with it whatever ran inside.
      const left = () => spawnSync("ps", ["--ppid", String(monitor), "-o", "pid="], { encoding: "utf8" }).stdout.trim();
      while (left() !== "") await new Promise((resolve) => setTimeout(resolve, 10));
      assert.is((await pool.run(jobOf(QUIET))).kind, "exited");
    } finally {
      await pool.stop();
    }
  });

  test("the watch on memory looks at the guest's process, not at the one that keeps the sandbox", async () => {
    // What bubblewrap's own process takes is a few megabytes; Node takes some forty.
    const between = 20 * 1024 * 1024;
    const child = new ChildHandle({ v8Flags: [], sandbox });
    await child.ready;
    const { code, ...job } = jobOf(ENDLESS, { limits: HOURS });
    const module = rewriteModule(code, { costVersion: 1, maxMemoryPages: HOURS.maxMemoryPages });
    await child.ask({ type: "load", key: "endless", module, forget: [] }, 60_000);
    await child.ask({ type: "run", key: "endless", job }, 60_000, between).then(
      () => assert.unreachable("it cannot end by itself"),
      (fault: { code: string }) => assert.is(fault.code, "memory"),
    );
    await child.exited;
  });

  test("a program in the sandbox reaches no network, no file of this machine and no other process", async () => {
    const server = createServer((socket) => socket.end("reached")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const probe = `
      const { readdirSync, readFileSync, existsSync } = require("node:fs");
      const tried = { home: existsSync(${JSON.stringify(join(import.meta.dirname, "guests.ts"))}), passwd: existsSync("/etc/passwd"), proc: existsSync("/proc/1"), pid: process.pid };
      try { require("node:fs").writeFileSync("/x", ""); tried.write = "done"; } catch (error) { tried.write = error.code; }
      const socket = require("node:net").connect(${port}, "127.0.0.1");
      socket.on("data", () => console.log(JSON.stringify({ ...tried, network: "reached" })));
      socket.on("error", (error) => console.log(JSON.stringify({ ...tried, network: error.code })));
    `;
    // No permission model here: what is looked at is what the sandbox alone keeps out.
    const { stdout, stderr } = await run(sandbox.program, [...sandboxArguments([]), process.execPath, "--eval", probe]);
    server.close();
    const found = JSON.parse(stdout || JSON.stringify({ stderr }));
    assert.equal(found, { home: false, passwd: false, proc: false, pid: 1, write: "EROFS", network: "ECONNREFUSED" });
  });
}

/** Beside this process, whose server has to be able to answer. */
async function run(program: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(program, args, { env: {} }, (_, stdout, stderr) => resolve({ stdout, stderr })),
  );
}

test.run();
