/**
 * Values as JSON and back, checked on the way in: a codec is a type, its bounds and a parser in one. Amounts are
 * decimal texts, bytes base64.
 */

export class JsonCodecError extends Error {
  readonly code: "MALFORMED_JSON";
  constructor(message: string) {
    super(message);
    this.name = "JsonCodecError";
    this.code = "MALFORMED_JSON";
  }
}

export interface JsonCodec<T> {
  write(value: T): unknown;
  /** @throws JsonCodecError */
  read(json: unknown, path: string): T;
}

function malformed(path: string, wanted: string): never {
  throw new JsonCodecError(`${path || "the value"} is not ${wanted}`);
}

function checked<T>(wanted: string, accepts: (json: unknown) => json is T): JsonCodec<T> {
  return { write: (value) => value, read: (json, path) => (accepts(json) ? json : malformed(path, wanted)) };
}

export const text = checked("a text", (json): json is string => typeof json === "string");
export const boolean = checked("true or false", (json): json is boolean => typeof json === "boolean");
export const count = checked(
  "a whole number",
  (json): json is number => typeof json === "number" && Number.isSafeInteger(json) && json >= 0,
);

export const amount: JsonCodec<bigint> = {
  write: (value) => value.toString(),
  read: (json, path) =>
    typeof json === "string" && /^\d{1,39}$/.test(json) ? BigInt(json) : malformed(path, "a decimal text"),
};

const BASE64 = /^[A-Za-z\d+/]*={0,2}$/;

export const bytes: JsonCodec<Uint8Array<ArrayBuffer>> = {
  write: (value) => Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64"),
  read: (json, path) =>
    typeof json === "string" && BASE64.test(json)
      ? new Uint8Array(Buffer.from(json, "base64"))
      : malformed(path, "base64"),
};

export function nullable<T>(inner: JsonCodec<T>): JsonCodec<T | null> {
  return {
    write: (value) => (value === null ? null : inner.write(value)),
    read: (json, path) => (json === null ? null : inner.read(json, path)),
  };
}

export function optional<T>(inner: JsonCodec<T>): JsonCodec<T | undefined> {
  return {
    write: (value) => (value === undefined ? null : inner.write(value)),
    read: (json, path) => (json === null || json === undefined ? undefined : inner.read(json, path)),
  };
}

export function list<T>(inner: JsonCodec<T>, limit: number): JsonCodec<T[]> {
  return {
    write: (values) => values.map((value) => inner.write(value)),
    read: (json, path) => {
      if (!Array.isArray(json) || json.length > limit) return malformed(path, `a list of up to ${limit}`);
      return json.map((item, index) => inner.read(item, `${path}[${index}]`));
    },
  };
}

/** One of these texts. */
export function word<W extends string>(...words: readonly W[]): JsonCodec<W> {
  return checked(words.join(" or "), (json): json is W => words.some((candidate) => candidate === json));
}

export function asObject(json: unknown, path: string): Record<string, unknown> {
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  return isObject ? (json as Record<string, unknown>) : malformed(path, "an object");
}

type Fields<T> = {
  readonly [K in keyof T]-?: JsonCodec<T[K]> | (object extends Pick<T, K> ? JsonCodec<T[K] | undefined> : never);
};

/** Exactly these fields; optional ones that are undefined are left out again when read. */
export function record<T extends object>(fields: Fields<T>): JsonCodec<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    write: (value) =>
      Object.fromEntries(names.map((name) => [name, (fields[name] as JsonCodec<T[typeof name]>).write(value[name])])),
    read: (json, path) => {
      const object = asObject(json, path);
      const stray = Object.keys(object).find((name) => !Object.hasOwn(fields, name));
      if (stray !== undefined) return malformed(`${path}.${stray.slice(0, 64)}`, "a field that is known");
      const read = names.map((name) => {
        const value = Object.hasOwn(object, name) ? object[name] : undefined;
        return [name, fields[name].read(value, `${path}.${name}`)] as const;
      });
      return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as T;
    },
  };
}

/** One of several records, by the text in its field `tag`. */
export function tagged<U extends object, K extends keyof U & string>(
  tag: K,
  variants: { readonly [N in U[K] & string]: JsonCodec<Omit<Extract<U, { readonly [T in K]: N }>, K>> },
): JsonCodec<U> {
  const codecOf = (name: unknown, path: string): JsonCodec<object> =>
    typeof name === "string" && Object.hasOwn(variants, name)
      ? (variants[name as U[K] & string] as unknown as JsonCodec<object>)
      : malformed(`${path}.${tag}`, "a kind that is known");
  return {
    write: (value) => ({ [tag]: value[tag], ...(codecOf(value[tag], "").write(value) as object) }),
    read: (json, path) => {
      const { [tag]: name, ...rest } = asObject(json, path);
      return { [tag]: name, ...codecOf(name, path).read(rest, path) } as U;
    },
  };
}
