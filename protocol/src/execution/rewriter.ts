/**
 * Rewrites a guest so that every engine that runs the result spends the same fuel, stops at the same instruction and
 * leaves the same memory. Bytes in, bytes out: no engine is asked. Globals, functions, types, locals and exports are
 * only appended, so nothing of the guest is renumbered; custom sections are dropped; the start function becomes an
 * export that the driver calls once the counters are set.
 */
import {
  BULK_SHIFT,
  COST_VERSION,
  type CostVersion,
  ELEMENT_SHIFT,
  GROWN_PAGE_TICKS,
  INITIAL_PAGE_TICKS,
} from "./cost-model.ts";
import {
  CALLS_EXPORT,
  decodeModule,
  FUEL_EXPORT,
  INFRA_EXPORT,
  memoryExport,
  STACK_EXPORT,
  START_EXPORT,
} from "./decode.ts";
import { type Appended, BodyEmitter, emitGlobalCharge } from "./emit-body.ts";
import type { ImportTable } from "./import-table.ts";
import { MAX_GUEST_MEMORY_PAGES, MAX_REWRITTEN_BODY_BYTES, MAX_TABLE_ELEMENTS, STACK_BYTES } from "./limits.ts";
import { type FunctionType, type Limits, type ModuleLayout, type Range, Section } from "./module.ts";
import { EMPTY_BLOCK, FUNCREF, I32, I64, Op } from "./opcodes.ts";
import { Reader } from "./reader.ts";
import { ModuleRejection } from "./rejection.ts";
import { BodyValidator } from "./validate.ts";
import { WASI_IMPORTS } from "./wasi/imports.ts";
import { Writer } from "./writer.ts";

export interface RewriteOptions {
  readonly costVersion: CostVersion;
  /** Pages of 64 KiB that all memories together may ever have; a growth beyond them gives -1. */
  readonly maxMemoryPages: number;
  /** Functions that the guest may import; WASI preview 1 when absent. */
  readonly imports?: ImportTable;
  /** Exported function `() -> ()` that must exist; `_start` when absent, undefined for none. */
  readonly entryPoint?: string | undefined;
  /**
   * Also report every call to two functions of the driver (table CALLS_EXPORT: enter, leave), see profile/. Fuel and
   * memory stay what they are without it; such a module is for looking at, its result is nobody's answer.
   */
  readonly reportCalls?: boolean;
}

export interface RewrittenModule {
  readonly bytes: Uint8Array;
  /** Of all memories together. */
  readonly initialMemoryPages: number;
  /** Ticks to charge before instantiation: initial pages, elements of tables, and the copies of active segments. */
  readonly instantiationTicks: number;
  /** Whether the guest has a start function, exported as START_EXPORT. */
  readonly hasStart: boolean;
  /** How many memories the guest has, each exported as `memoryExport` says. */
  readonly memories: number;
  /** The memory that host functions work on: the one that the guest exports as "memory", else memory 0. */
  readonly hostMemory: number;
}

/**
 * @throws ModuleRejection for bytes that are malformed, invalid, too large, or beyond the feature set.
 * @throws RangeError for options outside their range: a mistake of the caller, not of the guest.
 */
