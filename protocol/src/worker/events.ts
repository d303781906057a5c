/**
 * What a driver tells the worker machine, and what the machine asks of it.
 */
import type { ExecutionOutcome } from "../execution/index.ts";
import type { Rejection } from "../reject.ts";
import type { JobDescription } from "../replay/response.ts";
import type { PeerMessage, Verified } from "../wire/messages.ts";
import type {
  GuestResponse,
  LeaseRecord,
  NodeRecord,
  OutcomeRecord,
  ProposalRecord,
  Receipt,
  RequestRecord,
} from "../wire/records.ts";

/** A record of the machine's log; without a value it is deleted. */
export interface LogRecord {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** The request that something is done for. */
export interface WorkSubject {
  readonly requestId: number;
  readonly requestDigest: Uint8Array;
}

/** An open request with what stands beside it on the chain. */
export interface RequestOnChain {
  readonly record: RequestRecord;
  readonly lease: LeaseRecord | undefined;
  readonly outcome: OutcomeRecord | undefined;
  readonly proposal: ProposalRecord | undefined;
  readonly objected: boolean;
}

export type WorkerEvent =
  /** Always the first event: everything that was persisted and not deleted. */
  | { readonly kind: "restored"; readonly records: readonly LogRecord[] }
  /** A block was seen, after all its changes. Heights never fall. */
  | { readonly kind: "blockObserved"; readonly height: number }
  | { readonly kind: "nodeChanged"; readonly node: NodeRecord }
  | { readonly kind: "requestOpened"; readonly record: RequestRecord }
  | { readonly kind: "leaseChanged"; readonly requestId: number; readonly lease: LeaseRecord }
  | { readonly kind: "outcomeStored"; readonly requestId: number; readonly outcome: OutcomeRecord }
  /** An answer began to wait for objections or, without a proposal, waits no more. */
  | { readonly kind: "proposalChanged"; readonly requestId: number; readonly proposal: ProposalRecord | undefined }
  | { readonly kind: "objectionStored"; readonly requestId: number }
  | { readonly kind: "requestClosed"; readonly requestId: number }
  /**
   * All that the contract holds at one block: after a start, after a gap, and where blocks that were seen gave way to
   * others. Whatever is known here and not in it has ended, or never was.
   */
  | {
      readonly kind: "contractRead";
      readonly height: number;
      readonly nodes: readonly NodeRecord[];
      readonly requests: readonly RequestOnChain[];
    }
  | { readonly kind: "messageReceived"; readonly from: Verified<PeerMessage> }
  | { readonly kind: "timerFired"; readonly timer: string }
  /** What comes of work names the digest of the request that it was done for: its number can be another's by then. */
  | ({ readonly kind: "codeFetched" } & WorkSubject)
  | ({ readonly kind: "codeUnavailable" } & WorkSubject)
  | ({ readonly kind: "executed"; readonly outcome: ExecutionOutcome } & WorkSubject)
  /** The node could not run the guest: never a result, only a reason to abstain. */
  | ({ readonly kind: "executionFaulted"; readonly reason: string } & WorkSubject)
  | {
      readonly kind: "signed";
      readonly requestId: number;
      readonly leaseEpoch: number;
      readonly signature: Uint8Array;
    };

export interface SignedResult {
  readonly accountId: string;
  readonly seat: number;
  readonly signature: Uint8Array;
}

interface Answer {
  readonly requestId: number;
  readonly leaseEpoch: number;
  readonly codeHash: Uint8Array;
  readonly tapeHash: Uint8Array;
  readonly response: GuestResponse;
  readonly attestations: readonly SignedResult[];
}

export type Submission =
  | { readonly purpose: "claim"; readonly requestId: number; readonly leaseEpoch: number; readonly seat: number }
  | ({ readonly purpose: "resolve" } & Answer)
  /** For short runs: claims the lease with `seat` and answers in the same transaction. */
  | ({ readonly purpose: "claimAndResolve"; readonly seat: number } & Answer)
  /** With the network's bond attached: the answer that waits is not what this node found. */
  | { readonly purpose: "object"; readonly requestId: number; readonly seat: number }
  /** Makes an answer final that waited for objections. */
  | { readonly purpose: "finalize"; readonly requestId: number };

/** Where a request stands at this node, in the order of its life; told to people, never decided upon. */
export type Stage =
  | "seen"
  | "intent"
  | "claimSent"
  | "leased"
  | "fetching"
  | "fetched"
  | "running"
  | "ran"
  | "committed"
  | "revealed"
  | "attested"
  | "disagreement"
  | "resolveSent"
  | "proposed"
  | "objectionSent"
  | "objected"
  | "finalizeSent"
  | "resolved"
  | "closed"
  | "abandoned";

export type WorkerEffect =
  | { readonly kind: "persist"; readonly records: readonly LogRecord[] }
  | { readonly kind: "publish"; readonly message: PeerMessage }
  | { readonly kind: "send"; readonly to: Uint8Array; readonly message: PeerMessage }
  | { readonly kind: "setTimer"; readonly timer: string; readonly delayMs: number }
  | ({ readonly kind: "fetchCode"; readonly codeHash: Uint8Array } & WorkSubject)
  | ({
      readonly kind: "execute";
      readonly codeHash: Uint8Array;
      readonly compileOnly: boolean;
      readonly job: JobDescription;
    } & WorkSubject)
  | { readonly kind: "sign"; readonly requestId: number; readonly leaseEpoch: number; readonly digest: Uint8Array }
  | { readonly kind: "submit"; readonly submission: Submission }
  /** Refuse the message that this step was about, and charge its sender by the code's severity. */
  | { readonly kind: "reject"; readonly publicKey: Uint8Array; readonly rejection: Rejection }
  | { readonly kind: "progress"; readonly requestId: number; readonly stage: Stage; readonly detail: string }
  /** The request was resolved: all that anybody needs to check it later. */
  | { readonly kind: "keepReceipt"; readonly receipt: Receipt };
