/**
 * What each guest does with each input, exactly: read from <guest>/expected.json. Cases run with the seed
 * sha256("outlayer examples"), no environment and the default limits below unless the case says otherwise.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GuestName } from "./build.ts";

export interface ExpectedCase {
  readonly name: string;
  /** Standard input as UTF-8. */
  readonly input: string;
  readonly limits?: { readonly maxFuel?: number; readonly maxMemoryPages?: number; readonly maxOutputBytes?: number };
  /** Exit code, or the kind of trap. */
  readonly ends: number | "outOfFuel" | "stackExhausted" | "outputLimit" | "trap";
  /** Standard output as UTF-8; left out where only the end matters. */
  readonly stdout?: string;
  readonly stderr?: string;
  /** Exact fuel under cost version 1. */
  readonly fuel: number;
}

export const EXAMPLE_SEED = new Uint8Array(createHash("sha256").update("outlayer examples").digest());
export const EXAMPLE_LIMITS = { maxFuel: 10_000_000, maxMemoryPages: 1024, maxOutputBytes: 65_536 };

export function expectedCases(guest: GuestName): readonly ExpectedCase[] {
  const path = join(dirname(fileURLToPath(import.meta.url)), guest, "expected.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { cases: ExpectedCase[] }).cases;
}
