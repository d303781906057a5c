/** What the rooms of the worker machine share: who this node is, what it knows of the chain, and where effects go. */
import type { Random } from "../random.ts";
import type { Rejection, RejectionCode } from "../reject.ts";
import type { Verified } from "../wire/messages.ts";
import type { NodeRecord } from "../wire/records.ts";
import type { Stage, WorkerEffect } from "./events.ts";
import type { NetworkIdentity, OpenRequest } from "./request.ts";
import { shown } from "./request.ts";

export interface WorkerConfig {
  readonly accountId: string;
  readonly publicKey: Uint8Array;
  readonly network: NetworkIdentity;
  readonly random: Random;
  /**
   * ed25519 verification (RFC 8032; small-order keys refused as `near-vm-runner` does). A pure function that the
   * driver lends, because its platform's own is twenty times faster than one in JavaScript.
   */
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
}

export class Scope {
  readonly config: WorkerConfig;
  readonly nodes = new Map<string, NodeRecord>();
  readonly requests = new Map<number, OpenRequest>();
  height = 0;
  /** A node whose log was lost may have signed something it no longer knows of: it signs nothing before this height. */
  abstainUntilHeight = 0;
  #effects: WorkerEffect[] = [];

  constructor(config: WorkerConfig) {
    this.config = config;
  }

  get self(): NodeRecord | undefined {
    return this.nodes.get(this.config.accountId);
  }

  get abstains(): boolean {
    return this.height < this.abstainUntilHeight;
  }

  emit(effect: WorkerEffect): void {
    this.#effects.push(effect);
  }

  progress(open: OpenRequest, stage: Stage, detail = ""): void {
    this.emit({ kind: "progress", requestId: open.record.requestId, stage, detail: shown(detail) });
  }

  reject(from: Verified<unknown>, code: RejectionCode, detail: string): void {
    const rejection: Rejection = { code, detail: shown(detail) };
    this.emit({ kind: "reject", publicKey: from.publicKey, rejection });
  }

  takeEffects(): readonly WorkerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
