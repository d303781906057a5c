/** The contract's JSON scanner against JavaScript's, on one view that takes an object and answers an amount. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { World } from "./world.ts";

const world = World.started([]);
const panicOf = (args: string | Uint8Array) => world.viewPanic("estimate_execution_cost", args);
const bytes = (...values: number[]) => Uint8Array.from(values);
/** The view's answer is that of `resource_limits` whatever else stands around it. */
const KNOWN = '"resource_limits":{"max_execution_seconds":1}';
const ANSWER = '"1100000000000000000000"';

test("what JSON.stringify spells is read, unknown fields and all", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.string({ unit: "binary" }), fc.nat(4), (value, key, indent) => {
      const field = JSON.stringify(`x${key}`.toWellFormed());
      const args = `{${field}:${JSON.stringify(value, null, indent)} , ${KNOWN} }`;
      // A lone surrogate is JSON for JavaScript and not for serde, nor here.
      if (/\\ud[89a-f]/i.test(args)) return true;
      return world.view("estimate_execution_cost", args) === ANSWER;
    }),
    { numRuns: 150, seed: 1 },
  );
});

test("what is not JSON for JavaScript is not for the contract", () => {
  const valid = `{"a":[1,-0.5e+3,true,false,null,"\\u00e9\\n\\"",{}],${KNOWN}}`;
  assert.is(world.view("estimate_execution_cost", valid), ANSWER);
  fc.assert(
    fc.property(
      fc.nat(valid.length - 1),
      fc.constantFrom("", '"', "\\", "{", "}", "[", "]", ",", ":", "0", "e", ".", "-", "u", "t", " ", "\u0001"),
      fc.boolean(),
      (at, text, replace) => {
        const changed = valid.slice(0, at) + text + valid.slice(replace ? at + 1 : at);
        let accepted = true;
        try {
          JSON.parse(changed);
        } catch {
          accepted = false;
        }
        const panic = panicOf(changed);
        // What parses may still be refused, but not as bad JSON; what does not parse is bad JSON.
        return accepted ? panic !== "BadJson" : panic === "BadJson";
      },
    ),
    { numRuns: 300, seed: 2 },
  );
});

test("bytes that are not UTF-8 are refused, wherever they stand", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const wrap = (raw: Uint8Array) => {
    const before = new TextEncoder().encode('{"some padding":"');
    const after = new TextEncoder().encode(`",${KNOWN}}`);
    return Uint8Array.from([...before, ...raw, ...after]);
  };
  const cases = [
    bytes(0x80),
    bytes(0xc0, 0x80),
    bytes(0xc1, 0xbf),
    bytes(0xe0, 0x80, 0x80),
    bytes(0xed, 0xa0, 0x80),
    bytes(0xf0, 0x80, 0x80, 0x80),
    bytes(0xf4, 0x90, 0x80, 0x80),
    bytes(0xf5, 0x80, 0x80, 0x80),
    bytes(0xe2, 0x82),
    bytes(0xff),
  ];
  for (const raw of cases) assert.is(panicOf(wrap(raw)), "BadJson", raw.join());
  fc.assert(
    fc.property(fc.uint8Array({ min: 0x80, max: 0xff, minLength: 1, maxLength: 6 }), (raw) => {
      let valid = true;
      try {
        decoder.decode(raw);
      } catch {
        valid = false;
      }
      return (panicOf(wrap(raw)) === undefined) === valid;
    }),
    { numRuns: 200, seed: 3 },
  );
  assert.is(panicOf(wrap(new TextEncoder().encode("é€😀\u{10ffff}"))), undefined);
});

test("fields that come twice, nesting without end and too many fields are refused", () => {
  assert.is(panicOf(`{${KNOWN},${KNOWN}}`), "DuplicateField");
  assert.is(panicOf(`{${KNOWN},"r\\u0065source_limits":null}`), "DuplicateField");
  assert.is(panicOf('{"a":1,"a":2}'), "DuplicateField");
  const nested = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  assert.is(panicOf(nested(127)), undefined);
  assert.is(panicOf(nested(129)), "BadJson");
  assert.is(panicOf(nested(100_000)), "BadJson");
  const fields = (count: number) => `{${Array.from({ length: count }, (_, i) => `"f${i}":0`).join()}}`;
  assert.is(panicOf(fields(64)), undefined);
  assert.is(panicOf(fields(65)), "BadJson");
  assert.is(panicOf(`{"${"k".repeat(257)}":0}`), "TooLong");
});

test("wrong types, other numbers and other roots are refused by name", () => {
  const limits = (value: string) => panicOf(`{"resource_limits":{"max_instructions":${value}}}`);
  assert.is(limits('"1"'), "BadType");
  assert.is(limits("1.0"), "BadType");
  assert.is(limits("1e3"), "BadType");
  assert.is(limits("-0"), "BadType");
  assert.is(limits("true"), "BadType");
  assert.is(limits("18446744073709551616"), "TooLarge");
  assert.is(limits("99999999999999999999999"), "TooLarge");
  assert.is(limits("18446744073709551615"), undefined);
  assert.is(limits("01"), "BadJson");
  assert.is(panicOf('{"resource_limits":[]}'), "BadType");
  assert.is(panicOf("[]"), "BadType");
  assert.is(panicOf("null"), "BadType");
  assert.is(panicOf(`{${KNOWN}}x`), "BadJson");
  assert.is(panicOf(""), undefined);
  assert.is(panicOf(" "), "BadJson");
  assert.is(panicOf('{"a":"\\ud800"}'), "BadJson");
  assert.is(panicOf('{"a":"\\udc00\\ud800"}'), "BadJson");
  assert.is(panicOf('{"a":"\\ud83d\\ude00"}'), undefined);
});

test("strings arrive with their escapes undone", () => {
  const stored = World.started([]);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.boolean(), (text, escaped) => {
      const input = text.toWellFormed();
      const spelled = JSON.stringify(input);
      const value = escaped
        ? `"${Array.from({ length: input.length }, (_, i) => `\\u${input.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")}"`
        : spelled;
      const id = JSON.parse(stored.view("get_network")).next_request_id;
      stored.call(
        "alice.test",
        "request_execution",
        `{"source":{"GitHub":{"repo":"r","commit":"c"}},"resource_limits":{},"input_data":${value}}`,
        { depositYocto: 10n ** 21n },
      );
      return Buffer.from(stored.request(id)!.input).equals(Buffer.from(input));
    }),
    { numRuns: 25, seed: 4 },
  );
});

test.run();
