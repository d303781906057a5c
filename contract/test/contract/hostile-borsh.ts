/**
 * Hostile Borsh: the arguments of claims and answers as nodes send them, signed by real keys, then made wrong where the
 * form can be wrong: cut short, longer, bits flipped, counts that are huge, booleans that are none, texts that are not
 * UTF-8, two calls grown together. Some stay right, so that the checks behind the form are reached too.
 */
import { encode } from "@outlayer/protocol/wire/borsh";
import { type GuestResponse, guestResponse } from "@outlayer/protocol/wire/records";
import { claimAndResolveBorsh, claimLeaseBorsh, type Resolution, resolveExecutionBorsh } from "../../client/index.ts";
import type { Dice } from "./dice.ts";
import { NODES, resolutionOf, textResponse, type World } from "./world.ts";

export const BORSH_METHODS = ["claim_lease", "resolve_execution", "claim_and_resolve"] as const;
export type BorshMethod = (typeof BORSH_METHODS)[number];

/** A request that n0.test holds and that is not answered, and one that nobody holds. */
export interface OpenRequests {
  readonly leased: number;
  readonly free: number;
}

interface Spelled {
  readonly bytes: Uint8Array;
  /** Where counts of four bytes stand, and booleans of one. */
  readonly counts: readonly number[];
  readonly booleans: readonly number[];
  /** Where a text's bytes stand. */
  readonly texts: readonly number[];
}

const RESPONSES: readonly GuestResponse[] = [
  textResponse("output"),
  { ...textResponse("x"), output: { kind: "Json", json: '{"a":[1,2]}' }, compilationNote: "note" },
  { ...textResponse("x"), output: { kind: "Bytes", bytes: Uint8Array.of(0, 255, 1) }, refundUsd: 1n },
  { ...textResponse(""), success: false, output: undefined, error: "exit 1", compileTimeMs: 5n },
];

/** Version, request id and lease epoch; before the hashes, a seat where the call claims. */
const HEAD_BYTES = 1 + 8 + 4;
const SEAT_BYTES = 4;
const SIGNATURE_BYTES = 64;

/** Places within a response's bytes, which begin at `at`. */
function placesOf(response: GuestResponse, at: number): Omit<Spelled, "bytes"> {
  const counts: number[] = [];
  const booleans = [at, at + 1];
  const texts: number[] = [];
  let place = at + 2;
  const optional = (length: number | undefined, isText: boolean) => {
    if (length === undefined) return;
    counts.push(place);
    if (isText && length > 0) texts.push(place + 4);
    place += 4 + length;
  };
  if (response.output) {
    const { output } = response;
    place += 1;
    const bytes =
      output.kind === "Bytes" ? output.bytes : Buffer.from(output.kind === "Text" ? output.text : output.json);
    optional(bytes.length, output.kind !== "Bytes");
  }
  booleans.push(place++);
  optional(response.error === undefined ? undefined : Buffer.byteLength(response.error), true);
  place += 16;
  booleans.push(place++);
  if (response.compileTimeMs !== undefined) place += 8;
  booleans.push(place++);
  optional(response.compilationNote === undefined ? undefined : Buffer.byteLength(response.compilationNote), true);
  booleans.push(place);
  return { counts, booleans, texts };
}

function spelledAnswer(resolution: Resolution, bytes: Uint8Array, claims: boolean): Spelled {
  const length = HEAD_BYTES + (claims ? SEAT_BYTES : 0) + 64;
  const inside = placesOf(resolution.response, length + 4);
  const counts = [length, ...inside.counts];
  const texts = [...inside.texts];
  let place = length + 4 + encode(guestResponse, resolution.response).length;
  counts.push(place);
  place += 4;
  for (const { accountId } of resolution.attestations) {
    counts.push(place);
    texts.push(place + 4);
    place += 4 + accountId.length + SEAT_BYTES + SIGNATURE_BYTES;
  }
  if (place !== bytes.length) throw new Error(`the places do not fit the form: ${place} and ${bytes.length}`);
  return { bytes, counts, booleans: inside.booleans, texts };
}

