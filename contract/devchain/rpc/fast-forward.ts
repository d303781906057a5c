/**
 * Many blocks for one request, a slice at a time, so that others are answered in between. They only look: whatever
 * changes the chain waits for the end, so that the blocks are those of `chain.fastForward`, however they are sliced.
 */
import type { DevChain } from "../chain/devchain.ts";
import { internalError, parseError } from "./rpc-error.ts";

/** How long nobody else is heard. */
const SLICE_MS = 10;

export class FastForward {
  readonly #chain: DevChain;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(chain: DevChain) {
    this.#chain = chain;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Does what changes the chain: at once, or when the blocks are made that were asked for before. */
  async whenDone<T>(change: () => T): Promise<Awaited<T>> {
    while (this.#running !== undefined) await this.#running;
    return await change();
  }

  /** Makes the blocks. @throws RpcError for a number that is not taken, and when the server stops */
  run(blocks: number): Promise<void> {
    return this.whenDone(() => {
      const made = this.#make(blocks);
      const over = () => {
        this.#running = undefined;
      };
      this.#running = made.then(over, over);
      return made;
    });
  }

  /** Ends between two blocks. */
  async stop(): Promise<void> {
    this.#stopped = true;
    while (this.#running !== undefined) await this.#running;
  }

  async #make(blocks: number): Promise<void> {
    const steps = this.#chain.fastForwardSteps(blocks);
    try {
      for (let ended = false; !ended; ) {
        if (this.#stopped) throw internalError("the server stops");
        const until = performance.now() + SLICE_MS;
        do ended = steps.next().done === true;
        while (!ended && performance.now() < until);
        if (!ended) await new Promise((resume) => setImmediate(resume));
      }
    } catch (error) {
      if (error instanceof RangeError) throw parseError(error.message);
      throw error;
    }
  }
}
