/** Reads a node's server-sent events (https://html.spec.whatwg.org/#server-sent-events) until it is aborted or ends. */
const MAX_BUFFER = 4 << 20;

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

export async function* readEvents(url: URL, signal: AbortSignal): AsyncGenerator<StreamEvent> {
  const answer = await fetch(url, { signal, headers: { accept: "text/event-stream" } });
  if (!answer.ok || !answer.body) throw new Error(`${url.pathname} answered ${answer.status}`);
  let buffer = "";
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    buffer += chunk;
    if (buffer.length > MAX_BUFFER) throw new Error("an event is larger than 4 MiB");
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const event = parseEvent(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (event) yield event;
    }
  }
}

function parseEvent(block: string): StreamEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, "");
    if (line.startsWith("event:")) event = value;
    else if (line.startsWith("data:")) data.push(value);
  }
  return data.length > 0 ? { event, data: data.join("\n") } : undefined;
}
