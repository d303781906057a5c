/**
 * Fuel against a model that pays instruction by instruction: random nests of blocks, loops, branches, calls, tail
 * calls and returns, whose decisions stand in memory. However the rewriting joins, hoists and caches, what a run has
 * spent when it ends, and when its budget ends it, is what the model counts.
 */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TICKS } from "../../src/execution/cost-model.ts";
import { Op } from "../../src/execution/opcodes.ts";
import { block, br, brIf, type Code, call, drop, i32, loop, type ModuleSource, ret, u32 } from "./assembler.ts";
import { metered } from "./harness.ts";

type Statement =
  | { readonly kind: "work" | "return" }
  | { readonly kind: "block" | "loop"; readonly body: readonly Statement[] }
  | { readonly kind: "if"; readonly first: readonly Statement[]; readonly second: readonly Statement[] | undefined }
  | { readonly kind: "br" | "brIf"; readonly depth: number }
  | { readonly kind: "brTable"; readonly depths: readonly number[] }
  | { readonly kind: "call" | "callIndirect" | "tailCall" | "recurse"; readonly callee: number };

const FUNCTIONS = 4;
const RUNS = 2_000;
const DECISIONS = 200;
/** Far more than any of these programs spends. */
const PLENTY = 1n << 40n;

/** Pushes the next decision: a byte at the address in global 0, which goes up by one. */
const DECIDE: Code = [0x23, 0, 0x2d, 0, 0, 0x23, 0, i32(1), 0x6a, 0x24, 0];
const DECIDE_OPCODES = [0x23, 0x2d, 0x23, 0x41, 0x6a, 0x24];

/** Labels around a statement, innermost last; the function's own is the first. */
type Labels = readonly ("function" | "block" | "loop")[];

function targetOf(depth: number, labels: Labels, forwardOnly: boolean): number {
  let target = depth % labels.length;
  while (forwardOnly && labels[labels.length - 1 - target] === "loop") target++;
  return target;
}

function higher(callee: number, self: number): number | undefined {
  const above = FUNCTIONS - 1 - self;
  return above === 0 ? undefined : self + 1 + (callee % above);
}

function encode(statement: Statement, labels: Labels, self: number): Code {
  const nested = (body: readonly Statement[], label: "block" | "loop") =>
    body.map((inner) => encode(inner, [...labels, label], self));
  switch (statement.kind) {
    case "work":
      return [i32(5), drop];
    case "return":
      return [ret];
    case "block":
      return block(nested(statement.body, "block"));
    case "loop":
      return loop(nested(statement.body, "loop"));
    case "if": {
      const { first, second } = statement;
      const arm = second === undefined ? [] : [0x05, nested(second, "block")];
      return [DECIDE, 0x04, 0x40, nested(first, "block"), arm, 0x0b];
    }
    case "br":
      return br(targetOf(statement.depth, labels, true));
    case "brIf":
      return [DECIDE, brIf(targetOf(statement.depth, labels, false))];
    case "brTable": {
      const targets = statement.depths.map((depth) => u32(targetOf(depth, labels, true)));
      return [DECIDE, 0x0e, u32(targets.length - 1), targets];
    }
    case "recurse":
      return [DECIDE, 0x04, 0x40, call(statement.callee), 0x0b];
    default: {
      const callee = higher(statement.callee, self);
      if (callee === undefined) return [];
      if (statement.kind === "call") return call(callee);
      return statement.kind === "tailCall" ? [0x12, callee] : [i32(callee), 0x11, 0, 0];
    }
  }
}

/** Walks the program and pays for each instruction as it comes to it. */
class Model {
  ticks = 0n;
  #next = 0;
  readonly #functions: readonly (readonly Statement[])[];
  readonly #decisions: readonly number[];

  constructor(functions: readonly (readonly Statement[])[], decisions: readonly number[]) {
    this.#functions = functions;
    this.#decisions = decisions;
  }

  invoke(index: number): void {
    this.#block(this.#functions[index]!, ["function"], index);
  }

