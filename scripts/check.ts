/**
 * `npm run check`: types, lint, import rules, dead code. Every step runs even when an earlier one failed, so that
 * one run shows everything there is to mend.
 */
import { spawnSync } from "node:child_process";

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["types", "tsc", "--noEmit"],
  ["lint", "biome", "check", "."],
  [
    "import rules",
    "depcruise",
    "--config",
    ".dependency-cruiser.mjs",
    "protocol",
    "contract",
    "node",
    "sim",
    "scripts",
  ],
  ["dead code", "knip"],
];

let failed = 0;
for (const [name, command, ...args] of steps) {
  const result = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" });
  const ok = result.status === 0;
  if (!ok) failed++;
  console.log(`check ${name}: ${ok ? "ok" : `failed${result.error ? ` (${result.error.message})` : ""}`}`);
}
process.exit(failed === 0 ? 0 : 1);
