/**
 * The WebAssembly specification's own test suite on rewritten modules: version 2 and the proposals that cost version
 * 1 has, on this Node with each of V8's compilers and on other releases of Node. Needs cargo and the registries of
 * crates and npm; what is missing is said and not counted.
 */
import { spawn } from "node:child_process";
import { DEFAULT_V8_FLAGS } from "../src/engine/child-options.ts";
import { installNode } from "./engine/node-releases.ts";
import { buildOutsideModules, linesOf } from "./engine/outside-modules.ts";
import type { SuiteResult } from "./engine/spec-runner.ts";

const SUITES = ["v2", "simd", "multi-value", "multi-memory", "tail-call", "extended-const"];
const OTHER_NODES = [22, 26];
const WORKER = new URL("./engine/spec-worker.ts", import.meta.url).pathname;
const SHOWN_FAILURES = 10;

const endAtMs = performance.now() + Number(process.env.OUTLAYER_CONFORMANCE_MS ?? 600_000);
let passed = 0;
let failed = 0;

const hosts = [
  { name: `${process.version} optimising`, node: process.execPath, flags: DEFAULT_V8_FLAGS },
  { name: `${process.version} baseline`, node: process.execPath, flags: ["--liftoff-only"] },
];
for (const major of OTHER_NODES) {
  const found = installNode(major);
  if ("node" in found) hosts.push({ name: `Node ${major}`, node: found.node, flags: [] });
  else console.log(`not run on Node ${major}: ${found.missing}`);
}

const outside = buildOutsideModules(endAtMs - performance.now());
if ("missing" in outside) console.log(`not run: ${outside.missing}`);
else for (const host of hosts) for (const suite of SUITES) await runSuite(outside.program, suite, host);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function runSuite(program: string, suite: string, host: (typeof hosts)[number]): Promise<void> {
  if (performance.now() > endAtMs) {
    console.log(`not reached in time: ${suite} on ${host.name}`);
    return;
  }
  const child = spawn(host.node, ["--disable-warning=ExperimentalWarning", ...host.flags, WORKER], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for await (const line of linesOf(program, "spec", suite)) {
    if (!child.stdin.write(`${line}\n`)) await new Promise((resolve) => child.stdin.once("drain", resolve));
  }
  child.stdin.end();
  if ((await ended) !== 0) {
    failed++;
    console.log(`${suite} on ${host.name}: the process failed`);
    return;
  }
  const result = JSON.parse(output) as SuiteResult;
  passed += result.passed;
  failed += result.failures.length;
  console.log(`${suite} on ${host.name}: ${result.passed} directives right, ${result.failures.length} wrong`);
  for (const failure of result.failures.slice(0, SHOWN_FAILURES)) console.log(`  ${failure}`);
  for (const [reason, count] of Object.entries(result.notRun)) console.log(`  ${count} not run: ${reason}`);
}