  #pay(...opcodes: readonly number[]): void {
    for (const opcode of opcodes) this.ticks += BigInt(TICKS[opcode]!);
  }

  #decide(): number {
    this.#pay(...DECIDE_OPCODES);
    return this.#decisions[this.#next++] ?? 0;
  }

  /** Returns how many labels out a branch still has to go; 0 when the next instruction follows. */
  #block(body: readonly Statement[], labels: Labels, self: number): number {
    for (const statement of body) {
      const out = this.#step(statement, labels, self);
      if (out > 0) return out - 1;
    }
    return 0;
  }

  /** Returns 0 to go on, else 1 + the depth of the label that is branched to. */
  #step(statement: Statement, labels: Labels, self: number): number {
    switch (statement.kind) {
      case "work":
        this.#pay(Op.i32Const, Op.drop);
        return 0;
      case "return":
        this.#pay(Op.return);
        return labels.length;
      case "block":
        return this.#block(statement.body, [...labels, "block"], self);
      case "loop":
        return this.#loop(statement.body, labels, self);
      case "if": {
        const decision = this.#decide();
        this.#pay(Op.if);
        return this.#block((decision ? statement.first : statement.second) ?? [], [...labels, "block"], self);
      }
      case "br":
        this.#pay(Op.br);
        return 1 + targetOf(statement.depth, labels, true);
      case "brIf": {
        const decision = this.#decide();
        this.#pay(Op.brIf);
        return decision ? 1 + targetOf(statement.depth, labels, false) : 0;
      }
      case "brTable": {
        const decision = this.#decide();
        this.#pay(Op.brTable);
        const { depths } = statement;
        return 1 + targetOf(depths[Math.min(decision, depths.length - 1)]!, labels, true);
      }
      case "recurse": {
        const decision = this.#decide();
        this.#pay(Op.if);
        if (!decision) return 0;
        this.#pay(Op.call);
        this.invoke(statement.callee);
        return 0;
      }
      default:
        return this.#call(statement.kind, higher(statement.callee, self), labels);
    }
  }

  #loop(body: readonly Statement[], labels: Labels, self: number): number {
    for (;;) {
      this.ticks += 1n;
      let out = 0;
      for (const statement of body) {
        out = this.#step(statement, [...labels, "loop"], self);
        if (out > 0) break;
      }
      if (out !== 1) return Math.max(out - 1, 0);
    }
  }

  #call(kind: "call" | "callIndirect" | "tailCall", callee: number | undefined, labels: Labels): number {
    if (callee === undefined) return 0;
    if (kind === "callIndirect") this.#pay(Op.i32Const);
    this.#pay(kind === "call" ? Op.call : kind === "tailCall" ? Op.returnCall : Op.callIndirect);
    this.invoke(callee);
    return kind === "tailCall" ? labels.length : 0;
  }
}

const { statements } = fc.letrec<{ statement: Statement; statements: readonly Statement[] }>((tie) => {
  const depth = fc.nat(4);
  const callee = fc.nat(FUNCTIONS - 1);
  return {
    statements: fc.array(tie("statement"), { maxLength: 4, depthIdentifier: "nest" }),
    statement: fc.oneof(
      { depthSize: "small", depthIdentifier: "nest" },
      fc.record({ kind: fc.constantFrom("work", "work", "return") }),
      fc.record({ kind: fc.constantFrom("br", "brIf", "brIf"), depth }),
      fc.record({ kind: fc.constantFrom("call", "call", "callIndirect", "tailCall", "recurse"), callee }),
      fc.record({ kind: fc.constant("brTable"), depths: fc.array(depth, { minLength: 1, maxLength: 4 }) }),
      fc.record({ kind: fc.constantFrom("block", "loop"), body: tie("statements") }),
      fc.record({
        kind: fc.constant("if"),
        first: tie("statements"),
        second: fc.option(tie("statements"), { nil: undefined }),
      }),
    ) as fc.Arbitrary<Statement>,
  };
});
const programs = fc.array(statements, { minLength: FUNCTIONS, maxLength: FUNCTIONS });
const decisions = fc.array(fc.constantFrom(0, 1, 1, 2, 3), { maxLength: DECISIONS });

function sourceOf(functions: readonly (readonly Statement[])[], bytes: readonly number[]): ModuleSource {
  return {
    memory: [1],
    table: FUNCTIONS,
    elements: Array.from({ length: FUNCTIONS }, (_, index) => index),
    globals: [[0x7f, true, i32(0)]],
    data: [[0, [...bytes]]],
    functions: functions.map((body, index) => ({
      export: `f${index}`,
      body: body.map((statement) => encode(statement, ["function"], index)),
    })),
  };
}

test("what a run has spent is what an interpreter pays instruction by instruction", () => {
  fc.assert(
    fc.property(programs, decisions, (functions, bytes) => {
      const model = new Model(functions, bytes);
      model.invoke(0);
      const guest = metered(sourceOf(functions, bytes), PLENTY);
      guest.exports.f0!();
      assert.is(PLENTY - guest.fuel.value, model.ticks);
    }),
    { numRuns: RUNS },
  );
});

test("a budget of exactly the cost is enough, and one tick less is not", () => {
  fc.assert(
    fc.property(programs, decisions, (functions, bytes) => {
      const model = new Model(functions, bytes);
      model.invoke(0);
      const source = sourceOf(functions, bytes);
      const enough = metered(source, model.ticks);
      enough.exports.f0!();
      assert.is(enough.fuel.value, 0n);
      if (model.ticks === 0n) return;
      const short = metered(source, model.ticks - 1n);
      try {
        short.exports.f0!();
      } catch (error) {
        assert.instance(error, WebAssembly.RuntimeError);
      }
      assert.ok(short.fuel.value < 0n);
    }),
    { numRuns: RUNS / 4 },
  );
});

test.run();
