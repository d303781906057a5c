/**
 * Whether bytes are UTF-8 (RFC 3629), by arithmetic alone. The platform's decoder says so by throwing, and it throws
 * as well when the native stack ends: a guest deep in a recursion would be told that its path is no UTF-8 on one
 * engine and not on another.
 */
export function isUtf8(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at++]!;
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4) return false;
    const following = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    // The second byte rules out overlong forms, surrogates and what lies above U+10FFFF.
    const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (at + following > bytes.length || bytes[at]! < least || bytes[at]! > most) return false;
    for (let index = 1; index < following; index++) if ((bytes[at + index]! & 0xc0) !== 0x80) return false;
    at += following;
  }
  return true;
}