function spell(world: World, dice: Dice, method: BorshMethod, { leased, free }: OpenRequests): Spelled {
  const requestId = method === "resolve_execution" ? leased : free;
  const seat = dice.below(3);
  if (method === "claim_lease") {
    return {
      bytes: claimLeaseBorsh({ requestId, seat, leaseEpoch: dice.below(2) }),
      counts: [],
      booleans: [],
      texts: [],
    };
  }
  const claims = method === "claim_and_resolve";
  const lease = claims ? { leaseEpoch: 0, holder: dice.pick(NODES.slice(0, 2)) } : world.lease(leased);
  const signers = NODES.slice(0, 2 + dice.below(3));
  const base =
    world.request(requestId) && lease
      ? resolutionOf(world, { requestId, lease, signers, response: dice.pick(RESPONSES) })
      : undefined;
  // The request may be over: then any bytes of the form will do.
  const resolution = base ?? {
    requestId,
    leaseEpoch: 0,
    codeHash: new Uint8Array(32),
    tapeHash: new Uint8Array(32),
    response: dice.pick(RESPONSES),
    attestations: signers.map((accountId) => ({ accountId, seat: 0, signature: new Uint8Array(64) })),
  };
  const bytes = claims ? claimAndResolveBorsh({ ...resolution, seat }) : resolveExecutionBorsh(resolution);
  return spelledAnswer(resolution, bytes, claims);
}

const HUGE = [0xffffffff, 0x80000000, 0x7fffffff, 0x00400001, 145, 0];
const NO_BOOLEANS = [2, 0x7f, 0x80, 0xff];

function withCount(bytes: Uint8Array, place: number, count: number): Uint8Array {
  const changed = bytes.slice();
  new DataView(changed.buffer).setUint32(place, count, true);
  return changed;
}

function withByte(bytes: Uint8Array, place: number, byte: number): Uint8Array {
  return Uint8Array.from(bytes, (old, i) => (i === place ? byte : old));
}

/** One way to make it wrong; two of the ten leave it right. */
function mangle(dice: Dice, { bytes, counts, booleans, texts }: Spelled): Uint8Array {
  const anywhere = dice.below(bytes.length);
  switch (dice.below(10)) {
    case 0:
      return bytes.slice(0, anywhere);
    case 1:
      return Uint8Array.from([...bytes, ...Array.from({ length: 1 + dice.below(70) }, () => dice.below(256))]);
    case 2:
      return withByte(bytes, anywhere, bytes[anywhere]! ^ (1 << dice.below(8)));
    case 3:
      return counts.length === 0 ? bytes.slice(0, anywhere) : withCount(bytes, dice.pick(counts), dice.pick(HUGE));
    case 4: {
      if (counts.length === 0) return withByte(bytes, anywhere, 0xff);
      // One more or one less: what follows is read at the wrong place.
      const place = dice.pick(counts);
      const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(place, true);
      return withCount(bytes, place, dice.below(2) === 0 ? count + 1 : Math.max(0, count - 1));
    }
    case 5:
      return booleans.length === 0 ? bytes.slice(1) : withByte(bytes, dice.pick(booleans), dice.pick(NO_BOOLEANS));
    case 6:
      return texts.length === 0
        ? withByte(bytes, 0, dice.below(256))
        : withByte(bytes, dice.pick(texts), dice.pick([0, 0x80, 0xc0, 0xed, 0xff]));
    case 7:
      return Uint8Array.from([...bytes.slice(0, anywhere), ...bytes]);
    default:
      return bytes;
  }
}

/** Sender and bytes of one hostile call. */
export function hostileBorsh(world: World, dice: Dice, method: BorshMethod, open: OpenRequests): Uint8Array {
  return mangle(dice, spell(world, dice, method, open));
}
