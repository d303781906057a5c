/** The last entries of something that happens, and a subscription to what comes; for the page and the terminal. */
export class EventLog<T> {
  readonly #capacity: number;
  readonly #entries: T[] = [];
  readonly #listeners = new Set<(entry: T) => void>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(entry: T): void {
    if (this.#capacity > 0) {
      this.#entries.push(entry);
      if (this.#entries.length > this.#capacity) this.#entries.shift();
    }
    for (const listener of this.#listeners) listener(entry);
  }

  recent(): readonly T[] {
    return [...this.#entries];
  }

  subscribe(listener: (entry: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
