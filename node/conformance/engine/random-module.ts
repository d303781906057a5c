/**
 * Random valid modules with loops, calls, tables, memory, floats and early exits, from a seed: programs that really
 * run for a while, unlike byte mutations. Every function is called by `_start`, which stores all results in memory,
 * so that one digest tells two runs apart.
 */

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;
const TYPES = [I32, I64, F32, F64] as const;
const EMPTY = 0x40;
const FUNCTIONS = 6;
const LOCALS_PER_TYPE = 2;
/** Nested expressions and statements; what is deeper becomes a constant or nothing. */
const MAX_DEPTH = 5;
const TABLE_SIZE = 8;
const PASSIVE_DATA = [1, 2, 3, 4, 5, 6, 7, 8];

/** Operators [opcode, parameter type, result type]: the second operand, if any, has the type of the first. */
type Operator = readonly [opcode: number, param: number, result: number];
const range = (first: number, last: number, param: number, result: number): Operator[] =>
  Array.from({ length: last - first + 1 }, (_, index) => [first + index, param, result] as const);

const UNARY: readonly Operator[] = [
  ...range(0x45, 0x45, I32, I32),
  ...range(0x50, 0x50, I64, I32),
  ...range(0x67, 0x69, I32, I32),
  ...range(0x79, 0x7b, I64, I64),
  ...range(0x8b, 0x91, F32, F32),
  ...range(0x99, 0x9f, F64, F64),
  ...range(0xa7, 0xa7, I64, I32),
  ...range(0xa8, 0xa9, F32, I32),
  ...range(0xaa, 0xab, F64, I32),
  ...range(0xac, 0xad, I32, I64),
  ...range(0xae, 0xaf, F32, I64),
  ...range(0xb0, 0xb1, F64, I64),
  ...range(0xb2, 0xb3, I32, F32),
  ...range(0xb4, 0xb5, I64, F32),
  ...range(0xb6, 0xb6, F64, F32),
  ...range(0xb7, 0xb8, I32, F64),
  ...range(0xb9, 0xba, I64, F64),
  ...range(0xbb, 0xbb, F32, F64),
  [0xbc, F32, I32],
  [0xbd, F64, I64],
  [0xbe, I32, F32],
  [0xbf, I64, F64],
  ...range(0xc0, 0xc1, I32, I32),
  ...range(0xc2, 0xc4, I64, I64),
];
const BINARY: readonly Operator[] = [
  ...range(0x46, 0x4f, I32, I32),
  ...range(0x51, 0x5a, I64, I32),
  ...range(0x5b, 0x60, F32, I32),
  ...range(0x61, 0x66, F64, I32),
  ...range(0x6a, 0x78, I32, I32),
  ...range(0x7c, 0x8a, I64, I64),
  ...range(0x92, 0x98, F32, F32),
  ...range(0xa0, 0xa6, F64, F64),
];
/** SIMD operators of two vectors and of one whose results may be NaN, or not. */
const VECTOR_BINARY = [228, 229, 230, 231, 232, 233, 234, 235, 240, 241, 242, 243, 244, 245, 110, 174, 181, 206, 71];
const VECTOR_UNARY = [224, 225, 227, 236, 237, 239, 94, 95, 103, 117, 250];
const LOADS = new Map<number, number>([
  [I32, 0x28],
  [I64, 0x29],
  [F32, 0x2a],
  [F64, 0x2b],
]);
const STORES = new Map<number, number>([
  [I32, 0x36],
  [I64, 0x37],
  [F32, 0x38],
  [F64, 0x39],
]);

interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

/** xorshift32: small, and the same everywhere. */
class Chooser {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e37_79b1) >>> 0 || 1;
  }

  below(count: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % count;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

function leb(value: bigint | number, signed = false): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = signed ? (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40) : rest === 0n;
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const vector = (items: readonly (readonly number[])[]): number[] => [...leb(items.length), ...items.flat()];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...leb(bytes.length), ...bytes];
const i32 = (value: number): number[] => [0x41, ...leb(value, true)];
const text = (value: string): number[] => vector([...Buffer.from(value)].map((byte) => [byte]));

class Body {
  readonly #random: Chooser;
  readonly #types: readonly FunctionType[];
  readonly #own: FunctionType;
  readonly #index: number;
  /** Type of every local, parameters first; the last one is a loop counter that statements leave alone. */
  readonly #locals: readonly number[];
  /** Result types of the labels in scope, innermost last; loops carry nothing. */
  readonly #labels: number[][] = [];

