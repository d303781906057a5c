/**
 * Builds the oracle and asks it. For development: nothing of the product and no test needs cargo.
 * The build goes to `OUTLAYER_ORACLE_TARGET`, by default a folder of the system's temporary directory, and takes
 * about twelve minutes the first time.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type OracleErrorCode = "NO_CARGO" | "BUILD_TIMEOUT" | "BUILD_FAILED" | "ORACLE_FAILED";

export class OracleError extends Error {
  readonly code: OracleErrorCode;
  constructor(code: OracleErrorCode, message: string) {
    super(message);
    this.name = "OracleError";
    this.code = code;
  }
}

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

interface Ended {
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

function ended(child: ChildProcess, timeoutMs: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    let bytes = 0;
    let stderr = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) child.kill("SIGKILL");
      else stdout.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString("utf8")).slice(-10_000);
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, timedOut, stdout: Buffer.concat(stdout).toString("utf8"), stderr });
    });
  });
}

/** The program's path. @throws OracleError `NO_CARGO`, `BUILD_TIMEOUT`, `BUILD_FAILED` */
export async function buildOracle(timeoutMs: number): Promise<string> {
  const target = process.env.OUTLAYER_ORACLE_TARGET ?? join(tmpdir(), "outlayer-devchain-oracle");
  const child = spawn("cargo", ["build", "--release", "--quiet", "--target-dir", target], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let build: Ended;
  try {
    build = await ended(child, timeoutMs);
  } catch (error) {
    throw new OracleError("NO_CARGO", `cargo cannot be started: ${(error as Error).message}`);
  }
  if (build.timedOut) {
    throw new OracleError("BUILD_TIMEOUT", `the build did not end within ${timeoutMs} ms; the next goes on from here`);
  }
  if (build.code !== 0) throw new OracleError("BUILD_FAILED", build.stderr);
  return join(target, "release", process.platform === "win32" ? "devchain-oracle.exe" : "devchain-oracle");
}

/** One line of answer for every call of the scenarios, in order. @throws OracleError `ORACLE_FAILED` */
export async function askOracle(program: string, scenarios: readonly object[], timeoutMs: number): Promise<string[]> {
  const child = spawn(program, [], { stdio: ["pipe", "pipe", "pipe"] });
  const end = ended(child, timeoutMs);
  // A program that ends early closes its input; its exit code is what is looked at.
  child.stdin.on("error", () => {});
  for (const scenario of scenarios) child.stdin.write(`${JSON.stringify(scenario)}\n`);
  child.stdin.end();
  const { code, timedOut, stdout, stderr } = await end;
  if (code !== 0) throw new OracleError("ORACLE_FAILED", timedOut ? `no end within ${timeoutMs} ms` : stderr);
  return stdout.split("\n").filter((line) => line !== "");
}
