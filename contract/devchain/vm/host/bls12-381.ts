/**
 * Host functions on the curve BLS12-381 (NEP-488; near-vm-runner 0.38.0 logic/bls12381.rs on blst 0.3). Numbers are
 * big-endian, of an extension element the imaginary part comes first, and points have blst's flags in their first
 * byte. What is malformed is answered with 1, except lengths, which end the call. Protocol 88 still refuses the points
 * with x = 0, which lie on the curves but not in the groups (`bls12381_not_in_group_fix` is off).
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import type { ExtCost } from "../../parameters/protocol-config.ts";
import { hostError } from "../vm-error.ts";
import { type HostFunction, type HostFunctions, query } from "./host-function.ts";

const FP_BYTES = 48;
const SCALAR_BYTES = 32;
const COMPRESSED_FLAG = 0x80;
const INFINITY_FLAG = 0x40;
const SIGN_FLAG = 0x20;

const { Fp, Fp2, Fp12, Fr } = bls12_381.fields;
type Fp2Element = ReturnType<typeof Fp2.create>;

function decodeFp(bytes: Uint8Array): bigint | undefined {
  const value = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  return value < Fp.ORDER ? value : undefined;
}

function encodeFp(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * FP_BYTES, "0"), "hex");
}

function decodeFp2(bytes: Uint8Array): Fp2Element | undefined {
  const c1 = decodeFp(bytes.subarray(0, FP_BYTES));
  const c0 = decodeFp(bytes.subarray(FP_BYTES));
  return c0 === undefined || c1 === undefined ? undefined : Fp2.create({ c0, c1 });
}

const isLargerFp = (value: bigint) => value > Fp.ORDER / 2n;

/** A point of either group, as far as the functions use it. */
interface Point<P, F> {
  add(other: P): P;
  negate(): P;
  multiplyUnsafe(scalar: bigint): P;
  isTorsionFree(): boolean;
  is0(): boolean;
  toAffine(): { x: F; y: F };
}

/** What the two groups do not have in common. */
interface Group<P extends Point<P, F>, F> {
  readonly name: "p1" | "p2";
  readonly fieldBytes: number;
  readonly zero: P;
  readonly curveB: F;
  readonly field: {
    is0(value: F): boolean;
    eql(a: F, b: F): boolean;
    add(a: F, b: F): F;
    mul(a: F, b: F): F;
    neg(a: F): F;
    sqrt(value: F): F;
  };
  fromAffine(x: F, y: F): P;
  decode(bytes: Uint8Array): F | undefined;
  encode(value: F): Uint8Array;
  /** The larger of a value and its negative. */
  isLarger(value: F): boolean;
  map(value: F): P;
}

const G1Point = bls12_381.G1.Point;
const G2Point = bls12_381.G2.Point;
type P1 = InstanceType<typeof G1Point>;
type P2 = InstanceType<typeof G2Point>;

// The library declares another type than what these functions take and return.
const mapToG1 = bls12_381.G1.mapToCurve as unknown as (value: bigint) => P1;
const mapToG2 = bls12_381.G2.mapToCurve as unknown as (value: [bigint, bigint]) => P2;

const G1: Group<P1, bigint> = {
  name: "p1",
  fieldBytes: FP_BYTES,
  zero: G1Point.ZERO,
  curveB: 4n,
  field: Fp,
  fromAffine: (x, y) => G1Point.fromAffine({ x, y }),
  decode: decodeFp,
  encode: encodeFp,
  isLarger: isLargerFp,
  map: (value) => mapToG1(value),
};

const G2: Group<P2, Fp2Element> = {
  name: "p2",
  fieldBytes: 2 * FP_BYTES,
  zero: G2Point.ZERO,
  curveB: Fp2.create({ c0: 4n, c1: 4n }),
  field: Fp2,
  fromAffine: (x, y) => G2Point.fromAffine({ x, y }),
  decode: decodeFp2,
  encode: ({ c0, c1 }) => Buffer.concat([encodeFp(c1), encodeFp(c0)]),
  isLarger: ({ c0, c1 }) => (c1 === 0n ? isLargerFp(c0) : isLargerFp(c1)),
  map: ({ c0, c1 }) => mapToG2([c0, c1]),
};

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function squareOfY<P extends Point<P, F>, F>({ field, curveB }: Group<P, F>, x: F): F {
  return field.add(field.mul(field.mul(x, x), x), curveB);
}

