/**
 * What a guest does in the simulator: a function of everything a real run depends on, so that any node that ran it
 * with something else would disagree. Engines are tested elsewhere; here only agreement is at stake.
 */
import { createHash } from "node:crypto";
import type { ExecutionOutcome } from "@outlayer/protocol/execution/index";
import type { JobDescription } from "@outlayer/protocol/replay/response";

const FUEL = 1_000n;

export function guestOutcome(codeHash: Uint8Array, job: JobDescription): ExecutionOutcome {
  const digest = createHash("sha256").update(codeHash).update(job.input).update(job.seed);
  for (const [name, value] of job.environ) digest.update(`${name}=${value}\n`);
  return printed(digest.update(String(job.blockTimeNs)).digest());
}

/** What nodes answer that agreed on a lie: they need not run anything for it. */
export function inventedOutcome({ seed }: JobDescription): ExecutionOutcome {
  return printed(createHash("sha256").update("invented").update(seed).digest());
}

function printed(answer: Buffer): ExecutionOutcome {
  return {
    kind: "exited",
    exitCode: 0,
    stdout: new TextEncoder().encode(answer.toString("hex")),
    stderr: new Uint8Array(),
    fuel: FUEL,
    memoryPages: 1,
    memoryDigest: new Uint8Array(answer),
  };
}
