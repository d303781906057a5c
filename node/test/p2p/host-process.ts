/**
 * A node's host in a process of its own, driven over IPC by the tests: argument 1 is a bootstrap address or "-".
 * Sends {ready: addresses, publicKey}, then {gossip}, {direct}, {fetched} as they happen; takes {publish}, {send},
 * {provide}, {fetch}, {stop}.
 */
import { createHash } from "node:crypto";
import { ContentExchange } from "../../src/p2p/index.ts";
import { startHost, text } from "./cluster.ts";

type Command =
  | { publish: string }
  | { send: { to: string; text: string } }
  | { provide: string }
  | { fetch: string }
  | { stop: true };

const bootstrap = process.argv[2] === "-" ? [] : [process.argv[2] as string];
const report = (message: object) => process.send?.(message);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const blobs = new Map<string, Uint8Array>();

const host = await startHost({ bootstrap, minPeers: 8 });
const content = await ContentExchange.start({
  host,
  source: { get: async (hash) => blobs.get(hex(hash)) },
  askNeighbours: 0,
});
host.onGossip((from, payload) => {
  report({ gossip: text(payload), from: hex(from) });
  return "accept";
});
host.onDirect((from, payload) => report({ direct: text(payload), from: hex(from) }));

async function run(command: Command): Promise<void> {
  if ("publish" in command) await host.publish(Buffer.from(command.publish));
  if ("send" in command) await host.send(Buffer.from(command.send.to, "hex"), Buffer.from(command.send.text));
  if ("provide" in command) {
    const hash = createHash("sha256").update(command.provide).digest();
    blobs.set(hex(hash), Buffer.from(command.provide));
    report({ provided: await content.provide(hash) });
  }
  if ("fetch" in command) {
    const fetched = await content.fetch(Buffer.from(command.fetch, "hex"), { maxBytes: 1024 * 1024 });
    report({ fetched: text(fetched) });
  }
  if ("stop" in command) {
    await content.stop();
    await host.stop();
    process.disconnect();
  }
}

process.on("message", (command: Command) => {
  run(command).catch((error: Error) => report({ failed: error.message }));
});
process.on("disconnect", () => process.exit(0));
report({ ready: host.addresses(), publicKey: hex(host.publicKey) });
