/** A panic that tells more than its code: put together piece by piece, then thrown. */
import { ByteBuffer } from "./buffer";
import { panicWith } from "./host";
import { Text } from "./text";
import { U128 } from "./u128";

export class Message {
  private out: ByteBuffer = new ByteBuffer(256);

  constructor(code: Text) { this.out.literal(code); }

  literal(text: Text): Message {
    this.out.literal(text);
    return this;
  }
  number(value: u64): Message {
    this.out.number(value);
    return this;
  }
  amount(value: U128): Message {
    value.writeDecimal(this.out);
    return this;
  }
  bytes(value: Uint8Array): Message {
    this.out.raw(value);
    return this;
  }
  /** A string of AssemblyScript's own library, which is ASCII. */
  utf16(text: string): void { for (let i = 0; i < text.length; i++) this.out.byte(<u8>text.charCodeAt(i)); }

  panic(): void { panicWith(this.out.done()); }
}
