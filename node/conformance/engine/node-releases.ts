/** Other releases of Node, installed from npm into a temporary folder: each carries another V8. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FOLDER = join(tmpdir(), "outlayer-node-releases");

/** Path of the newest Node of this major version, or why there is none. */
export function installNode(major: number): { readonly node: string } | { readonly missing: string } {
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = join(FOLDER, String(major));
  mkdirSync(prefix, { recursive: true });
  const flags = ["--prefix", prefix, "--no-save", "--no-audit", "--no-fund", "--loglevel", "error"];
  const installed = spawnSync("npm", ["install", ...flags, `${name}@${major}`], { encoding: "utf8" });
  if (installed.status !== 0) return { missing: installed.error?.message ?? installed.stderr.trim().split("\n")[0]! };
  const node = join(prefix, "node_modules", name, "bin", "node");
  const version = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (!version.stdout?.startsWith(`v${major}.`)) return { missing: `${name}@${major} does not run` };
  return { node };
}
