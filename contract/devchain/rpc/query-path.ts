/**
 * The older form of `query`, `[path, data]`, which nearcore still takes (chain/jsonrpc/src/api/query.rs): a path such as
 * `account/<id>`, and prefixes and arguments in base58. It always looks at the head.
 */
import { decodeBase58UpTo } from "../codec/base58.ts";
import { Params } from "./params.ts";
import { parseError } from "./rpc-error.ts";

/** Of path and decoded data together, as in nearcore. */
const MAX_QUERY_DATA_BYTES = 10 * 1024;

function readData(path: string, text: string): string {
  const bytes = decodeBase58UpTo(text, Math.max(0, MAX_QUERY_DATA_BYTES - Buffer.byteLength(path)));
  if (bytes === "malformed") throw parseError("the data of a query by its path is base58");
  if (bytes === "tooLong") throw parseError("Query data size is too large");
  return Buffer.from(bytes).toString("base64");
}

/** What the path asks for, in the fields of a query by names. */
function fieldsOf(path: string, data: string): Record<string, string> {
  const [command, accountId, ...rest] = path.split("/");
  // Only the first two slashes divide: whatever follows belongs to the key or the method.
  const extra = rest.length === 0 ? undefined : rest.join("/");
  if (accountId === undefined) throw parseError("Not enough query parameters provided");
  const account = { account_id: accountId };
  switch (command) {
    case "account":
      return { ...account, request_type: "view_account" };
    case "access_key":
      return extra === undefined
        ? { ...account, request_type: "view_access_key_list" }
        : { ...account, request_type: "view_access_key", public_key: extra };
    case "code":
      return { ...account, request_type: "view_code" };
    case "contract":
      return { ...account, request_type: "view_state", prefix_base64: readData(path, data) };
    case "call":
      if (extra === undefined) throw parseError("Method name is missing");
      return { ...account, request_type: "call_function", method_name: extra, args_base64: readData(path, data) };
    default:
      throw parseError(`Unknown path ${command!.slice(0, 64)}`);
  }
}

/** `query` by names, or by path and data. */
export function parseQueryParams(params: unknown): Params {
  if (!Array.isArray(params)) return Params.parse(params);
  const pair = Params.parse(params, ["path", "data"]);
  return Params.parse({ ...fieldsOf(pair.text("path"), pair.text("data")), finality: "optimistic" });
}
