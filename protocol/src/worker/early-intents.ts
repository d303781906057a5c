/**
 * Intents about requests that this node has not heard of yet. Gossip is quicker than an endpoint's news of a block, so
 * the best claimant's intent often comes first; dropped, it would leave the second best to claim beside it.
 *
 * Request ids count up, so only ids a little above the newest one can be on their way.
 */
import { MAX_EARLY_INTENTS, MAX_EARLY_INTENTS_OF_SENDER, MAX_REQUESTS_AHEAD } from "../limits.ts";
import type { PeerMessage, Verified } from "../wire/messages.ts";

/** Blocks after which the request would have come. */
const PATIENCE_BLOCKS = 3;

interface Held {
  readonly from: Verified<PeerMessage>;
  readonly height: number;
}

export class EarlyIntents {
  #held: Held[] = [];
  #newestRequestId = -1;

  /** Keeps the message if its request may still come and there is room. */
  hold(from: Verified<PeerMessage>, height: number): boolean {
    const { kind, requestId } = from.message;
    const ahead = requestId - this.#newestRequestId;
    if (kind !== "LeaseIntent" || ahead <= 0 || ahead > MAX_REQUESTS_AHEAD) return false;
    if (this.#held.length >= MAX_EARLY_INTENTS) return false;
    const ofSender = this.#held.filter((held) => held.from.sender === from.sender);
    if (ofSender.length >= MAX_EARLY_INTENTS_OF_SENDER) return false;
    if (ofSender.some((held) => held.from.message.requestId === requestId)) return false;
    this.#held.push({ from, height });
    return true;
  }

  /** The request came: what was said about it before. */
  opened(requestId: number): readonly Verified<PeerMessage>[] {
    this.#newestRequestId = Math.max(this.#newestRequestId, requestId);
    const about = this.#held.filter(({ from }) => from.message.requestId === requestId);
    if (about.length > 0) this.#held = this.#held.filter(({ from }) => from.message.requestId !== requestId);
    return about.map(({ from }) => from);
  }

  /** A block was seen: what has waited too long goes. */
  observed(height: number): void {
    if (this.#held.length > 0) this.#held = this.#held.filter((held) => held.height + PATIENCE_BLOCKS > height);
  }
}
