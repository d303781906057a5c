/**
 * `outlayer-node start`: one node until it is told to stop. A first signal stops it in order, a second one at once.
 * Forked by a launcher it reports its addresses over the IPC channel and ends when that channel closes.
 */
import type { LoadedConfig } from "../config.ts";
import { createLogger } from "../logger.ts";
import { startNode } from "../node.ts";

const EXIT_BROKEN = 70;
const STOP_TIMEOUT_MS = 10_000;

export async function startCommand({ config }: LoadedConfig): Promise<void> {
  const logger = createLogger({ level: config.logLevel });
  const node = await startNode(config, logger);
  process.send?.({
    kind: "started",
    httpUrl: node.httpUrl,
    httpToken: node.httpToken,
    publicKey: node.publicKey,
    addresses: node.addresses,
  });

  let stopping = false;
  const stop = (exitCode: number): void => {
    if (stopping) process.exit(exitCode);
    stopping = true;
    setTimeout(() => process.exit(exitCode), STOP_TIMEOUT_MS).unref();
    void node.stop().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        logger.error("the node did not stop in order", {}, error);
        process.exit(EXIT_BROKEN);
      },
    );
  };
  process.on("SIGINT", () => stop(0));
  process.on("SIGTERM", () => stop(0));
  process.on("disconnect", () => stop(0));
  const error = await node.broken;
  logger.error("the node can promise nothing any more and ends", {}, error);
  stop(EXIT_BROKEN);
}
