/** Reads the instructions of protocol 88 one after the other, with the immediates that the analyses look at. */
import { prepareError } from "./vm-error.ts";
import { WasmReader } from "./wasm-reader.ts";

/** The second byte of bulk memory, table and saturating instructions is added to this. */
export const EXTENDED = 0xfc00;

/** Block types of protocol 88: empty or one value, no type index (multi-value is off). */
function isBlockType(type: number): boolean {
  return (type >= 0x7c && type <= 0x7f) || type === 0x70 || type === 0x6f || type === 0x40;
}

export class InstructionReader {
  /** Where the instruction begins in the module. */
  offset: number;
  opcode = 0;
  /** Block type; label; index of a function, type, local or global; or what a memory access adds to its address. */
  immediate = 0;
  /** The labels of `br_table`. */
  labels: readonly number[] = [];
  readonly #reader: WasmReader;

  constructor(module: Uint8Array, start: number, end: number) {
    this.#reader = new WasmReader(module, start, end);
    this.offset = start;
  }

  /** False at the end. */
  next(): boolean {
    const reader = this.#reader;
    if (reader.position >= reader.end) return false;
    this.offset = reader.position;
    this.opcode = reader.byte();
    if (this.opcode === 0xfc) this.#readExtended();
    else this.#readImmediates();
    return true;
  }

  #readImmediates(): void {
    const reader = this.#reader;
    const { opcode } = this;
    switch (opcode) {
      case 0x02: // block, loop, if
      case 0x03:
      case 0x04:
        this.immediate = reader.byte();
        if (!isBlockType(this.immediate)) throw prepareError("Deserialization");
        return;
      case 0x0e: // br_table
        this.labels = Array.from({ length: reader.u32() + 1 }, () => reader.u32());
        return;
      case 0x11: // call_indirect
        this.immediate = reader.u32();
        reader.skipNumber();
        return;
      case 0x1c: // select with types
        return reader.skip(reader.u32());
      case 0x0c: // br, br_if, call; local.get to table.set
      case 0x0d:
      case 0x10:
      case 0x20:
      case 0x21:
      case 0x22:
      case 0x23:
      case 0x24:
      case 0x25:
      case 0x26:
        this.immediate = reader.u32();
        return;
      case 0x41: // i32.const, i64.const, ref.null, ref.func
      case 0x42:
      case 0xd0:
      case 0xd2:
        return reader.skipNumber();
      case 0x3f: // memory.size, memory.grow
      case 0x40:
        return reader.skip(1);
      case 0x43:
        return reader.skip(4);
      case 0x44:
        return reader.skip(8);
    }
    if (opcode >= 0x28 && opcode <= 0x3e) {
      reader.skipNumber(); // alignment
      this.immediate = reader.u32();
      return;
    }
    const bare = [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1].includes(opcode);
    if (!bare && (opcode < 0x45 || opcode > 0xc4)) throw prepareError("Deserialization");
  }

  #readExtended(): void {
    const extension = this.#reader.u32();
    if (extension > 17) throw prepareError("Deserialization");
    this.opcode = EXTENDED + extension;
    if (extension > 7) this.#reader.skipNumber();
    // memory.init, memory.copy, table.init, table.copy
    if (extension === 8 || extension === 10 || extension === 12 || extension === 14) this.#reader.skipNumber();
  }
}
