/**
 * `npm run bench -- <topic> [--json]`: runs `<workspace>/bench/<topic>.ts`, which prints figures beside their goals
 * and, last, one line `{"topic","figures":{name:{value,unit,goal,ok}}}`. Without a topic it says which there are.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename } from "node:path";

const files = globSync("{protocol,contract,node,sim,wasi-examples}/bench/*.ts");
const topics = new Map(files.map((file) => [basename(file, ".ts"), file]));
const [topic, ...rest] = process.argv.slice(2);
const file = topic === undefined ? undefined : topics.get(topic);
if (!file) {
  console.error(`usage: npm run bench -- <topic> [--json]; topics: ${[...topics.keys()].sort().join(", ") || "none"}`);
  process.exit(2);
}
const { status } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...rest], {
  stdio: "inherit",
});
process.exit(status ?? 1);
