/** The end of what an engine child says on standard error, kept to tell why it ended; hostile text, bounded. */
import type { Readable } from "node:stream";
import { MAX_LAST_WORDS, MAX_REASON_CHARACTERS } from "./engine-limits.ts";

/** What programs begin the line with that says what is wrong; a stack trace or a version may follow. */
const REASON = /^(?:\w*Error\b|bwrap:|setpriv:|FATAL ERROR:|# (?!Fatal error in)\S)/;

export class LastWords {
  #tail = "";
  /** Resolves when nothing more comes. */
  readonly complete: Promise<void>;

  constructor(stream: Readable | null) {
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      this.#tail = (this.#tail + text).slice(-MAX_LAST_WORDS);
    });
    this.complete = new Promise((resolve) => {
      if (stream === null) resolve();
      else stream.once("close", resolve);
    });
  }

  /** The line that says most about why the child ended; empty when it said nothing. */
  reason(): string {
    const lines = this.#tail.split("\n").map((line) => line.trim());
    const line = lines.find((candidate) => REASON.test(candidate)) ?? lines.findLast((candidate) => candidate !== "");
    return (line ?? "").slice(0, MAX_REASON_CHARACTERS).replace(/\p{C}/gu, "?");
  }
}
