/** The direction rules of the house are only worth something if a forbidden import fails: each is broken here once. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const ROOT = join(import.meta.dirname, "../..");

/** Runs the project's own rules over a tree with one file in it (and what it imports). */
function rulesBroken(file: string, source: string): string {
  const tree = mkdtempSync(join(tmpdir(), "outlayer-rules-"));
  try {
    for (const name of [".dependency-cruiser.mjs", "tsconfig.json", "package.json"])
      cpSync(join(ROOT, name), join(tree, name));
    for (const workspace of ["protocol", "contract", "node", "sim"]) {
      mkdirSync(join(tree, workspace, "src"), { recursive: true });
      cpSync(join(ROOT, workspace, "package.json"), join(tree, workspace, "package.json"));
      writeFileSync(join(tree, workspace, "src", "index.ts"), "export const nothing = 0;\n");
    }
    mkdirSync(join(tree, "node_modules/@outlayer"), { recursive: true });
    for (const name of ["protocol", "sim"]) symlinkSync(join(tree, name), join(tree, "node_modules/@outlayer", name));
    mkdirSync(join(tree, "node_modules/@noble/hashes"), { recursive: true });
    const noble = { name: "@noble/hashes", type: "module", exports: { "./sha2.js": "./sha2.js" } };
    writeFileSync(join(tree, "node_modules/@noble/hashes/package.json"), JSON.stringify(noble));
    writeFileSync(join(tree, "node_modules/@noble/hashes/sha2.js"), "export const sha256 = 0;\n");
    writeFileSync(join(tree, file), source);
    const cli = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
    const args = [cli, "--config", ".dependency-cruiser.mjs", "--output-type", "err", file];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: tree, encoding: "utf8" });
    return status === 0 ? "" : stdout + stderr;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

const allowed: [file: string, source: string][] = [
  ["protocol/src/a.ts", 'import { nothing } from "./index.ts";\nexport { nothing };\n'],
  ["protocol/src/a.ts", 'import { sha256 } from "@noble/hashes/sha2.js";\nexport { sha256 };\n'],
  ["node/src/a.ts", 'import { nothing } from "@outlayer/protocol";\nexport { nothing };\n'],
];
const forbidden: [rule: string, file: string, source: string][] = [
  ["protocol-is-pure", "protocol/src/a.ts", 'import { readFileSync } from "node:fs";\nexport { readFileSync };\n'],
  [
    "protocol-is-pure",
    "protocol/src/a.ts",
    'import { nothing } from "../../node/src/index.ts";\nexport { nothing };\n',
  ],
  ["no-unresolvable", "protocol/src/a.ts", 'import { x } from "no-such-package";\nexport { x };\n'],
  [
    "sim-and-node-are-strangers",
    "sim/src/a.ts",
    'import { nothing } from "../../node/src/index.ts";\nexport { nothing };\n',
  ],
  ["node-and-sim-are-strangers", "node/src/a.ts", 'import { nothing } from "@outlayer/sim";\nexport { nothing };\n'],
  [
    "contract-imports-protocol-only",
    "contract/src/a.ts",
    'import { nothing } from "../../sim/src/index.ts";\nexport { nothing };\n',
  ],
  ["no-cycles", "protocol/src/index.ts", 'import { nothing } from "./index.ts";\nexport { nothing };\n'],
];

for (const [file, source] of allowed) {
  test(`${file} may: ${source.split("\n")[0]}`, () => {
    assert.is(rulesBroken(file, source), "");
  });
}
for (const [rule, file, source] of forbidden) {
  test(`${file} may not: ${source.split("\n")[0]}`, () => {
    assert.match(rulesBroken(file, source), rule);
  });
}

test.run();
