/** Requests under way, each as a track of the steps of its life. */
import type { RequestJson, StatusJson } from "../src/http/status.ts";
import { type Journey, type Step, type StepState, track } from "./journey.ts";
import { type PageState, type RequestRow, requestRows } from "./page-state.ts";
import { counted, elapsed, grouped } from "./wording.ts";

const MAX_ROWS = 30;

const STATE_WORDS: Readonly<Record<StepState, string>> = {
  done: "done",
  active: "going on",
  passed: "not at this node",
  ahead: "not yet",
};

export function Requests({ state }: { readonly state: PageState }) {
  const rows = requestRows(state);
  const open = rows.filter(({ ended }) => !ended).length;
  const { status } = state;
  const total = Math.max(open, (status?.worker.requests_total ?? 0) - (status?.worker.requests.length ?? 0) + open);
  return (
    <section id="requests" class="panel" aria-labelledby="requests-title" tabIndex={-1}>
      <div class="panel-head">
        <h2 id="requests-title">Requests under way</h2>
        {total > 0 && <p class="muted">{counted(total, "request")}</p>}
      </div>
      {rows.length === 0 && <NothingUnderWay status={status} />}
      <ul class="rows">
        {rows.slice(0, MAX_ROWS).map((row) => (
          <RequestItem key={row.requestId} row={row} status={status} />
        ))}
      </ul>
      {total > MAX_ROWS && <p class="empty">The newest {MAX_ROWS} are drawn.</p>}
    </section>
  );
}

function NothingUnderWay({ status }: { readonly status: StatusJson | undefined }) {
  if (!status) return <p class="empty">Waiting for the node's first word.</p>;
  return (
    <p class="empty">
      No request is open. Have a contract call <code>request_execution</code> on{" "}
      <code class="foreign">{status.info.contract_id}</code> and watch it here, block by block.
    </p>
  );
}

function RequestItem({ row, status }: { readonly row: RequestRow; readonly status: StatusJson | undefined }) {
  const { requestId, request, journey, ended } = row;
  const steps = track(journey, request);
  const trouble = journey?.reached.get("disagreement") ?? journey?.reached.get("abandoned");
  return (
    <li class={`request${ended ? " ended" : ""}${trouble && !ended ? " troubled" : ""}`}>
      <div class="request-head">
        <h3>Request {requestId}</h3>
        <Holder request={request} journey={journey} self={status?.info.account_id} ended={ended} />
      </div>
      <Track steps={steps} requestId={requestId} />
      {trouble && !ended && <p class="trouble foreign">{trouble.detail}</p>}
      {request && status && !ended && <Counts request={request} height={status.chain.height} />}
    </li>
  );
}

interface HolderProps {
  readonly request: RequestJson | undefined;
  readonly journey: Journey | undefined;
  readonly self: string | undefined;
  readonly ended: boolean;
}

function Holder({ request, journey, self, ended }: HolderProps) {
  if (ended) return <p class="muted foreign">{outcomeText(journey)}</p>;
  if (request?.holder == null) return <p class="muted">nobody holds the lease yet</p>;
  return (
    <p class="muted">
      held by <strong class="foreign">{request.holder === self ? "this node" : request.holder}</strong>, lease epoch{" "}
      {request.lease_epoch}
    </p>
  );
}

function outcomeText(journey: Journey | undefined): string {
  const resolved = journey?.reached.get("resolved");
  if (!resolved) return journey?.reached.get("closed")?.detail ?? "closed";
  return resolved.detail === "success" ? "resolved" : `failed: ${resolved.detail}`;
}

function Track({ steps, requestId }: { readonly steps: readonly Step[]; readonly requestId: number }) {
  const current = steps.findLast(({ state }) => state === "active" || state === "done");
  return (
    <ol class="track" aria-label={`Steps of request ${requestId}`}>
      {steps.map((step) => (
        <li key={step.name} class={`step ${step.state}${step === current ? " current" : ""}`}>
          <i class="bead" aria-hidden="true" />
          <span class="step-name">
            {step.word}
            <span class="hidden">, {STATE_WORDS[step.state]}</span>
          </span>
          <span class="step-time">{step.afterMs === undefined ? "" : elapsed(step.afterMs)}</span>
        </li>
      ))}
    </ol>
  );
}

function Counts({ request, height }: { readonly request: RequestJson; readonly height: number }) {
  const dueBlocks = Math.max(0, request.deadline_height - height);
  const leaseBlocks = request.lease_until_height === null ? null : Math.max(0, request.lease_until_height - height);
  const wholeBlocks = Math.max(1, request.deadline_height - request.opened_height);
  return (
    <div class="counts">
      <p class="muted">
        {leaseBlocks !== null && <span>lease ends in {counted(leaseBlocks, "block")}</span>}
        <span>{counted(request.commitments, "commitment")}</span>
        <span>{counted(request.attestations, "attestation")}</span>
        <span class="due">
          due by block {grouped(request.deadline_height)}, {grouped(dueBlocks)} left
        </span>
      </p>
      <span class="share" aria-hidden="true">
        <i style={{ inlineSize: `${Math.min(100, (dueBlocks / wholeBlocks) * 100)}%` }} />
      </span>
    </div>
  );
}
