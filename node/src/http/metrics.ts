/** The node's figures in Prometheus' text format (version 0.0.4). */
import type { EventFeed } from "./event-feed.ts";
import type { NodeFacade } from "./facade.ts";

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly samples: readonly (readonly [labels: string, value: number])[];
}

export function metricsText(facade: NodeFacade, feed: EventFeed): string {
  const chain = facade.chain();
  const worker = facade.worker();
  const engine = facade.engine();
  const one = (value: number): Metric["samples"] => [["", value]];
  const metrics: Metric[] = [
    {
      name: "chain_connected",
      help: "1 while the chain answers.",
      type: "gauge",
      samples: one(chain.connected ? 1 : 0),
    },
    { name: "chain_height", help: "Last block seen.", type: "gauge", samples: one(chain.height) },
    {
      name: "worker_height",
      help: "Last block the worker machine handled.",
      type: "gauge",
      samples: one(worker.height),
    },
    {
      name: "open_requests",
      help: "Requests known here and not closed.",
      type: "gauge",
      samples: one(worker.requests.length),
    },
    {
      name: "registered_nodes",
      help: "Nodes in the contract's registry.",
      type: "gauge",
      samples: one(worker.nodes.length),
    },
    { name: "peers", help: "Peers with an open connection.", type: "gauge", samples: one(facade.peers().length) },
    {
      name: "event_listeners",
      help: "Listeners of the event stream.",
      type: "gauge",
      samples: one(feed.listenerCount),
    },
    {
      name: "receipts_total",
      help: "Receipts kept since the start.",
      type: "counter",
      samples: one(feed.receiptCount),
    },
    {
      name: "request_stages_total",
      help: "Steps of requests at this node since the start.",
      type: "counter",
      samples: [...feed.stageCounts].map(([stage, count]) => [`{stage="${stage}"}`, count]),
    },
    { name: "engine_runs_total", help: "Guests run to an outcome.", type: "counter", samples: one(engine.runs) },
    {
      name: "engine_faults_total",
      help: "Runs whose outcome this node could not tell.",
      type: "counter",
      samples: one(engine.faults),
    },
    {
      name: "engine_audits_total",
      help: "Runs that wasmtime did again, by what came of the comparison; none without an auditor.",
      type: "counter",
      samples: Object.entries(engine.audits ?? {}).map(([result, count]) => [`{result="${result}"}`, count]),
    },
    {
      name: "start_time_seconds",
      help: "When the node started, in Unix time.",
      type: "gauge",
      samples: one(facade.info().startedAtMs / 1_000),
    },
  ];
  return metrics.map(written).join("");
}

function written({ name, help, type, samples }: Metric): string {
  const full = `outlayer_${name}`;
  const lines = samples.map(([labels, value]) => `${full}${labels} ${value}`);
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines, ""].join("\n");
}
