/**
 * AssemblyScript keeps a string as UTF-16 behind a header of 20 bytes. The contract's texts are ASCII, and are compared
 * with bytes or written out as bytes, so every string literal of the contract becomes a `Text` (`assembly/text.ts`)
 * before the compiler sees it: the address of a length and of plain bytes. That is a quarter of the module, and the
 * gas for what would be converted at every call.
 *
 *   check(ok, "Code: why")  →  check(ok, TEXT_0f9c…)
 *   text.ts                 →  … @global @lazy const TEXT_0f9c… = changetype<Text>(memory.data<u8>([9, 67, …]))
 *
 * Equal texts of all files are one, and the compiler leaves out those that nothing refers to.
 */
import { createHash } from "node:crypto";

const MAX_TEXT_BYTES = 255;
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

/** What `assembly/text.ts` has at its end: one constant a text. */
export function declareTexts(texts: Iterable<string>): string {
  return [...texts]
    .sort()
    .map((text) => {
      const bytes = [text.length, ...Buffer.from(text)].join(",");
      return `\n// @ts-ignore: decorator\n@global @lazy const ${nameOf(text)}: Text = changetype<Text>(memory.data<u8>([${bytes}]));`;
    })
    .join("");
}
