/** Everybody in the contract's registry, as this node sees them: seats, connection, who is leaving. */
import { useState } from "preact/hooks";
import type { PeerJson, RegisteredNodeJson, StatusJson } from "../src/http/status.ts";
import { CopyButton } from "./copy-button.tsx";
import { counted, grouped } from "./wording.ts";

const ROWS_AT_FIRST = 12;

export function Nodes({ status }: { readonly status: StatusJson | undefined }) {
  const [all, setAll] = useState(false);
  const nodes = status?.worker.nodes ?? [];
  const shown = all ? nodes : nodes.slice(0, ROWS_AT_FIRST);
  const peers = new Map(status?.peers.map((peer) => [peer.public_key, peer]));
  return (
    <section id="nodes" class="panel" aria-labelledby="nodes-title">
      <div class="panel-head">
        <h2 id="nodes-title">Nodes</h2>
        {status && (
          <p class="muted">
            {counted(status.worker.nodes_total, "node")}, {counted(status.worker.seats_total, "seat")},{" "}
            {counted(status.peers_total, "peer")} connected
          </p>
        )}
      </div>
      {status && <OwnPlace status={status} />}
      {nodes.length > 0 && (
        <ul class="rows">
          {shown.map((node) => (
            <NodeRow key={node.account_id} node={node} peer={peers.get(node.public_key)} status={status!} />
          ))}
        </ul>
      )}
      {nodes.length > shown.length && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show all {grouped(nodes.length)}
        </button>
      )}
      {status && status.worker.nodes_total > nodes.length && all && (
        <p class="empty">The page lists the {grouped(nodes.length)} with the most seats.</p>
      )}
    </section>
  );
}

/** What stands between this node and taking part, where something does. */
function OwnPlace({ status }: { readonly status: StatusJson }) {
  const { worker, chain, info, peers_total: peersTotal } = status;
  if (!worker.registered) {
    return (
      <p class="notice">
        <bdi>{info.account_id}</bdi> is not registered in <bdi>{info.contract_id}</bdi>: it watches and keeps receipts,
        but is drawn for no request. Register it with a stake to take part.
      </p>
    );
  }
  const abstainBlocks = worker.abstain_until_height - chain.height;
  if (abstainBlocks > 0) {
    return (
      <p class="notice">
        This node's log was lost, so it signs nothing for another {counted(abstainBlocks, "block")}. Nothing needs
        doing.
      </p>
    );
  }
  if (peersTotal === 0 && worker.nodes_total > 1) {
    return <p class="notice">No peer is connected: check the bootstrap addresses and that their ports are open.</p>;
  }
  return null;
}

interface NodeRowProps {
  readonly node: RegisteredNodeJson;
  readonly peer: PeerJson | undefined;
  readonly status: StatusJson;
}

function NodeRow({ node, peer, status }: NodeRowProps) {
  const { info, worker } = status;
  const own = node.account_id === info.account_id;
  const share = worker.seats_total > 0 ? (node.seats / worker.seats_total) * 100 : 0;
  return (
    <li>
      <details>
        <summary class="node-row">
          <span class={`contact ${own || peer ? "good" : "quiet"}`}>
            <i class="dot" aria-hidden="true" />
            <span class="name foreign">{node.account_id}</span>
          </span>
          <span class="badges">
            {own && <span class="badge accent">this node</span>}
            {node.draining && <span class="badge warn">draining</span>}
          </span>
          <span class="seats">{counted(node.seats, "seat")}</span>
          <span class="muted link">{own ? "running this page" : connectionText(peer)}</span>
          <span class="share" aria-hidden="true">
            <i style={{ inlineSize: `${share}%` }} />
          </span>
        </summary>
        <dl class="pairs">
          <Pair name="Public key" value={node.public_key} />
          {(own || peer) && <Pair name="Peer id" value={own ? info.peer_id : peer!.peer_id} />}
          {(own ? info.addresses : (peer?.addresses ?? [])).map((address) => (
            <Pair key={address} name="Address" value={address} />
          ))}
        </dl>
      </details>
    </li>
  );
}

function Pair({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code class="foreign">{value}</code> <CopyButton text={value} what={name} />
      </dd>
    </div>
  );
}

function connectionText(peer: PeerJson | undefined): string {
  if (!peer) return "not connected";
  const trip = peer.round_trip_ms === null ? "" : `, ${Math.max(1, Math.round(peer.round_trip_ms))} ms`;
  return `connected ${peer.direction}${trip}${peer.in_gossip_mesh ? ", in the mesh" : ""}`;
}
