/**
 * Why a guest's bytes are refused. A rejection is a result: every node that looks at the same bytes under the same
 * cost version refuses them with the same code at the same offset, whatever engine it runs.
 */

/** The closed set of reasons; the text of a rejection may be reworded, its code may not. */
export type ModuleRejectionCode =
  /** The bytes are no WebAssembly module: wrong structure, bad LEB128, bad UTF-8, sections out of order. */
  | "malformed"
  /** A well-formed module that does not validate: types, indices, alignment, constant expressions. */
  | "invalid"
  /** A proposal outside the feature set of the cost version; the message names it. */
  | "feature"
  /** Larger than one of the bounds in limits.ts. */
  | "limit"
  /** An import that the host does not have, or has with another signature; the message names it. */
  | "import"
  /** The guest uses one of the names under which the rewriting exports its own counters. */
  | "reservedName"
  /** No exported function `_start: () -> ()`. */
  | "entryPoint";

/** Thrown by the decoder, validator and rewriter for hostile or unsupported bytes, never for our own mistakes. */
export class ModuleRejection extends Error {
  override readonly name = "ModuleRejection";
  readonly code: ModuleRejectionCode;
  /** Byte offset in the guest's module where the problem was found. */
  readonly offset: number;

  constructor(code: ModuleRejectionCode, offset: number, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}
