/** Bounds of the engine pool, with their reasons. Those of a single run are in protocol/src/execution/limits.ts. */

/** Children of one pool: each takes about 60 MB at rest. */
export const MAX_CHILDREN = 64;
/** Jobs that may wait. A node that is this far behind loses its leases anyway. */
export const MAX_QUEUED_JOBS = 256;
/** Jobs after which a child is replaced: bounds what any leak in the engine can add up to. */
export const MAX_JOBS_PER_CHILD = 256;
/** Pages that the guests of one child may have used together before it is replaced; V8 frees them late. */
export const MAX_PAGES_PER_CHILD = 16_384;
/** Compiled modules that a child keeps, and the bytes behind them: machine code is several times larger. */
export const MAX_MODULES_PER_CHILD = 32;
export const MAX_MODULE_BYTES_PER_CHILD = 32 * 1024 * 1024;
/** Rewritten modules that the pool keeps. */
export const MAX_CACHE_BYTES = 128 * 1024 * 1024;
/** A rejection is cached too; this is what it counts for. */
export const REJECTION_BYTES = 512;
/** Rewriting 10 MB takes about a second; beyond this the preparing child hangs. */
export const PREPARE_WALL_TIME_MS = 30_000;
/**
 * Resident bytes of the preparing child: its heap, and some copies of what it reads and writes. Two modules of 10 MB of
 * calls and of table accesses, one after the other, took 250 MB.
 */
export const PREPARER_RESIDENT_BYTES = 1024 * 1024 * 1024;
/** Bytes of a rewritten module, far above what any grows to: calls alone, in the most expensive form, grow threefold. */
export const MAX_REWRITTEN_BYTES = 512 * 1024 * 1024;
/** Characters of a rejection: it names two names of 10,000 bytes at most, six characters for each when escaped. */
export const MAX_REJECTION_CHARACTERS = 130_000;
/**
 * A rewritten body from which on it counts as large, and how much large ones may take together before a module is
 * compiled as a whole before its run. The largest bodies of a Rust parser of 1.5 MB are 25 KB; compiling all of it takes
 * 2 s instead of what its run needs. A body of 880 KB can take 40 s, one of 256 KB a twelfth of that.
 */
export const EAGER_BODY_BYTES = 16 * 1024;
export const EAGER_MODULE_BYTES = 256 * 1024;
/** Time for V8's optimising compiler on such a module: real ones take 2 s. Then the baseline compiler is asked. */
export const COMPILE_WALL_TIME_MS = 10_000;
/** Modules that are remembered for having taken longer. */
export const MAX_SLOW_MODULES = 256;
/** Start of a child on a loaded machine. */
export const START_WALL_TIME_MS = 30_000;
/** Pause before a child that did not start is replaced. */
export const RESTART_DELAY_MS = 500;
/** Starts that fail in a row before waiting jobs are given up. */
export const MAX_FAILED_STARTS = 3;
/** JavaScript heap of a child in MiB; guest memory is outside of it. */
export const CHILD_HEAP_MIB = 256;
/** Resident bytes of a child beyond the guest's own memory: engine, heap, code, output. */
export const CHILD_RESIDENT_BYTES = 768 * 1024 * 1024;
/** How often the resident size of a working child is looked at, where the system tells it. */
export const MEMORY_WATCH_MS = 200;
/** Characters of a child's standard error that are kept; a stack trace of Node's takes about 1,500. */
export const MAX_LAST_WORDS = 8_192;
/** Characters of the one line of it that an error shows. */
export const MAX_REASON_CHARACTERS = 300;
/** How long the rest of a child's standard error is waited for once it has ended. */
export const LAST_WORDS_MS = 250;
