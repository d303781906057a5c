/**
 * The compiler writes a data segment for every run of bytes between zeros. A segment of its own costs seven bytes or
 * so, and the module's length is paid for at every call: neighbours are joined where the zeros between them are
 * cheaper. Memory begins the same as before. (WebAssembly 1.0, section 5.5; data count: bulk memory.)
 */
const DATA = 11;
const DATA_COUNT = 12;
const MAX_GAP_BYTES = 7;

interface Segment {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get done(): boolean {
    return this.at >= this.#bytes.length;
  }
  byte(): number {
    return this.#bytes[this.at++]!;
  }
  take(count: number): Uint8Array {
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }
  /** LEB128, unsigned: offsets of a module this small are positive in the signed form too. */
  leb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

/** One byte more where the sixth bit would read as a sign. */
function signedLeb(value: number): number[] {
  const bytes = leb(value);
  const last = bytes.at(-1)!;
  return last < 0x40 ? bytes : [...bytes.slice(0, -1), last | 0x80, 0];
}

/** Active segments of memory 0 at constant offsets, the only ones that the compiler makes; anything else is left alone. */
function readSegments(payload: Uint8Array): Segment[] | undefined {
  const reader = new Reader(payload);
  const segments: Segment[] = [];
  for (let count = reader.leb(); count > 0; count--) {
    if (reader.leb() !== 0 || reader.byte() !== 0x41) return undefined;
    const offset = reader.leb();
    if (reader.byte() !== 0x0b) return undefined;
    segments.push({ offset, bytes: reader.take(reader.leb()) });
  }
  return segments.sort((a, b) => a.offset - b.offset);
}

function joined(segments: readonly Segment[]): { offset: number; bytes: number[] }[] {
  const merged: { offset: number; bytes: number[] }[] = [];
  for (const { offset, bytes } of segments) {
    const last = merged.at(-1);
    const gap = last ? offset - last.offset - last.bytes.length : Number.POSITIVE_INFINITY;
    if (last && gap <= MAX_GAP_BYTES) last.bytes.push(...new Array<number>(gap).fill(0), ...bytes);
    else merged.push({ offset, bytes: [...bytes] });
  }
  return merged;
}

export function mergeSegments(module: Uint8Array): Uint8Array {
  const reader = new Reader(module);
  const sections: { id: number; payload: Uint8Array }[] = [];
  const magic = reader.take(8);
  while (!reader.done) {
    const id = reader.byte();
    sections.push({ id, payload: reader.take(reader.leb()) });
  }
  const data = sections.find(({ id }) => id === DATA);
  const segments = data && readSegments(data.payload);
  if (!segments) return module;
  const merged = joined(segments);
  const out = [...magic];
  for (const { id, payload } of sections) {
    let bytes: ArrayLike<number> & Iterable<number> = payload;
    if (id === DATA_COUNT) bytes = leb(merged.length);
    if (id === DATA) {
      bytes = merged.flatMap((segment, i) => [
        ...(i === 0 ? leb(merged.length) : []),
        0,
        0x41,
        ...signedLeb(segment.offset),
        0x0b,
        ...leb(segment.bytes.length),
        ...segment.bytes,
      ]);
    }
    out.push(id, ...leb(bytes.length), ...bytes);
  }
  return Uint8Array.from(out);
}
