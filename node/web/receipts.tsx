/** Receipts of resolved requests, newest first; each opens to everything that was kept. */
import { useState } from "preact/hooks";
import type { ReceiptJson } from "../src/worker/receipt-json.ts";
import { CopyButton } from "./copy-button.tsx";
import { readReceipts } from "./node-connection.ts";
import type { PageMessage, PageState } from "./page-state.ts";
import { counted, grouped, near, preview } from "./wording.ts";

/** More text than this makes a browser slow; the copy button always gives the whole. */
const MAX_SHOWN_CHARACTERS = 50_000;

interface ReceiptsProps {
  readonly state: PageState;
  readonly tell: (messages: readonly PageMessage[]) => void;
}

export function Receipts({ state, tell }: ReceiptsProps) {
  const [reading, setReading] = useState(false);
  const receipts = [...state.receipts.values()];
  const readOlder = async () => {
    setReading(true);
    await readReceipts(tell, receipts.at(-1)?.request_id);
    setReading(false);
  };
  return (
    <section id="receipts" class="panel" aria-labelledby="receipts-title">
      <div class="panel-head">
        <h2 id="receipts-title">Receipts</h2>
        {receipts.length > 0 && <p class="muted">newest first</p>}
      </div>
      {state.receiptsProblem && (
        <p class="notice">
          Receipts could not be read: <span class="foreign">{state.receiptsProblem}</span>
        </p>
      )}
      {receipts.length === 0 && (
        <p class="empty">
          {state.receiptsRead
            ? "None yet. The node keeps one for every request that it sees resolved: the output, who ran it and who vouched for it."
            : "Waiting for the node's first word."}
        </p>
      )}
      <ul class="rows">
        {receipts.map((receipt) => (
          <ReceiptItem key={receipt.request_id} receipt={receipt} />
        ))}
      </ul>
      {(state.hasOlderReceipts || state.receiptsProblem) && (
        <button type="button" class="more" disabled={reading} onClick={readOlder}>
          {reading ? "Reading…" : state.receiptsProblem ? "Try again" : "Show older"}
        </button>
      )}
    </section>
  );
}

function ReceiptItem({ receipt }: { readonly receipt: ReceiptJson }) {
  const [open, setOpen] = useState(false);
  const resolved = receipt.status === "resolved";
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary class="receipt-row">
          <span class="receipt-id">{receipt.request_id}</span>
          <span class={`badge ${resolved ? "accent" : "bad"}`}>{receipt.status}</span>
          <span class="output foreign">{resolved ? preview(receipt.output) : receipt.error}</span>
          <span class="muted by">
            <span class="foreign">{receipt.holder}</span>, {counted(receipt.attestations.length, "attestation")}
          </span>
          <span class="fuel">{grouped(receipt.fuel)} fuel</span>
        </summary>
        {open && <ReceiptDetail receipt={receipt} />}
      </details>
    </li>
  );
}

function ReceiptDetail({ receipt }: { readonly receipt: ReceiptJson }) {
  const { blocks } = receipt;
  const json = JSON.stringify(receipt, null, 2);
  const cut = json.length > MAX_SHOWN_CHARACTERS;
  return (
    <div class="receipt-detail">
      <dl class="pairs">
        <Pair name="Holder" value={`${receipt.holder}, lease epoch ${receipt.lease_epoch}`} />
        <Pair name="Attested by" value={receipt.attestations.map(({ node }) => node).join(", ") || "nobody"} />
        <Pair
          name="Blocks"
          value={`requested ${grouped(blocks.requested)}, leased ${grouped(blocks.leased)}, resolved ${grouped(blocks.resolved)}`}
        />
        <Pair name="Charged" value={near(receipt.charged_yocto)} />
        <Pair name="Code" value={receipt.code_cid ?? "none: the request ended before its code was known"} />
      </dl>
      <div class="json">
        <div class="json-head">
          <span class="muted">
            {cut ? `The first ${grouped(MAX_SHOWN_CHARACTERS)} characters` : "The whole receipt"}
          </span>
          <CopyButton text={json} what={`receipt ${receipt.request_id}`} />
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <section class="json-text" tabIndex={0} aria-label={`Receipt ${receipt.request_id} as JSON`}>
          <pre class="foreign">{cut ? json.slice(0, MAX_SHOWN_CHARACTERS) : json}</pre>
        </section>
      </div>
    </div>
  );
}

function Pair({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="foreign">{value}</dd>
    </div>
  );
}
