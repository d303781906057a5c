/**
 * Splits a function body into segments that each run as a whole, and moves the cost of a join into the segment
 * before the construct that it joins, when nothing inside the construct can leave it: then one runs exactly as often
 * as the other. What is left is charged where it stands. Only function entry and loop headers check the counter.
 */

const Kind = { entry: 0, loop: 1, conditional: 2, exactJoin: 3, escapedJoin: 4 } as const;

interface Construct {
  readonly kind: "function" | "block" | "loop" | "if";
  /** Segment that runs up to the construct. */
  readonly origin: number;
  /** Whether the construct itself stands in dead code. */
  readonly dead: boolean;
  /** Whether live code branches to its end. */
  branched: boolean;
  hasElse: boolean;
  thenDead: boolean;
  /** Index of the outermost construct that live code inside branches to or beyond. */
  escape: number;
}

export class SegmentBuilder {
  /** Ticks of each segment; after `hoist` what is charged where the segment starts. */
  costs = new Int32Array(256);
  #kinds = new Uint8Array(256);
  #origins = new Int32Array(256);
  length = 0;
  /** True while the instructions being read can never run. */
  dead = false;
  #current = 0;
  #constructs: Construct[] = [];

  /** Starts a function; segment 0 is its entry. */
  begin(): void {
    this.length = 0;
    this.dead = false;
    this.#constructs.length = 0;
    this.#start(0, Kind.entry);
    this.#open("function");
  }

  /** Adds an instruction's ticks to the segment that is running. */
  spend(ticks: number): void {
    if (!this.dead) this.costs[this.#current]! += ticks;
  }

  /** Opens a block. No segment starts. */
  openBlock(): void {
    this.#open("block");
  }

  /** Opens a loop; returns the segment of its header, or -1 in dead code. Spends at least one tick an iteration. */
  openLoop(): number {
    this.#open("loop");
    if (this.dead) return -1;
    const header = this.#start(-1, Kind.loop);
    this.costs[header] = 1;
    return header;
  }

  /** Opens the first arm of an `if`; returns its segment, or -1. */
  openIf(): number {
    const origin = this.#current;
    this.#open("if");
    return this.dead ? -1 : this.#start(origin, Kind.conditional);
  }

  /** Passes to the second arm; returns its segment, or -1. */
  openElse(): number {
    const construct = this.#constructs.at(-1)!;
    construct.thenDead = this.dead;
    construct.hasElse = true;
    this.dead = construct.dead;
    return this.dead ? -1 : this.#start(construct.origin, Kind.conditional);
  }

  /** Whether the end of the innermost construct is reached from more than one place. */
  endIsLabel(): boolean {
    const { kind, branched } = this.#constructs.at(-1)!;
    return kind === "if" || (kind === "block" && branched);
  }

  /** Closes the innermost construct; returns the segment of the join, or -1 when none starts. */
  close(): number {
    const construct = this.#constructs.pop()!;
    const depth = this.#constructs.length;
    const parent = this.#constructs.at(-1);
    if (parent === undefined) return -1;
    if (construct.escape < parent.escape) parent.escape = construct.escape;
    this.dead = construct.dead || this.#endIsDead(construct);
    if (this.dead) return -1;
    if (construct.kind === "block" && !construct.branched) return -1;
    return this.#start(construct.origin, construct.escape >= depth ? Kind.exactJoin : Kind.escapedJoin);
  }

  #endIsDead(construct: Construct): boolean {
    if (!this.dead || construct.kind === "loop") return this.dead;
    if (construct.branched) return false;
    return construct.kind === "block" || (construct.hasElse && construct.thenDead);
  }

  /** Notes a branch to the label `depth` constructs out. */
  branch(depth: number): void {
    if (this.dead) return;
    const target = this.#constructs.length - 1 - depth;
    this.#constructs[target]!.branched = true;
    const innermost = this.#constructs.at(-1)!;
    if (target < innermost.escape) innermost.escape = target;
  }

  /** After a conditional branch: returns the segment of the path that did not branch, or -1. */
  continueAfterBranch(): number {
    return this.dead ? -1 : this.#start(this.#current, Kind.conditional);
  }

  /** After an instruction that never goes on. */
  stop(): void {
    this.dead = true;
  }

  /** Moves exact joins into their origins, innermost first: an origin always has a lower number than its join. */
  hoist(): void {
    for (let index = this.length - 1; index > 0; index--) {
      if (this.#kinds[index] !== Kind.exactJoin) continue;
      this.costs[this.#origins[index]!]! += this.costs[index]!;
      this.costs[index] = 0;
    }
  }

  /** Whether the counter is checked when this segment is charged. */
  isChecked(segment: number): boolean {
    return this.#kinds[segment]! <= Kind.loop;
  }

  /** Whether `hoist` moves this segment's cost elsewhere, so that nothing is charged where it starts. */
  isHoisted(segment: number): boolean {
    return this.#kinds[segment] === Kind.exactJoin;
  }

  /** Whether anything but the entry is charged. */
  chargesBeyondEntry(): boolean {
    for (let index = 1; index < this.length; index++) if (this.costs[index] !== 0) return true;
    return false;
  }

  #open(kind: Construct["kind"]): void {
    this.#constructs.push({
      kind,
      origin: this.#current,
      dead: this.dead,
      branched: false,
      hasElse: false,
      thenDead: false,
      escape: this.#constructs.length,
    });
  }

  #start(origin: number, kind: number): number {
    if (this.length === this.costs.length) this.#grow();
    const index = this.length++;
    this.costs[index] = 0;
    this.#kinds[index] = kind;
    this.#origins[index] = origin;
    this.#current = index;
    return index;
  }

  #grow(): void {
    const size = this.costs.length * 2;
    const costs = new Int32Array(size);
    const kinds = new Uint8Array(size);
    const origins = new Int32Array(size);
    costs.set(this.costs);
    kinds.set(this.#kinds);
    origins.set(this.#origins);
    this.costs = costs;
    this.#kinds = kinds;
    this.#origins = origins;
  }
}