/** An uncompressed point on the curve; undefined when blst refuses it. */
function decodePoint<P extends Point<P, F>, F>(group: Group<P, F>, bytes: Uint8Array): P | undefined {
  const flags = bytes[0]! & 0xe0;
  if (flags === INFINITY_FLAG) return bytes[0] === INFINITY_FLAG && isZero(bytes.subarray(1)) ? group.zero : undefined;
  if (flags !== 0) return undefined;
  const x = group.decode(bytes.subarray(0, group.fieldBytes));
  const y = group.decode(bytes.subarray(group.fieldBytes));
  if (x === undefined || y === undefined || group.field.is0(x)) return undefined;
  return group.field.eql(group.field.mul(y, y), squareOfY(group, x)) ? group.fromAffine(x, y) : undefined;
}

function encodePoint<P extends Point<P, F>, F>(group: Group<P, F>, point: P): Uint8Array {
  if (point.is0()) {
    const infinity = new Uint8Array(2 * group.fieldBytes);
    infinity[0] = INFINITY_FLAG;
    return infinity;
  }
  const { x, y } = point.toAffine();
  return Buffer.concat([group.encode(x), group.encode(y)]);
}

/** A compressed point on the curve; undefined when blst refuses it. */
function decompressPoint<P extends Point<P, F>, F>(group: Group<P, F>, bytes: Uint8Array): P | undefined {
  const first = bytes[0]!;
  if ((first & COMPRESSED_FLAG) === 0) return undefined;
  if ((first & INFINITY_FLAG) !== 0) {
    return first === (COMPRESSED_FLAG | INFINITY_FLAG) && isZero(bytes.subarray(1)) ? group.zero : undefined;
  }
  const coordinate = bytes.slice();
  coordinate[0] = first & 0x1f;
  const x = group.decode(coordinate);
  if (x === undefined || group.field.is0(x)) return undefined;
  let y: F;
  try {
    y = group.field.sqrt(squareOfY(group, x));
  } catch {
    return undefined; // not a square: no point of the curve
  }
  const wantsLarger = (first & SIGN_FLAG) !== 0;
  return group.fromAffine(x, group.isLarger(y) === wantsLarger ? y : group.field.neg(y));
}

function chunks(data: Uint8Array, bytes: number): Uint8Array[] {
  const count = data.length / bytes;
  return Array.from({ length: count }, (_, index) => data.subarray(index * bytes, (index + 1) * bytes));
}

function checkLength(data: Uint8Array, itemBytes: number, name: string): void {
  if (data.length % itemBytes === 0) return;
  throw hostError(
    "BLS12381InvalidInput",
    `BLS12-381 invalid input: Incorrect input length for ${name}: ${data.length} is not divisible by ${itemBytes}`,
  );
}

interface Operation {
  readonly name: string;
  readonly itemBytes: number;
  readonly base: ExtCost;
  readonly element: ExtCost;
  /** Undefined when an item is malformed. */
  run(items: readonly Uint8Array[]): Uint8Array | undefined;
}

function operation({ name, itemBytes, base, element, run }: Operation): HostFunction {
  return query(3, (call, length, pointer, register) => {
    call.gas.payBase(base);
    call.gas.payPer(element, length! / BigInt(itemBytes));
    const data = call.readArgument(length!, pointer!);
    checkLength(data, itemBytes, name);
    const result = run(chunks(data, itemBytes));
    if (result === undefined) return 1n;
    call.registers.set(register!, result);
    return 0n;
  });
}

function sumOf<P extends Point<P, F>, F>(group: Group<P, F>, items: readonly Uint8Array[]): Uint8Array | undefined {
  let sum = group.zero;
  for (const item of items) {
    const point = decodePoint(group, item.subarray(1));
    const sign = item[0]!;
    if (point === undefined || sign > 1) return undefined;
    sum = sum.add(sign === 1 ? point.negate() : point);
  }
  return encodePoint(group, sum);
}

function multiexpOf<P extends Point<P, F>, F>(
  group: Group<P, F>,
  items: readonly Uint8Array[],
): Uint8Array | undefined {
  let sum = group.zero;
  for (const item of items) {
    const point = decodePoint(group, item.subarray(0, 2 * group.fieldBytes));
    if (point === undefined || !point.isTorsionFree()) return undefined;
    const scalar = BigInt(`0x${Buffer.from(item.subarray(-SCALAR_BYTES)).reverse().toString("hex")}`);
    sum = sum.add(point.multiplyUnsafe(scalar % Fr.ORDER));
  }
  return encodePoint(group, sum);
}

