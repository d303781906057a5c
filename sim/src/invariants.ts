/**
 * What must hold whatever goes wrong. Safety is looked at on every effect and every block; liveness twice: at the
 * scenario's end every request is answered whose committee still has a quorum, and once all yields have run out every
 * request has ended exactly once. A committee is drawn once, so one that dies whole leaves a refund and nothing else.
 */

import { REJECTIONS } from "@outlayer/protocol/reject";
import { jobOf } from "@outlayer/protocol/replay/response";
import { decode } from "@outlayer/protocol/wire/borsh";
import {
  type GuestResponse,
  NODE_PREFIX,
  nodeRecord,
  REQUEST_PREFIX,
  type RequestRecord,
  requestRecord,
} from "@outlayer/protocol/wire/records";
import type { WorkerEffect, WorkerEvent } from "@outlayer/protocol/worker/events";
import { ownResult } from "@outlayer/protocol/worker/request";
import type { StateChange } from "@outlayer/protocol/worker/state-changes";
import { CHAIN_ID, CONTRACT_ID } from "./chain.ts";
import { guestOutcome } from "./guest.ts";
import type { SimNode } from "./sim-node.ts";

const MAX_VIOLATIONS = 100;
const RESULT_KEY = "result/";

export interface RequestEnd {
  readonly requestId: number;
  readonly status: "open" | "resolved" | "refunded";
  readonly openedHeight: number;
  readonly endedHeight: number | undefined;
  readonly leases: number;
  readonly holder: string | undefined;
}

interface Followed {
  readonly record: RequestRecord;
  expected: string;
  openedHeight: number;
  outcome: boolean;
  /** What an answer says that waits for objections: it counts if the yield runs out meanwhile. */
  waiting: string | undefined;
  closed: number;
  endedHeight: number | undefined;
  leases: number;
  holder: string | undefined;
}

export class Invariants {
  readonly violations: string[] = [];
  readonly #lies: (publicKey: Uint8Array) => boolean;
  readonly #requests = new Map<number, Followed>();
  /** The one result of a node for a request, over all its lives with the same disk. */
  readonly #results = new Map<string, string>();

  /** `lies`: whose key is that of a node that does not keep to the rules. */
  constructor(lies: (publicKey: Uint8Array) => boolean) {
    this.#lies = lies;
  }

