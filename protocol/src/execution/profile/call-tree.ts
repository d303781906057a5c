/**
 * Where a run's ticks went: one node for each distinct chain of calls. The instrumented guest reports entering and
 * leaving a function together with the ticks that are left, so what was spent since the last report belongs to the
 * function that was running. Every tick is counted once: the nodes sum to what the run was charged.
 */

/** Distinct chains of calls that are told apart; deeper ones count for the last chain that was known. */
export const MAX_CALL_NODES = 200_000;
/** Above MAX_FUNCTIONS and MAX_IMPORTS, so that (node, function) packs into a safe integer. */
const FUNCTION_SPAN = 2 ** 20;

/** Parallel arrays over nodes; node 0 is the run itself and a parent always has a lower number than its children. */
export interface CallProfile {
  /** Function index of the guest; -1 for node 0. */
  readonly functions: Int32Array;
  readonly parents: Int32Array;
  /** Ticks spent in the function itself on this chain. */
  readonly ticks: Float64Array;
  readonly calls: Float64Array;
}

export class CallTree {
  readonly #functions: number[] = [-1];
  readonly #parents: number[] = [0];
  readonly #ticks: number[] = [0];
  readonly #calls: number[] = [1];
  readonly #children = new Map<number, number>();
  readonly #stack: number[] = [];
  #current = 0;
  #left: number;

  /** Ticks that are left before and after instantiation. */
  constructor(budgetTicks: bigint, ticksLeft: bigint) {
    this.#left = Number(budgetTicks);
    this.#spend(ticksLeft);
  }

  enter(functionIndex: number, ticksLeft: bigint): void {
    this.#spend(ticksLeft);
    this.#stack.push(this.#current);
    this.#current = this.#child(functionIndex);
    this.#calls[this.#current]!++;
  }

  leave(ticksLeft: bigint): void {
    this.#spend(ticksLeft);
    this.#current = this.#stack.pop() ?? 0;
  }

  /** What was spent since the last report; a guest that trapped never left its functions. */
  finish(ticksLeft: bigint): CallProfile {
    this.#spend(ticksLeft);
    return {
      functions: Int32Array.from(this.#functions),
      parents: Int32Array.from(this.#parents),
      ticks: Float64Array.from(this.#ticks),
      calls: Float64Array.from(this.#calls),
    };
  }

  /** A counter below zero is a run that ends: it is charged its budget and no more. */
  #spend(ticksLeft: bigint): void {
    const left = Math.max(Number(ticksLeft), 0);
    this.#ticks[this.#current]! += this.#left - left;
    this.#left = left;
  }

  #child(functionIndex: number): number {
    const key = this.#current * FUNCTION_SPAN + functionIndex;
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    if (this.#functions.length === MAX_CALL_NODES) return this.#current;
    const node = this.#functions.length;
    this.#functions.push(functionIndex);
    this.#parents.push(this.#current);
    this.#ticks.push(0);
    this.#calls.push(0);
    this.#children.set(key, node);
    return node;
  }
}
