/**
 * Borsh (https://borsh.io) with a bound on every length.
 *
 * Records come from a chain and messages from peers, so a codec here is a type, a limit and a parser in one: it
 * refuses what is too long before it allocates, what is left over at the end, and every second spelling of a value
 * (a boolean of 2, an option tag of 3), because equal values must have equal hashes.
 */
import { MAX_WIRE_BYTES } from "../limits.ts";

export class WireError extends Error {
  readonly code: "truncated" | "trailingBytes" | "tooLong" | "badTag" | "badUtf8" | "outOfRange";
  constructor(code: WireError["code"], detail: string) {
    super(`${code}: ${detail}`);
    this.name = "WireError";
    this.code = code;
  }
}

class ByteWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  reserve(count: number): { view: DataView; at: number } {
    const needed = this.#length + count;
    if (needed > MAX_WIRE_BYTES) throw new WireError("tooLong", `${needed} bytes, at most ${MAX_WIRE_BYTES}`);
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    const at = this.#length;
    this.#length = needed;
    return { view: this.#view, at };
  }

  raw(source: Uint8Array): void {
    const { at } = this.reserve(source.length);
    this.#bytes.set(source, at);
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

class ByteReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(count: number): number {
    const at = this.#at;
    if (count > this.bytes.length - at) {
      throw new WireError("truncated", `${count} bytes wanted at offset ${at} of ${this.bytes.length}`);
    }
    this.#at = at + count;
    return at;
  }

  get remaining(): number {
    return this.bytes.length - this.#at;
  }
}

export interface Codec<T> {
  write(writer: ByteWriter, value: T): void;
  read(reader: ByteReader): T;
}

export type Decoded<C> = C extends Codec<infer T> ? T : never;

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new ByteWriter();
  codec.write(writer, value);
  return writer.done();
}

/** @throws {WireError} unless `bytes` is exactly one value of the codec, spelled the one canonical way. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  if (bytes.length > MAX_WIRE_BYTES) throw new WireError("tooLong", `${bytes.length} bytes`);
  const reader = new ByteReader(bytes);
  const value = codec.read(reader);
  if (reader.remaining > 0) throw new WireError("trailingBytes", `${reader.remaining} bytes left over`);
  return value;
}

function integer(
  bytes: 1 | 2 | 4,
  get: "getUint8" | "getUint16" | "getUint32",
  set: "setUint8" | "setUint16" | "setUint32",
): Codec<number> {
  const max = 2 ** (8 * bytes) - 1;
  return {
    write(writer, value) {
      if (!Number.isInteger(value) || value < 0 || value > max)
        throw new WireError("outOfRange", `${value} in u${8 * bytes}`);
      const { view, at } = writer.reserve(bytes);
      view[set](at, value, true);
    },
    read(reader) {
      return reader.view[get](reader.take(bytes), true);
    },
  };
}

export const u8 = integer(1, "getUint8", "setUint8");
export const u16 = integer(2, "getUint16", "setUint16");
export const u32 = integer(4, "getUint32", "setUint32");

export const u64: Codec<bigint> = {
  write(writer, value) {
    if (value < 0n || value >= 1n << 64n) throw new WireError("outOfRange", `${value} in u64`);
    const { view, at } = writer.reserve(8);
    view.setBigUint64(at, value, true);
  },
  read(reader) {
    return reader.view.getBigUint64(reader.take(8), true);
  },
};

export const u128: Codec<bigint> = {
  write(writer, value) {
    if (value < 0n || value >= 1n << 128n) throw new WireError("outOfRange", `${value} in u128`);
    u64.write(writer, value & 0xffff_ffff_ffff_ffffn);
    u64.write(writer, value >> 64n);
  },
  read(reader) {
    const low = u64.read(reader);
    return low | (u64.read(reader) << 64n);
  },
};

/** A u64 that is a block height or a count: a JavaScript number, refused above 2^53 − 1. */
export const height: Codec<number> = {
  write(writer, value) {
    if (!Number.isSafeInteger(value) || value < 0) throw new WireError("outOfRange", `${value} as a height`);
    u64.write(writer, BigInt(value));
  },
  read(reader) {
    const value = u64.read(reader);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new WireError("outOfRange", `${value} as a height`);
    return Number(value);
  },
};

