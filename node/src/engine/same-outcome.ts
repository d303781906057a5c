/** Whether two runs of a job came to the same in every respect, text included. */
import type { ExecutionOutcome } from "@outlayer/protocol/execution/index";

export function sameOutcome(left: ExecutionOutcome, right: ExecutionOutcome): boolean {
  return canonical(left) === canonical(right);
}

/** Fields in the order of their names, bytes as hexadecimal digits. */
function canonical(outcome: ExecutionOutcome): string {
  const fields = Object.entries(outcome).map(([name, value]) => {
    return `${name}=${value instanceof Uint8Array ? Buffer.from(value).toString("hex") : JSON.stringify(String(value))}`;
  });
  return fields.sort().join(" ");
}
