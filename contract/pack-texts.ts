/**
 * AssemblyScript keeps a string as UTF-16 behind a header of 20 bytes. The contract's texts are ASCII, and are compared
 * with bytes or written out as bytes, so every string literal of the contract becomes a `Text` (`assembly/text.ts`)
 * before the compiler sees it: the address of a length and of plain bytes. That is a quarter of the module, and the
 * gas for what would be converted at every call.
 *
 *   out.literal(',"seat":')  →  out.literal(TEXT_0f9c…)
 *   text.ts                  →  … @global @lazy const TEXT_0f9c… = changetype<Text>(memory.data<u8>([8, 44, …]))
 *
 * Equal texts of all files are one, and the compiler leaves out those that nothing refers to. What a call is refused
 * with ("Code: why") is read once, when all is over, so it becomes a `Refusal`: frequent pairs of bytes are one byte
 * there, by a table that the contract has too (`assembly/refusal.ts`). That halves them.
 */
import { createHash } from "node:crypto";

const MAX_TEXT_BYTES = 255;
const REFUSAL = /^[A-Z][A-Za-z]+: /;
/** Bytes that no text has, in the order in which `assembly/refusal.ts` counts them: each can stand for a pair. */
const CODES = Array.from({ length: 160 }, (_, place) => (0x80 + place) & 0xff);
/** A pair of its own costs two bytes. */
const LEAST_USES = 3;
/** Comments; strings that name modules, host functions or fields, which stay; and string literals. */
const TOKENS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\bfrom\s+"[^"]*"|@external\([^)]*\)|offsetof<\w+>\("\w+"\)|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/g;

export class TextError extends Error {
  readonly code = "badText";
  constructor(text: string) {
    super(`a text of the contract is ASCII and of at most ${MAX_TEXT_BYTES} bytes: ${text}`);
    this.name = "TextError";
  }
}

function nameOf(text: string): string {
  return `TEXT_${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}

/** A source with names in place of its texts, which are added to `texts`. */
export function packTexts(source: string, texts: Set<string>): string {
  return source.replaceAll(TOKENS, (token, double: string | undefined, single: string | undefined) => {
    const literal = double ?? single;
    if (literal === undefined) return token;
    const text = literal.replaceAll(/\\(.)/g, "$1");
    if (!/^[\x20-\x7e]*$/.test(text) || text.length > MAX_TEXT_BYTES) throw new TextError(text);
    texts.add(text);
    return nameOf(text);
  });
}

/** How often every pair of neighbours stands in the texts; overlapping ones (`aaa`) count once. */
function countPairs(texts: readonly (readonly number[])[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const text of texts) {
    for (let i = 0; i + 1 < text.length; i++) {
      const pair = (text[i]! << 8) | text[i + 1]!;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
      if (text[i] === text[i + 1] && text[i] === text[i + 2]) i++;
    }
  }
  return counts;
}

function replacePair(text: readonly number[], pair: number, code: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const found = i + 1 < text.length && ((text[i]! << 8) | text[i + 1]!) === pair;
    out.push(found ? code : text[i]!);
    if (found) i++;
  }
  return out;
}

export interface PairedTexts {
  /** Two bytes for each code, in the order of the codes; a byte of a pair can be a code again. */
  readonly pairs: readonly number[];
  readonly texts: ReadonlyMap<string, readonly number[]>;
}

/** Byte pair encoding: again and again the most frequent pair becomes a code. */
export function pairTexts(texts: readonly string[]): PairedTexts {
  let encoded: (readonly number[])[] = texts.map((text) => [...Buffer.from(text)]);
  const pairs: number[] = [];
  for (const code of CODES) {
    let [best, uses] = [0, 0];
    for (const [pair, count] of countPairs(encoded)) if (count > uses) [best, uses] = [pair, count];
    if (uses < LEAST_USES) break;
    pairs.push(best >> 8, best & 0xff);
    encoded = encoded.map((text) => replacePair(text, best, code));
  }
  return { pairs, texts: new Map(texts.map((text, i) => [text, encoded[i]!])) };
}

function declare(name: string, type: string, bytes: readonly number[]): string {
  const value = `changetype<${type}>(memory.data<u8>([${bytes.join(",")}]))`;
  return `\n// @ts-ignore: decorator\n@global @lazy const ${name}: ${type} = ${value};`;
}

/** What `assembly/text.ts` has at its end: one constant a text, and the table of pairs. */
export function declareTexts(texts: Iterable<string>): string {
  const sorted = [...texts].sort();
  const { pairs, texts: refusals } = pairTexts(sorted.filter((text) => REFUSAL.test(text)));
  const constants = sorted.map((text) => {
    const paired = refusals.get(text);
    const bytes = paired ?? [...Buffer.from(text)];
    return declare(nameOf(text), paired ? "Refusal" : "Text", [bytes.length, ...bytes]);
  });
  return [declare("REFUSAL_PAIRS", "usize", pairs.length > 0 ? pairs : [0]), ...constants].join("");
}
