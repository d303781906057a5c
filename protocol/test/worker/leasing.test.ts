import { test } from "uvu";
import * as assert from "uvu/assert";
import { MAX_EARLY_INTENTS_OF_SENDER, MAX_REQUESTS_AHEAD } from "../../src/limits.ts";
import { asVerified } from "../../src/wire/messages.ts";
import { requestDigest } from "../../src/wire/records.ts";
import { Harness, leaseOf, leaseOrder, nodeRecordOf, OPENED, publicKeyOf, requestRecordOf } from "./harness.ts";

const record = requestRecordOf();
const { requestId } = record;
const [first, second, third, fourth] = leaseOrder(record) as [string, string, string, string];

test("the best ticket announces and claims at once, and starts to work without waiting for its lease", () => {
  const node = new Harness(first);
  node.sync();
  assert.equal(node.feed({ kind: "requestOpened", record }), ["publish LeaseIntent", "submit claim 0", "fetchCode"]);
});

test("the next ticket waits a moment for each better one, and claims where none was announced", () => {
  const node = new Harness(second);
  node.sync();
  assert.equal(node.feed({ kind: "requestOpened", record }), [`setTimer turn/${requestId}/0 150`]);
  const lines = node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` });
  assert.equal(lines, ["publish LeaseIntent", "submit claim 0", "fetchCode"]);
});

test("it stays back where a better intent was announced", () => {
  const node = new Harness(second);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  assert.equal(node.hear(first, { kind: "LeaseIntent", requestId, leaseEpoch: 0, seat: 0 }), []);
  assert.equal(node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` }), []);
});

test("an intent that comes before the block with its request counts as soon as the request is known", () => {
  const node = new Harness(second);
  node.sync();
  const intent = { kind: "LeaseIntent", requestId, leaseEpoch: 0, seat: 0 } as const;
  assert.equal(node.hear(first, intent, record), []);
  const elsewhere = requestRecordOf({ seed: new Uint8Array(32).fill(5) });
  assert.equal(node.hear(third, intent, elsewhere), [], "kept, though it turns out to be about another request");
  assert.equal(node.feed({ kind: "requestOpened", record }), [
    `setTimer turn/${requestId}/0 150`,
    "reject unknownRequest",
  ]);
  assert.equal(node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` }), []);
});

test("early intents have bounds: in time, in number and in how far they are ahead", () => {
  const about = (id: number) => ({ kind: "LeaseIntent", requestId: id, leaseEpoch: 0, seat: 0 }) as const;
  const node = new Harness(second);
  node.sync();
  assert.equal(node.hear(first, about(MAX_REQUESTS_AHEAD)), ["reject unknownRequest"]);
  for (let id = 0; id < MAX_EARLY_INTENTS_OF_SENDER; id++) assert.equal(node.hear(first, about(id)), []);
  assert.equal(node.hear(first, about(0)), ["reject unknownRequest"]);
  assert.equal(node.hear(first, about(MAX_EARLY_INTENTS_OF_SENDER)), ["reject unknownRequest"]);
  assert.equal(node.hear(third, about(0)), []);
  for (let height = OPENED; height < OPENED + 3; height++) node.feed({ kind: "blockObserved", height });
  node.feed({ kind: "requestOpened", record });
  const late = node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` });
  assert.ok(late.includes("submit claim 0"), "an intent that waited three blocks is forgotten");
  assert.equal(node.hear(first, about(requestId - 1)), ["reject unknownRequest"]);
});

test("an announced claim that never lands stops counting, and the wait begins anew", () => {
  const node = new Harness(second);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.hear(first, { kind: "LeaseIntent", requestId, leaseEpoch: 0, seat: 0 });
  node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` });
  for (let height = OPENED; height < OPENED + 3; height++) node.feed({ kind: "blockObserved", height });
  const lines = node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` });
  assert.equal(lines, ["publish LeaseIntent", "submit claim 0", "fetchCode"]);
});

