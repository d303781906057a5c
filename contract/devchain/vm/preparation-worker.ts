/** A thread that instruments and compiles contracts, so that the thread that makes blocks need not wait for it. */
import { parentPort } from "node:worker_threads";
import { type PreparedContract, prepareContract } from "./module-cache.ts";

export interface PreparationJob {
  readonly codeHash: Uint8Array;
  readonly code: Uint8Array<ArrayBuffer>;
}

export interface PreparationResult {
  readonly codeHash: Uint8Array;
  readonly prepared: PreparedContract;
}

parentPort?.on("message", ({ codeHash, code }: PreparationJob) => {
  const result: PreparationResult = { codeHash, prepared: prepareContract(code) };
  parentPort?.postMessage(result);
});
