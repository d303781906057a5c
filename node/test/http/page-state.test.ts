/** How the page's picture of requests and receipts follows from what the node says, without a browser. */
import type { Stage } from "@outlayer/protocol/worker/events";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type StatusJson, statusJson } from "../../src/http/status.ts";
import { track } from "../../web/journey.ts";
import { EMPTY_PAGE, type PageMessage, type PageState, reduce, requestRows } from "../../web/page-state.ts";
import { duration, elapsed, grouped, inWords, near, preview } from "../../web/wording.ts";
import { DrivenFacade, keptReceipt, openRequest } from "./driven-facade.ts";

let events = 0;
function step(request_id: number, stage: Stage, at_ms: number, detail = ""): PageMessage {
  return { kind: "progress", line: { eventId: `e-${++events}`, request_id, stage, at_ms, detail } };
}

function statusAt(atMs: number, requestIds: readonly number[], requestsTotal = requestIds.length): PageMessage {
  const facade = new DrivenFacade();
  facade.requests = requestIds.map((id) => openRequest(id));
  const status = statusJson(facade, atMs);
  const worker: StatusJson["worker"] = { ...status.worker, requests_total: requestsTotal };
  return { kind: "status", status: { ...status, worker } };
}

const rowIds = (state: PageState) => requestRows(state).map(({ requestId }) => requestId);

test("a request stays for a while after its end, and then goes", () => {
  const state = reduce(EMPTY_PAGE, [step(1, "seen", 1_000), step(1, "resolved", 4_000), statusAt(5_000, [])]);
  assert.equal(
    requestRows(state).map(({ ended }) => ended),
    [true],
  );
  assert.equal(rowIds(reduce(state, [step(1, "closed", 11_000), statusAt(12_001, [])])), []);
});

test("a request whose end was never told goes when a whole snapshot no longer lists it", () => {
  const state = reduce(EMPTY_PAGE, [step(1, "seen", 1_000)]);
  assert.equal(rowIds(reduce(state, [statusAt(3_000, [])])), [1], "the snapshot may be older than the step");
  assert.equal(rowIds(reduce(state, [statusAt(7_000, [])])), []);
  assert.equal(rowIds(reduce(state, [statusAt(7_000, [2], 500)])), [2, 1], "a cut snapshot proves nothing");
});

test("a request that the page knows from the snapshot alone is drawn from it", () => {
  const request = { ...openRequest(3), holder: "bob.test" };
  const facade = new DrivenFacade();
  facade.requests = [request];
  const state = reduce(EMPTY_PAGE, [{ kind: "status", status: statusJson(facade, 1) }]);
  const [row] = requestRows(state);
  assert.equal(
    track(row!.journey, row!.request).map(({ state }) => state),
    ["done", "passed", "done", "ahead", "ahead", "ahead", "ahead", "ahead", "ahead"],
  );
});

test("a new lease begins the exchange of results anew, and keeps what this node did", () => {
  const state = reduce(EMPTY_PAGE, [
    step(1, "seen", 0),
    step(1, "leased", 100, "held by bob.test"),
    step(1, "ran", 200),
    step(1, "committed", 300),
    step(1, "disagreement", 400),
    step(1, "leased", 500, "taken over by carol.test"),
  ]);
  const journey = state.journeys.get(1)!;
  assert.is(journey.reached.has("disagreement"), false);
  const states = new Map(track(journey, undefined).map(({ name, state }) => [name, state]));
  assert.is(states.get("ran"), "done");
  assert.is(states.get("committed"), "ahead");
  assert.is(journey.reached.get("leased")!.detail, "taken over by carol.test");
});

test("what is told twice counts once, and everything is bounded", () => {
  const told = step(1, "seen", 0);
  assert.is(reduce(EMPTY_PAGE, [told, told]).log.length, 1);
  const many = Array.from({ length: 700 }, (_, id) => step(id, "seen", id));
  const state = reduce(EMPTY_PAGE, many);
  assert.is(state.log.length, 200);
  assert.is(state.log[0]!.request_id, 699, "newest first");
  assert.is(state.journeys.size, 500);
  assert.ok(state.journeys.has(699) && !state.journeys.has(0));
});

test("receipts are in order however they arrive", () => {
  const state = reduce(EMPTY_PAGE, [
    { kind: "receipt", receipt: keptReceipt(5) },
    { kind: "receiptsProblem", problem: "no answer" },
    { kind: "receiptsRead", receipts: [keptReceipt(6), keptReceipt(5), keptReceipt(4)], reachesEnd: true },
  ]);
  assert.equal([...state.receipts.keys()], [6, 5, 4]);
  assert.is(state.hasOlderReceipts, false);
  assert.is(state.receiptsProblem, undefined);
});

test("figures are written as people read them", () => {
  assert.is(grouped("12345678901234567890"), "12,345,678,901,234,567,890");
  assert.is(grouped("not a figure"), "not a figure");
  assert.is(near("1250000000000000000000000"), "1.25 NEAR");
  assert.is(near("1"), "under 0.000001 NEAR");
  assert.is(near("0"), "0 NEAR");
  assert.is(elapsed(940), "+0.9 s");
  assert.is(elapsed(61_000), "+61 s");
  assert.is(duration(59_000), "under a minute");
  assert.is(duration(26 * 3_600_000), "1 d 2 h");
  assert.is(inWords("claimSent"), "claim sent");
  assert.is(preview({ a: 1 }), '{"a":1}');
  assert.is(preview("x".repeat(200), 3), "xxx…");
});

test.run();
