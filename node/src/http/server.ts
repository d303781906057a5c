/**
 * The node's local HTTP server: its page, its JSON API, its events, health and metrics. Reading is for everybody on
 * this machine; what changes something needs the bearer token. Where it stands: a driver beside the worker machine,
 * which it only sees through {@link NodeFacade}.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { OperatingError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { PACKAGE_ROOT } from "../package-root.ts";
import { EventFeed } from "./event-feed.ts";
import type { NodeFacade } from "./facade.ts";
import { bracketed } from "./guard.ts";
import { HEADERS_TIMEOUT_MS, MAX_HTTP_CONNECTIONS, MAX_PORT_TRIES, REQUEST_TIMEOUT_MS } from "./limits.ts";
import { readPageFiles } from "./page-files.ts";
import { routes } from "./routes.ts";

const BUILT_PAGE = join(PACKAGE_ROOT, "dist", "web");
const MAX_PORT = 65_535;

export interface HttpServerOptions {
  readonly facade: NodeFacade;
  /** Address or name to listen on; 127.0.0.1 unless the operator wants it otherwise. */
  readonly host: string;
  /** A port that is taken makes way to the next free one; 0 lets the system choose. */
  readonly port: number;
  /** Bearer token of the calls that change something. */
  readonly token: string;
  readonly logger: Logger;
  /** Where the built page lies, `node/dist/web` by default. */
  readonly assetsDirectory?: string;
}

export interface HttpServer {
  /** For a browser on this machine, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Ends the event streams and every connection. */
  stop(): Promise<void>;
}

/** @throws OperatingError http_listen_failed */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { facade, host, token, logger } = options;
  const pageFiles = await readPageFiles(options.assetsDirectory ?? BUILT_PAGE);
  if (!pageFiles.has("/")) logger.warn("the page is not built: npm run build makes it");
  const feed = new EventFeed(facade);
  const app = routes({ facade, feed, pageFiles, host, token, logger });
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  server.maxConnections = MAX_HTTP_CONNECTIONS;
  try {
    const port = await listenOnFreePort(server, host, options.port);
    const url = `http://${urlHost(host)}:${port}`;
    logger.info("page and API are served", { url });
    return { url, port, stop: () => stopServer(server, feed) };
  } catch (error) {
    feed.close();
    throw error;
  }
}

async function listenOnFreePort(server: Server, host: string, firstPort: number): Promise<number> {
  const lastPort = firstPort === 0 ? 0 : Math.min(firstPort + MAX_PORT_TRIES - 1, MAX_PORT);
  for (let port = firstPort; ; port++) {
    try {
      return await listen(server, host, port);
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || port >= lastPort) throw new OperatingError("http_listen_failed", { host, firstPort, port }, error);
    }
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function stopServer(server: Server, feed: EventFeed): Promise<void> {
  feed.close();
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

/** A wildcard is an address to listen on, not one to go to. */
function urlHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "[::1]" : bracketed(host);
}
