/**
 * The NEAR node as this node sees it: a few questions over JSON-RPC through near-api-js, and every answer checked
 * for its shape before anything is done with it, since an endpoint is somebody else's program.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { StateChange } from "@outlayer/protocol/worker/state-changes";
import { FailoverRpcProvider, JsonRpcProvider } from "near-api-js";
import { z } from "zod";
import { OperatingError } from "../errors.ts";

const ANSWER_MS = 15_000;

const blockAnswer = z.object({
  header: z.object({
    height: z.number().int().nonnegative(),
    hash: z.string().min(1).max(64),
    prev_hash: z.string().min(1).max(64),
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
  readonly previousHash: string;
  readonly timestampNs: bigint;
}

export type Finality = "optimistic" | "final";

/** The newest block of a finality, or the block with a hash. */
type BlockReference = Finality | { readonly hash: string };

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

  /** @throws {OperatingError} `block_unknown` where the endpoint does not have it (yet, or any more) */
  async block(hash: string): Promise<Block> {
    const block = toBlock(await ask("block", () => this.provider.viewBlock({ blockId: hash })));
    if (block.hash !== hash)
      throw new OperatingError("rpc_answer_malformed", { question: `block ${hash}`, got: block.hash });
    return block;
  }

  /**
   * Changes of a contract's storage in one block, in the order in which they happened.
   * @throws {OperatingError} `block_unknown`, as for `block`
   */
  async stateChanges(contractId: string, hash: string): Promise<readonly StateChange[]> {
    const answer = await ask("EXPERIMENTAL_changes", () =>
      this.provider.contractStateChanges([contractId], { blockId: hash }, ""),
    );
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

  /** Calls a view method on the state after a block and parses its JSON with `schema`. */
  async view<S extends z.ZodType>(
    contractId: string,
    method: string,
    args: object,
    schema: S,
    at: BlockReference = "optimistic",
  ): Promise<{ value: z.infer<S>; height: number }> {
    const raw = await ask(`view ${method}`, () =>
      this.provider.query({
        request_type: "call_function",
        account_id: contractId,
        method_name: method,
        args_base64: Buffer.from(JSON.stringify(args)).toString("base64"),
        ...(typeof at === "string" ? { finality: at } : { block_id: at.hash }),
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
  const answered = new AbortController();
  try {
    return await Promise.race([call(), silence(answered.signal)]);
  } catch (error) {
    if (isUnknownBlock(error)) throw new OperatingError("block_unknown", { question }, error);
    throw new OperatingError("rpc_failed", { question }, error);
  } finally {
    answered.abort();
  }
}

/** An endpoint that neither answers nor refuses, or sends its answer byte by byte, has failed. */
async function silence(answered: AbortSignal): Promise<never> {
  await sleep(ANSWER_MS, undefined, { signal: answered });
  throw new Error(`no answer within ${ANSWER_MS} ms`);
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
  const { height, hash, prev_hash: previousHash, timestamp_nanosec } = header;
  return { height, hash, previousHash, timestampNs: BigInt(timestamp_nanosec) };
}

/** nearcore's UNKNOWN_BLOCK and GARBAGE_COLLECTED_BLOCK, however the client library wraps them. */
function isUnknownBlock(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /unknown.?block|garbage.?collected/i.test(
    `${error.name} ${error.message} ${"type" in error ? error.type : ""}`,
  );
}
