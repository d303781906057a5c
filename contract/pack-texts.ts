/**
 * AssemblyScript keeps a string as UTF-16 behind a header of 20 bytes. The contract's texts are ASCII and only ever
 * written out, so those that are whole arguments of `check`, `panic` and `literal` become plain bytes before the
 * compiler sees them: a fifth of the module, and gas for what would be converted at every call.
 *
 *   check(ok, "Code: why")  →  checkAt(ok, memory.data<u8>([67, …]), 9)
 */
const CALLS = /\b(check|panic|literal)\(/g;
const WHOLE_TEXT = /^\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*,?\s*$/;
const PACKED = { check: "checkAt", panic: "panicAt", literal: "literalAt" } as const;

/** Where the argument list that begins at `from` ends, and where its last argument begins. */
function argumentsAt(source: string, from: number): { end: number; last: number } | undefined {
  let depth = 0;
  let last = from;
  for (let i = from; i < source.length; i++) {
    const c = source[i]!;
    if (c === '"' || c === "'") {
      i++;
      while (source[i] !== c) i += source[i] === "\\" ? 2 : 1;
    } else if (c === "(" || c === "[" || c === "{") depth++;
    else if (c === ")" && depth === 0) return { end: i, last };
    else if (c === ")" || c === "]" || c === "}") depth--;
    else if (c === "," && depth === 0 && !/^,\s*\)/.test(source.slice(i, i + 80))) last = i + 1;
  }
  return undefined;
}

export function packTexts(source: string): string {
  let packed = "";
  let done = 0;
  for (const match of source.matchAll(CALLS)) {
    const name = match[1] as keyof typeof PACKED;
    const from = match.index + match[0].length;
    if (from < done || source.slice(0, match.index).endsWith("function ")) continue;
    const found = argumentsAt(source, from);
    if (!found) continue;
    const literal = WHOLE_TEXT.exec(source.slice(found.last, found.end));
    if (!literal) continue;
    const text = (literal[1] ?? literal[2]!).replaceAll(/\\(.)/g, "$1");
    if (!/^[\x20-\x7e]+$/.test(text)) continue;
    const bytes = `memory.data<u8>([${[...Buffer.from(text)].join(",")}]), ${text.length}`;
    packed += `${source.slice(done, match.index)}${PACKED[name]}(${source.slice(from, found.last)} ${bytes}`;
    done = found.end;
  }
  return packed + source.slice(done);
}
