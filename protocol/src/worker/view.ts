/** What a worker machine shows of itself. */
import { leaseInForce, type OpenRequest } from "./request.ts";

export interface RequestView {
  readonly requestId: number;
  readonly openedHeight: number;
  readonly deadlineHeight: number;
  readonly holder: string | undefined;
  readonly leaseEpoch: number | undefined;
  readonly leaseUntilHeight: number | undefined;
  readonly work: OpenRequest["work"]["kind"];
  readonly commitments: number;
  readonly attestations: number;
  readonly resolved: boolean;
}

export interface WorkerView {
  readonly height: number;
  readonly accountId: string;
  readonly registered: boolean;
  readonly abstainUntilHeight: number;
  readonly nodes: readonly { accountId: string; publicKey: Uint8Array; seats: number; draining: boolean }[];
  readonly requests: readonly RequestView[];
}

export function viewOf(open: OpenRequest): RequestView {
  return {
    requestId: open.record.requestId,
    openedHeight: open.record.height,
    deadlineHeight: open.record.deadlineHeight,
    holder: leaseInForce(open)?.holder,
    leaseEpoch: leaseInForce(open)?.leaseEpoch,
    leaseUntilHeight: leaseInForce(open)?.untilHeight,
    work: open.work.kind,
    commitments: open.exchange.commitments.size,
    attestations: open.exchange.attestations.size,
    resolved: open.outcome !== undefined,
  };
}
