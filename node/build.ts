/**
 * Bundles the page of `node/web` into `node/dist/web`: one script and one style whose names carry their hash, the
 * icon, and an index.html that names them. The stamp beside them is the hash of everything that went in; when it is
 * the same, nothing is built.
 */
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, version as esbuildVersion } from "esbuild";

const NODE_DIRECTORY = import.meta.dirname;
const SOURCES = join(NODE_DIRECTORY, "web");
const OUTPUT = join(NODE_DIRECTORY, "dist", "web");
const STAMP = join(OUTPUT, "source.sha256");

/** Makes `node/dist/web` agree with `node/web`. Throws what esbuild throws when a source does not compile. */
export async function buildWeb(): Promise<void> {
  const stamp = sourceHash();
  if ((await readFile(STAMP, "utf8").catch(() => "")) === stamp) return;
  await rm(OUTPUT, { recursive: true, force: true });
  await mkdir(OUTPUT, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: NODE_DIRECTORY,
    entryPoints: [join(SOURCES, "main.tsx"), join(SOURCES, "page.css")],
    outdir: OUTPUT,
    entryNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    jsx: "automatic",
    jsxImportSource: "preact",
    metafile: true,
    logLevel: "warning",
  });
  const built = Object.keys(metafile.outputs).map((path) => basename(path));
  const named = (extension: string): string => {
    const name = built.find((file) => file.endsWith(extension));
    if (!name) throw new Error(`esbuild wrote no ${extension} file`);
    return name;
  };
  const template = await readFile(join(SOURCES, "index.html"), "utf8");
  const page = template.replace("page.css", named(".css")).replace("main.tsx", named(".js"));
  await copyFile(join(SOURCES, "icon.svg"), join(OUTPUT, "icon.svg"));
  await writeFile(join(OUTPUT, "index.html"), page);
  // Last, so that a build that was interrupted is done again.
  await writeFile(STAMP, stamp);
}

/** The page imports nothing but its own files, preact, and types, which leave no trace in what is built. */
function sourceHash(): string {
  const hash = createHash("sha256").update(`esbuild ${esbuildVersion}\0`);
  const manifest = join(NODE_DIRECTORY, "package.json");
  const files = globSync("**/*", { cwd: SOURCES, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const path of [manifest, import.meta.filename, ...files]) {
    hash
      .update(`${basename(path)}\0`)
      .update(readFileSync(path))
      .update("\0");
  }
  return hash.digest("hex");
}

if (import.meta.main) await buildWeb();
