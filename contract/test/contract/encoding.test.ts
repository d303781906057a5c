/** Hashes in hex and bytes in base64, as arguments bring them, against JavaScript's: the same values, and nothing else accepted. */
import { encode } from "@outlayer/protocol/wire/borsh";
import { guestResponse, responseHash } from "@outlayer/protocol/wire/records";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { announceOutputArgs, claimLeaseArgs } from "../../client/index.ts";
import { attestAll, CODE_HASH, expectOk, NEAR, NODES, TAPE_HASH, textResponse, World } from "./world.ts";

const DIGITS = [..."0123456789abcdefABCDEF"];

test("64 hex digits of either case are a hash, and nothing else is", () => {
  const world = World.started([]);
  const ask = (hash: string) => {
    const source = { WasmUrl: { url: "https://example.org/a.wasm", hash } };
    const args = JSON.stringify({ source, resource_limits: {} });
    return world.call("alice.test", "request_execution", args, { depositYocto: NEAR / 100n });
  };
  let id = 0;
  const digits = fc.array(fc.constantFrom(...DIGITS), { minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(digits, (text) => {
      expectOk(ask(text.join("")));
      const { source } = world.request(id++)!;
      return source.kind === "WasmUrl" && Buffer.from(source.hash).equals(Buffer.from(text.join(""), "hex"));
    }),
    { numRuns: 40, seed: 1 },
  );
  // Every byte that JSON takes as it is, once in every place of a group of eight.
  for (let byte = 0x20; byte < 0x7f; byte++) {
    if (byte === 0x22 || byte === 0x5c) continue;
    const at = 8 * (byte % 8) + (byte >> 4);
    const text = `${"a5".repeat(32).slice(0, at)}${String.fromCharCode(byte)}${"0F".repeat(32).slice(at + 1)}`;
    const isHash = /^[0-9a-f]{64}$/i.test(text);
    assert.is(ask(text).panic, isHash ? undefined : "BadHash", text);
    if (isHash) {
      const { source } = world.request(id++)!;
      assert.equal(source.kind === "WasmUrl" && Buffer.from(source.hash).toString("hex"), text.toLowerCase());
    }
  }
  for (const text of ["", "0".repeat(63), "0".repeat(65), "é".repeat(32)]) assert.is(ask(text).panic, "BadHash", text);
});

/** A world that waits for chunks of a long response. */
function announced(): World {
  const world = World.started([1, 1, 1]);
  world.ask();
  world.advance(30);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  const response = textResponse("x".repeat(3_000));
  const output = {
    requestId: 0,
    leaseEpoch: 0,
    codeHash: CODE_HASH,
    tapeHash: TAPE_HASH,
    responseHash: responseHash(response),
    responseBytes: encode(guestResponse, response).length,
    attestations: attestAll(world, NODES.slice(0, 3), { response }),
  };
  expectOk(world.call("bob.test", "submit_execution_output", announceOutputArgs(output)));
  return world;
}

const chunkKey = Buffer.concat([Buffer.from([0x63]), Buffer.alloc(8), Buffer.from("alice.test")]);
const chunk = (world: World, data: string, offset = 0) =>
  world.call("alice.test", "submit_output_chunk", JSON.stringify({ request_id: 0, offset, data }), {
    depositYocto: NEAR / 10n,
  }).panic;

/** The request's yield ends after 200 blocks. */
const isFresh = (world: World) => world.height < world.request(0)!.height + 120;

test("base64 with padding is its bytes, in one spelling only", () => {
  let world = announced();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 70 }), (bytes) => {
      if (!isFresh(world)) world = announced();
      assert.is(chunk(world, Buffer.from(bytes).toString("base64")), undefined);
      const stored = Buffer.from(world.stored(chunkKey)!);
      expectOk(world.call("alice.test", "drop_output_chunks", '{"request_id":0}'));
      return stored.equals(Buffer.from(bytes));
    }),
    { numRuns: 25, seed: 2 },
  );
  const spelled = fc.array(fc.constantFrom(..."ABCDEFzyx0189+/=+/=- _.é"), { maxLength: 12 });
  let valid = 0;
  fc.assert(
    fc.property(spelled, (characters) => {
      const text = characters.join("");
      const isBase64 = Buffer.from(text, "base64").toString("base64") === text;
      if (isBase64) valid++;
      if (!isFresh(world)) world = announced();
      // A wrong offset is found behind the encoding.
      assert.is(chunk(world, text, 99), isBase64 ? "WrongOffset" : "BadEncoding", text);
    }),
    { numRuns: 300, seed: 3 },
  );
  assert.ok(valid > 5);
  for (let byte = 0x20; byte < 0x7f; byte++) {
    if (byte === 0x22 || byte === 0x5c) continue;
    const text = `AAAA${"AAAA".slice(0, byte % 4)}${String.fromCharCode(byte)}${"AAAA".slice((byte % 4) + 1)}BBBB`;
    const isBase64 = /^[A-Za-z0-9+/]+$/.test(text);
    if (!isFresh(world)) world = announced();
    assert.is(chunk(world, text, 99), isBase64 ? "WrongOffset" : "BadEncoding", text);
  }
});

test.run();
