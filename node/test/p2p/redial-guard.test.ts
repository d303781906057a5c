import { test } from "uvu";
import * as assert from "uvu/assert";
import { RedialGuard } from "../../src/p2p/redial-guard.ts";

function guardAt(): { guard: RedialGuard; pass: (ms: number) => void } {
  let nowMs = 1_000;
  const guard = new RedialGuard(() => nowMs);
  return {
    guard,
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

test("a peer that hangs up at once is left alone for a second, then two, then four", () => {
  const { guard, pass } = guardAt();
  assert.ok(guard.mayDial("a"));
  for (const pauseMs of [1_000, 2_000, 4_000]) {
    guard.ended("a", 10);
    pass(pauseMs - 1);
    assert.not.ok(guard.mayDial("a"));
    assert.ok(guard.mayDial("b"));
    pass(1);
    assert.ok(guard.mayDial("a"));
  }
});

test("the pause has an end, however often the peer hangs up", () => {
  const { guard, pass } = guardAt();
  for (let i = 0; i < 100; i++) guard.ended("a", 0);
  pass(5 * 60_000);
  assert.ok(guard.mayDial("a"));
});

test("a connection that lasted wipes the slate", () => {
  const { guard, pass } = guardAt();
  guard.ended("a", 0);
  guard.ended("a", 0);
  guard.ended("a", 60_000);
  assert.ok(guard.mayDial("a"));
  guard.ended("a", 0);
  pass(1_000);
  assert.ok(guard.mayDial("a"));
});

test("the oldest peers are forgotten first, so that a crowd of them holds no memory", () => {
  const { guard } = guardAt();
  for (let i = 0; i < 4_097; i++) guard.ended(`peer ${i}`, 0);
  assert.ok(guard.mayDial("peer 0"));
  assert.not.ok(guard.mayDial("peer 1"));
});

test.run();
