/**
 * Runs the directives of the WebAssembly specification's test suite on rewritten modules in this process's V8. What
 * the rewriting refuses on purpose (imports that a guest does not have, proposals, bounds) is counted by reason as
 * not run, together with what depends on it.
 */
import { decodeModule } from "@outlayer/protocol/execution/decode";
import { hostFunctionType } from "@outlayer/protocol/execution/import-table";
import { type ImportTable, ModuleRejection, rewriteModule } from "@outlayer/protocol/execution/index";
import { MAX_GUEST_MEMORY_PAGES, STACK_BYTES } from "@outlayer/protocol/execution/limits";
import { exactCall } from "./exact-call.ts";
import { bitsOf, type Directive, fits } from "./spec-directive.ts";

const TICKS = 1n << 40n;
const FUNCREF = 0x70;
const LINKING = "linking modules with each other";

/** Functions of the module `spectest` that the suite expects; its globals, table and memory no guest can import. */
const SPECTEST: ImportTable = new Map([
  [
    "spectest",
    new Map(
      Object.entries({
        print: ":",
        print_i32: "i:",
        print_i64: "l:",
        print_f32: "f:",
        print_f64: "d:",
        print_i32_f32: "if:",
        print_f64_f64: "dd:",
      }).map(([name, text]) => [name, hostFunctionType(text)]),
    ),
  ],
]);
const PRINTERS = Object.fromEntries([...SPECTEST.get("spectest")!.keys()].map((name) => [name, () => undefined]));

/** Refusals of version 2 that the proposal for multiple memories, whose own tests are run too, has taken back. */
const TAKEN_BACK: ReadonlySet<string> = new Set(["zero byte expected", "zero flag expected", "multiple memories"]);

interface Guest {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly types: ReadonlyMap<string, { readonly params: Uint8Array; readonly results: Uint8Array }>;
  readonly fuel: { value: bigint };
  readonly stack: { value: number };
  /** Whether a module that was not run was to change this one's state. */
  changedElsewhere: boolean;
}

/** A module that is not run, and why. */
interface Refused {
  readonly refused: string;
}

export interface SuiteResult {
  passed: number;
  readonly failures: string[];
  /** Directives that were not run, by reason. */
  readonly notRun: Record<string, number>;
}

/** Signals that a directive cannot be run, which is no failure. */
class NotRun extends Error {}

export class SpecRunner {
  readonly result: SuiteResult = { passed: 0, failures: [], notRun: {} };
  #file = "";
  #last: Guest | Refused = { refused: "no module" };
  #named = new Map<string, Guest | Refused>();
  #registered = new Set<Guest>();

  run(directive: Directive): void {
    if (directive.file !== this.#file) {
      this.#file = directive.file;
      this.#named = new Map();
      this.#registered = new Set();
    }
    try {
      this.#perform(directive);
      this.result.passed++;
    } catch (error) {
      if (error instanceof NotRun) {
        // A module that was not instantiated might have changed those that it links to.
        if (directive.wasm) for (const guest of this.#registered) guest.changedElsewhere = true;
        this.result.notRun[error.message] = (this.result.notRun[error.message] ?? 0) + 1;
      } else {
        const reason = error instanceof Error ? error.message : String(error);
        this.result.failures.push(`${directive.file}:${directive.line}: ${directive.kind}: ${reason}`);
      }
    }
  }

  #perform(directive: Directive): void {
    switch (directive.kind) {
      case "module":
        return this.#module(directive);
      case "action":
        this.#invoke(directive);
        return;
      case "return":
        return this.#returns(directive);
      case "trap":
        return this.#traps(directive, (guest) => guest.stack.value >= 0 && guest.fuel.value >= 0n);
      case "exhaustion":
        return this.#traps(directive, (guest) => guest.stack.value < 0);
      case "invalid":
      case "malformed":
      case "unlinkable":
        if (TAKEN_BACK.has(directive.message ?? "")) throw new NotRun("taken back by multiple memories");
        return this.#isRefused(directive);
      case "register":
        return this.#register(directive);
      default:
        throw new NotRun(directive.kind);
    }
  }

