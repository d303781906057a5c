/** A block that is not there, as each family of nearcore's methods says it (jsonrpc-primitives, types/). */
import type { DevChain } from "../chain/devchain.ts";
import { type BlockReference, DevChainError } from "../chain/devchain-types.ts";
import type { Block } from "../chain/types.ts";
import { handlerError, type RpcError } from "./rpc-error.ts";

/** `block`: also of chunks and gas prices. */
export type UnknownBlockStyle = "block" | "query" | "changes" | "config";

export function unknownBlock(reference: unknown, style: UnknownBlockStyle): RpcError {
  const isHeight = typeof reference === "number";
  const stored = `${isHeight ? "BLOCK HEIGHT" : "BLOCK"}: ${String(reference)}`;
  switch (style) {
    case "block":
      return handlerError("UNKNOWN_BLOCK", {}, `DB Not Found Error: ${stored} \n Cause: Unknown`);
    case "query":
      return handlerError(
        "UNKNOWN_BLOCK",
        { block_reference: { block_id: reference } },
        "Block either has never been observed on the node or has been garbage collected: " +
          `BlockId(${isHeight ? "Height" : "Hash"}(${String(reference)}))`,
      );
    case "changes":
      return handlerError("UNKNOWN_BLOCK", {}, { info: {}, name: "UNKNOWN_BLOCK" });
    case "config":
      return handlerError("UNKNOWN_BLOCK", {}, `Block Not Found: ${stored}`);
  }
}

/** @throws RpcError `UNKNOWN_BLOCK` */
export function requireBlock(chain: DevChain, reference: BlockReference, style: UnknownBlockStyle = "block"): Block {
  try {
    return chain.block(reference);
  } catch (error) {
    if (!(error instanceof DevChainError) || error.code !== "UNKNOWN_BLOCK") throw error;
    throw unknownBlock(reference, style);
  }
}
