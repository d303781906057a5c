/** Which node of which network this is, and whether it hears the chain. */
import type { StatusJson } from "../src/http/status.ts";
import type { Connection } from "./page-state.ts";
import { duration, grouped } from "./wording.ts";

interface MastheadProps {
  readonly status: StatusJson | undefined;
  readonly connection: Connection;
}

export function Masthead({ status, connection }: MastheadProps) {
  const height = status?.chain.height;
  return (
    <header class="masthead">
      <div class="brand">
        <img src="/icon.svg" alt="" width="40" height="40" />
        <div>
          <h1>OutLayer node</h1>
          <p class="foreign">{status?.info.account_id ?? "connecting…"}</p>
        </div>
      </div>
      <dl class="facts">
        <Fact name="Network" value={status?.info.chain_id} />
        <Fact name="Contract" value={status?.info.contract_id} />
        <Fact name="Running for" value={status && duration(status.at_ms - status.info.started_at_ms)} />
        <div>
          <dt>Chain</dt>
          <dd>
            <ChainContact status={status} connection={connection} />
          </dd>
        </div>
      </dl>
      <p class="height">
        <span>Block</span>
        {/* A new key starts the animation anew: the height ticks. */}
        <strong key={height} class="tick">
          {height === undefined ? "–" : grouped(height)}
        </strong>
      </p>
    </header>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="foreign">{value ?? "–"}</dd>
    </div>
  );
}

function ChainContact({ status, connection }: MastheadProps) {
  if (!status || connection !== "live") return <Contact tone="quiet" text="unknown" />;
  return status.chain.connected ? <Contact tone="good" text="in contact" /> : <Contact tone="bad" text="no answer" />;
}

function Contact({ tone, text }: { readonly tone: "good" | "bad" | "quiet"; readonly text: string }) {
  return (
    <span class={`contact ${tone}`}>
      <i class="dot" aria-hidden="true" />
      {text}
    </span>
  );
}
