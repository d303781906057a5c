import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TokenBucket } from "../../src/p2p/token-bucket.ts";

test("a burst is free, what follows waits for its share of the rate", () => {
  const bucket = new TokenBucket(100, 50, 0);
  assert.is(bucket.take(50, 0), 0);
  assert.is(bucket.take(10, 0), 100);
  assert.is(bucket.take(0, 50), 50);
  assert.is(bucket.take(0, 100), 0);
  assert.is(bucket.take(50, 10_000), 0, "no more than the burst is saved up");
  assert.is(bucket.take(1, 10_000), 10);
  assert.is(bucket.take(0, 9_000), 10, "a clock that goes back gives nothing");
});

test("whoever waits as told gets no more than the rate and the burst", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 50 }), (costs) => {
      const bucket = new TokenBucket(1000, 300, 0);
      let now = 0;
      let total = 0;
      for (const cost of costs) {
        now += bucket.take(cost, now);
        total += cost;
      }
      assert.ok(total <= 300 + now + 1, `${total} in ${now} ms`);
    }),
  );
});

test.run();
