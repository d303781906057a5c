/**
 * Bundles the program into `node/dist`: one file for the command line, one for an engine child, one for the embedded
 * chain's process, one for its thread, and the chunks that they share; beside them what `outlayer-node dev` deploys and asks for. Node
 * does not run TypeScript from inside `node_modules`, and the bundle holds what is used of its packages and no more,
 * which is half of a node's memory. Packages with native code stay outside.
 */
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { build, version as esbuildVersion } from "esbuild";
import { guestNames, guestPath } from "../wasi-examples/build.ts";

const NODE_DIRECTORY = import.meta.dirname;
const REPOSITORY = join(NODE_DIRECTORY, "..");
const OUTPUT = join(NODE_DIRECTORY, "dist");
const ASSETS = join(OUTPUT, "assets");
const STAMP = join(OUTPUT, "program.sha256");
const ENTRY_POINTS = {
  main: "node/src/cli/main.ts",
  "engine-child": "node/src/engine/engine-child.ts",
  devchain: "contract/devchain/main.ts",
  "preparation-worker": "contract/devchain/vm/preparation-worker.ts",
};
const SOURCES = ["node/src/**/*.ts", "protocol/src/**/*.ts", "contract/{client,devchain}/**/*.ts"];
const MANIFESTS = ["package-lock.json", "{node,protocol,contract}/package.json", "node/build-program.ts"];
const CONTRACTS = "contract/dist/*.wasm";
const NATIVE_PACKAGES = ["level", "koffi"];
/** Some packages are CommonJS inside and call `require` for Node's own modules. */
const REQUIRE = 'import{createRequire as bundleRequire}from"node:module";const require=bundleRequire(import.meta.url);';
const LICENSE_FILES = "{LICENSE,LICENCE,license,licence,COPYING}*";

/** Makes `node/dist` agree with the sources, the compiled contracts and the compiled guests. */
export async function buildProgram(): Promise<void> {
  const stamp = sourceHash();
  if ((await readFile(STAMP, "utf8").catch(() => "")) === stamp) return;
  for (const file of globSync("*.mjs", { cwd: OUTPUT })) await rm(join(OUTPUT, file));
  await rm(ASSETS, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: REPOSITORY,
    entryPoints: ENTRY_POINTS,
    outdir: OUTPUT,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: ["node22"],
    external: NATIVE_PACKAGES,
    banner: { js: REQUIRE },
    // Identifiers stay, so that a stack trace in a log can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  await writeFile(join(OUTPUT, "third-party-licenses.txt"), licenses(Object.keys(metafile.inputs)));
  await copyAssets();
  // Last, so that a build that was interrupted is done again.
  await writeFile(STAMP, stamp);
}

/** The contracts that the development network deploys; each guest with its example's input. */
async function copyAssets(): Promise<void> {
  const guests = join(ASSETS, "guests");
  await mkdir(guests, { recursive: true });
  for (const file of globSync(CONTRACTS, { cwd: REPOSITORY }))
    await copyFile(join(REPOSITORY, file), join(ASSETS, basename(file)));
  for (const name of guestNames) {
    const expected = join(REPOSITORY, "wasi-examples", name, "expected.json");
    await copyFile(guestPath(name), join(guests, `${name}.wasm`));
    await copyFile(expected, join(guests, `${name}.json`));
  }
}

/** The licence of every package that went into the bundle, as each of them asks for. */
function licenses(inputs: readonly string[]): string {
  const packages = new Set<string>();
  for (const input of inputs) {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input);
    if (found) packages.add(found[0]);
  }
  const texts = [...packages].sort().map((path) => {
    const directory = join(REPOSITORY, path);
    const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
      name: string;
      version: string;
      license?: string;
    };
    const files = globSync(LICENSE_FILES, { cwd: directory }).sort();
    const text = files.map((file) => readFileSync(join(directory, file), "utf8").trim()).join("\n\n");
    return `${name} ${version} (${license ?? "no licence named"})\n\n${text}\n`;
  });
  return texts.join(`\n${"-".repeat(100)}\n\n`);
}

function sourceHash(): string {
  const hash = createHash("sha256").update(`esbuild ${esbuildVersion}\0`);
  const guests = guestNames.map((name) => relative(REPOSITORY, guestPath(name)));
  const patterns = [...MANIFESTS, ...SOURCES, CONTRACTS, "wasi-examples/*/expected.json"];
  const files = [...guests, ...globSync(patterns, { cwd: REPOSITORY })];
  for (const file of files.sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(REPOSITORY, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

if (import.meta.main) await buildProgram();
