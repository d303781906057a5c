/**
 * The test runner. uvu exits 0 for a file that forgets `test.run()`, so every file runs in a process of its own
 * with a time limit, its counts are read from uvu's summary, and a file without tests is a failure. A file that fails
 * runs once more when nothing else does: real processes on a loaded machine can miss a bound that they hold alone. What
 * passes only then is named at the end as unsteady, which is a defect of the test or of the code.
 * Usage: `node scripts/test.ts [path fragment ...]`; coverage is collected by V8 and reported by c8 with `--coverage`.
 */
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

const FILE_TIMEOUT_MS = 240_000;
/** More than two at once makes wall-clock limits inside end-to-end tests meaningless on small machines. */
const CONCURRENT_FILES = Math.min(2, availableParallelism());

interface FileResult {
  file: string;
  passed: number;
  failed: number;
  skipped: number;
  ms: number;
  output: string;
  reason?: string;
}

const args = process.argv.slice(2);
const coverage = args.includes("--coverage");
const fragments = args.filter((a) => !a.startsWith("--"));
const files = globSync("{protocol,contract,node,sim,wasi-examples,scripts}/**/*.test.ts", {
  exclude: (path) => path.includes("node_modules"),
})
  .filter((file) => fragments.length === 0 || fragments.some((fragment) => file.includes(fragment)))
  .sort();

const coverageDirectory = coverage ? mkdtempSync(join(tmpdir(), "outlayer-coverage-")) : undefined;

/** What tests read is text: nobody's wish for colours reaches them. */
function testEnvironment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...rest } = process.env;
  return { ...rest, ...(coverageDirectory ? { NODE_V8_COVERAGE: coverageDirectory } : {}) };
}

function runFile(file: string): Promise<FileResult> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
      stdio: ["ignore", "pipe", "pipe"],
      env: testEnvironment(),
      detached: process.platform !== "win32",
    });
    let output = "";
    let timedOut = false;
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const timer = setTimeout(() => {
      timedOut = true;
      // The file's own children go with it: they share its process group.
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        child.kill("SIGKILL");
      }
    }, FILE_TIMEOUT_MS);
    child.on("close", (code) => {
      clearTimeout(timer);
      const sum = (label: string) =>
        [...output.matchAll(new RegExp(`^\\s+${label}:\\s+(\\d+)`, "gm"))].reduce((n, m) => n + Number(m[1]), 0);
      const total = sum("Total");
      const passed = sum("Passed");
      const skipped = sum("Skipped");
      const result: FileResult = {
        file,
        passed,
        failed: total - passed - skipped,
        skipped,
        ms: performance.now() - started,
        output,
      };
      if (timedOut) result.reason = `did not end within ${FILE_TIMEOUT_MS / 1000} s`;
      else if (total === 0) result.reason = "ran no test (is test.run() missing?)";
      else if (code !== 0 && result.failed === 0) result.reason = `exited with ${code}`;
      if (result.reason && result.failed === 0) result.failed = 1;
      resolve(result);
    });
  });
}

function report(result: FileResult): void {
  const mark = result.failed === 0 ? "ok  " : "FAIL";
  console.log(`${mark} ${result.file}  ${result.passed} passed  ${(result.ms / 1000).toFixed(1)} s`);
  // Indented, so that nothing a test prints can be taken for the closing line.
  const output = result.output.replace(/^/gm, "  | ");
  if (result.failed > 0) console.log(`${output}\n${result.file}: ${result.reason ?? "a test failed"}\n`);
}

const queue = [...files];
const results: FileResult[] = [];
await Promise.all(
  Array.from({ length: CONCURRENT_FILES }, async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runFile(file);
      results.push(result);
      report(result);
    }
  }),
);

if (coverageDirectory) {
  const report = spawn("c8", ["report", "--temp-directory", coverageDirectory, "--reporter", "text-summary"], {
    stdio: "inherit",
  });
  await new Promise((resolve) => report.on("close", resolve));
  rmSync(coverageDirectory, { recursive: true, force: true });
}

const unsteady: string[] = [];
for (const [index, result] of results.entries()) {
  if (result.failed === 0) continue;
  console.log(`again, alone: ${result.file}`);
  const again = await runFile(result.file);
  report(again);
  if (again.failed > 0) continue;
  unsteady.push(result.file);
  results[index] = again;
}
for (const file of unsteady) console.log(`unsteady: ${file} failed beside others and passed alone`);

const passed = results.reduce((n, r) => n + r.passed, 0);
const failed = results.reduce((n, r) => n + r.failed, 0);
if (files.length === 0) console.error("no test file matches");
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && files.length > 0 ? 0 : 1);
