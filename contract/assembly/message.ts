/** A panic that tells more than its code: put together piece by piece, then thrown. */
import { ByteBuffer } from "./buffer";
import { panicWith } from "./host";
import { Refusal } from "./refusal";
import { Text } from "./text";
import { U128 } from "./u128";

export class Message {
  private out: ByteBuffer = new ByteBuffer(256);

  constructor(code: Refusal) { code.writeTo(this.out); }

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

  panic(): void { panicWith(this.out.done()); }
}