  #module({ wasm, name }: Directive): void {
    let guest: Guest | Refused;
    try {
      guest = instantiate(bytesOf(wasm));
    } catch (error) {
      guest = { refused: error instanceof NotRun ? error.message : "a module that failed" };
      throw error;
    } finally {
      this.#last = guest!;
      if (name) this.#named.set(name, guest!);
    }
  }

  /** A guest cannot import from another: what follows may depend on it and is not run. */
  #register({ module }: Directive): void {
    const guest = module ? this.#named.get(module) : this.#last;
    if (guest !== undefined && !("refused" in guest)) this.#registered.add(guest);
    throw new NotRun(LINKING);
  }

  #guest({ module }: Directive): Guest {
    const guest = module ? this.#named.get(module) : this.#last;
    if (guest === undefined) throw new NotRun("no module");
    if ("refused" in guest) throw new NotRun(guest.refused);
    if (guest.changedElsewhere) throw new NotRun(LINKING);
    guest.fuel.value = TICKS;
    guest.stack.value = STACK_BYTES;
    return guest;
  }

  #invoke(directive: Directive): unknown {
    const guest = this.#guest(directive);
    const call = guest.exports[directive.function!] as (...values: unknown[]) => unknown;
    return call(...directive.arguments!.map(javascriptValue));
  }

  #returns(directive: Directive): void {
    const guest = this.#guest(directive);
    const expected = directive.expected!;
    if (directive.global !== undefined) {
      const { value } = guest.exports[directive.global] as WebAssembly.Global;
      if (!sameValue(expected[0]!, value)) throw new Error(`global ${directive.global} is ${value}`);
      return;
    }
    const { params, results } = guest.types.get(directive.function!)!;
    if ([...params, ...results].some((type) => type <= FUNCREF)) {
      const given = this.#invoke(directive);
      const values = Array.isArray(given) ? given : results.length === 0 ? [] : [given];
      for (const [at, value] of values.entries()) {
        if (!sameValue(expected[at]!, value)) throw new Error(`${directive.function} gives ${values}`);
      }
      return;
    }
    const given = exactCall(guest.exports[directive.function!], directive.arguments!, [...results]);
    for (const [at, bytes] of given.entries()) {
      if (fits(expected[at]!, bytes)) continue;
      const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString("hex");
      throw new Error(`${directive.function}(${directive.arguments}) gives ${hex}, not ${expected[at]}`);
    }
  }

  #traps(directive: Directive, expected: (guest: Guest) => boolean): void {
    if (directive.wasm !== undefined) return instantiationFails(bytesOf(directive.wasm));
    const guest = this.#guest(directive);
    const { results } = guest.types.get(directive.function!)!;
    const plain =
      [...results].every((type) => type > FUNCREF) && directive.arguments!.every((value) => /\d:/.test(value));
    try {
      if (plain) exactCall(guest.exports[directive.function!], directive.arguments!, [...results]);
      else this.#invoke(directive);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      if (!expected(guest)) throw new Error(`another trap: ${error.message}`);
      return;
    }
    throw new Error("no trap");
  }

  #isRefused({ wasm }: Directive): void {
    const bytes = bytesOf(wasm);
    try {
      rewrite(bytes);
    } catch (error) {
      if (error instanceof ModuleRejection) return;
      throw error;
    }
    throw new Error("accepted");
  }
}

function bytesOf(wasm: string | null | undefined): Uint8Array<ArrayBuffer> {
  if (wasm === null || wasm === undefined) throw new NotRun("the text format");
  return new Uint8Array(Buffer.from(wasm, "base64"));
}

const OPTIONS = { imports: SPECTEST, maxMemoryPages: MAX_GUEST_MEMORY_PAGES };

function rewrite(bytes: Uint8Array): ReturnType<typeof rewriteModule> {
  return rewriteModule(bytes, { ...OPTIONS, costVersion: 1, entryPoint: undefined });
}

function instantiate(bytes: Uint8Array): Guest {
  let rewritten: Uint8Array;
  try {
    rewritten = rewrite(bytes).bytes;
  } catch (error) {
    if (!(error instanceof ModuleRejection)) throw error;
    const onPurpose = error.code === "import" || error.code === "feature" || error.code === "limit";
    throw onPurpose ? new NotRun(`${error.code}: ${reasonOf(error)}`) : error;
  }
  const module = new WebAssembly.Module(rewritten as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(module, { spectest: PRINTERS });
  const layout = decodeModule(bytes, OPTIONS);
  const types = [...layout.exports]
    .filter(([, { kind }]) => kind === "function")
    .map(([name, { index }]) => [name, layout.types[layout.functions[index]!]!] as const);
  const guest: Guest = {
    exports,
    types: new Map(types),
    fuel: exports.$fuel as unknown as { value: bigint },
    stack: exports.$sp as unknown as { value: number },
    changedElsewhere: false,
  };
  guest.fuel.value = TICKS;
  (exports.$start as (() => void) | undefined)?.();
  return guest;
}

/** Kinds of reasons, without the names and numbers of the single module. */
function reasonOf({ code, message }: ModuleRejection): string {
  return code === "import" ? "what a guest cannot import" : message.replace(/\d+/g, "n");
}

function instantiationFails(bytes: Uint8Array): void {
  try {
    instantiate(bytes);
  } catch (error) {
    if (error instanceof ModuleRejection || error instanceof WebAssembly.RuntimeError) return;
    throw error;
  }
  throw new Error("no trap at instantiation");
}

/** Host references are objects that carry their number. */
const HOST_REFERENCES = new Map<string, object>();

function javascriptValue(value: string): unknown {
  if (value === "null") return null;
  const [type, payload] = value.split(":") as [string, string];
  if (type === "extern") {
    if (!HOST_REFERENCES.has(payload)) HOST_REFERENCES.set(payload, { payload });
    return HOST_REFERENCES.get(payload);
  }
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, bitsOf(value), true);
  if (type === "i32") return bytes.getInt32(0, true);
  if (type === "i64") return bytes.getBigInt64(0, true);
  if (type === "f32") return bytes.getFloat32(0, true);
  if (type === "f64") return bytes.getFloat64(0, true);
  throw new NotRun("a value that JavaScript does not have");
}

function sameValue(expected: string, value: unknown): boolean {
  if (expected === "func") return typeof value === "function";
  return Object.is(javascriptValue(expected), value);
}