/** Each item by itself, the results one after the other. */
function each(
  items: readonly Uint8Array[],
  convert: (item: Uint8Array) => Uint8Array | undefined,
): Uint8Array | undefined {
  const results: Uint8Array[] = [];
  for (const item of items) {
    const result = convert(item);
    if (result === undefined) return undefined;
    results.push(result);
  }
  return Buffer.concat(results);
}

function decompressOf<P extends Point<P, F>, F>(group: Group<P, F>, items: readonly Uint8Array[]) {
  return each(items, (item) => {
    const point = decompressPoint(group, item);
    return point && encodePoint(group, point);
  });
}

function mapOf<P extends Point<P, F>, F>(group: Group<P, F>, items: readonly Uint8Array[]) {
  return each(items, (item) => {
    const value = group.decode(item);
    return value === undefined ? undefined : encodePoint(group, group.map(value));
  });
}

const PAIR_BYTES = 6 * FP_BYTES;

/** 0: the product of the pairings is one; 1: a point is not one of its group; 2: the product is another. */
const pairingCheck = query(2, (call, length, pointer) => {
  call.gas.payBase("bls12381_pairing_base");
  const data = call.readArgument(length!, pointer!);
  call.gas.payPer("bls12381_pairing_element", Math.floor(data.length / PAIR_BYTES));
  checkLength(data, PAIR_BYTES, "bls12381_pairing_check");
  const pairs: { g1: P1; g2: P2 }[] = [];
  for (const item of chunks(data, PAIR_BYTES)) {
    const g1 = decodePoint(G1, item.subarray(0, 2 * FP_BYTES));
    const g2 = decodePoint(G2, item.subarray(2 * FP_BYTES));
    if (!g1?.isTorsionFree() || !g2?.isTorsionFree()) return 1n;
    // The pairing with the point at infinity is one.
    if (!g1.is0() && !g2.is0()) pairs.push({ g1, g2 });
  }
  return pairs.length === 0 || Fp12.eql(bls12_381.pairingBatch(pairs), Fp12.ONE) ? 0n : 2n;
});

export const bls12381Functions: HostFunctions = {
  bls12381_p1_sum: operation({
    name: "bls12381_p1_sum",
    itemBytes: 1 + 2 * FP_BYTES,
    base: "bls12381_p1_sum_base",
    element: "bls12381_p1_sum_element",
    run: (items) => sumOf(G1, items),
  }),
  bls12381_p2_sum: operation({
    name: "bls12381_p2_sum",
    itemBytes: 1 + 4 * FP_BYTES,
    base: "bls12381_p2_sum_base",
    element: "bls12381_p2_sum_element",
    run: (items) => sumOf(G2, items),
  }),
  bls12381_g1_multiexp: operation({
    name: "bls12381_p1_multiexp",
    itemBytes: 2 * FP_BYTES + SCALAR_BYTES,
    base: "bls12381_g1_multiexp_base",
    element: "bls12381_g1_multiexp_element",
    run: (items) => multiexpOf(G1, items),
  }),
  bls12381_g2_multiexp: operation({
    name: "bls12381_p2_multiexp",
    itemBytes: 4 * FP_BYTES + SCALAR_BYTES,
    base: "bls12381_g2_multiexp_base",
    element: "bls12381_g2_multiexp_element",
    run: (items) => multiexpOf(G2, items),
  }),
  bls12381_map_fp_to_g1: operation({
    name: "bls12381_map_fp_to_g1",
    itemBytes: FP_BYTES,
    base: "bls12381_map_fp_to_g1_base",
    element: "bls12381_map_fp_to_g1_element",
    run: (items) => mapOf(G1, items),
  }),
  bls12381_map_fp2_to_g2: operation({
    name: "bls12381_map_fp2_to_g2",
    itemBytes: 2 * FP_BYTES,
    base: "bls12381_map_fp2_to_g2_base",
    element: "bls12381_map_fp2_to_g2_element",
    run: (items) => mapOf(G2, items),
  }),
  bls12381_p1_decompress: operation({
    name: "bls12381_p1_decompress",
    itemBytes: FP_BYTES,
    base: "bls12381_p1_decompress_base",
    element: "bls12381_p1_decompress_element",
    run: (items) => decompressOf(G1, items),
  }),
  bls12381_p2_decompress: operation({
    name: "bls12381_p2_decompress",
    itemBytes: 2 * FP_BYTES,
    base: "bls12381_p2_decompress_base",
    element: "bls12381_p2_decompress_element",
    run: (items) => decompressOf(G2, items),
  }),
  bls12381_pairing_check: pairingCheck,
};
