/**
 * Who may change the chain past all rules. A browser lets any page post to a server on its own machine, so that pages
 * from elsewhere are told apart by what the browser says of them; programs say nothing of the kind.
 */
import { RpcError } from "./rpc-error.ts";

/** Names that no DNS answer can give to somebody else's page. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function isLocalOrigin(origin: string): boolean {
  // "null" is any sandboxed frame or file, and no URL.
  const url = URL.parse(origin);
  return url !== null && isLoopback(url.hostname);
}

/** @throws RpcError `FOREIGN_ORIGIN` when a web page of another machine sent this */
export function refuseForeignPage(headers: Headers): void {
  const origin = headers.get("origin");
  // A browser that leaves the origin out still says where the page stands to this server.
  const foreign = origin === null ? headers.get("sec-fetch-site") === "cross-site" : !isLocalOrigin(origin);
  if (!foreign) return;
  const from = (origin ?? "elsewhere").slice(0, 128);
  const data = `sandbox methods are not for web pages of other machines (${from})`;
  throw new RpcError(
    {
      name: "REQUEST_VALIDATION_ERROR",
      cause: { info: { origin: from }, name: "FOREIGN_ORIGIN" },
      code: -32600,
      message: "Invalid request",
      data,
    },
    403,
  );
}
