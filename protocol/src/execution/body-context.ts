/**
 * What is known while one function body is validated: the module, the cursor, the operand stack, and what the
 * rewriting will need. The files validate-*.ts work on it, one group of instructions each.
 */
import { LocalKind } from "./body.ts";
import { readValueType } from "./const-expression.ts";
import { CounterFlow } from "./counter-flow.ts";
import { Edit, EditList } from "./edits.ts";
import {
  MAX_CARRIED_VALUES,
  MAX_EXPANSION,
  MAX_LOCALS,
  MAX_MODULE_CARRIED_VALUES,
  MAX_MODULE_EXPANSION,
  MAX_MODULE_REMEMBERED_LOCALS,
  MAX_REMEMBERED_LOCALS,
} from "./limits.ts";
import type { ModuleLayout } from "./module.ts";
import { unsupportedFeature, V128 } from "./opcodes.ts";
import { OperandStack } from "./operand-stack.ts";
import { Reader } from "./reader.ts";
import { SegmentBuilder } from "./segments.ts";

/** Set in the flags of a load or store that names its memory; without it, it is memory 0. */
const NAMES_MEMORY = 0x40;

/** Reused from body to body: its buffers are as large as the largest function. */
export class BodyContext {
  readonly segments = new SegmentBuilder();
  readonly edits = new EditList();
  readonly counter = new CounterFlow(this.edits, this.segments);
  readonly module: ModuleLayout;
  readonly stack: OperandStack;
  reader: Reader;
  /** Type of each local, parameters first. */
  locals: Uint8Array = new Uint8Array(64);
  /** LocalKind of each local, as far as it is known. */
  localKinds: Uint8Array = new Uint8Array(64);
  localCount = 0;
  calls = 0;
  maxCallSlots = 0;
  nanF32 = false;
  nanF64 = false;
  nanV128 = false;
  /** See MAX_REMEMBERED_LOCALS. */
  #edges = 0;
  #carried = 0;
  #expansion = 0;
  #moduleRemembered = 0;
  #moduleExpansion = 0;
  #moduleCarried = 0;
  /** Edits below this number belong to values that control flow may have copied: they stay. */
  firstWithdrawable = 0;

  constructor(module: ModuleLayout) {
    this.module = module;
    this.reader = new Reader(module.bytes);
    this.stack = new OperandStack(this.reader);
  }

  /** Starts a body: its parameters are its first locals. */
  begin(reader: Reader, params: Uint8Array, results: Uint8Array): void {
    this.reader = reader;
    this.edits.clear();
    this.segments.begin();
    this.stack.begin(reader, results);
    this.calls = 0;
    this.maxCallSlots = 0;
    this.counter.begin();
    this.nanF32 = false;
    this.nanF64 = false;
    this.nanV128 = false;
    this.firstWithdrawable = 0;
    this.#edges = 0;
    this.#carried = 0;
    this.#expansion = 0;
    this.localCount = 0;
    for (const param of params) this.addLocals(1, param);
    this.localKinds.fill(LocalKind.exact, 0, params.length);
  }

  /** Reads one group of local declarations. */
  localGroup(): void {
    const count = this.reader.u32();
    this.addLocals(count, readValueType(this.reader));
  }

  addLocals(count: number, type: number): void {
    const total = this.localCount + count;
    if (total > MAX_LOCALS) this.reader.reject("limit", `${total} locals, at most ${MAX_LOCALS}`);
    if (total > this.locals.length) {
      const grown = new Uint8Array(Math.max(total, this.locals.length * 2));
      grown.set(this.locals);
      this.locals = grown;
      const kinds = new Uint8Array(grown.length);
      kinds.set(this.localKinds);
      this.localKinds = kinds;
    }
    this.locals.fill(type, this.localCount, total);
    this.localKinds.fill(LocalKind.unset, this.localCount, total);
    this.localCount = total;
    if (type === V128 && count > 0) this.stack.sawVector = true;
  }

  /** Notes an edit, unless the code can never run. */
  edit(position: number, kind: number, operand = 0): void {
    if (!this.segments.dead) this.edits.add(position, kind, operand);
  }

  /** A block or a branch target: compilers keep all locals for it, and the values that it carries. */
  edge(values: number): void {
    this.#edges++;
    this.#bound(this.#edges * this.localCount, MAX_REMEMBERED_LOCALS, "blocks and branches times locals in a function");
    this.carry(values);
  }

  /** Values that a block, a branch or a call takes and gives. */
  carry(values: number): void {
    this.#carried += values;
    this.#bound(this.#carried, MAX_CARRIED_VALUES, "values that blocks, branches and calls of a function carry");
  }

  /** An instruction that compilers write out at length; `weight` says at what length, see MAX_EXPANSION. */
  expand(weight: number): void {
    this.#expansion += weight;
    this.#bound(this.#expansion, MAX_EXPANSION, "calls and table accesses, weighed, in a function");
  }

  /** The body is over. */
  end(): void {
    this.#moduleExpansion += this.#expansion;
    this.#bound(this.#moduleExpansion, MAX_MODULE_EXPANSION, "calls and table accesses, weighed");
    this.#moduleRemembered += this.#edges * this.localCount;
    this.#moduleCarried += this.#carried;
    this.#bound(this.#moduleRemembered, MAX_MODULE_REMEMBERED_LOCALS, "blocks and branches times locals");
    this.#bound(this.#moduleCarried, MAX_MODULE_CARRIED_VALUES, "values that blocks, branches and calls carry");
  }

  #bound(count: number, most: number, what: string): void {
    if (count > most) this.reader.reject("limit", `${count} ${what}, at most ${most}`);
  }

  /** Notes that a segment is charged from here on; -1 is none. */
  charge(segment: number): void {
    this.counter.charge(this.reader.position, segment);
  }

  unknown(opcode: number, at: number): never {
    const feature = unsupportedFeature(opcode);
    if (feature !== undefined) this.reader.reject("feature", `${feature} is not supported`, at);
    return this.reader.reject("malformed", `unknown instruction 0x${opcode.toString(16)}`, at);
  }

  /** The top `count` operands are consumed by something that cannot tell NaNs apart. */
  withdraw(count: number): void {
    for (let below = 0; below < count; below++) {
      const edit = this.stack.editBelowTop(below);
      if (edit >= this.firstWithdrawable) this.edits.kinds[edit] = Edit.none;
    }
  }

  memoryImmediate(naturalAlignment: number): void {
    const reader: Reader = this.reader;
    const at = reader.position;
    const flags = reader.u32();
    const named = (flags & NAMES_MEMORY) !== 0;
    const alignment = named ? flags - NAMES_MEMORY : flags;
    if (alignment > naturalAlignment) reader.reject("invalid", "alignment above the natural one", at);
    if (named) this.memory(at);
    else this.#needMemory(0, at);
    reader.u32();
  }

  /** Reads the index of a memory. */
  memory(at: number): number {
    const index = this.reader.u32();
    this.#needMemory(index, at);
    return index;
  }

  #needMemory(index: number, at: number): void {
    if (index >= this.module.memories.length) this.reader.reject("invalid", `unknown memory ${index}`, at);
  }

  /** Element type of the table that the immediate names. */
  table(at: number): number {
    const index = this.reader.u32();
    const table = this.module.tables[index];
    if (table === undefined) this.reader.reject("invalid", `unknown table ${index}`, at);
    return table.element;
  }
}
