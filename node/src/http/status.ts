/**
 * The node as JSON: what `/api/v1/status` answers and the page draws. Field names are those of the API (snake case),
 * keys are `ed25519:<base58>`, every list is bounded and tells its whole length beside it.
 */
import type { RequestView, WorkerView } from "@outlayer/protocol/worker/view";
import { publicKeyText } from "../keys/index.ts";
import type { PeerView } from "../p2p/index.ts";
import type { Progress } from "../worker/worker-driver.ts";
import type { NodeFacade, NodeInfo } from "./facade.ts";
import { MAX_STATUS_NODES, MAX_STATUS_PEERS, MAX_STATUS_REQUESTS } from "./limits.ts";

export interface InfoJson {
  readonly version: string;
  readonly account_id: string;
  readonly contract_id: string;
  readonly chain_id: string;
  readonly public_key: string;
  readonly peer_id: string;
  readonly addresses: readonly string[];
  readonly started_at_ms: number;
}

export interface RegisteredNodeJson {
  readonly account_id: string;
  readonly public_key: string;
  readonly seats: number;
  readonly draining: boolean;
}

export interface RequestJson {
  readonly request_id: number;
  readonly opened_height: number;
  readonly deadline_height: number;
  readonly holder: string | null;
  readonly lease_epoch: number | null;
  readonly lease_until_height: number | null;
  readonly work: RequestView["work"];
  readonly commitments: number;
  readonly attestations: number;
  readonly resolved: boolean;
}

export interface WorkerJson {
  readonly height: number;
  readonly account_id: string;
  readonly registered: boolean;
  readonly abstain_until_height: number;
  /** This node first, then by seats. */
  readonly nodes: readonly RegisteredNodeJson[];
  readonly nodes_total: number;
  readonly seats_total: number;
  /** Newest first. */
  readonly requests: readonly RequestJson[];
  readonly requests_total: number;
}

export interface PeerJson {
  readonly public_key: string;
  readonly peer_id: string;
  readonly addresses: readonly string[];
  readonly direction: "inbound" | "outbound";
  readonly connected_at_ms: number;
  readonly round_trip_ms: number | null;
  readonly gossip_score: number;
  readonly penalty_points: number;
  readonly in_gossip_mesh: boolean;
}

export interface StatusJson {
  /** The node's clock when the snapshot was taken. */
  readonly at_ms: number;
  readonly info: InfoJson;
  readonly chain: { readonly connected: boolean; readonly height: number };
  readonly worker: WorkerJson;
  readonly peers: readonly PeerJson[];
  readonly peers_total: number;
}

export interface ProgressJson {
  readonly request_id: number;
  readonly stage: Progress["stage"];
  readonly detail: string;
  readonly at_ms: number;
}

export function statusJson(facade: NodeFacade, nowMs: number): StatusJson {
  const peers = facade.peers();
  return {
    at_ms: nowMs,
    info: infoJson(facade.info()),
    chain: facade.chain(),
    worker: workerJson(facade.worker()),
    peers: peers.slice(0, MAX_STATUS_PEERS).map(peerJson),
    peers_total: peers.length,
  };
}

export function infoJson(info: NodeInfo): InfoJson {
  return {
    version: info.version,
    account_id: info.accountId,
    contract_id: info.contractId,
    chain_id: info.chainId,
    public_key: info.publicKey,
    peer_id: info.peerId,
    addresses: info.addresses,
    started_at_ms: info.startedAtMs,
  };
}

export function progressJson({ requestId, stage, detail, atMs }: Progress): ProgressJson {
  return { request_id: requestId, stage, detail, at_ms: atMs };
}

function workerJson(view: WorkerView): WorkerJson {
  const rank = (node: WorkerView["nodes"][number]) => (node.accountId === view.accountId ? Infinity : node.seats);
  const nodes = view.nodes.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
  const requests = view.requests.toSorted((a, b) => b.requestId - a.requestId);
  return {
    height: view.height,
    account_id: view.accountId,
    registered: view.registered,
    abstain_until_height: view.abstainUntilHeight,
    nodes: nodes.slice(0, MAX_STATUS_NODES).map((node) => ({
      account_id: node.accountId,
      public_key: publicKeyText(node.publicKey),
      seats: node.seats,
      draining: node.draining,
    })),
    nodes_total: nodes.length,
    seats_total: nodes.reduce((sum, node) => sum + node.seats, 0),
    requests: requests.slice(0, MAX_STATUS_REQUESTS).map(requestJson),
    requests_total: requests.length,
  };
}

function requestJson(view: RequestView): RequestJson {
  return {
    request_id: view.requestId,
    opened_height: view.openedHeight,
    deadline_height: view.deadlineHeight,
    holder: view.holder ?? null,
    lease_epoch: view.leaseEpoch ?? null,
    lease_until_height: view.leaseUntilHeight ?? null,
    work: view.work,
    commitments: view.commitments,
    attestations: view.attestations,
    resolved: view.resolved,
  };
}

function peerJson(peer: PeerView): PeerJson {
  return {
    public_key: publicKeyText(peer.publicKey),
    peer_id: peer.peerId,
    addresses: peer.addresses,
    direction: peer.direction,
    connected_at_ms: peer.connectedAtMs,
    round_trip_ms: peer.roundTripMs ?? null,
    gossip_score: peer.gossipScore,
    penalty_points: peer.penaltyPoints,
    in_gossip_mesh: peer.inGossipMesh,
  };
}
