/** Errors as nearcore's JSON-RPC writes them: clients decide by `cause.name`. */

export class RpcError extends Error {
  readonly body: Readonly<Record<string, unknown>>;
  readonly httpStatus: number;
  constructor(body: Readonly<Record<string, unknown>>, httpStatus: number) {
    super(JSON.stringify(body));
    this.name = "RpcError";
    this.body = body;
    this.httpStatus = httpStatus;
  }
}

export type HandlerErrorName =
  | "UNKNOWN_BLOCK"
  | "UNKNOWN_CHUNK"
  | "INVALID_SHARD_ID"
  | "UNKNOWN_ACCOUNT"
  | "UNKNOWN_ACCESS_KEY"
  | "UNKNOWN_RECEIPT"
  | "UNKNOWN_TRANSACTION"
  | "UNKNOWN_EPOCH"
  | "VALIDATOR_INFO_UNAVAILABLE"
  | "NO_CONTRACT_CODE"
  | "NO_GLOBAL_CONTRACT_CODE"
  | "TOO_LARGE_CONTRACT_STATE"
  | "CONTRACT_EXECUTION_ERROR"
  | "INVALID_TRANSACTION"
  | "TIMEOUT_ERROR"
  | "UNKNOWN_SNAPSHOT"
  | "TOO_MANY_SNAPSHOTS";

const HTTP_STATUS: Partial<Record<HandlerErrorName, number>> = { UNKNOWN_BLOCK: 422, TIMEOUT_ERROR: 408 };

export function handlerError(name: HandlerErrorName, info: object, data: unknown): RpcError {
  return new RpcError(
    { name: "HANDLER_ERROR", cause: { info, name }, code: -32000, message: "Server error", data },
    HTTP_STATUS[name] ?? 200,
  );
}

/** The request is not what the method takes. */
export function parseError(message: string): RpcError {
  return new RpcError(
    {
      name: "REQUEST_VALIDATION_ERROR",
      cause: { info: { error_message: message }, name: "PARSE_ERROR" },
      code: -32700,
      message: "Parse error",
      data: message,
    },
    400,
  );
}

export function methodNotFound(method: string): RpcError {
  return new RpcError(
    {
      name: "REQUEST_VALIDATION_ERROR",
      cause: { info: { method_name: method }, name: "METHOD_NOT_FOUND" },
      code: -32601,
      message: "Method not found",
      data: method,
    },
    400,
  );
}

export function internalError(message: string): RpcError {
  return new RpcError(
    {
      name: "INTERNAL_ERROR",
      cause: { info: { error_message: message }, name: "INTERNAL_ERROR" },
      code: -32000,
      message: "Server error",
      data: message,
    },
    500,
  );
}