  onEffect(node: SimNode, effect: WorkerEffect): void {
    if (effect.kind === "persist") {
      for (const { key, value } of effect.records) {
        if (value === undefined || !key.startsWith(RESULT_KEY)) continue;
        const { requestDigest, claim } = decode(ownResult, value);
        const found = hex(claim.responseHash);
        // Where a block is replaced, another request can have the number of one that was.
        const name = `${node.accountId}/${key}/${hex(requestDigest)}`;
        const known = this.#results.get(name) ?? found;
        this.#results.set(name, found);
        this.#require(known === found, `${name}: two different results`);
      }
    }
    if (effect.kind === "reject") {
      const { code, detail } = effect.rejection;
      this.#require(
        REJECTIONS[code] !== "penalise" || this.#lies(effect.publicKey),
        `${node.accountId} penalises a node that keeps to the rules: ${code}: ${detail}`,
      );
    }
    if (effect.kind === "send" || effect.kind === "sign") {
      const requestId = effect.kind === "send" ? effect.message.requestId : effect.requestId;
      this.#require(
        node.log.has(`${RESULT_KEY}${requestId}`),
        `${node.accountId} ${effect.kind}s about request ${requestId} before its result is on disk`,
      );
    }
  }

  onChainEvent(height: number, event: WorkerEvent): void {
    switch (event.kind) {
      case "requestOpened": {
        const { record } = event;
        const job = jobOf(record, { chainId: CHAIN_ID, contractId: CONTRACT_ID });
        const outcome = guestOutcome(record.source.kind === "WasmUrl" ? record.source.hash : new Uint8Array(32), job);
        const expected = outcome.kind === "exited" ? new TextDecoder().decode(outcome.stdout) : "";
        this.#require(!this.#requests.has(record.requestId), `request ${record.requestId} opened twice`);
        this.#requests.set(record.requestId, {
          ...{ record, expected, openedHeight: height, outcome: false, waiting: undefined, closed: 0, leases: 0 },
          ...{ endedHeight: undefined, holder: undefined },
        });
        return;
      }
      case "leaseChanged": {
        const followed = this.#requests.get(event.requestId);
        if (!followed) return;
        followed.leases = event.lease.leaseEpoch + 1;
        followed.holder = event.lease.holder;
        this.#require(!followed.outcome, `request ${event.requestId} is leased after its answer`);
        return;
      }
      case "outcomeStored": {
        const followed = this.#requests.get(event.requestId);
        if (!followed) return;
        this.#require(!followed.outcome, `request ${event.requestId} is resolved twice`);
        followed.outcome = true;
        const { response } = event.outcome;
        const answer = textOf(response);
        this.#require(
          answer === followed.expected,
          `request ${event.requestId} is answered wrongly: ${response.error}`,
        );
        return;
      }
      case "proposalChanged": {
        const followed = this.#requests.get(event.requestId);
        // What goes by itself goes with the request; an outcome and an objection tell of themselves.
        if (followed && event.proposal) followed.waiting = textOf(event.proposal.outcome.response) ?? "";
        return;
      }
      case "objectionStored": {
        const followed = this.#requests.get(event.requestId);
        if (followed) followed.waiting = undefined;
        return;
      }
      case "requestClosed": {
        const followed = this.#requests.get(event.requestId);
        if (!followed) return;
        followed.closed++;
        followed.endedHeight = height;
        const { outcome, waiting, expected } = followed;
        this.#require(
          outcome || waiting === undefined || waiting === expected,
          `request ${event.requestId} is settled by a wrong answer that waited`,
        );
        this.#require(followed.closed === 1, `request ${event.requestId} ends ${followed.closed} times`);
        return;
      }
    }
  }

  /** The contract has at least what it owes: stakes and the deposits of open requests. */
  atBlock(balance: bigint, storage: readonly StateChange[]): void {
    let owed = 0n;
    for (const { key, value } of storage) {
      if (!value) continue;
      if (key[0] === NODE_PREFIX) owed += decode(nodeRecord, value).stakeYocto;
      else if (key[0] === REQUEST_PREFIX && key.length === 9) owed += decode(requestRecord, value).paymentYocto;
    }
    this.#require(balance >= owed, `the contract has ${balance} yocto and owes ${owed}`);
  }

  /**
   * The scenario is over, though the yields of unanswered requests may still run. `attesters` counts the members of a
   * request's committee that are alive and do not abstain.
   */
  atEnd(requests: number, attesters: (record: RequestRecord) => number): void {
    this.#require(
      this.#requests.size === requests,
      `${this.#requests.size} of ${requests} requests reached the contract`,
    );
    for (const [requestId, { record, outcome, waiting }] of this.#requests) {
      if (outcome || waiting !== undefined) continue;
      const able = attesters(record);
      this.#require(
        able < record.level.quorum,
        `request ${requestId} was not answered, and ${able} of its committee could have`,
      );
    }
  }

  /** Whether a request still waits for its end. */
  get anyOpen(): boolean {
    return [...this.#requests.values()].some(({ closed }) => closed === 0);
  }

  /** Every yield has run out: nothing is left open. */
  afterYields(): void {
    for (const [requestId, { closed }] of this.#requests) {
      this.#require(closed === 1, `request ${requestId} has not ended`);
    }
  }

  ends(): readonly RequestEnd[] {
    return [...this.#requests].map(([requestId, followed]) => ({
      requestId,
      status: statusOf(followed),
      openedHeight: followed.openedHeight,
      endedHeight: followed.endedHeight,
      leases: followed.leases,
      holder: followed.holder,
    }));
  }

  #require(holds: boolean, violation: string): void {
    if (!holds && this.violations.length < MAX_VIOLATIONS) this.violations.push(violation);
  }
}

function statusOf({ closed, outcome, waiting }: Followed): RequestEnd["status"] {
  if (closed === 0) return "open";
  return outcome || waiting !== undefined ? "resolved" : "refunded";
}

function textOf({ output }: GuestResponse): string | undefined {
  return output?.kind === "Text" ? output.text : undefined;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
