/**
 * Calls an exported function with exact bits in and out: JavaScript numbers lose the bits of NaNs and have no
 * vectors, so the call is made by a small module that holds the arguments as constants and stores the results.
 */
import { bitsOf } from "./spec-directive.ts";

const TYPES: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const STORES: ReadonlyMap<number, readonly number[]> = new Map([
  [0x7f, [0x36, 2]],
  [0x7e, [0x37, 3]],
  [0x7d, [0x38, 2]],
  [0x7c, [0x39, 3]],
  [0x7b, [0xfd, 11, 4]],
]);
const RESULT_BYTES = 16;

function leb(value: bigint | number, signed: boolean): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = signed ? (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40) : rest === 0n;
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const vector = (items: readonly (readonly number[])[]): number[] => [...leb(items.length, false), ...items.flat()];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...leb(bytes.length, false), ...bytes];
const text = (value: string): number[] => vector([...Buffer.from(value)].map((byte) => [byte]));
const types = (list: readonly number[]): number[] => vector(list.map((type) => [type]));

function constant(value: string): number[] {
  const type = value.slice(0, value.indexOf(":"));
  if (type === "v128") return [0xfd, 12, ...Buffer.from(value.slice(5), "hex")];
  const bits = bitsOf(value);
  if (type === "i32") return [0x41, ...leb(BigInt.asIntN(32, bits), true)];
  if (type === "i64") return [0x42, ...leb(BigInt.asIntN(64, bits), true)];
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(bits);
  return type === "f32" ? [0x43, ...bytes.subarray(0, 4)] : [0x44, ...bytes];
}

/** Results as 16 bytes each. Throws what the function throws. */
export function exactCall(target: unknown, given: readonly string[], results: readonly number[]): readonly DataView[] {
  const params = given.map((value) => TYPES[value.slice(0, value.indexOf(":"))]!);
  const body = [
    ...vector(results.map((type) => [1, type])),
    ...given.flatMap(constant),
    ...[0x10, 0],
    ...results.flatMap((_, index) => [0x21, ...leb(results.length - 1 - index, false)]),
    ...results.flatMap((type, index) => {
      const address = [0x41, ...leb(index * RESULT_BYTES, true)];
      return [...address, 0x20, ...leb(index, false), ...STORES.get(type)!, 0];
    }),
    0x0b,
  ];
  const bytes = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(
      1,
      vector([
        [0x60, ...types(params), ...types(results)],
        [0x60, 0, 0],
      ]),
    ),
    ...section(2, vector([[...text("m"), ...text("f"), 0, 0]])),
    ...section(3, vector([[1]])),
    ...section(5, vector([[0, 1]])),
    ...section(
      7,
      vector([
        [...text("r"), 2, 0],
        [...text("run"), 0, 1],
      ]),
    ),
    ...section(10, vector([[...leb(body.length, false), ...body]])),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    m: { f: target as WebAssembly.ImportValue },
  });
  (exports.run as () => void)();
  const { buffer } = exports.r as WebAssembly.Memory;
  return results.map((_, index) => new DataView(buffer, index * RESULT_BYTES, RESULT_BYTES));
}
