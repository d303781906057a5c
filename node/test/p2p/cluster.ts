/** Hosts on loopback for the tests of this folder, and the one way in which tests wait: until something is so. */
import { NodeKey } from "../../src/keys/index.ts";
import { createLogger } from "../../src/logger.ts";
import { P2pHost, type P2pHostOptions } from "../../src/p2p/index.ts";

const TEST_LOG_LEVEL = process.env.TEST_LOG === "debug" ? "debug" : "silent";
/** Only a hang reaches it; no test's outcome hinges on how fast something is. */
const HANG_MS = 60_000;

export const logger = createLogger({ level: TEST_LOG_LEVEL });
export const NETWORK_ID = "localnet/outlayer.test";

const running: P2pHost[] = [];

export async function startHost(options: Partial<P2pHostOptions> = {}): Promise<P2pHost> {
  const host = await P2pHost.start({
    nodeKey: NodeKey.generate(),
    listen: ["/ip4/127.0.0.1/tcp/0"],
    bootstrap: [],
    networkId: NETWORK_ID,
    logger,
    bootstrapTiming: { firstPauseMs: 50, maxPauseMs: 500 },
    gossipHeartbeatMs: 200,
    sweepMs: 500,
    minPeers: 0,
    ...options,
  });
  running.push(host);
  return host;
}

export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((host) => host.stop()));
}

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + HANG_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`never so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
export const bytes = (content: string): Uint8Array => new Uint8Array(Buffer.from(content));
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export function connected(a: P2pHost, b: P2pHost): boolean {
  return a.peers().some((peer) => same(peer.publicKey, b.publicKey));
}

/** Both ends see the other in the mesh of the work topic. */
export function meshed(a: P2pHost, b: P2pHost): boolean {
  const sees = (x: P2pHost, y: P2pHost) => x.peers().some((p) => p.inGossipMesh && same(p.publicKey, y.publicKey));
  return sees(a, b) && sees(b, a);
}
