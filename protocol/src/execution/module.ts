/**
 * What the decoder learns about a module: the index spaces that validation needs and where each section's bytes are.
 * WebAssembly core specification 2.0, chapters 2.5 and 5.5.
 */

export interface FunctionType {
  readonly params: Uint8Array;
  readonly results: Uint8Array;
}

export interface Limits {
  readonly minimum: number;
  readonly maximum: number | undefined;
}

export interface ImportedFunction {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

export type ExportKind = "function" | "table" | "memory" | "global";

export interface Export {
  readonly kind: ExportKind;
  readonly index: number;
}

/** Index spaces of a module; filled section by section by decode.ts and read-only afterwards. */
export interface ModuleLayout {
  readonly bytes: Uint8Array;
  /** Section contents by id, without id and length. Custom sections are checked and forgotten. */
  readonly sections: Map<number, Range>;
  readonly types: FunctionType[];
  readonly imports: ImportedFunction[];
  /** Type index of every function, imported ones first. */
  readonly functions: number[];
  readonly tables: { readonly element: number; readonly limits: Limits }[];
  readonly memories: Limits[];
  readonly globals: { readonly type: number; readonly mutable: boolean }[];
  readonly exports: Map<string, Export>;
  start: number | undefined;
  /** Reference type of every element segment. */
  readonly elements: number[];
  /** Functions that `ref.func` may name: exported, in an element segment or in a global's initialiser. */
  readonly declared: Set<number>;
  /** From the data count section; instructions that name data segments are invalid without it. */
  dataCount: number | undefined;
  readonly bodies: Range[];
  /** Bytes and elements that active segments copy at instantiation. */
  activeBytes: number;
  activeElements: number;
}

export const Section = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

export function emptyLayout(bytes: Uint8Array): ModuleLayout {
  return {
    bytes,
    sections: new Map(),
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: new Map(),
    start: undefined,
    elements: [],
    declared: new Set(),
    dataCount: undefined,
    bodies: [],
    activeBytes: 0,
    activeElements: 0,
  };
}
