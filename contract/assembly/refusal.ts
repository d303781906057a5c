/**
 * What a call is refused with: "Code: why", where the build (`pack-texts.ts`) has put one byte for frequent pairs of
 * bytes. It is unpacked only when the call is over; the type keeps it from being written anywhere else.
 */
import { ByteBuffer } from "./buffer";

/** Codes are the bytes that ASCII does not have: 0x80 to 0xff, then 0 to 0x1f. */
const FIRST_PAIR: u8 = 0x80;
const LAST_PAIR: u8 = 0x1f;

@unmanaged
export class Refusal {
  private size: u8;

  writeTo(out: ByteBuffer): void {
    const start = changetype<usize>(this) + 1;
    for (let i: usize = 0; i < <usize>this.size; i++) unpack(out, load<u8>(start + i));
  }
}

function unpack(out: ByteBuffer, code: u8): void {
  if (code > LAST_PAIR && code < FIRST_PAIR) {
    out.byte(code);
    return;
  }
  const pair = REFUSAL_PAIRS + (<usize>(code - FIRST_PAIR) << 1);
  unpack(out, load<u8>(pair));
  unpack(out, load<u8>(pair, 1));
}