  constructor(random: Chooser, types: readonly FunctionType[], index: number) {
    this.#random = random;
    this.#types = types;
    this.#own = types[index]!;
    this.#index = index;
    const own = [...TYPES, V128].flatMap((type) => Array<number>(LOCALS_PER_TYPE).fill(type));
    this.#locals = [...this.#own.params, ...own, I32];
  }

  bytes(): number[] {
    const code = [...this.#statements(0), ...this.#own.results.flatMap((type) => this.#expression(type, 0)), 0x0b];
    const declared = this.#locals.slice(this.#own.params.length).map((type) => [1, type]);
    const body = [...vector(declared), ...code];
    return [...leb(body.length), ...body];
  }

  #statements(depth: number): number[] {
    return Array.from({ length: 1 + this.#random.below(4) }, () => this.#statement(depth)).flat();
  }

  #statement(depth: number): number[] {
    const random = this.#random;
    const choice = depth >= MAX_DEPTH ? random.below(4) : random.below(16);
    switch (choice) {
      case 0:
      case 1: {
        const local = random.below(this.#locals.length - 1);
        return [...this.#expression(this.#locals[local]!, depth + 1), 0x21, ...leb(local)];
      }
      case 2: {
        const type = random.of(TYPES);
        const store = STORES.get(type)!;
        return [...this.#address(depth), ...this.#expression(type, depth + 1), store, 0, ...leb(random.below(60_000))];
      }
      case 3:
        return [...this.#expression(random.of(TYPES), depth + 1), 0x1a];
      case 4:
      case 5:
        return this.#within(0x02, [], () => this.#statements(depth + 1));
      case 6:
      case 7:
        return this.#loop(depth);
      case 8:
      case 9:
        return [
          ...this.#expression(I32, depth + 1),
          ...this.#within(0x04, [], () => [
            ...this.#statements(depth + 1),
            ...(random.below(2) === 0 ? [0x05, ...this.#statements(depth + 1)] : []),
          ]),
        ];
      case 10:
        return this.#branch(depth);
      case 11:
        return this.#branchTable(depth);
      case 12:
        return this.#bulk(depth);
      case 13:
        return [...i32(random.below(3)), 0x40, 0, 0x1a];
      case 14:
        return [...this.#expression(I32, depth + 1), ...this.#within(0x04, [], () => this.#leave(depth))];
      default:
        return this.#globalOrTable(depth);
    }
  }

  #within(opcode: number, results: number[], inner: () => number[]): number[] {
    this.#labels.push(opcode === 0x03 ? [] : results);
    const code = [opcode, results[0] ?? EMPTY, ...inner(), 0x0b];
    this.#labels.pop();
    return code;
  }

  /** counter = n; loop { statements; if (--counter) continue }: nested loops share the counter, so all end. */
  #loop(depth: number): number[] {
    const counter = leb(this.#locals.length - 1);
    const again = [0x20, ...counter, ...i32(1), 0x6b, 0x22, ...counter, ...i32(0), 0x4a, 0x0d, 0];
    const times = i32(1 + this.#random.below(12));
    return [...times, 0x21, ...counter, ...this.#within(0x03, [], () => [...this.#statements(depth + 1), ...again])];
  }

  /** A label that carries nothing, or undefined. */
  #label(): number | undefined {
    const depths = this.#labels.map((_, index) => index).filter((index) => this.#labels.at(-1 - index)!.length === 0);
    return depths.length === 0 ? undefined : this.#random.of(depths);
  }

  #branch(depth: number): number[] {
    const label = this.#label();
    if (label === undefined) return [0x01];
    return [...this.#expression(I32, depth + 1), 0x0d, ...leb(label)];
  }

  #branchTable(depth: number): number[] {
    const inner = () => {
      const labels = Array.from({ length: 1 + this.#random.below(4) }, () => leb(this.#label()!));
      return [...this.#expression(I32, depth + 1), 0x0e, ...vector(labels.slice(1)), ...labels[0]!];
    };
    return this.#within(0x02, [], inner);
  }

  #bulk(depth: number): number[] {
    const length = [...this.#expression(I32, depth + 1), ...i32(0xff), 0x71];
    const [first, second] = [this.#address(depth), this.#address(depth)];
    switch (this.#random.below(3)) {
      case 0:
        return [...first, ...second, ...length, 0xfc, 10, 0, 0];
      case 1:
        return [...first, ...this.#expression(I32, depth + 1), ...length, 0xfc, 11, 0];
      default:
        return [...first, ...i32(this.#random.below(4)), ...i32(this.#random.below(5)), 0xfc, 8, 0, 0];
    }
  }

  /** Out of the function: return, tail call, trap. */
  #leave(depth: number): number[] {
    const results = this.#own.results.flatMap((type) => this.#expression(type, depth + 1));
    switch (this.#random.below(8)) {
      case 0:
        return this.#rarely() ? [0x00] : [0x01];
      case 1: {
        const same = this.#types.findLastIndex(({ results: of }) => String(of) === String(this.#own.results));
        if (same === this.#index && !this.#rarely()) return [0x01];
        return [...this.#types[same]!.params.flatMap((type) => this.#expression(type, depth + 1)), 0x12, ...leb(same)];
      }
      default:
        return [...results, 0x0f];
    }
  }

  #globalOrTable(depth: number): number[] {
    const global = this.#random.below(TYPES.length);
    if (this.#random.below(3) > 0) return [...this.#expression(TYPES[global]!, depth + 1), 0x24, global];
    const target = this.#random.below(FUNCTIONS);
    return [...i32(this.#rarely() ? target : FUNCTIONS + this.#random.below(2)), 0xd2, ...leb(target), 0x26, 0];
  }

  /** An address that is mostly inside the memory. */
  #address(depth: number): number[] {
    return [...this.#expression(I32, depth + 1), ...i32(this.#rarely() ? 0x3ffff : 0xffff), 0x71];
  }

  #expression(type: number, depth: number): number[] {
    if (type === V128) return this.#vector(depth);
    if (depth >= MAX_DEPTH) return this.#leaf(type);
    const random = this.#random;
    switch (random.below(12)) {
      case 0:
      case 1:
        return this.#leaf(type);
      case 2: {
        const [opcode, param] = random.of(UNARY.filter(([, , result]) => result === type));
        return [...this.#expression(param, depth + 1), ...this.#mostlySaturating(opcode)];
      }
      case 3:
        return [...this.#address(depth), LOADS.get(type)!, 0, ...leb(random.below(60_000))];
      case 4:
        return this.#call(type, depth);
      case 5: {
        const [left, right] = [this.#expression(type, depth + 1), this.#expression(type, depth + 1)];
        return [...left, ...right, ...this.#expression(I32, depth + 1), 0x1b];
      }
      case 6:
        return this.#within(0x02, [type], () => [...this.#statements(depth + 1), ...this.#expression(type, depth + 1)]);
      case 7: {
        const lane = new Map([
          [I32, 27],
          [I64, 29],
          [F32, 31],
          [F64, 33],
        ]).get(type)!;
        return [...this.#vector(depth + 1), 0xfd, lane, random.below(2)];
      }
      default: {
        const [opcode, param] = random.of(BINARY.filter(([, , result]) => result === type));
        const right = [...this.#expression(param, depth + 1), ...this.#mostlyOdd(opcode)];
        return [...this.#expression(param, depth + 1), ...right, opcode];
      }
    }
  }

  /** Whether something that would often end the run early is to happen all the same. */
  #rarely(): boolean {
    return this.#random.below(40) === 0;
  }

  /** A truncation that traps has a twin that does not. */
  #mostlySaturating(opcode: number): number[] {
    const twin = [0xa8, 0xa9, 0xaa, 0xab, 0xae, 0xaf, 0xb0, 0xb1].indexOf(opcode);
    return twin < 0 || this.#rarely() ? [opcode] : [0xfc, twin];
  }

  /** What makes a divisor other than zero. */
  #mostlyOdd(opcode: number): number[] {
    if (this.#rarely()) return [];
    if (opcode >= 0x6d && opcode <= 0x70) return [...i32(1), 0x72];
    return opcode >= 0x7f && opcode <= 0x82 ? [0x42, 1, 0x84] : [];
  }

  #leaf(type: number): number[] {
    const random = this.#random;
    const locals = this.#locals.map((_, index) => index).filter((index) => this.#locals[index] === type);
    if (random.below(2) === 0) return [0x20, ...leb(random.of(locals))];
    if (type !== V128 && random.below(4) === 0) return [0x23, TYPES.indexOf(type as (typeof TYPES)[number])];
    const bits = random.of([0, 1, -1, 0x7fc0_0001, -0x80_0000, random.below(2 ** 31)]);
    if (type === I32) return i32(bits);
    if (type === I64) return [0x42, ...leb(BigInt(bits) * BigInt(random.of([1, 0x1_0000_0001])), true)];
    const bytes = Buffer.alloc(16);
    bytes.writeInt32LE(bits, 0);
    bytes.writeInt32LE(random.of([0x7ff8_0000, 0x4010_0000, bits]), 4);
    bytes.copy(bytes, 8, 0, 8);
    if (type === F32) return [0x43, ...bytes.subarray(0, 4)];
    return type === F64 ? [0x44, ...bytes.subarray(0, 8)] : [0xfd, 12, ...bytes];
  }

  #vector(depth: number): number[] {
    if (depth >= MAX_DEPTH) return this.#leaf(V128);
    switch (this.#random.below(4)) {
      case 0:
        return this.#leaf(V128);
      case 1: {
        const [left, right] = [this.#vector(depth + 1), this.#vector(depth + 1)];
        return [...left, ...right, 0xfd, ...leb(this.#random.of(VECTOR_BINARY))];
      }
      case 2:
        return [...this.#vector(depth + 1), 0xfd, ...leb(this.#random.of(VECTOR_UNARY))];
      default:
        return [...this.#expression(F64, depth + 1), 0xfd, 20];
    }
  }

  #call(type: number, depth: number): number[] {
    const random = this.#random;
    const recursive = this.#rarely();
    const candidates = this.#types
      .map((_, index) => index)
      .filter((index) => this.#types[index]!.results[0] === type && (recursive || index > this.#index));
    if (candidates.length === 0) return this.#leaf(type);
    const target = random.of(candidates);
    const given = this.#types[target]!.params.flatMap((param) => this.#expression(param, depth + 1));
    if (random.below(3) > 0) return [...given, 0x10, ...leb(target)];
    return [...given, ...i32(this.#rarely() ? random.below(TABLE_SIZE) : target), 0x11, ...leb(target), 0];
  }
}

/** `_start` after the others: calls each with constants and stores its result. */
function startBody(types: readonly FunctionType[]): number[] {
  const code = types.flatMap(({ params, results }, index) => {
    const given = params.flatMap((type) => {
      if (type === I32) return i32(index * 77);
      if (type === I64) return [0x42, ...leb(index * 1_000_003, true)];
      return type === F32 ? [0x43, 0, 0, 0xc0, 0x3f] : [0x44, 0, 0, 0, 0, 0, 0, 4, 0x40];
    });
    return [...i32(index * 8), ...given, 0x10, ...leb(index), STORES.get(results[0]!)!, 0, 0];
  });
  return [...leb(code.length + 2), 0, ...code, 0x0b];
}

/** The module that belongs to a seed. */
export function randomModule(seed: number): Uint8Array {
  return moduleOf(seed, FUNCTIONS, undefined);
}

/** A module of about this many bytes, whose `_start` does nothing: what it takes to load a large guest. */
export function largeModule(sizeBytes: number, seed = 0): Uint8Array {
  const bytesPerFunction = randomModule(seed).length / FUNCTIONS;
  return moduleOf(seed, Math.ceil(sizeBytes / bytesPerFunction), [2, 0, 0x0b]);
}

/** Bodies beyond the first FUNCTIONS repeat them. */
function moduleOf(seed: number, functions: number, start: readonly number[] | undefined): Uint8Array {
  const random = new Chooser(seed);
  const types: FunctionType[] = Array.from({ length: FUNCTIONS }, (_, index) => ({
    params: Array.from({ length: random.below(4) }, () => random.of(TYPES)),
    results: [TYPES[index % TYPES.length]!],
  }));
  const encoded = types.map(({ params, results }) => [
    0x60,
    ...vector(params.map((type) => [type])),
    ...vector(results.map((type) => [type])),
  ]);
  const distinct = types.map((_, index) => new Body(random, types, index).bytes());
  const indices = Array.from({ length: functions }, (_, index) => index % FUNCTIONS);
  const bodies = indices.map((index) => distinct[index]!);
  const zeros = [i32(0), [0x42, 0], [0x43, 0, 0, 0, 0], [0x44, 0, 0, 0, 0, 0, 0, 0, 0]];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector([...encoded, [0x60, 0, 0]])),
    ...section(3, vector([...indices.map((index) => leb(index)), leb(FUNCTIONS)])),
    ...section(4, vector([[0x70, 0, TABLE_SIZE]])),
    ...section(5, vector([[1, 2, 9]])),
    ...section(6, vector(TYPES.map((type, index) => [type, 1, ...zeros[index]!, 0x0b]))),
    ...section(7, vector([[...text("_start"), 0, ...leb(functions)]])),
    ...section(9, vector([[0, ...i32(0), 0x0b, ...vector(types.map((_, index) => leb(index)))]])),
    ...section(12, leb(1)),
    ...section(10, vector([...bodies, start ?? startBody(types)])),
    ...section(11, vector([[1, ...vector(PASSIVE_DATA.map((byte) => [byte]))]])),
  ]);
}
