/** What the page knows, and how each message changes it. Pure, so that it can be tested without a browser. */
import type { ProgressJson, RequestJson, StatusJson } from "../src/http/status.ts";
import type { ReceiptJson } from "../src/worker/receipt-json.ts";
import { advance, endedAtMs, type Journey } from "./journey.ts";

export type Connection = "connecting" | "live" | "lost";

export interface LogLine extends ProgressJson {
  readonly eventId: string;
}

export interface PageState {
  readonly connection: Connection;
  readonly status: StatusJson | undefined;
  /** By request, the oldest forgotten beyond {@link MAX_JOURNEYS}. */
  readonly journeys: ReadonlyMap<number, Journey>;
  /** Newest first. */
  readonly log: readonly LogLine[];
  readonly receipts: ReadonlyMap<number, ReceiptJson>;
  readonly receiptsRead: boolean;
  /** Whether the node may keep receipts older than the oldest one here. */
  readonly hasOlderReceipts: boolean;
  readonly receiptsProblem: string | undefined;
}

export type PageMessage =
  | { readonly kind: "connection"; readonly connection: Connection }
  | { readonly kind: "status"; readonly status: StatusJson }
  | { readonly kind: "progress"; readonly line: LogLine }
  | { readonly kind: "receipt"; readonly receipt: ReceiptJson }
  | { readonly kind: "receiptsRead"; readonly receipts: readonly ReceiptJson[]; readonly reachesEnd: boolean }
  | { readonly kind: "receiptsProblem"; readonly problem: string };

export interface RequestRow {
  readonly requestId: number;
  readonly request: RequestJson | undefined;
  readonly journey: Journey | undefined;
  readonly ended: boolean;
}

const MAX_JOURNEYS = 500;
const MAX_LOG_LINES = 200;
/** Old receipts are read again with the button; this keeps a page that stays open for days from growing. */
const MAX_RECEIPTS = 500;
/** A request that ended stays in the picture for so long, or nobody would ever see its last step. */
const LINGER_MS = 8_000;
/** A request that a full snapshot no longer lists, and of which nothing was heard for so long, has ended unseen. */
const SILENCE_MS = 5_000;

export const EMPTY_PAGE: PageState = {
  connection: "connecting",
  status: undefined,
  journeys: new Map(),
  log: [],
  receipts: new Map(),
  receiptsRead: false,
  hasOlderReceipts: false,
  receiptsProblem: undefined,
};

export function reduce(state: PageState, messages: readonly PageMessage[]): PageState {
  return messages.reduce(reduceOne, state);
}

function reduceOne(state: PageState, message: PageMessage): PageState {
  switch (message.kind) {
    case "connection":
      return { ...state, connection: message.connection };
    case "status":
      return { ...state, status: message.status };
    case "progress":
      return withProgress(state, message.line);
    case "receipt":
      return { ...state, receipts: withReceipts(state.receipts, [message.receipt]) };
    case "receiptsRead":
      return {
        ...state,
        receipts: withReceipts(state.receipts, message.receipts),
        receiptsRead: true,
        hasOlderReceipts: !message.reachesEnd,
        receiptsProblem: undefined,
      };
    case "receiptsProblem":
      return { ...state, receiptsProblem: message.problem };
  }
}

function withProgress(state: PageState, line: LogLine): PageState {
  // After a reconnection the node may tell again what it already told.
  if (state.log.some(({ eventId }) => eventId === line.eventId)) return state;
  const journeys = new Map(state.journeys);
  journeys.set(line.request_id, advance(journeys.get(line.request_id), line));
  while (journeys.size > MAX_JOURNEYS) journeys.delete(Math.min(...journeys.keys()));
  return { ...state, journeys, log: [line, ...state.log].slice(0, MAX_LOG_LINES) };
}

function withReceipts(
  known: ReadonlyMap<number, ReceiptJson>,
  fresh: readonly ReceiptJson[],
): ReadonlyMap<number, ReceiptJson> {
  const byRequest = new Map(known);
  for (const receipt of fresh) byRequest.set(receipt.request_id, receipt);
  return new Map([...byRequest].sort(([a], [b]) => b - a).slice(0, MAX_RECEIPTS));
}

/** What stands under "Requests under way": newest first. */
export function requestRows({ status, journeys }: PageState): readonly RequestRow[] {
  const nowMs = status?.at_ms ?? 0;
  const listed = new Map(status?.worker.requests.map((request) => [request.request_id, request]));
  const complete = status !== undefined && status.worker.requests_total === listed.size;
  const rows: RequestRow[] = [];
  for (const requestId of new Set([...listed.keys(), ...journeys.keys()])) {
    const request = listed.get(requestId);
    const journey = journeys.get(requestId);
    const endMs = endedAtMs(journey);
    if (endMs !== undefined && nowMs - endMs > LINGER_MS) continue;
    if (journey === undefined && request?.resolved) continue;
    if (!request && endMs === undefined && complete && nowMs - (journey?.latestAtMs ?? 0) > SILENCE_MS) continue;
    rows.push({ requestId, request, journey, ended: endMs !== undefined });
  }
  return rows.sort((a, b) => b.requestId - a.requestId);
}
