/**
 * What a string literal of the contract is: the build (`pack-texts.ts`) puts every one of them into memory as a length
 * and its ASCII bytes, and its address where it stood. Nothing of AssemblyScript's strings is in the module.
 */
import { equalBytes, fresh } from "./buffer";
import { Refusal } from "./refusal";

@unmanaged
export class Text {
  private size: u8;

  // @ts-ignore: decorator
  @inline get length(): i32 { return <i32>this.size; }
  // @ts-ignore: decorator
  @inline get start(): usize { return changetype<usize>(this) + 1; }

  // @ts-ignore: decorator
  @inline at(index: i32): u8 { return load<u8>(this.start + index); }

  /** The place of a byte, -1 where it is none of the text's. */
  indexOf(character: u8): i32 {
    for (let i = 0; i < this.length; i++) if (this.at(i) == character) return i;
    return -1;
  }
}

export function sameText(bytes: Uint8Array, text: Text): bool {
  return bytes.length == text.length && equalBytes(bytes.dataStart, text.start, text.length);
}

export function utf8(text: Text): Uint8Array {
  const bytes = fresh(text.length);
  memory.copy(bytes.dataStart, text.start, text.length);
  return bytes;
}
