/**
 * Every bound of the execution engine, with its reason. The bounds on a module stay below those of V8 and wasmtime,
 * so that it is always this code that refuses a guest and never the engine at hand. They belong to cost version 1.
 */

import { Op } from "./opcodes.ts";

// Input, output and memory are bounded by the protocol as a whole: they travel in transactions and messages too.
export { MAX_GUEST_MEMORY_PAGES, MAX_INPUT_BYTES, MAX_OUTPUT_BYTES } from "../limits.ts";

/** Bytes of a guest's module. The compatible surface downloads at most 10 MB. */
export const MAX_MODULE_BYTES = 10 * 1024 * 1024;
/** Bytes of one function body. Bounds what can be spent between two checks of the counter; V8 allows 7.6 MB. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** Locals of one function, parameters included. V8 allows 50,000 and the rewriting appends up to five. */
export const MAX_LOCALS = 20_000;
/** Parameters of a function type; V8 allows 1,000. */
export const MAX_PARAMS = 500;
/** Results of a function type; V8 allows 1,000. */
export const MAX_RESULTS = 500;
/** Nested blocks in one function. Machine-made dispatch loops nest a block per case, hence not a smaller number. */
export const MAX_NESTING = 20_000;
/** Operands on the stack of one function; with MAX_LOCALS it keeps a frame below the stack budget's order. */
export const MAX_OPERANDS = 20_000;
/** Targets of one `br_table`; V8 allows 65,520. */
export const MAX_BRANCH_TARGETS = 60_000;
/**
 * What a function makes a compiler remember: all locals for every block, `else` and branch target. Real functions with
 * 3,000 blocks have some 1,000 locals. Without a bound a guest of 60 KB costs V8 gigabytes; with it a function compiles
 * in 3 s and below 1 GB.
 */
export const MAX_REMEMBERED_LOCALS = 16_000_000;
/** The same for all functions of a module together: no fuel pays for compiling. */
export const MAX_MODULE_REMEMBERED_LOCALS = 256_000_000;
/** Values that the blocks, branches and calls of one function carry: V8 takes 2 s for a function of as many. */
export const MAX_CARRIED_VALUES = 500_000;
/** The same for all functions of a module together. */
export const MAX_MODULE_CARRIED_VALUES = 8_000_000;
/**
 * Instructions that compilers write out at length, weighed by what V8 takes for them: see EXPANSION. At the bound a
 * function of nothing else compiles in 2 to 3 s and below 1 GB; real ones have some thousands.
 */
export const MAX_EXPANSION = 300_000;
/** The same for all functions of a module together: a compiler takes some 15 s for as many in small functions. */
export const MAX_MODULE_EXPANSION = 3_000_000;
/** Weights of one-byte opcodes: call, call_indirect and their tail forms, table.get, table.set, memory.grow. */
export const EXPANSION: Uint8Array = Uint8Array.from({ length: 256 }, (_, opcode) => {
  if (opcode === Op.call || opcode === Op.returnCall) return 1;
  if (opcode === Op.callIndirect || opcode === Op.returnCallIndirect) return 5;
  if (opcode === Op.tableGet) return 15;
  return opcode === Op.tableSet || opcode === Op.memoryGrow ? 3 : 0;
});
/** Weight of a bulk memory or table instruction. */
export const BULK_EXPANSION = 3;
/** Bytes of one function body once rewritten; V8 and wasmtime take 7,654,321. */
export const MAX_REWRITTEN_BODY_BYTES = 7_000_000;
/** Entries of the type section. */
export const MAX_TYPES = 100_000;
/** Functions, imported ones included. */
export const MAX_FUNCTIONS = 100_000;
/** Imports: the host has 46 functions, but a linker may name one twice. */
export const MAX_IMPORTS = 1_000;
/** Exports. */
export const MAX_EXPORTS = 100_000;
/** Parameters and results of all exported functions together; wasmtime counts them and takes 1,000,000. */
export const MAX_EXPORTED_VALUES = 500_000;
/** Globals. */
export const MAX_GLOBALS = 100_000;
/** Memories of a module; their pages count together. Real toolchains make one. */
export const MAX_MEMORIES = 16;
/** Tables: real toolchains make one or two. */
export const MAX_TABLES = 16;
/** Elements of all tables together, at start and at most: their memory is outside of the guest's memory limit. */
export const MAX_TABLE_ELEMENTS = 1_000_000;
/** Element segments. */
export const MAX_ELEMENT_SEGMENTS = 100_000;
/** Data segments; V8 allows 100,000. */
export const MAX_DATA_SEGMENTS = 100_000;
/** Bytes of an import's or export's name. */
export const MAX_NAME_BYTES = 10_000;
/** Sections, custom ones included. */
export const MAX_SECTIONS = 1_000;

/** Bytes of metered stack: wasmtime's default, and about half of what V8's default stack really holds. */
export const STACK_BYTES = 512 * 1024;
/** A frame up to this size may go unmetered when its function calls nothing: one such frame is live at a time. */
export const UNMETERED_LEAF_FRAME_BYTES = 2048;

/** Fuel of one run. Keeps ticks far inside an i64 counter; the contract itself allows 500e9. */
export const MAX_FUEL = 10n ** 13n;
/** Bytes of standard error that are kept. The rest is dropped, not refused: it is a diagnostic, not a result. */
export const MAX_STDERR_BYTES = 64 * 1024;
/** Bytes of all environment variables together; secrets arrive here and may be large. */
export const MAX_ENVIRON_BYTES = 1024 * 1024;
/** Number of environment variables. */
export const MAX_ENVIRON_ENTRIES = 1_000;
/**
 * Bytes of all of a guest's files and of its links' targets together: they live in the memory of the process that runs
 * the guest, which holds up to twice as much for files that grow.
 */
export const MAX_FILE_SYSTEM_BYTES = 16 * 1024 * 1024;
/** Files, directories and links that there may be at a time, and names that they may have: memory too. */
export const MAX_FILE_NODES = 4_096;
/** Bytes of a path, and of a link's target: Linux's PATH_MAX. Longer ones are refused before they are read. */
export const MAX_PATH_BYTES = 4_096;
/** Bytes of a file's name: Linux's NAME_MAX. */
export const MAX_FILE_NAME_BYTES = 255;
/** Symbolic links that one path may lead through, as on Linux. */
export const MAX_PATH_LINKS = 40;
/** Buffers of one read or write and subscriptions of one poll: Linux's IOV_MAX. Each is an object of the host's. */
export const MAX_HOST_LIST_ENTRIES = 1_024;
/** Descriptors that a guest may have open, standard streams included. */
export const MAX_OPEN_DESCRIPTORS = 256;