export function rewriteModule(code: Uint8Array, options: RewriteOptions): RewrittenModule {
  const { maxMemoryPages } = options;
  if (options.costVersion !== COST_VERSION) throw new RangeError(`unknown cost version ${options.costVersion}`);
  if (!Number.isInteger(maxMemoryPages) || maxMemoryPages < 0 || maxMemoryPages > MAX_GUEST_MEMORY_PAGES) {
    throw new RangeError(`maxMemoryPages ${maxMemoryPages} is not within 0 to ${MAX_GUEST_MEMORY_PAGES}`);
  }
  const module = decodeModule(code, { imports: options.imports ?? WASI_IMPORTS, maxMemoryPages });
  requireEntryPoint(module, "entryPoint" in options ? options.entryPoint : "_start");
  const bytes = new ModuleEmitter(module, maxMemoryPages, options.reportCalls ?? false).emit();
  const initialMemoryPages = module.memories.reduce((pages, { minimum }) => pages + minimum, 0);
  const named = module.exports.get("memory");
  const tableElements = module.tables.reduce((elements, { limits }) => elements + limits.minimum, 0);
  const copied = Math.ceil(module.activeBytes / 2 ** BULK_SHIFT);
  const elements = (module.activeElements + tableElements) * 2 ** ELEMENT_SHIFT;
  return {
    bytes,
    initialMemoryPages,
    instantiationTicks: initialMemoryPages * INITIAL_PAGE_TICKS + copied + elements,
    hasStart: module.start !== undefined,
    memories: module.memories.length,
    hostMemory: named?.kind === "memory" ? named.index : 0,
  };
}

function requireEntryPoint(module: ModuleLayout, name: string | undefined): void {
  if (name === undefined) return;
  const entry = module.exports.get(name);
  const type = entry?.kind === "function" ? module.types[module.functions[entry.index]!] : undefined;
  if (type === undefined || type.params.length + type.results.length > 0) {
    throw new ModuleRejection("entryPoint", 0, `no exported function ${name} without parameters and results`);
  }
}

class ModuleEmitter {
  readonly #module: ModuleLayout;
  readonly #maxMemoryPages: number;
  readonly #appended: Appended;
  readonly #newTypes: FunctionType[] = [];
  readonly #newTypeIndex = new Map<string, number>();
  readonly #out: Writer;
  readonly #section = new Writer(1024);

