/**
 * Whether a module has bodies so large that compiling them takes an optimising compiler long: what it does grows faster
 * than a body. V8 compiles a function when it is first called, in the middle of the run, and then nobody can tell
 * compiling from running; such modules are compiled whole before they run (v8-engine.ts), and that has its own limit.
 */
import { EAGER_BODY_BYTES, EAGER_MODULE_BYTES } from "./engine-limits.ts";

const HEADER_BYTES = 8;
const CODE_SECTION = 10;

/** `bytes` are a valid module, as the rewriting makes them. */
export function hasLargeBodies(bytes: Uint8Array): boolean {
  let at = HEADER_BYTES;
  const size = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const id = bytes[at++];
    const sectionBytes = size();
    if (id !== CODE_SECTION) {
      at += sectionBytes;
      continue;
    }
    let large = 0;
    for (let left = size(); left > 0; left--) {
      const bodyBytes = size();
      if (bodyBytes >= EAGER_BODY_BYTES) large += bodyBytes;
      at += bodyBytes;
    }
    return large > EAGER_MODULE_BYTES;
  }
  return false;
}
