/**
 * The one-byte and 0xfc-prefixed instructions of cost version 1 (WebAssembly core specification 2.0, chapter 5.4):
 * operand and result types, and the shape of the immediate. What is not in a table is rejected, by name where the
 * instruction belongs to a known proposal. SIMD stands in simd-opcodes.ts.
 */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
export const EMPTY_BLOCK = 0x40;

/** Opcodes that the analysis and the emission name; the others are data in the tables below. */
export const Op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eq: 0x46,
  i32LtS: 0x48,
  i64LtS: 0x53,
  i64GtU: 0x56,
  f32Eq: 0x5b,
  f64Eq: 0x61,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64Or: 0x84,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  refNull: 0xd0,
  refIsNull: 0xd1,
  refFunc: 0xd2,
  prefixBulk: 0xfc,
  prefixSimd: 0xfd,
} as const;

/** Sub-opcodes after 0xfc. */
export const Bulk = {
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  elemDrop: 13,
  tableCopy: 14,
  tableGrow: 15,
  tableSize: 16,
  tableFill: 17,
} as const;

/** Operands and results of an instruction without context, in stack order. */
export interface Signature {
  readonly params: readonly number[];
  readonly results: readonly number[];
  /** log2 of the natural alignment for loads and stores, else -1. */
  readonly alignment: number;
}

const LETTERS: Readonly<Record<string, number>> = { i: I32, l: I64, f: F32, d: F64, v: V128 };

/** "ii:i" is two i32 operands and one i32 result. */
export function signature(text: string, alignment = -1): Signature {
  const [params, results] = text.split(":").map((letters) => [...letters].map((letter) => LETTERS[letter]!));
  return { params: params!, results: results!, alignment };
}

/** Rows [first opcode, last opcode, signature, alignment of a memory access]. */
const PLAIN_ROWS: readonly (readonly [number, number, string, number?])[] = [
  [0x28, 0x28, "i:i", 2],
  [0x29, 0x29, "i:l", 3],
  [0x2a, 0x2a, "i:f", 2],
  [0x2b, 0x2b, "i:d", 3],
  [0x2c, 0x2d, "i:i", 0],
  [0x2e, 0x2f, "i:i", 1],
  [0x30, 0x31, "i:l", 0],
  [0x32, 0x33, "i:l", 1],
  [0x34, 0x35, "i:l", 2],
  [0x36, 0x36, "ii:", 2],
  [0x37, 0x37, "il:", 3],
  [0x38, 0x38, "if:", 2],
  [0x39, 0x39, "id:", 3],
  [0x3a, 0x3a, "ii:", 0],
  [0x3b, 0x3b, "ii:", 1],
  [0x3c, 0x3c, "il:", 0],
  [0x3d, 0x3d, "il:", 1],
  [0x3e, 0x3e, "il:", 2],
  [0x45, 0x45, "i:i"],
  [0x46, 0x4f, "ii:i"],
  [0x50, 0x50, "l:i"],
  [0x51, 0x5a, "ll:i"],
  [0x5b, 0x60, "ff:i"],
  [0x61, 0x66, "dd:i"],
  [0x67, 0x69, "i:i"],
  [0x6a, 0x78, "ii:i"],
  [0x79, 0x7b, "l:l"],
  [0x7c, 0x8a, "ll:l"],
  [0x8b, 0x91, "f:f"],
  [0x92, 0x98, "ff:f"],
  [0x99, 0x9f, "d:d"],
  [0xa0, 0xa6, "dd:d"],
  [0xa7, 0xa7, "l:i"],
  [0xa8, 0xa9, "f:i"],
  [0xaa, 0xab, "d:i"],
  [0xac, 0xad, "i:l"],
  [0xae, 0xaf, "f:l"],
  [0xb0, 0xb1, "d:l"],
  [0xb2, 0xb3, "i:f"],
  [0xb4, 0xb5, "l:f"],
  [0xb6, 0xb6, "d:f"],
  [0xb7, 0xb8, "i:d"],
  [0xb9, 0xba, "l:d"],
  [0xbb, 0xbb, "f:d"],
  [0xbc, 0xbc, "f:i"],
  [0xbd, 0xbd, "d:l"],
  [0xbe, 0xbe, "i:f"],
  [0xbf, 0xbf, "l:d"],
  [0xc0, 0xc1, "i:i"],
  [0xc2, 0xc4, "l:l"],
];

/** Instructions whose types depend on nothing but the opcode; a hole is handled by name or does not exist. */
export const PLAIN: readonly (Signature | undefined)[] = expandRows(PLAIN_ROWS, 256);

/** Saturating float-to-integer conversions after 0xfc. */
export const SATURATING: readonly (Signature | undefined)[] = expandRows(
  [
    [0, 1, "f:i"],
    [2, 3, "d:i"],
    [4, 5, "f:l"],
    [6, 7, "d:l"],
  ],
  8,
);

/** Spreads rows over a table of `size` entries; entries of a range share one signature object. */
export function expandRows(
  rows: readonly (readonly [number, number, string, number?])[],
  size: number,
): readonly (Signature | undefined)[] {
  const table = new Array<Signature | undefined>(size).fill(undefined);
  for (const [first, last, text, alignment] of rows) table.fill(signature(text, alignment), first, last + 1);
  return table;
}

/** The proposal behind an opcode that cost version 1 does not have; undefined when no proposal claims it. */
export function unsupportedFeature(opcode: number): string | undefined {
  if (opcode >= 0x06 && opcode <= 0x0a) return "exception handling";
  if (opcode === 0x18 || opcode === 0x19 || opcode === 0x1f) return "exception handling";
  if (opcode === 0x14 || opcode === 0x15) return "typed function references";
  if (opcode >= 0xd3 && opcode <= 0xd6) return "garbage collection";
  if (opcode === 0xfb) return "garbage collection";
  if (opcode === 0xfe) return "threads";
  if (opcode >= 0xe0 && opcode <= 0xe6) return "stack switching";
  return undefined;
}
