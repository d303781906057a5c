/**
 * Directives of the WebAssembly specification's test suite as `outside-modules spec` prints them, and the values in
 * them: numbers as their bits in hexadecimal digits, `i32:0000002a`; `canonical` and `arithmetic` for kinds of NaN.
 */

export interface Directive {
  readonly file: string;
  readonly line: number;
  readonly kind:
    | "module"
    | "register"
    | "action"
    | "return"
    | "trap"
    | "exhaustion"
    | "invalid"
    | "malformed"
    | "unlinkable"
    | "unreadable"
    | "other";
  /** The module in base64; null for text that is meant not to parse. */
  readonly wasm?: string | null;
  /** Name that a module directive gives its module. */
  readonly name?: string | null;
  /** Name of the module that an action is about; null for the last one. */
  readonly module?: string | null;
  readonly function?: string;
  readonly global?: string;
  readonly arguments?: readonly string[];
  readonly expected?: readonly string[];
  /** What a module that is refused is refused for, in the suite's words. */
  readonly message?: string;
}

const F32_CANONICAL = 0x7fc0_0000n;
const F64_CANONICAL = 0x7ff8_0000_0000_0000n;

/** Bits of a scalar in a directive. */
export function bitsOf(value: string): bigint {
  return BigInt(`0x${value.slice(value.indexOf(":") + 1)}`);
}

/** Whether these 16 bytes hold what a directive expects, in their lowest bytes. */
export function fits(expected: string, bytes: DataView): boolean {
  const [type, payload] = expected.split(":") as [string, string];
  switch (type) {
    case "i32":
      return BigInt(bytes.getUint32(0, true)) === bitsOf(expected);
    case "i64":
      return bytes.getBigUint64(0, true) === bitsOf(expected);
    case "f32":
      return fitsF32(payload, BigInt(bytes.getUint32(0, true)));
    case "f64":
      return fitsF64(payload, bytes.getBigUint64(0, true));
    case "v128":
      return Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString("hex") === payload;
    case "f32x4":
      return payload.split(" ").every((lane, at) => fitsF32(lane, BigInt(bytes.getUint32(4 * at, true))));
    case "f64x2":
      return payload.split(" ").every((lane, at) => fitsF64(lane, bytes.getBigUint64(8 * at, true)));
    default:
      throw new Error(`unknown expectation ${expected}`);
  }
}

function fitsF32(pattern: string, bits: bigint): boolean {
  if (pattern === "canonical") return (bits & 0x7fff_ffffn) === F32_CANONICAL;
  if (pattern === "arithmetic") return (bits & F32_CANONICAL) === F32_CANONICAL;
  return bits === BigInt(`0x${pattern}`);
}

function fitsF64(pattern: string, bits: bigint): boolean {
  if (pattern === "canonical") return (bits & 0x7fff_ffff_ffff_ffffn) === F64_CANONICAL;
  if (pattern === "arithmetic") return (bits & F64_CANONICAL) === F64_CANONICAL;
  return bits === BigInt(`0x${pattern}`);
}
