/**
 * wasmtime's C library for runs that compare with it: the one that OUTLAYER_WASMTIME_LIB names, or the one in PyPI's
 * wheel of `wasmtime`, fetched once by pip into the system's temporary folder.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const VERSION = "50.0.1";
const FOLDER = join(tmpdir(), `outlayer-wasmtime-${VERSION}`);
const LIBRARY = "**/_libwasmtime.{so,dylib}";
const DOWNLOAD_TIMEOUT_MS = 120_000;

/** Path of the library, or why there is none. */
export function findWasmtime(): { readonly library: string } | { readonly missing: string } {
  const named = process.env.OUTLAYER_WASMTIME_LIB;
  if (named !== undefined) return { library: named };
  if (unpacked() === undefined) {
    const wheels = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--dest", FOLDER];
    const failure =
      python(["-m", "pip", "download", "--quiet", ...wheels, `wasmtime==${VERSION}`]) ??
      python(["-m", "zipfile", "-e", globSync("*.whl", { cwd: FOLDER })[0] ?? "", "."], FOLDER);
    if (failure !== undefined) return { missing: failure };
  }
  const library = unpacked();
  return library === undefined ? { missing: `the wheel of wasmtime ${VERSION} holds no library` } : { library };
}

function unpacked(): string | undefined {
  const [file] = globSync(LIBRARY, { cwd: FOLDER });
  return file === undefined ? undefined : join(FOLDER, file);
}

/** Runs python3; what went wrong, if anything did. */
function python(args: readonly string[], cwd?: string): string | undefined {
  const run = spawnSync("python3", args, { encoding: "utf8", timeout: DOWNLOAD_TIMEOUT_MS, ...(cwd ? { cwd } : {}) });
  if (run.error) return `python3 cannot be run: ${run.error.message}`;
  return run.status === 0 ? undefined : `python3 ${args[1]} failed: ${run.stderr.trim().split("\n").at(-1)}`;
}
