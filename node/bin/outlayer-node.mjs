#!/usr/bin/env node
import { existsSync } from "node:fs";

// Checks the version before anything else is loaded: libp2p 3 and near-api-js 7 fail on older ones with a stack trace.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  console.error(
    `outlayer-node needs Node 22.22 or newer, and this is ${process.version}: install Node 24 from your system or with "npm install node@24".`,
  );
  process.exit(1);
}
const program = new URL("../dist/main.mjs", import.meta.url);
if (!existsSync(program)) {
  console.error('outlayer-node is not built here: run "npm run build" in the repository.');
  process.exit(1);
}
const { main } = await import(program.href);
await main(process.argv);
