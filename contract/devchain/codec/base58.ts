/** Base58 as Bitcoin and NEAR write it. */
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const DIGITS = new Map([...ALPHABET].map((character, digit) => [character, digit]));

/** Converts big-endian digits between bases; the leading zeros are the caller's. */
function convert(digits: Iterable<number>, from: number, to: number): number[] {
  const result: number[] = [];
  for (const digit of digits) {
    let carry = digit;
    for (let i = 0; i < result.length; i++) {
      carry += result[i]! * from;
      result[i] = carry % to;
      carry = Math.floor(carry / to);
    }
    for (; carry > 0; carry = Math.floor(carry / to)) result.push(carry % to);
  }
  return result.reverse();
}

export function encodeBase58(bytes: Uint8Array): string {
  const zeros = bytes.findIndex((byte) => byte !== 0);
  const leading = zeros === -1 ? bytes.length : zeros;
  const digits = convert(bytes.subarray(leading), 256, 58);
  return "1".repeat(leading) + digits.map((digit) => ALPHABET[digit]).join("");
}

/** The bytes, or why there are none: not base58, or more of them than `maxBytes`. */
export function decodeBase58UpTo(text: string, maxBytes: number): Uint8Array | "malformed" | "tooLong" {
  // A byte needs at most 1.37 characters: longer texts are refused before any arithmetic.
  if (text.length > maxBytes * 1.4 + 1) return "tooLong";
  const digits: number[] = [];
  for (const character of text) {
    const digit = DIGITS.get(character);
    if (digit === undefined) return "malformed";
    digits.push(digit);
  }
  const leading = digits.findIndex((digit) => digit !== 0);
  const zeros = leading === -1 ? digits.length : leading;
  const bytes = convert(digits.slice(zeros), 58, 256);
  if (zeros + bytes.length > maxBytes) return "tooLong";
  return Uint8Array.from([...new Array<number>(zeros).fill(0), ...bytes]);
}

/** The bytes, or undefined when the text is not base58 or does not give `length` bytes. */
export function decodeBase58(text: string, length: number): Uint8Array | undefined {
  const bytes = decodeBase58UpTo(text, length);
  return typeof bytes === "string" || bytes.length !== length ? undefined : bytes;
}
