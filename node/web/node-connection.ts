/**
 * The page's line to its node: the event stream, gathered into batches so that a burst is drawn once, and the
 * receipts that were kept before the page was opened. The browser itself reconnects and names the last event it saw.
 */
import type { ErrorJson } from "../src/http/api-error.ts";
import type { ProgressJson, StatusJson } from "../src/http/status.ts";
import type { ReceiptJson } from "../src/worker/receipt-json.ts";
import type { PageMessage } from "./page-state.ts";

const BATCH_MS = 40;
/** The node sends a snapshot a second; a stream that is silent for so long is lost, whatever the socket says. */
const SILENCE_MS = 5_000;
/** After the browser has given up on a stream, as it does when the answer was not one. */
const REOPEN_MS = 2_000;
const RECEIPTS_PER_PAGE = 25;

type Tell = (messages: readonly PageMessage[]) => void;

/** Listens until the returned function is called. */
export function connectToNode(tell: Tell): () => void {
  let batch: PageMessage[] = [];
  let batchTimer: number | undefined;
  let silenceTimer: number | undefined;
  let reopenTimer: number | undefined;
  let source: EventSource;

  const say = (message: PageMessage) => {
    batch.push(message);
    batchTimer ??= window.setTimeout(() => {
      batchTimer = undefined;
      tell(batch.splice(0));
    }, BATCH_MS);
  };
  const lost = () => {
    say({ kind: "connection", connection: "lost" });
    source.close();
    window.clearTimeout(silenceTimer);
    window.clearTimeout(reopenTimer);
    reopenTimer = window.setTimeout(open, REOPEN_MS);
  };
  const alive = () => {
    window.clearTimeout(silenceTimer);
    silenceTimer = window.setTimeout(lost, SILENCE_MS);
  };
  const open = () => {
    source = new EventSource("/api/v1/events");
    source.onopen = () => {
      alive();
      say({ kind: "connection", connection: "live" });
      void readReceipts((messages) => messages.forEach(say));
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) lost();
      else say({ kind: "connection", connection: "lost" });
    };
    source.addEventListener("status", ({ data }) => {
      alive();
      say({ kind: "status", status: JSON.parse(data) as StatusJson });
    });
    source.addEventListener("progress", ({ data, lastEventId }) => {
      say({ kind: "progress", line: { ...(JSON.parse(data) as ProgressJson), eventId: lastEventId } });
    });
    source.addEventListener("receipt", ({ data }) => {
      say({ kind: "receipt", receipt: JSON.parse(data) as ReceiptJson });
    });
  };
  open();
  return () => {
    source.close();
    for (const timer of [batchTimer, silenceTimer, reopenTimer]) window.clearTimeout(timer);
    batch = [];
  };
}

/** The newest receipts, or those older than `before`. */
export async function readReceipts(tell: Tell, before?: number): Promise<void> {
  const older = before === undefined ? "" : `&before=${before}`;
  try {
    const answer = await fetch(`/api/v1/receipts?limit=${RECEIPTS_PER_PAGE}${older}`);
    const body = (await answer.json()) as { receipts: ReceiptJson[] } | ErrorJson;
    if ("error" in body) return tell([{ kind: "receiptsProblem", problem: body.error.message }]);
    const { receipts } = body;
    tell([{ kind: "receiptsRead", receipts, reachesEnd: receipts.length < RECEIPTS_PER_PAGE }]);
  } catch (error) {
    tell([{ kind: "receiptsProblem", problem: error instanceof Error ? error.message : String(error) }]);
  }
}
