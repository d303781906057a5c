/**
 * Compiles the contract and the caller contract into `contract/dist`, and writes the ABI there, `abi.json`. The compiler is AssemblyScript's own; what it
 * reads goes through `packTexts`, and nothing is compiled when sources, options and compiler are those of the last
 * time. `node build.ts <source> <wasm>` is one compilation: it blocks for a second, so it has a process of its own.
 */
import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { nearAbi } from "./client/abi.ts";
import { mergeSegments } from "./merge-segments.ts";
import { declareTexts, packTexts } from "./pack-texts.ts";

const root = import.meta.dirname;
const dist = join(root, "dist");
const stampFile = join(dist, "stamp");

const TARGETS = [
  { source: "assembly/index.ts", wasm: "outlayer.wasm" },
  { source: "caller/assembly/index.ts", wasm: "caller.wasm" },
] as const;

/**
 * `stub`: a call is a fresh instance, so nothing is ever freed; it is `assembly/runtime.ts`. Without `abort`,
 * AssemblyScript's own checks (bounds, null) end in `unreachable`: they guard against faults of the contract, which no
 * argument reaches, and their words and places would be two kilobytes.
 */
const OPTIONS = ["--runtime", "stub", "-Oz", "--converge", "--use", "abort="];

class BuildError extends Error {
  readonly code = "compilerFailed";
  constructor(source: string, output: string) {
    super(`${source} does not compile:\n${output}`);
    this.name = "BuildError";
  }
}

function sourceFiles(): string[] {
  return globSync("{assembly,caller/assembly}/**/*.ts", { cwd: root }).sort();
}

function stampOf(compilerVersion: string): string {
  const hash = createHash("sha256").update(JSON.stringify([compilerVersion, OPTIONS, TARGETS]));
  for (const file of [...sourceFiles(), "pack-texts.ts", "merge-segments.ts"]) {
    const content = readFileSync(join(root, file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

function currentStamp(): string | undefined {
  try {
    for (const { wasm } of TARGETS) readFileSync(join(dist, wasm));
    return readFileSync(stampFile, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function compile(source: string, wasm: string): Promise<void> {
  // Under a name of its own until it is whole: two processes may build at once.
  const unfinished = join(dist, `${wasm}.${randomUUID()}`);
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [import.meta.filename, source, unfinished], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        renameSync(unfinished, join(dist, wasm));
        done();
      } else {
        rmSync(unfinished, { force: true });
        reject(new BuildError(source, output));
      }
    });
  });
}

/** What explorers and wallets read of the contract; from the table of methods, which the wasm does not depend on. */
function writeAbi(): void {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const unfinished = join(dist, `abi.json.${randomUUID()}`);
  mkdirSync(dist, { recursive: true });
  writeFileSync(unfinished, `${JSON.stringify(nearAbi(version), undefined, 2)}\n`);
  renameSync(unfinished, join(dist, "abi.json"));
}

/** @throws {BuildError} with the compiler's own words. */
export async function buildContract(): Promise<void> {
  writeAbi();
  const require = createRequire(import.meta.url);
  const { version } = require("assemblyscript/package.json") as { version: string };
  const stamp = stampOf(version);
  if (currentStamp() === stamp) return;
  mkdirSync(dist, { recursive: true });
  for (const { source, wasm } of TARGETS) await compile(source, wasm);
  writeFileSync(stampFile, stamp);
}

/** The contracts' sources as the compiler reads them, by absolute path. */
function packedSources(): Map<string, string> {
  const texts = new Set<string>();
  const packed = new Map<string, string>();
  for (const file of sourceFiles()) {
    packed.set(join(root, file), packTexts(readFileSync(join(root, file), "utf8"), texts));
  }
  for (const [path, source] of packed) {
    if (basename(path) === "text.ts") packed.set(path, source + declareTexts(texts));
  }
  return packed;
}

/** One compilation, in this process. */
async function runCompiler(source: string, outFile: string): Promise<void> {
  const { libraryFiles, main } = await import("assemblyscript/asc");
  const sources = packedSources();
  libraryFiles["rt/stub"] = sources.get(join(root, "assembly/runtime.ts"))!;
  const { error } = await main([source, ...OPTIONS, "--outFile", outFile], {
    stdout: process.stdout,
    stderr: process.stderr,
    readFile: (name, baseDir) => {
      try {
        const path = resolve(baseDir, name);
        return sources.get(path) ?? readFileSync(path, "utf8");
      } catch (failure) {
        // The compiler asks for every place where a module could be.
        if ((failure as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw failure;
      }
    },
  });
  if (error) process.exitCode = 1;
  else writeFileSync(outFile, mergeSegments(readFileSync(outFile)));
}

if (import.meta.main) {
  const [source, outFile] = process.argv.slice(2);
  if (source && outFile) await runCompiler(source, outFile);
  else await buildContract();
}
