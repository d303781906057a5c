/** Stores in directories of their own for the tests of this folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isOperatingError, type OperatingErrorCode } from "../../src/errors.ts";
import { createLogger } from "../../src/logger.ts";
import { NodeStore } from "../../src/store/index.ts";

const directories: string[] = [];

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "outlayer-store-"));
  directories.push(directory);
  return directory;
}

export function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export function openStore(directory: string, contentCapacityBytes = 1_000_000): Promise<NodeStore> {
  return NodeStore.open({ directory, contentCapacityBytes, logger: createLogger({ level: "silent" }) });
}

/** The code with which the work fails; undefined when it does not. */
export async function failure(work: () => Promise<unknown>): Promise<OperatingErrorCode | undefined> {
  try {
    await work();
  } catch (error) {
    if (isOperatingError(error)) return error.code;
    throw error;
  }
  return undefined;
}

export const bytes = (content: string): Uint8Array => new Uint8Array(Buffer.from(content));
export const text = (content: Uint8Array | undefined): string | undefined => content && Buffer.from(content).toString();
