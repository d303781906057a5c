import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeFrame, FrameDecoder, type FrameError } from "../../src/p2p/frames.ts";

test("frames come out as they went in, however the stream is cut", () => {
  const payload = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(payload, { maxLength: 8 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (sent, cuts) => {
        const stream = Buffer.concat(sent.map(encodeFrame));
        const decoder = new FrameDecoder(40);
        const received: Uint8Array[] = [];
        for (let at = 0; at < stream.length; ) {
          const size = cuts.next().value;
          received.push(...decoder.push(stream.subarray(at, at + size)));
          at += size;
        }
        assert.equal(received, sent);
        assert.not.ok(decoder.midFrame);
      },
    ),
  );
});

test("a cut frame is known as such", () => {
  const decoder = new FrameDecoder(10);
  assert.equal([...decoder.push(Uint8Array.of(0, 0))], []);
  assert.ok(decoder.midFrame);
  assert.equal([...decoder.push(Uint8Array.of(0, 2, 7))], []);
  assert.ok(decoder.midFrame);
  assert.equal([...decoder.push(Uint8Array.of(8))], [Uint8Array.of(7, 8)]);
  assert.not.ok(decoder.midFrame);
});

test("empty and oversized frames are refused before anything is held for them", () => {
  const code = (header: number[]) => {
    try {
      return [...new FrameDecoder(10).push(Uint8Array.from(header))];
    } catch (error) {
      return (error as FrameError).code;
    }
  };
  assert.is(code([0, 0, 0, 0]), "empty_frame");
  assert.is(code([0, 0, 0, 11]), "oversized_frame");
  assert.is(code([255, 255, 255, 255]), "oversized_frame");
  assert.equal(code([0, 0, 0, 10]), []);
});

test.run();