test("a late or repeated timer finds nothing to do", () => {
  const node = new Harness(second);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` });
  assert.equal(node.feed({ kind: "timerFired", timer: `turn/${requestId}/0` }), []);
  assert.equal(node.feed({ kind: "timerFired", timer: "turn/999/0" }), []);
  assert.equal(node.feed({ kind: "timerFired", timer: "nonsense" }), []);
});

test("only three seats may claim in the first block; the fourth has to wait for the widening", () => {
  const many = requestRecordOf({ seatsTotal: 4_000 });
  const node = new Harness(leaseOrder(many)[0]!);
  node.sync();
  assert.equal(node.feed({ kind: "requestOpened", record: many }), []);
  let lines: string[] = [];
  for (let height = OPENED; lines.length === 0 && height < OPENED + 60; height++) {
    lines = node.feed({ kind: "blockObserved", height });
  }
  assert.equal(lines, ["publish LeaseIntent", "submit claim 0", "fetchCode"]);
});

test("a lease that ran out is taken over, and never by a former holder", () => {
  const lease = leaseOf(record, first);
  const heir = leaseOrder(record, 1).find((accountId) => accountId !== first)!;
  for (const accountId of [first, heir]) {
    const node = new Harness(accountId);
    node.sync();
    node.feed({ kind: "requestOpened", record });
    node.feed({ kind: "leaseChanged", requestId, lease });
    node.feed({ kind: "blockObserved", height: lease.untilHeight - 1 });
    const lines = node.feed({ kind: "blockObserved", height: lease.untilHeight });
    assert.is(lines.includes("submit claim 1"), accountId === heir, accountId);
  }
});

test("a strictly better ticket displaces a holder in the block after its claim, and only then", () => {
  const lease = leaseOf(record, second, { claimedHeight: OPENED + 2 });
  const inTime = new Harness(first);
  inTime.sync();
  inTime.feed({ kind: "blockObserved", height: OPENED + 2 });
  inTime.feed({ kind: "requestOpened", record: requestRecordOf({ requestId: 8, height: OPENED + 2 }) });
  const late = new Harness(first);
  late.sync();
  late.feed({ kind: "blockObserved", height: OPENED + 3 });
  for (const [node, expected] of [
    [inTime, true],
    [late, false],
  ] as const) {
    // Learned of request and lease together, as after a start: it has claimed nothing yet.
    node.machine.step(0, { kind: "nodeChanged", node: { ...nodeRecordOf(first), draining: true } });
    node.feed({ kind: "requestOpened", record });
    node.feed({ kind: "leaseChanged", requestId, lease });
    node.machine.step(0, { kind: "nodeChanged", node: nodeRecordOf(first) });
    const height = expected ? OPENED + 2 : OPENED + 3;
    assert.is(node.feed({ kind: "blockObserved", height }).includes("submit claim 0"), expected);
  }
});

test("a claim that did not land is tried again after some blocks; a draining node claims nothing", () => {
  const node = new Harness(first);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  assert.equal(node.feed({ kind: "blockObserved", height: OPENED }), []);
  assert.equal(node.feed({ kind: "blockObserved", height: OPENED + 1 }), []);
  assert.equal(node.feed({ kind: "blockObserved", height: OPENED + 2 }), ["publish LeaseIntent", "submit claim 0"]);

  const draining = new Harness(first);
  draining.sync();
  draining.feed({ kind: "nodeChanged", node: { ...nodeRecordOf(first), draining: true } });
  assert.equal(draining.feed({ kind: "requestOpened", record }), []);
});

test("nobody claims so late that the answer could not be in time", () => {
  const node = new Harness(first);
  node.sync();
  node.feed({ kind: "blockObserved", height: record.deadlineHeight - 2 });
  assert.equal(node.feed({ kind: "requestOpened", record }), []);
});

test("intents that are not what they say are refused by name", () => {
  const node = new Harness(fourth);
  node.sync();
  node.feed({ kind: "requestOpened", record });
  const intent = { kind: "LeaseIntent", requestId, leaseEpoch: 0, seat: 0 } as const;
  assert.equal(node.hear(third, { ...intent, requestId: 99 }), ["reject unknownRequest"]);
  assert.equal(node.hear(third, { ...intent, seat: 1 }), ["reject notEligible"]);
  assert.equal(node.hear(third, { ...intent, leaseEpoch: 4 }), ["reject staleLease"]);
  const elsewhere = requestRecordOf({ seed: new Uint8Array(32).fill(5) });
  assert.equal(node.hear(third, intent, elsewhere), ["reject unknownRequest"]);
  const whole = { ...intent, requestDigest: requestDigest(record) };
  const foreign = asVerified("stranger.test", publicKeyOf(third), whole);
  assert.equal(node.feed({ kind: "messageReceived", from: foreign }), ["reject unknownNode"]);
  const stolen = asVerified(first, publicKeyOf(third), whole);
  assert.equal(node.feed({ kind: "messageReceived", from: stolen }), ["reject foreignKey"]);
  assert.equal(node.hear(third, intent), []);
  assert.equal(node.hear(third, intent), ["reject duplicate"]);
});

test.run();
