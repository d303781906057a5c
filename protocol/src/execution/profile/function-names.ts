/**
 * Names of a guest's functions for people: from the custom section `name` (WebAssembly core specification 2.0,
 * appendix 7.4.1), else the name of an export or import, else the index. Names decide nothing, so a name section
 * that is damaged is simply read as far as it goes.
 */
import { decodeModule } from "../decode.ts";
import { MAX_FUNCTIONS, MAX_GUEST_MEMORY_PAGES } from "../limits.ts";
import { type ModuleLayout, Section } from "../module.ts";
import { Reader } from "../reader.ts";
import { ModuleRejection } from "../rejection.ts";
import { WASI_IMPORTS } from "../wasi/imports.ts";

const FUNCTION_NAMES = 1;

/** One name for each function, imported ones first. @throws ModuleRejection for code that no run would accept. */
export function functionNames(code: Uint8Array): readonly string[] {
  const module = decodeModule(code, { imports: WASI_IMPORTS, maxMemoryPages: MAX_GUEST_MEMORY_PAGES });
  const names = module.functions.map((_, index) => `function[${index}]`);
  for (const [name, { kind, index }] of module.exports) if (kind === "function") names[index] = name;
  for (const [index, { module: from, name }] of module.imports.entries()) names[index] = `${from}.${name}`;
  try {
    readNameSections(module, names);
  } catch (error) {
    if (!(error instanceof ModuleRejection)) throw error;
  }
  return names;
}

function readNameSections(module: ModuleLayout, names: string[]): void {
  const reader = new Reader(module.bytes, 8);
  while (reader.position < module.bytes.length) {
    const id = reader.u8();
    const length = reader.u32();
    const start = reader.position;
    reader.skip(length);
    if (id !== Section.custom) continue;
    const section = new Reader(module.bytes, start, start + length);
    if (section.name() === "name") readSubsections(section, module.imports.length, names);
  }
}

function readSubsections(section: Reader, imported: number, names: string[]): void {
  while (section.position < section.end) {
    const id = section.u8();
    const length = section.u32();
    const start = section.position;
    section.skip(length);
    if (id !== FUNCTION_NAMES) continue;
    const entries = new Reader(section.bytes, start, start + length);
    const count = entries.count(MAX_FUNCTIONS, "names");
    for (let entry = 0; entry < count; entry++) {
      const index = entries.u32();
      const name = entries.name();
      if (index >= imported && index < names.length && name !== "") names[index] = name;
    }
  }
}
