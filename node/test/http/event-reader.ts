/** Reads server-sent events from a socket as a browser would, one at a time. */
export interface ReadEvent {
  readonly event: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of the data it says itself
  readonly data: any;
}

export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  private constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  static async open(url: string, lastEventId?: string): Promise<EventReader> {
    const headers: HeadersInit = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const answer = await fetch(`${url}/api/v1/events`, { headers });
    if (!answer.ok || !answer.body) throw new Error(`the stream was refused: ${answer.status} ${await answer.text()}`);
    return new EventReader(answer.body.getReader());
  }

  /** The next event, or the next of a kind. */
  async next(kind?: string): Promise<ReadEvent> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await this.#reader.read();
        if (done) throw new Error("the stream ended");
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const fields = new Map(this.#text.slice(0, end).split("\n").map(fieldOf));
      this.#text = this.#text.slice(end + 2);
      const event = fields.get("event");
      if (event === undefined || (kind !== undefined && event !== kind)) continue;
      return { event, id: fields.get("id"), data: JSON.parse(fields.get("data") ?? "null") };
    }
  }

  /** Whether the server ended the stream, once everything that was sent is read. */
  async ended(): Promise<boolean> {
    try {
      while (!(await this.#reader.read()).done);
    } catch {
      // A connection that is cut has ended as well.
    }
    return true;
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(": ");
  return [line.slice(0, colon), line.slice(colon + 2)];
}
