/**
 * The NEAR node as this node sees it: a few questions over JSON-RPC through near-api-js, and every answer checked
 * for its shape before anything is done with it, since an endpoint is somebody else's program.
 */

import type { StateChange } from "@outlayer/protocol/worker/state-changes";
import { FailoverRpcProvider, JsonRpcProvider } from "near-api-js";
import { z } from "zod";
import { OperatingError } from "../errors.ts";

const blockAnswer = z.object({
  header: z.object({
    height: z.number().int().nonnegative(),
    hash: z.string(),
    timestamp_nanosec: z.string().regex(/^\d+$/),
  }),
});

const changesAnswer = z.object({
  changes: z
    .array(
      z.object({
        type: z.string(),
        change: z.object({ key_base64: z.string().optional(), value_base64: z.string().optional() }),
      }),
    )
    .max(100_000),
});

const viewAnswer = z.object({ result: z.array(z.number().int().min(0).max(255)), block_height: z.number().int() });

export interface Block {
  readonly height: number;
  readonly hash: string;
  readonly timestampNs: bigint;
}

export type Finality = "optimistic" | "final";

export class NearRpc {
  readonly provider: JsonRpcProvider;

  constructor(endpoints: readonly string[]) {
    const providers = endpoints.map((url) => new JsonRpcProvider({ url }, { retries: 1, backoff: 1, wait: 50 }));
    const [only] = providers;
    this.provider =
      providers.length === 1 && only ? only : (new FailoverRpcProvider(providers) as unknown as JsonRpcProvider);
  }

  async head(finality: Finality): Promise<Block> {
    return toBlock(await ask("block", () => this.provider.viewBlock({ finality })));
  }

  /** Nothing where the height was skipped, or is so old that the endpoint has collected it. */
  async block(height: number): Promise<Block | undefined> {
    try {
      return toBlock(await ask("block", () => this.provider.viewBlock({ blockId: height })));
    } catch (error) {
      if (isUnknownBlock(error)) return undefined;
      throw error;
    }
  }

  /** Changes of a contract's storage in one block, in the order in which they happened; nothing as for `block`. */
  async stateChanges(contractId: string, height: number): Promise<readonly StateChange[] | undefined> {
    let answer: unknown;
    try {
      answer = await ask("EXPERIMENTAL_changes", () =>
        this.provider.contractStateChanges([contractId], { blockId: height }, ""),
      );
    } catch (error) {
      if (isUnknownBlock(error)) return undefined;
      throw error;
    }
    return checked("EXPERIMENTAL_changes", changesAnswer, answer).changes.flatMap(({ type, change }) => {
      if (change.key_base64 === undefined || (type !== "data_update" && type !== "data_deletion")) return [];
      const value =
        change.value_base64 === undefined ? undefined : new Uint8Array(Buffer.from(change.value_base64, "base64"));
      return [
        {
          key: new Uint8Array(Buffer.from(change.key_base64, "base64")),
          value: type === "data_update" ? value : undefined,
        },
      ];
    });
  }

  /** Calls a view method and parses its JSON with `schema`. */
  async view<S extends z.ZodType>(
    contractId: string,
    method: string,
    args: object,
    schema: S,
    finality: Finality = "optimistic",
  ): Promise<{ value: z.infer<S>; height: number }> {
    const raw = await ask(`view ${method}`, () =>
      this.provider.query({
        request_type: "call_function",
        account_id: contractId,
        method_name: method,
        args_base64: Buffer.from(JSON.stringify(args)).toString("base64"),
        finality,
      } as never),
    );
    const { result, block_height } = checked(`view ${method}`, viewAnswer, raw);
    let json: unknown;
    try {
      json = JSON.parse(Buffer.from(result).toString("utf8"));
    } catch (error) {
      throw new OperatingError("rpc_answer_malformed", { question: `view ${method}` }, error);
    }
    return { value: checked(`view ${method}`, schema, json), height: block_height };
  }
}

async function ask<T>(question: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isUnknownBlock(error)) throw error;
    throw new OperatingError("rpc_failed", { question }, error);
  }
}

function checked<S extends z.ZodType>(question: string, schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues[0];
  throw new OperatingError("rpc_answer_malformed", {
    question,
    problem: problem ? `${problem.path.join(".")}: ${problem.message}` : "unexpected shape",
  });
}

function toBlock(value: unknown): Block {
  const { header } = checked("block", blockAnswer, value);
  return { height: header.height, hash: header.hash, timestampNs: BigInt(header.timestamp_nanosec) };
}

/** nearcore's UNKNOWN_BLOCK and GARBAGE_COLLECTED_BLOCK, however the client library wraps them. */
function isUnknownBlock(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /unknown.?block|garbage.?collected/i.test(
    `${error.name} ${error.message} ${"type" in error ? error.type : ""}`,
  );
}
