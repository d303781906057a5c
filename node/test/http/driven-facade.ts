/** A node's facade whose facts the test sets: the boundary that the HTTP server sees of a node. */
import { createHash } from "node:crypto";
import type { Stage } from "@outlayer/protocol/worker/events";
import type { RequestView, WorkerView } from "@outlayer/protocol/worker/view";
import type { NodeFacade } from "../../src/http/facade.ts";
import type { PeerView } from "../../src/p2p/index.ts";
import type { ReceiptJson } from "../../src/worker/receipt-json.ts";
import type { Progress } from "../../src/worker/worker-driver.ts";

export const OWN_KEY = new Uint8Array(32).fill(1);
export const PEER_KEY = new Uint8Array(32).fill(2);
export const STRANGER_KEY = new Uint8Array(32).fill(3);

export class DrivenFacade implements NodeFacade {
  connected = true;
  height = 1_204;
  nodes: WorkerView["nodes"] = [
    { accountId: "bob.test", publicKey: PEER_KEY, seats: 4, draining: false },
    { accountId: "alice.test", publicKey: OWN_KEY, seats: 2, draining: false },
    { accountId: "carol.test", publicKey: STRANGER_KEY, seats: 1, draining: true },
  ];
  requests: RequestView[] = [];
  kept: ReceiptJson[] = [];
  published: Uint8Array[] = [];
  publishError: Error | undefined;
  readonly #past: Progress[] = [];
  readonly #progressListeners = new Set<(progress: Progress) => void>();
  readonly #receiptListeners = new Set<(receipt: ReceiptJson) => void>();
  readonly #startedAtMs = Date.now() - 3 * 3_600_000;

  get subscriptions(): number {
    return this.#progressListeners.size + this.#receiptListeners.size;
  }

  info() {
    return {
      version: "0.1.0",
      accountId: "alice.test",
      contractId: "outlayer.test",
      chainId: "testnet",
      publicKey: "ed25519:4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi",
      peerId: "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5",
      addresses: ["/ip4/127.0.0.1/tcp/7100"],
      startedAtMs: this.#startedAtMs,
    };
  }

  chain() {
    return { connected: this.connected, height: this.height };
  }

  worker(): WorkerView {
    const { height, nodes, requests } = this;
    return { height, accountId: "alice.test", registered: true, abstainUntilHeight: 0, nodes, requests };
  }

  peers(): readonly PeerView[] {
    return [
      {
        publicKey: PEER_KEY,
        peerId: "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X",
        addresses: ["/ip4/127.0.0.1/tcp/7101"],
        direction: "outbound",
        connectedAtMs: Date.now() - 60_000,
        roundTripMs: 12.4,
        gossipScore: 3,
        penaltyPoints: 0,
        inGossipMesh: true,
      },
    ];
  }

  async receipts(limit: number, beforeRequestId = Number.POSITIVE_INFINITY): Promise<readonly ReceiptJson[]> {
    const below = this.kept.filter(({ request_id }) => request_id < beforeRequestId);
    return below.sort((a, b) => b.request_id - a.request_id).slice(0, limit);
  }

  async receipt(requestId: number): Promise<ReceiptJson | undefined> {
    return this.kept.find(({ request_id }) => request_id === requestId);
  }

  engine(): ReturnType<NodeFacade["engine"]> {
    return { runs: 7, faults: 1, audits: { equal: 3, different: 1, failed: 0 } };
  }

  recentProgress(): readonly Progress[] {
    return this.#past;
  }

  onProgress(listener: (progress: Progress) => void): () => void {
    this.#progressListeners.add(listener);
    return () => this.#progressListeners.delete(listener);
  }

  onReceipt(listener: (receipt: ReceiptJson) => void): () => void {
    this.#receiptListeners.add(listener);
    return () => this.#receiptListeners.delete(listener);
  }

  async publishContent(bytes: Uint8Array) {
    if (this.publishError) throw this.publishError;
    this.published.push(bytes);
    return { cid: "bafkreitest", sha256: createHash("sha256").update(bytes).digest("hex") };
  }

  tell(requestId: number, stage: Stage, detail = "", atMs = Date.now()): void {
    const progress = { requestId, stage, detail, atMs };
    this.#past.push(progress);
    for (const listener of this.#progressListeners) listener(progress);
  }

  keep(receipt: ReceiptJson): void {
    this.kept.push(receipt);
    for (const listener of this.#receiptListeners) listener(receipt);
  }
}

export function openRequest(requestId: number, changes: Partial<RequestView> = {}): RequestView {
  return {
    requestId,
    openedHeight: 1_200,
    deadlineHeight: 1_390,
    holder: undefined,
    leaseEpoch: undefined,
    leaseUntilHeight: undefined,
    work: "idle",
    commitments: 0,
    attestations: 0,
    resolved: false,
    ...changes,
  };
}

export function keptReceipt(requestId: number, changes: Partial<ReceiptJson> = {}): ReceiptJson {
  return {
    request_id: requestId,
    status: "resolved",
    output: { answer: 42 },
    error: null,
    fuel: "1234567",
    code_cid: "bafkreib2mnnfvnyuwvpxnuamxxkmqhf3hbwyn6mq2w4xk2ayhnxgvwvpby",
    input_hash: "00".repeat(32),
    output_hash: "11".repeat(32),
    holder: "bob.test",
    lease_epoch: 0,
    attestations: [
      { node: "alice.test", signature: "c2ln" },
      { node: "bob.test", signature: "c2ln" },
    ],
    blocks: { requested: 1_200, leased: 1_201, resolved: 1_203 },
    charged_yocto: "1250000000000000000000",
    transactions: ["9vK3cWZyQ4tqCw1dAJw3TK4mC1tXqjSCrQWcVvZBjXnS"],
    ...changes,
  };
}