  constructor(module: ModuleLayout, maxMemoryPages: number, reportCalls: boolean) {
    this.#module = module;
    this.#maxMemoryPages = maxMemoryPages;
    const globals = module.globals.length;
    const functions = module.functions.length;
    this.#appended = {
      fuelGlobal: globals,
      stackGlobal: globals + 1,
      infraGlobal: globals + 2,
      bulkFunction: functions,
      growFunction: functions + 2,
      calls: reportCalls
        ? {
            table: module.tables.length,
            enterType: this.#typeIndex([I32], []),
            leaveType: this.#typeIndex([], []),
          }
        : undefined,
    };
    this.#out = new Writer(Math.ceil(module.bytes.length * 1.5) + 1024);
  }

  emit(): Uint8Array {
    const out = this.#out;
    out.copy(this.#module.bytes, 0, 8);
    const helperType = this.#typeIndex([I32], [I32]);
    // Code decides which types are appended, so it is written before the sections that it follows.
    const code = this.#code();
    this.#extend(Section.type, this.#newTypes.length, (section) => {
      for (const { params, results } of this.#newTypes) {
        section.u8(0x60);
        section.u32(params.length);
        section.raw(params);
        section.u32(results.length);
        section.raw(results);
      }
    });
    this.#keep(Section.import);
    this.#extend(Section.function, this.#helpers, (section) => {
      for (let helper = 0; helper < this.#helpers; helper++) section.u32(helperType);
    });
    this.#tables();
    this.#memories();
    this.#extend(Section.global, 3, (section) => this.#globals(section));
    this.#exports();
    this.#keep(Section.element);
    this.#keep(Section.dataCount);
    out.u8(Section.code);
    out.sized(code);
    this.#keep(Section.data);
    return out.finish();
  }

  /** Functions that are appended: two for bulk instructions, one for each memory. */
  get #helpers(): number {
    return 2 + this.#module.memories.length;
  }

  #typeIndex(params: readonly number[], results: readonly number[]): number {
    const key = `${params}:${results}`;
    let index = this.#newTypeIndex.get(key);
    if (index === undefined) {
      index = this.#module.types.length + this.#newTypes.length;
      this.#newTypes.push({ params: Uint8Array.from(params), results: Uint8Array.from(results) });
      this.#newTypeIndex.set(key, index);
    }
    return index;
  }

  #keep(id: number): void {
    const range = this.#module.sections.get(id);
    if (range === undefined) return;
    this.#out.u8(id);
    this.#out.u32(range.end - range.start);
    this.#out.copy(this.#module.bytes, range.start, range.end);
  }

  /** Writes a section that is a vector, with `added` entries after the guest's own. */
  #extend(id: number, added: number, append: (section: Writer) => void): void {
    const section = this.#section;
    section.reset();
    const range: Range = this.#module.sections.get(id) ?? { start: 0, end: 0 };
    const reader = new Reader(this.#module.bytes, range.start, range.end);
    const count = range.end > range.start ? reader.u32() : 0;
    section.u32(count + added);
    if (count > 0) section.copy(this.#module.bytes, reader.position, range.end);
    append(section);
    this.#finishSection(id);
  }

  #finishSection(id: number): void {
    this.#out.u8(id);
    this.#out.sized(this.#section);
  }

  #tables(): void {
    const { tables } = this.#module;
    const added = this.#appended.calls === undefined ? 0 : 1;
    if (tables.length + added === 0) return;
    const section = this.#section;
    section.reset();
    section.u32(tables.length + added);
    const declared = tables.reduce((elements, { limits }) => elements + limits.minimum, 0);
    // What the tables may grow by is shared out evenly, since an engine knows the maximum of each alone.
    const room = Math.floor((MAX_TABLE_ELEMENTS - declared) / Math.max(tables.length, 1));
    for (const { element, limits } of tables) {
      section.u8(element);
      writeLimits(section, limits, limits.minimum + room);
    }
    if (added > 0) section.raw([FUNCREF, 1, 2, 2]);
    this.#finishSection(Section.table);
  }

  #memories(): void {
    const { memories } = this.#module;
    if (memories.length === 0) return;
    const section = this.#section;
    section.reset();
    section.u32(memories.length);
    for (const memory of memories) writeLimits(section, memory, this.#maxMemoryPages);
    this.#finishSection(Section.memory);
  }

  #globals(section: Writer): void {
    section.raw([I64, 1, Op.i64Const, 0, Op.end]);
    section.raw([I32, 1, Op.i32Const]);
    section.signed(STACK_BYTES);
    section.u8(Op.end);
    section.raw([I32, 1, Op.i32Const, 0, Op.end]);
  }

  #exports(): void {
    const { start, memories } = this.#module;
    const { fuelGlobal, stackGlobal, infraGlobal, calls } = this.#appended;
    const added: [name: string, kind: number, index: number][] = [
      [FUEL_EXPORT, 3, fuelGlobal],
      [STACK_EXPORT, 3, stackGlobal],
      [INFRA_EXPORT, 3, infraGlobal],
    ];
    for (const index of memories.keys()) added.push([memoryExport(index), 2, index]);
    if (start !== undefined) added.push([START_EXPORT, 0, start]);
    if (calls !== undefined) added.push([CALLS_EXPORT, 1, calls.table]);
    this.#extend(Section.export, added.length, (section) => {
      for (const [name, kind, index] of added) {
        section.name(name);
        section.u8(kind);
        section.u32(index);
      }
    });
  }

  #code(): Writer {
    const module = this.#module;
    const range = module.sections.get(Section.code);
    const code = new Writer(range === undefined ? 256 : Math.ceil((range.end - range.start) * 1.5) + 256);
    code.u32(module.bodies.length + this.#helpers);
    const validator = new BodyValidator(module);
    const emitter = new BodyEmitter(module.bytes, this.#appended);
    for (let index = 0; index < module.bodies.length; index++) {
      const plan = validator.run(index);
      const functionIndex = module.imports.length + index;
      const { results } = module.types[module.functions[functionIndex]!]!;
      const resultBlock = (out: Writer) => this.#blockType(out, results);
      const body = emitter.emit(functionIndex, plan, validator.segments, validator.edits, resultBlock);
      if (body.length > MAX_REWRITTEN_BODY_BYTES) {
        const detail = `function ${functionIndex} has ${body.length} bytes once rewritten, at most ${MAX_REWRITTEN_BODY_BYTES}`;
        throw new ModuleRejection("limit", plan.codeStart, detail);
      }
      code.sized(body);
    }
    code.sized(bulkHelper(this.#appended, Op.i64ShrU, BULK_SHIFT));
    code.sized(bulkHelper(this.#appended, Op.i64Shl, ELEMENT_SHIFT));
    for (let memory = 0; memory < module.memories.length; memory++) {
      code.sized(growHelper(this.#appended, module.memories, memory, this.#maxMemoryPages));
    }
    return code;
  }

  /** The type of a block without parameters that leaves these results. */
  #blockType(out: Writer, results: Uint8Array): void {
    if (results.length === 0) out.u8(EMPTY_BLOCK);
    else if (results.length === 1) out.u8(results[0]!);
    else out.signed(this.#typeIndex([], [...results]));
  }
}

function writeLimits(section: Writer, limits: Limits, cap: number): void {
  section.u8(1);
  section.u32(limits.minimum);
  section.u32(Math.min(limits.maximum ?? cap, cap));
}

/** (length) -> length: charges a bulk instruction for its length, shifted, before it runs. */
function bulkHelper({ fuelGlobal }: Appended, shift: number, by: number): Writer {
  const out = new Writer();
  out.u32(0);
  emitGlobalCharge(out, fuelGlobal, () => {
    out.raw([Op.localGet, 0, Op.i64ExtendI32U, Op.i64Const, by, shift]);
  });
  out.raw([Op.localGet, 0, Op.end]);
  return out;
}

/**
 * (pages) -> previous size or -1: beyond the memory's own maximum or the cap on all of them it gives -1; below, the
 * pages are charged first, and an engine that then cannot grow has failed: the flag tells the driver that the trap is
 * the node's fault.
 */
function growHelper(appended: Appended, memories: readonly Limits[], memory: number, maxPages: number): Writer {
  const { fuelGlobal, infraGlobal } = appended;
  const out = new Writer();
  out.raw([1, 1, I32]);
  const { maximum } = memories[memory]!;
  if (memories.length === 1) emitGrowthBound(out, [memory], Math.min(maximum ?? maxPages, maxPages));
  else {
    if (maximum !== undefined) emitGrowthBound(out, [memory], maximum);
    emitGrowthBound(out, [...memories.keys()], maxPages);
  }
  emitGlobalCharge(out, fuelGlobal, () => {
    out.raw([Op.localGet, 0, Op.i64ExtendI32U, Op.i64Const]);
    out.signed(GROWN_PAGE_TICKS);
    out.u8(Op.i64Mul);
  });
  out.raw([Op.localGet, 0, Op.memoryGrow]);
  out.u32(memory);
  out.raw([Op.localTee, 1, Op.i32Const, 0x7f, Op.i32Eq, Op.if, EMPTY_BLOCK]);
  out.raw([Op.i32Const, 1, Op.globalSet]);
  out.u32(infraGlobal);
  out.raw([Op.unreachable, Op.end, Op.localGet, 1, Op.end]);
  return out;
}

/** Returns -1 where these memories and the growth in local 0 would have more than `pages` together. */
function emitGrowthBound(out: Writer, memories: readonly number[], pages: number): void {
  out.raw([Op.localGet, 0, Op.i64ExtendI32U]);
  for (const memory of memories) {
    out.u8(Op.memorySize);
    out.u32(memory);
    out.raw([Op.i64ExtendI32U, Op.i64Add]);
  }
  out.u8(Op.i64Const);
  out.signed(pages);
  out.raw([Op.i64GtU, Op.if, EMPTY_BLOCK, Op.i32Const, 0x7f, Op.return, Op.end]);
}