export const bool: Codec<boolean> = {
  write(writer, value) {
    u8.write(writer, value ? 1 : 0);
  },
  read(reader) {
    const tag = u8.read(reader);
    if (tag > 1) throw new WireError("badTag", `${tag} as a boolean`);
    return tag === 1;
  },
};

/** Exactly `length` bytes, no prefix. */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    write(writer, value) {
      if (value.length !== length) throw new WireError("outOfRange", `${value.length} bytes where ${length} belong`);
      writer.raw(value);
    },
    read(reader) {
      const at = reader.take(length);
      return reader.bytes.slice(at, at + length);
    },
  };
}

/** At most `max` bytes behind a u32 length. */
export function bytes(max: number): Codec<Uint8Array> {
  return {
    write(writer, value) {
      if (value.length > max) throw new WireError("tooLong", `${value.length} bytes, at most ${max}`);
      u32.write(writer, value.length);
      writer.raw(value);
    },
    read(reader) {
      const length = u32.read(reader);
      if (length > max) throw new WireError("tooLong", `${length} bytes, at most ${max}`);
      const at = reader.take(length);
      return reader.bytes.slice(at, at + length);
    },
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 text of at most `max` bytes. */
export function text(max: number): Codec<string> {
  const inner = bytes(max);
  return {
    write(writer, value) {
      if (!value.isWellFormed()) throw new WireError("badUtf8", "a lone surrogate");
      inner.write(writer, encoder.encode(value));
    },
    read(reader) {
      const raw = inner.read(reader);
      try {
        return decoder.decode(raw);
      } catch {
        throw new WireError("badUtf8", `${raw.length} bytes that are not UTF-8`);
      }
    },
  };
}

export function option<T>(inner: Codec<T>): Codec<T | undefined> {
  return {
    write(writer, value) {
      bool.write(writer, value !== undefined);
      if (value !== undefined) inner.write(writer, value);
    },
    read(reader) {
      return bool.read(reader) ? inner.read(reader) : undefined;
    },
  };
}

/** At most `max` elements behind a u32 count. */
export function list<T>(inner: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    write(writer, values) {
      if (values.length > max) throw new WireError("tooLong", `${values.length} elements, at most ${max}`);
      u32.write(writer, values.length);
      for (const value of values) inner.write(writer, value);
    },
    read(reader) {
      const count = u32.read(reader);
      if (count > max) throw new WireError("tooLong", `${count} elements, at most ${max}`);
      return Array.from({ length: count }, () => inner.read(reader));
    },
  };
}

type Fields = Readonly<Record<string, Codec<never>>> | Readonly<Record<string, Codec<unknown>>>;

/** Fields in the order in which they are written here. */
// biome-ignore lint/suspicious/noExplicitAny: a field's codec is invariant in its type; `any` is what lets one map hold several
export function struct<F extends Readonly<Record<string, Codec<any>>>>(
  fields: F & Fields,
): Codec<{ readonly [K in keyof F]: Decoded<F[K]> }> {
  const entries = Object.entries(fields) as [keyof F & string, Codec<unknown>][];
  return {
    write(writer, value) {
      for (const [name, codec] of entries) codec.write(writer, value[name]);
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of entries) value[name] = codec.read(reader);
      return value as { readonly [K in keyof F]: Decoded<F[K]> };
    },
  };
}

type Variants<V> = { [K in keyof V]: { readonly kind: K } & Decoded<V[K]> }[keyof V];

/** A Borsh enum: a u8 tag in the order in which the variants are written here; each variant is a struct. */
// biome-ignore lint/suspicious/noExplicitAny: as for struct
export function union<V extends Readonly<Record<string, Codec<any>>>>(variants: V): Codec<Variants<V>> {
  const names = Object.keys(variants) as (keyof V & string)[];
  const tags = new Map<string, number>(names.map((name, tag) => [name, tag]));
  return {
    write(writer, value) {
      const tag = tags.get(value.kind as string);
      if (tag === undefined) throw new WireError("badTag", `no variant ${String(value.kind)}`);
      u8.write(writer, tag);
      variants[value.kind]!.write(writer, value);
    },
    read(reader) {
      const tag = u8.read(reader);
      const name = names[tag];
      if (name === undefined) throw new WireError("badTag", `${tag} of ${names.length} variants`);
      return { kind: name, ...variants[name]!.read(reader) } as Variants<V>;
    },
  };
}
