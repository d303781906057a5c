/**
 * Frames on a byte stream: a 4-byte big-endian length, then so many bytes. The decoder is fed chunks as they arrive
 * and holds at most one unfinished frame.
 */

const LENGTH_BYTES = 4;

export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code: "empty_frame" | "oversized_frame";

  constructor(code: FrameError["code"], sizeBytes: number) {
    super(`${code}: ${sizeBytes} bytes`);
    this.code = code;
  }
}

export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length);
  frame.set(payload, LENGTH_BYTES);
  return frame;
}

export class FrameDecoder {
  readonly #maxFrameBytes: number;
  readonly #header = new Uint8Array(LENGTH_BYTES);
  #headerFilled = 0;
  #frame: Uint8Array | undefined;
  #filled = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Whether the bytes so far end inside a frame. */
  get midFrame(): boolean {
    return this.#headerFilled > 0 || this.#frame !== undefined;
  }

  /**
   * Yields each frame that `chunk` completes; the caller must drain the generator.
   * @throws FrameError, after which the decoder must not be used any more
   */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      if (!this.#frame) {
        const take = Math.min(LENGTH_BYTES - this.#headerFilled, chunk.length - at);
        this.#header.set(chunk.subarray(at, at + take), this.#headerFilled);
        this.#headerFilled += take;
        at += take;
        if (this.#headerFilled < LENGTH_BYTES) return;
        this.#frame = this.#allocate();
      }
      const take = Math.min(this.#frame.length - this.#filled, chunk.length - at);
      this.#frame.set(chunk.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled < this.#frame.length) return;
      const frame = this.#frame;
      this.#frame = undefined;
      this.#filled = 0;
      this.#headerFilled = 0;
      yield frame;
    }
  }

  #allocate(): Uint8Array {
    const length = new DataView(this.#header.buffer).getUint32(0);
    if (length === 0) throw new FrameError("empty_frame", 0);
    if (length > this.#maxFrameBytes) throw new FrameError("oversized_frame", length);
    return new Uint8Array(length);
  }
}
