/** The invariants themselves: each must catch what it is there for. */
import { encode } from "@outlayer/protocol/wire/borsh";
import type { WorkerEffect } from "@outlayer/protocol/worker/events";
import { ownResult } from "@outlayer/protocol/worker/request";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Invariants } from "../src/invariants.ts";
import type { SimNode } from "../src/sim-node.ts";

const node = { accountId: "node-000.sim", log: new Map<string, Uint8Array>() } as unknown as SimNode;

function result(responseHash: number): WorkerEffect {
  const fill = (byte: number) => new Uint8Array(32).fill(byte);
  const value = encode(ownResult, {
    requestId: 1,
    requestDigest: fill(1),
    response: {
      success: true,
      output: undefined,
      error: undefined,
      instructions: 0n,
      timeMs: 0n,
      compileTimeMs: undefined,
      compilationNote: undefined,
      refundUsd: undefined,
    },
    claim: { codeHash: fill(2), responseHash: fill(responseHash), tapeHash: fill(0) },
    nonce: fill(3),
  });
  return { kind: "persist", records: [{ key: "result/1", value }] };
}

test("two different results of one node are a violation", () => {
  const invariants = new Invariants(() => false);
  invariants.onEffect(node, result(5));
  invariants.onEffect(node, result(5));
  assert.equal(invariants.violations, []);
  invariants.onEffect(node, result(6));
  assert.is(invariants.violations.length, 1);
});

test("a signature before the result is on disk is a violation", () => {
  const invariants = new Invariants(() => false);
  invariants.onEffect(node, { kind: "sign", requestId: 9, leaseEpoch: 0, digest: new Uint8Array(32) });
  assert.match(invariants.violations[0] ?? "", "before its result is on disk");
});

test("a contract that owes more than it has is a violation", () => {
  const invariants = new Invariants(() => false);
  invariants.atBlock(0n, []);
  assert.equal(invariants.violations, []);
  invariants.atBlock(-1n, []);
  assert.is(invariants.violations.length, 1);
});

test("a request that ends twice is a violation", () => {
  const invariants = new Invariants(() => false);
  invariants.onChainEvent(1, { kind: "requestOpened", record: openRecord() });
  invariants.onChainEvent(2, { kind: "requestClosed", requestId: 1 });
  assert.equal(invariants.violations, []);
  invariants.onChainEvent(3, { kind: "requestClosed", requestId: 1 });
  assert.is(invariants.violations.length, 1);
});

test("a request that a living quorum left unanswered is a violation; one without a quorum is not", () => {
  const invariants = new Invariants(() => false);
  invariants.onChainEvent(1, { kind: "requestOpened", record: openRecord() });
  invariants.atEnd(1, (record) => record.level.quorum - 1);
  assert.equal(invariants.violations, []);
  invariants.atEnd(1, (record) => record.level.quorum);
  assert.match(invariants.violations[0] ?? "", "request 1 was not answered, and 2 of its committee could have");
});

test("a request that is open when all yields have run out is a violation", () => {
  const invariants = new Invariants(() => false);
  invariants.onChainEvent(1, { kind: "requestOpened", record: openRecord() });
  assert.ok(invariants.anyOpen);
  invariants.afterYields();
  assert.match(invariants.violations[0] ?? "", "request 1 has not ended");
});

function openRecord(): Extract<Parameters<Invariants["onChainEvent"]>[1], { kind: "requestOpened" }>["record"] {
  const zero = new Uint8Array(32);
  return {
    ...{ version: 1, requestId: 1, predecessorId: "a.sim", signerId: "a.sim", payerId: "a.sim", projectId: undefined },
    ...{ source: { kind: "WasmUrl", url: "ipfs://x", hash: zero, buildTarget: undefined }, maxInstructions: 1n },
    ...{ maxMemoryMb: 1, maxExecutionSeconds: 1, compileOnly: false, forceRebuild: false, responseFormat: 1 },
    ...{ secrets: undefined, input: new Uint8Array(), inputHash: zero, seed: zero, paymentYocto: 0n, attachedUsd: 0n },
    ...{ height: 1, timestampNs: 0n, deadlineHeight: 190, stakeEpoch: 0, seatsTotal: 1, costVersion: 1 },
    ...{ level: { replaySeats: 9, replicas: 3, quorum: 2 }, dataId: zero },
  };
}

test.run();
