/**
 * Host functions on the curve alt_bn128 (near-vm-runner 0.38.0 logic/alt_bn128.rs). Numbers are little-endian, the
 * point at infinity is (0, 0), of an extension element the real part comes first.
 */
import { bn254 } from "@noble/curves/bn254.js";
import type { ExtCost } from "../../parameters/protocol-config.ts";
import type { HostCall } from "../host-call.ts";
import { hostError } from "../vm-error.ts";
import { type HostFunctions, procedure, query } from "./host-function.ts";

const NUMBER_BYTES = 32;
const G1_BYTES = 2 * NUMBER_BYTES;
const G2_BYTES = 4 * NUMBER_BYTES;

const { Fp, Fp2, Fr } = bn254.fields;
const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
type G1Point = InstanceType<typeof G1>;
type G2Point = InstanceType<typeof G2>;

const invalidInput = (message: string) => hostError("AltBn128InvalidInput", `AltBn128 invalid input: ${message}`);

/** As Rust prints bytes with `{:X?}`. */
function invalid(what: string, bytes: Uint8Array): Error {
  const hex = [...bytes].map((byte) => byte.toString(16).toUpperCase());
  return invalidInput(`invalid ${what}: [${hex.join(", ")}]`);
}

function decodeNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function encodeNumber(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * NUMBER_BYTES, "0"), "hex").reverse();
}

function decodeFq(bytes: Uint8Array): bigint {
  const value = decodeNumber(bytes);
  if (value >= Fp.ORDER) throw invalid("fq", bytes);
  return value;
}

function decodeFr(bytes: Uint8Array): bigint {
  const value = decodeNumber(bytes);
  if (value >= Fr.ORDER) throw invalid("fr", bytes);
  return value;
}

function decodeG1(bytes: Uint8Array): G1Point {
  const x = decodeFq(bytes.subarray(0, NUMBER_BYTES));
  const y = decodeFq(bytes.subarray(NUMBER_BYTES));
  if (x === 0n && y === 0n) return G1.ZERO;
  return requireValid(() => G1.fromAffine({ x, y }), "g1", bytes);
}

function decodeG2(bytes: Uint8Array): G2Point {
  const number = (index: number) => decodeFq(bytes.subarray(index * NUMBER_BYTES, (index + 1) * NUMBER_BYTES));
  const x = { c0: number(0), c1: number(1) };
  const y = { c0: number(2), c1: number(3) };
  if (Fp2.is0(x) && Fp2.is0(y)) return G2.ZERO;
  return requireValid(() => G2.fromAffine({ x, y }), "g2", bytes);
}

/** The point if it lies on the curve and in the subgroup. */
function requireValid<P extends { assertValidity(): void }>(make: () => P, what: string, bytes: Uint8Array): P {
  try {
    const point = make();
    point.assertValidity();
    return point;
  } catch {
    throw invalid(what, bytes);
  }
}

function encodeG1(point: G1Point): Uint8Array {
  if (point.is0()) return new Uint8Array(G1_BYTES);
  const { x, y } = point.toAffine();
  return Buffer.concat([encodeNumber(x), encodeNumber(y)]);
}

/** Reads the argument, pays, and cuts it into elements. */
function readElements(
  call: HostCall,
  costs: { base: ExtCost; element: ExtCost },
  elementBytes: number,
  length: bigint,
  pointer: bigint,
): Uint8Array[] {
  call.gas.payBase(costs.base);
  const data = call.readArgument(length, pointer);
  if (data.length % elementBytes !== 0) {
    throw invalidInput(`slice of size ${data.length} cannot be precisely split into chunks of size ${elementBytes}`);
  }
  const count = data.length / elementBytes;
  call.gas.payPer(costs.element, count);
  return Array.from({ length: count }, (_, index) => data.subarray(index * elementBytes, (index + 1) * elementBytes));
}

const MULTIEXP = { base: "alt_bn128_g1_multiexp_base", element: "alt_bn128_g1_multiexp_element" } as const;
const SUM = { base: "alt_bn128_g1_sum_base", element: "alt_bn128_g1_sum_element" } as const;
const PAIRING = { base: "alt_bn128_pairing_check_base", element: "alt_bn128_pairing_check_element" } as const;

function multiexp(elements: readonly Uint8Array[]): G1Point {
  const terms = elements.map((element) => ({
    point: decodeG1(element.subarray(0, G1_BYTES)),
    scalar: decodeFr(element.subarray(G1_BYTES)),
  }));
  return terms.reduce((sum, { point, scalar }) => sum.add(point.multiplyUnsafe(scalar)), G1.ZERO);
}

function sum(elements: readonly Uint8Array[]): G1Point {
  const terms = elements.map((element) => {
    const sign = element[0]!;
    if (sign > 1) throw invalid("bool", element.subarray(0, 1));
    const point = decodeG1(element.subarray(1));
    return sign === 1 ? point.negate() : point;
  });
  return terms.reduce((total, point) => total.add(point), G1.ZERO);
}

function pairingCheck(elements: readonly Uint8Array[]): boolean {
  const pairs = elements.map((element) => ({
    g1: decodeG1(element.subarray(0, G1_BYTES)),
    g2: decodeG2(element.subarray(G1_BYTES)),
  }));
  // The pairing with the point at infinity is one.
  const factors = pairs.filter(({ g1, g2 }) => !g1.is0() && !g2.is0());
  if (factors.length === 0) return true;
  const { Fp12 } = bn254.fields;
  return Fp12.eql(bn254.pairingBatch(factors), Fp12.ONE);
}

export const altBn128Functions: HostFunctions = {
  alt_bn128_g1_multiexp: procedure(3, (call, length, pointer, register) => {
    const elements = readElements(call, MULTIEXP, G1_BYTES + NUMBER_BYTES, length!, pointer!);
    call.registers.set(register!, encodeG1(multiexp(elements)));
  }),
  alt_bn128_g1_sum: procedure(3, (call, length, pointer, register) => {
    const elements = readElements(call, SUM, 1 + G1_BYTES, length!, pointer!);
    call.registers.set(register!, encodeG1(sum(elements)));
  }),
  alt_bn128_pairing_check: query(2, (call, length, pointer) =>
    pairingCheck(readElements(call, PAIRING, G1_BYTES + G2_BYTES, length!, pointer!)) ? 1n : 0n,
  ),
};
