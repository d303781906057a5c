/** What each example guest works on in one measured run: enough for the guest to matter, where it has something to do. */
import type { GuestName } from "../../../wasi-examples/build.ts";

const RECORDS = 1_500;

const document = JSON.stringify(
  Array.from({ length: RECORDS }, (_, id) => ({
    id,
    name: `record ${id}`,
    values: [id / 7, -id, id * 1e9],
    done: id % 2 === 0,
  })),
);

/** Standard input, and how many runs are measured together. */
export const GUEST_WORK: Readonly<Record<GuestName, { readonly input: string; readonly runs: number }>> = {
  "cpu-heavy": { input: "20000", runs: 1 },
  "json-transform": { input: document, runs: 1 },
  echo: { input: "All that comes in goes out again. ".repeat(5_000), runs: 20 },
  "random-ark": { input: '{"min":1,"max":100}', runs: 100 },
  failing: { input: "exit 3", runs: 100 },
};

/** Limits that none of these runs reaches. */
export const GUEST_LIMITS = { maxFuel: 10n ** 12n, maxMemoryPages: 1_024, maxOutputBytes: 262_144 } as const;
