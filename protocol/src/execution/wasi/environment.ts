/**
 * The environment as the guest gets it, encoded once and before the guest runs: a guest may ask as often as it likes, and
 * from as deep in a recursion as it likes.
 */
const encoder = new TextEncoder();

export interface Environment {
  /** "NAME=value\0" of every variable, one after another. */
  readonly bytes: Uint8Array;
  /** Where each begins. */
  readonly offsets: readonly number[];
}

export const NO_STRINGS: Environment = { bytes: new Uint8Array(0), offsets: [] };

export function encodeEnvironment(environ: readonly (readonly [string, string])[]): Environment {
  const strings = environ.map(([name, value]) => encoder.encode(`${name}=${value}\0`));
  const bytes = new Uint8Array(strings.reduce((sum, { length }) => sum + length, 0));
  const offsets: number[] = [];
  let at = 0;
  for (const string of strings) {
    offsets.push(at);
    bytes.set(string, at);
    at += string.length;
  }
  return { bytes, offsets };
}
