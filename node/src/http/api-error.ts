/**
 * What the local API refuses, by name. The answer to a refused call is `{"error": {"code", "message"}}` with the
 * status of the table below; errors of the node itself ({@link OperatingError}) keep their own code under 503.
 */
import { OperatingError } from "../errors.ts";

/** Every code of the API and the HTTP status that goes with it (RFC 9110). */
const API_ERROR_STATUS = {
  invalid_query: 400,
  invalid_request_id: 400,
  invalid_body: 400,
  unauthorized: 401,
  foreign_host: 403,
  foreign_origin: 403,
  not_found: 404,
  receipt_not_found: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  too_many_listeners: 503,
  chain_unreachable: 503,
  page_not_built: 503,
  internal_error: 500,
} as const satisfies Record<string, number>;

export type ApiErrorCode = keyof typeof API_ERROR_STATUS;

export interface ErrorJson {
  readonly error: { readonly code: string; readonly message: string };
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ApiErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** The answer to a call that failed. What is neither refused nor an operator's matter tells nothing of the inside. */
export function errorResponse(error: unknown): Response {
  const { code, message, status, headers } = described(error);
  const body: ErrorJson = { error: { code, message } };
  return Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });
}

function described(error: unknown): { code: string; message: string; status: number; headers: HeadersInit } {
  if (error instanceof ApiError) {
    const { code, message, headers } = error;
    return { code, message, status: API_ERROR_STATUS[code], headers };
  }
  if (error instanceof OperatingError) {
    return { code: error.code, message: `${error.message}. ${error.advice}`, status: 503, headers: {} };
  }
  return { code: "internal_error", message: "The node failed here; its log says why.", status: 500, headers: {} };
}
