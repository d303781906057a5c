/** A small assembler for tests: modules as nested arrays of bytes, nothing checked, so that wrong ones can be made too. */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;

export type Code = readonly (number | Code)[];

export function flat(code: Code): number[] {
  return (code as unknown[]).flat(Number.POSITIVE_INFINITY) as number[];
}

export function u32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

export function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

export const i32 = (value: number): number[] => [0x41, ...signed(BigInt(value))];
export const i64 = (value: bigint): number[] => [0x42, ...signed(value)];
export const f64 = (value: number): number[] => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)];
export const get = (local: number): number[] => [0x20, ...u32(local)];
export const set = (local: number): number[] => [0x21, ...u32(local)];
export const tee = (local: number): number[] => [0x22, ...u32(local)];
export const call = (index: number): number[] => [0x10, ...u32(index)];
export const name = (text: string): number[] => {
  const bytes = [...new TextEncoder().encode(text)];
  return [...u32(bytes.length), ...bytes];
};
/** block, loop, if with no type. */
export const block = (...body: Code): Code => [0x02, 0x40, ...body, 0x0b];
export const loop = (...body: Code): Code => [0x03, 0x40, ...body, 0x0b];
export const when = (...body: Code): Code => [0x04, 0x40, ...body, 0x0b];
export const otherwise = 0x05;
export const br = (depth: number): number[] => [0x0c, ...u32(depth)];
export const brIf = (depth: number): number[] => [0x0d, ...u32(depth)];
export const ret = 0x0f;
export const unreachable = 0x00;
export const drop = 0x1a;
export const add = 0x6a;
export const sub = 0x6b;

export interface FunctionSource {
  readonly params?: readonly number[];
  readonly results?: readonly number[];
  /** One type for each local. */
  readonly locals?: readonly number[];
  /** Without the final `end`. */
  readonly body: Code;
  readonly export?: string;
}

export interface ModuleSource {
  /** Functions as [module, name, params, results]. */
  readonly imports?: readonly (readonly [string, string, readonly number[], readonly number[]])[];
  readonly functions: readonly FunctionSource[];
  /** Pages; exported as "memory". */
  readonly memory?: readonly [minimum: number, maximum?: number];
  /** Memories 1, 2, …, beside `memory`. */
  readonly moreMemories?: readonly (readonly [minimum: number, maximum?: number])[];
  /** Size of a funcref table that holds the functions of `elements` from 0. */
  readonly table?: number;
  readonly elements?: readonly number[];
  /** [type, mutable, initialiser without end]. */
  readonly globals?: readonly (readonly [number, boolean, Code])[];
  readonly exports?: readonly (readonly [string, number, number])[];
  readonly start?: number;
  readonly data?: readonly (readonly [offset: number, bytes: readonly number[]])[];
  /** Whole sections appended after the others, as [id, contents]. */
  readonly extra?: readonly (readonly [number, Code])[];
}

export function vector(items: readonly Code[]): number[] {
  return [...u32(items.length), ...flat(items)];
}

export function section(id: number, contents: Code): number[] {
  const bytes = flat(contents);
  return [id, ...u32(bytes.length), ...bytes];
}

export const PREAMBLE: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

function functionType(params: readonly number[] = [], results: readonly number[] = []): Code {
  return [0x60, vector(params.map((type) => [type])), vector(results.map((type) => [type]))];
}

/** Function i of `functions` has type imports.length + i and function index imports.length + i. */
export function assemble(source: ModuleSource): Uint8Array {
  const { imports = [], functions } = source;
  const offset = imports.length;
  const types = [
    ...imports.map(([, , params, results]) => functionType(params, results)),
    ...functions.map(({ params, results }) => functionType(params, results)),
  ];
  const exports: Code[] = functions.flatMap((item, index) =>
    item.export === undefined ? [] : [[name(item.export), 0, u32(offset + index)]],
  );
  if (source.memory) exports.push([name("memory"), 2, 0]);
  for (const [exportName, kind, index] of source.exports ?? []) exports.push([name(exportName), kind, u32(index)]);
  const bodies = functions.map(({ locals = [], body }) => {
    const bytes = flat([vector(locals.map((type) => [1, type])), body, 0x0b]);
    return [u32(bytes.length), bytes];
  });
  const sections: Code[] = [section(1, vector(types))];
  if (offset > 0) {
    sections.push(section(2, vector(imports.map(([from, item], index) => [name(from), name(item), 0, u32(index)]))));
  }
  sections.push(section(3, vector(functions.map((_, index) => u32(offset + index)))));
  if (source.table !== undefined) sections.push(section(4, vector([[0x70, 0, u32(source.table)]])));
  const memories = [...(source.memory ? [source.memory] : []), ...(source.moreMemories ?? [])];
  if (memories.length > 0) sections.push(section(5, vector(memories.map(limitsOf))));
  if (source.globals) {
    const globals = source.globals.map(([type, mutable, init]) => [type, mutable ? 1 : 0, init, 0x0b]);
    sections.push(section(6, vector(globals)));
  }
  sections.push(section(7, vector(exports)));
  if (source.start !== undefined) sections.push(section(8, u32(source.start)));
  if (source.elements) {
    sections.push(section(9, vector([[0, i32(0), 0x0b, vector(source.elements.map((index) => u32(index)))]])));
  }
  sections.push(section(10, vector(bodies)));
  if (source.data) {
    sections.push(section(11, vector(source.data.map(([at, bytes]) => [0, i32(at), 0x0b, u32(bytes.length), bytes]))));
  }
  for (const [id, contents] of source.extra ?? []) sections.push(section(id, contents));
  return Uint8Array.from([...PREAMBLE, ...flat(sections)]);
}

function limitsOf([minimum, maximum]: readonly [number, number?]): Code {
  return maximum === undefined ? [0, u32(minimum)] : [1, u32(minimum), u32(maximum)];
}
