/**
 * What the local HTTP server may ask of the node: reading for everybody on this machine, and the few things that
 * change something behind the bearer token. `node/src/node.ts` implements it; the page in `node/web` sees it as JSON.
 */
import type { WorkerView } from "@outlayer/protocol/worker/view";
import type { AuditCounts } from "../engine/index.ts";
import type { PeerView } from "../p2p/index.ts";
import type { ReceiptJson } from "../worker/receipt-json.ts";
import type { Progress } from "../worker/worker-driver.ts";

export interface NodeInfo {
  readonly version: string;
  readonly accountId: string;
  readonly contractId: string;
  readonly chainId: string;
  /** `ed25519:<base58>` */
  readonly publicKey: string;
  readonly peerId: string;
  readonly addresses: readonly string[];
  readonly startedAtMs: number;
}

export interface NodeFacade {
  info(): NodeInfo;
  /** Whether the chain answers, and the last block that was seen. */
  chain(): { readonly connected: boolean; readonly height: number };
  worker(): WorkerView;
  peers(): readonly PeerView[];
  /** Newest first, at most `limit`, of requests below `beforeRequestId` where it is given. */
  receipts(limit: number, beforeRequestId?: number): Promise<readonly ReceiptJson[]>;
  receipt(requestId: number): Promise<ReceiptJson | undefined>;
  /** What the engine did since the start; without an auditor there are no audits. */
  engine(): { readonly runs: number; readonly faults: number; readonly audits: AuditCounts | undefined };
  /** The last few hundred steps of requests at this node, oldest first. */
  recentProgress(): readonly Progress[];
  /** Called for every later step; returns the function that ends it. */
  onProgress(listener: (progress: Progress) => void): () => void;
  /** Called for every kept receipt; returns the function that ends it. */
  onReceipt(listener: (receipt: ReceiptJson) => void): () => void;
  /** Keeps bytes, announces them to the network and returns their CID. */
  publishContent(bytes: Uint8Array): Promise<{ readonly cid: string; readonly sha256: string }>;
}
