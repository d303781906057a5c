import { test } from "uvu";
import * as assert from "uvu/assert";
import { PENALTY_POINTS, Penalties } from "../../src/p2p/penalties.ts";

test("two grave offences within a half-life ban, or eight slight ones, and the ban fades", () => {
  let now = 0;
  const penalties = new Penalties(() => now);
  assert.not.ok(penalties.add("a", "poisoned_content"));
  assert.not.ok(penalties.isBanned("a"));
  now += 9 * 60_000;
  assert.ok(penalties.add("a", "malformed_frame"));
  assert.ok(penalties.isBanned("a"));
  for (let i = 1; i <= 8; i++) assert.is(penalties.add("b", "unreliable_content"), i === 8);
  now += 10 * 60_000;
  assert.not.ok(penalties.isBanned("a"));
  assert.ok(Math.abs(penalties.points("b") - 40) < 1e-9);
  now += 24 * 3_600_000;
  assert.is(penalties.points("a"), 0);
  assert.is(penalties.points("never seen"), 0);
});

test("a crowd of offenders takes bounded memory, and the latest stay known", () => {
  const penalties = new Penalties(() => 0);
  for (let i = 0; i < 10_000; i++) penalties.add(`peer ${i}`, "poisoned_content");
  assert.is(penalties.points("peer 0"), 0);
  assert.is(penalties.points("peer 9999"), PENALTY_POINTS.poisoned_content);
});

test.run();
