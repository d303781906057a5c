/**
 * The keys of the funded account, apart from the node key: NEAR's credential file `{account_id?, private_key}`, or
 * the same with `private_keys: [...]` for several access keys, each a lane for transactions.
 */
import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { OperatingError } from "../errors.ts";

const MAX_KEYS = 16;
const GROUP_AND_OTHERS = 0o077;
const secretKey = z.string().regex(/^ed25519:[1-9A-HJ-NP-Za-km-z]{43,88}$/);
const keyFile = z.union([
  z.object({ account_id: z.string().optional(), private_key: secretKey }),
  z.object({ account_id: z.string().optional(), private_keys: z.array(secretKey).min(1).max(MAX_KEYS) }),
]);

/** @throws {OperatingError} `account_key_unusable`, `key_file_permissions` */
export async function readAccountKeys(path: string, accountId: string): Promise<readonly string[]> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if (process.platform !== "win32" && mode & GROUP_AND_OTHERS)
      throw new OperatingError("key_file_permissions", { path });
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof OperatingError) throw error;
    throw new OperatingError("account_key_unusable", { path }, error);
  }
  const parsed = keyFile.safeParse(jsonOf(text));
  // The parser's own message could quote a key: it is left out on purpose.
  if (!parsed.success)
    throw new OperatingError("account_key_unusable", { path, problem: "not a NEAR credential file" });
  const { account_id: named } = parsed.data;
  if (named !== undefined && named !== accountId) {
    throw new OperatingError("account_key_unusable", {
      path,
      problem: `the file belongs to ${named}, not to ${accountId}`,
    });
  }
  return "private_keys" in parsed.data ? parsed.data.private_keys : [parsed.data.private_key];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
