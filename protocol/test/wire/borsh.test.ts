/** Borsh codecs: https://borsh.io's own rules, and that nothing else than one canonical spelling is read. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  fixed,
  height,
  list,
  option,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  u128,
  union,
  WireError,
} from "../../src/wire/borsh.ts";

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return "accepted";
}

const example = struct({
  id: u64,
  name: text(20),
  flag: bool,
  amount: option(u128),
  rows: list(struct({ a: u8, b: u16 }), 4),
  kind: union({ None: struct({}), Some: struct({ hash: fixed(4), blob: bytes(8) }) }),
});

const exampleValue = fc.record(
  {
    id: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    name: fc.string({ unit: "grapheme", maxLength: 3 }).filter((s) => new TextEncoder().encode(s).length <= 20),
    flag: fc.boolean(),
    amount: fc.option(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), { nil: undefined }),
    rows: fc.array(fc.record({ a: fc.nat(255), b: fc.nat(65_535) }, { noNullPrototype: true }), { maxLength: 4 }),
    kind: fc.oneof(
      fc.constant({ kind: "None" as const }),
      fc.record(
        {
          kind: fc.constant("Some" as const),
          hash: fc.uint8Array({ minLength: 4, maxLength: 4 }),
          blob: fc.uint8Array({ maxLength: 8 }),
        },
        { noNullPrototype: true },
      ),
    ),
  },
  { noNullPrototype: true },
);

test("the specification's own spellings", () => {
  assert.is(hex(encode(u32, 1)), "01000000");
  assert.is(hex(encode(u128, 1n << 64n)), "00000000000000000100000000000000");
  assert.is(hex(encode(text(5), "né")), "030000006ec3a9");
  assert.is(hex(encode(option(u8), undefined)), "00");
  assert.is(hex(encode(option(u8), 7)), "0107");
  assert.is(hex(encode(list(u16, 3), [1, 2])), "0200000001000200");
  assert.is(hex(encode(union({ A: struct({}), B: struct({ x: u8 }) }), { kind: "B", x: 9 })), "0109");
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(exampleValue, (value) => {
      const encoded = encode(example, value);
      assert.equal(hex(encode(example, decode(example, encoded))), hex(encoded));
      assert.equal(decode(example, encoded), value);
    }),
  );
});

test("any bytes are either refused by name or the one spelling of what was read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
      let value: ReturnType<typeof decode<typeof example extends Codec<infer T> ? T : never>>;
      try {
        value = decode(example, input);
      } catch (error) {
        assert.instance(error, WireError);
        return;
      }
      assert.is(hex(encode(example, value)), hex(input));
    }),
    { numRuns: 2_000 },
  );
});

test("every second spelling is refused", () => {
  const at = (codec: Codec<unknown>, spelling: string) => refusal(() => decode(codec, Buffer.from(spelling, "hex")));
  assert.is(at(bool, "02"), "badTag");
  assert.is(at(option(u8), "0201"), "badTag");
  assert.is(at(union({ A: struct({}) }), "01"), "badTag");
  assert.is(at(u8, "0102"), "trailingBytes");
  assert.is(at(u32, "0102"), "truncated");
  assert.is(at(text(9), "02000000c328"), "badUtf8");
  assert.is(at(height, "ffffffffffffffff"), "outOfRange");
});

test("lengths are bounded before anything is allocated", () => {
  const huge = Buffer.from("ffffffff", "hex");
  assert.is(
    refusal(() => decode(bytes(10), huge)),
    "tooLong",
  );
  assert.is(
    refusal(() => decode(bytes(2 ** 32), huge)),
    "truncated",
  );
  assert.is(
    refusal(() => decode(list(u8, 10), huge)),
    "tooLong",
  );
  assert.is(
    refusal(() => encode(bytes(2), new Uint8Array(3))),
    "tooLong",
  );
  assert.is(
    refusal(() => encode(text(2), "äö")),
    "tooLong",
  );
  assert.is(
    refusal(() => encode(fixed(2), new Uint8Array(3))),
    "outOfRange",
  );
  assert.is(
    refusal(() => encode(text(9), "\ud800")),
    "badUtf8",
  );
  for (const [codec, value] of [
    [u8, 256],
    [u16, -1],
    [u32, 1.5],
  ] as const) {
    assert.is(
      refusal(() => encode(codec, value)),
      "outOfRange",
    );
  }
  assert.is(
    refusal(() => encode(u64, 1n << 64n)),
    "outOfRange",
  );
  assert.is(
    refusal(() => encode(u128, -1n)),
    "outOfRange",
  );
});

test.run();
