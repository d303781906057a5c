/**
 * The package as a node runner gets it: packed, installed by npm into an empty folder with nothing of this repository
 * in reach, and asked for the main job. Needs the npm registry, for the two packages with native code.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const REPOSITORY = join(import.meta.dirname, "../..");
const TIMEOUT_MS = Number(process.env.OUTLAYER_CONFORMANCE_MS ?? 120_000);
const folder = mkdtempSync(join(tmpdir(), "outlayer-package-"));

function run(command: string, args: readonly string[], cwd: string): string {
  // The Node that runs this one, and no package of the repository on the way to it.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin` };
  return execFileSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

let passed = 0;
let failed = 0;
function check(claim: string, holds: boolean): void {
  if (holds) passed++;
  else failed++;
  if (!holds) console.log(`not so: ${claim}`);
}

try {
  const tarball = run("npm", ["pack", "--workspace", "outlayer-node", "--pack-destination", folder], REPOSITORY)
    .trim()
    .split("\n")
    .at(-1)!;
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  run("npm", ["install", "--no-audit", "--no-fund", join(folder, tarball)], folder);
  check("the command says its version", /^\d+\.\d+\.\d+$/m.test(run("npx", ["outlayer-node", "--version"], folder)));
  const output = run("npx", ["outlayer-node", "dev", "--once", "--json"], folder);
  const receipt = JSON.parse(output.trim().split("\n").at(-1)!) as { status: string; caller_answer: number };
  check("the main job runs from the installed package", receipt.status === "resolved");
  check("the calling contract has its answer", Number.isInteger(receipt.caller_answer));
} catch (error) {
  failed++;
  console.log(error instanceof Error ? error.message : String(error));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
