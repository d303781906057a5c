/** What validation of one function body leaves for the rewriting to emit. */

/** What a float local holds, see raw-locals.ts. */
export const LocalKind = {
  /** Never written with anything that could be NaN. */
  unset: 0,
  /** Written with results of arithmetic alone. */
  raw: 1,
  /** A parameter, or written with something else. */
  exact: 2,
} as const;

export interface BodyPlan {
  /** Number of local declarations, their bytes, and the bytes of the code with its final `end`. */
  readonly localGroups: number;
  readonly groupsStart: number;
  readonly codeStart: number;
  readonly end: number;
  /** Parameters and declared locals. */
  readonly locals: number;
  /** LocalKind of each; valid until the next body. */
  readonly localKinds: Uint8Array;
  /** Operands on the stack at most. */
  readonly maxOperands: number;
  /** Parameters and results of the largest call: engines lay both out beside the caller's operands. */
  readonly maxCallSlots: number;
  /** Results of the function itself. */
  readonly results: number;
  readonly usesVectors: boolean;
  readonly calls: number;
  /** Scratch locals that canonicalisation needs. */
  readonly nanF32: boolean;
  readonly nanF64: boolean;
  readonly nanV128: boolean;
}
