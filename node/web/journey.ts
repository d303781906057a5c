/**
 * The life of one request as this node told it, and the track of steps that the page draws of it. A node takes part
 * in few steps of most requests: a step that later ones have overtaken without it is "passed", not missing.
 */
import type { Stage } from "@outlayer/protocol/worker/events";
import type { ProgressJson, RequestJson } from "../src/http/status.ts";

export const STEPS = [
  "seen",
  "intent",
  "leased",
  "fetched",
  "ran",
  "committed",
  "revealed",
  "attested",
  "resolved",
] as const satisfies readonly Stage[];

/** Stages that say a step has begun, and the word for it while it lasts. */
const BEGUN: ReadonlyMap<Stage, { readonly step: Stage; readonly word: string }> = new Map([
  ["claimSent", { step: "leased", word: "claiming" }],
  ["fetching", { step: "fetched", word: "fetching" }],
  ["running", { step: "ran", word: "running" }],
  ["resolveSent", { step: "resolved", word: "resolving" }],
]);

/** What a new lease makes void: the exchange of results starts anew under it. */
const OF_ONE_LEASE: readonly Stage[] = ["committed", "revealed", "attested", "resolveSent", "disagreement"];

export interface Reached {
  readonly atMs: number;
  readonly detail: string;
}

export interface Journey {
  readonly requestId: number;
  readonly reached: ReadonlyMap<Stage, Reached>;
  readonly latest: Stage;
  readonly latestAtMs: number;
}

export type StepState = "done" | "active" | "passed" | "ahead";

export interface Step {
  readonly name: (typeof STEPS)[number];
  /** The name, or what is being done where the step has begun and not ended. */
  readonly word: string;
  readonly state: StepState;
  /** Since the request was seen. */
  readonly afterMs: number | undefined;
}

export function advance(journey: Journey | undefined, progress: ProgressJson): Journey {
  const { request_id: requestId, stage, detail, at_ms: atMs } = progress;
  const reached = new Map(journey?.reached);
  if (stage === "leased" && reached.has("leased")) for (const earlier of OF_ONE_LEASE) reached.delete(earlier);
  reached.set(stage, { atMs, detail });
  return { requestId, reached, latest: stage, latestAtMs: atMs };
}

/** When the request was resolved or closed at this node, whichever came first. */
export function endedAtMs(journey: Journey | undefined): number | undefined {
  return journey?.reached.get("resolved")?.atMs ?? journey?.reached.get("closed")?.atMs;
}

/** The track of a request, from its journey, from the node's snapshot of it, or from both. */
export function track(journey: Journey | undefined, request: RequestJson | undefined): readonly Step[] {
  const seenAtMs = journey?.reached.get("seen")?.atMs;
  const begun = new Map<Stage, string>();
  for (const [stage, { step, word }] of BEGUN) if (journey?.reached.has(stage)) begun.set(step, word);
  const done = (name: Stage): boolean => {
    if (journey?.reached.has(name)) return true;
    if (name === "seen") return request !== undefined;
    if (name === "leased") return request?.holder != null;
    return name === "resolved" && request?.resolved === true;
  };
  const furthest = STEPS.findLastIndex((name) => done(name) || begun.has(name));
  return STEPS.map((name, index) => {
    const atMs = journey?.reached.get(name)?.atMs;
    const afterMs = atMs === undefined || seenAtMs === undefined ? undefined : Math.max(0, atMs - seenAtMs);
    const state = stateOf(done(name), begun.has(name), index < furthest);
    return { name, word: (state === "active" ? begun.get(name) : undefined) ?? name, state, afterMs };
  });
}

function stateOf(done: boolean, begun: boolean, overtaken: boolean): StepState {
  if (done) return "done";
  if (overtaken) return "passed";
  return begun ? "active" : "ahead";
}
