/** Every route of the local server, as one hono application over the node's facade. No socket stands here. */
import { MAX_CODE_BYTES } from "@outlayer/protocol/limits";
import { type Context, Hono } from "hono";
import type { Logger } from "../logger.ts";
import { ApiError, errorResponse } from "./api-error.ts";
import type { EventFeed } from "./event-feed.ts";
import type { NodeFacade } from "./facade.ts";
import { requireOwnHost, requireOwnOrigin, requireToken, SECURITY_HEADERS } from "./guard.ts";
import { DEFAULT_RECEIPTS_PER_PAGE, MAX_RECEIPTS_PER_PAGE } from "./limits.ts";
import { metricsText } from "./metrics.ts";
import type { PageFile } from "./page-files.ts";
import { infoJson, statusJson } from "./status.ts";

export interface RoutesOptions {
  readonly facade: NodeFacade;
  readonly feed: EventFeed;
  readonly pageFiles: ReadonlyMap<string, PageFile>;
  /** The name or address that was configured, which a Host header may carry besides the loopback names. */
  readonly host: string;
  readonly token: string;
  readonly logger: Logger;
}

export function routes(options: RoutesOptions): Hono {
  const { facade, feed, logger } = options;
  const app = new Hono();

  app.use(async (context, next) => {
    requireOwnHost(context.req.header("host"), options.host);
    if (context.req.path.startsWith("/api/") || context.req.path === "/metrics") {
      requireOwnOrigin(context.req.raw.headers);
    }
    await next();
  });
  app.onError((error) => {
    if (!(error instanceof ApiError)) logger.warn("call failed", {}, error);
    return withSecurity(errorResponse(error));
  });
  app.notFound((context) => pageFile(context, options.pageFiles));

  const get = (path: string, answer: (context: Context) => Response | Promise<Response>) => {
    app.get(path, async (context) => withSecurity(await answer(context)));
    app.all(path, () => {
      throw new ApiError("method_not_allowed", "This address is only read.", { allow: "GET, HEAD" });
    });
  };
  get("/healthz", () => health(facade));
  get("/metrics", () => text(metricsText(facade, feed), "text/plain; version=0.0.4; charset=utf-8"));
  get("/api/v1/info", () => json(infoJson(facade.info())));
  get("/api/v1/status", () => json(statusJson(facade, Date.now())));
  get("/api/v1/receipts", (context) => receiptPage(context, facade));
  get("/api/v1/receipts/:id", (context) => oneReceipt(context, facade));
  get("/api/v1/events", (context) => {
    // Only a GET reads the stream; a HEAD would leave a listener behind that nobody ever closes.
    const reads = context.req.raw.method === "GET";
    return text(reads ? feed.open(context.req.header("last-event-id")) : null, "text/event-stream; charset=utf-8");
  });
  app.post("/api/v1/content", async (context) => withSecurity(await publishContent(context, options)));
  app.all("/api/v1/content", () => {
    throw new ApiError("method_not_allowed", "Content is posted here.", { allow: "POST" });
  });
  return app;
}

function health(facade: NodeFacade): Response {
  const { connected, height } = facade.chain();
  if (connected) return json({ ok: true, height });
  throw new ApiError("chain_unreachable", `The chain does not answer; the last block seen is ${height}.`);
}

async function receiptPage(context: Context, facade: NodeFacade): Promise<Response> {
  const query = new URL(context.req.url).searchParams;
  for (const name of query.keys()) {
    if (name !== "limit" && name !== "before") throw new ApiError("invalid_query", "Known here: limit, before.");
    if (query.getAll(name).length > 1) throw new ApiError("invalid_query", `${name} is given twice.`);
  }
  const limit = wholeNumber(query.get("limit") ?? String(DEFAULT_RECEIPTS_PER_PAGE));
  if (limit === undefined || limit < 1 || limit > MAX_RECEIPTS_PER_PAGE) {
    throw new ApiError("invalid_query", `limit is a whole number from 1 to ${MAX_RECEIPTS_PER_PAGE}.`);
  }
  const before = query.get("before");
  const beforeId = before === null ? undefined : wholeNumber(before);
  if (before !== null && beforeId === undefined) throw new ApiError("invalid_query", "before is a request id.");
  return json({ receipts: await facade.receipts(limit, beforeId) });
}

async function oneReceipt(context: Context, facade: NodeFacade): Promise<Response> {
  const requestId = wholeNumber(context.req.param("id") ?? "");
  if (requestId === undefined) throw new ApiError("invalid_request_id", "A request id is a whole number from 0.");
  const receipt = await facade.receipt(requestId);
  if (!receipt) throw new ApiError("receipt_not_found", `No receipt of request ${requestId} is kept here.`);
  return json(receipt);
}

async function publishContent(context: Context, { facade, token, logger }: RoutesOptions): Promise<Response> {
  requireToken(context.req.header("authorization"), token);
  const bytes = await boundedBody(context.req.raw);
  if (bytes.length === 0) throw new ApiError("invalid_body", "The body is the content itself and cannot be empty.");
  const published = await facade.publishContent(bytes);
  logger.info("content published", { cid: published.cid, sizeBytes: bytes.length });
  return json(published);
}

/** Reads no more than is allowed, whatever Content-Length says or leaves unsaid. */
async function boundedBody(request: Request): Promise<Uint8Array> {
  const tooLarge = () => new ApiError("body_too_large", `Content has at most ${MAX_CODE_BYTES} bytes.`);
  if (Number(request.headers.get("content-length") ?? 0) > MAX_CODE_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_CODE_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function pageFile(context: Context, files: ReadonlyMap<string, PageFile>): Response {
  const { path, method } = context.req;
  const file = method === "GET" || method === "HEAD" ? files.get(path) : undefined;
  if (!file) {
    if (path === "/" && files.size === 0) {
      throw new ApiError("page_not_built", "The page was not built: run npm run build. The API works without it.");
    }
    throw new ApiError("not_found", "Nothing is served at this address.");
  }
  const headers = { etag: file.etag, "cache-control": file.cacheControl, "content-type": file.contentType };
  if (context.req.header("if-none-match") === file.etag) {
    return withSecurity(new Response(null, { status: 304, headers }));
  }
  return withSecurity(new Response(file.bytes, { headers }));
}

function wholeNumber(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

function json(value: unknown): Response {
  return Response.json(value, { headers: { "cache-control": "no-store" } });
}

function text(body: string | ReadableStream<Uint8Array> | null, contentType: string): Response {
  return new Response(body, { headers: { "content-type": contentType, "cache-control": "no-store" } });
}

function withSecurity(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value);
  return response;
}
