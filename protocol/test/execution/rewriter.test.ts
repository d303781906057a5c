import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  add,
  assemble,
  block,
  br,
  brIf,
  type Code,
  call,
  drop,
  F32,
  F64,
  type FunctionSource,
  f64,
  get,
  I32,
  I64,
  i32,
  i64,
  loop,
  type ModuleSource,
  otherwise,
  ret,
  section,
  set,
  sub,
  tee,
  u32,
  unreachable,
  V128,
  when,
} from "./assembler.ts";
import { execute, metered, rejectionOf, ticksOf } from "./harness.ts";

const one = (source: FunctionSource) => ({ functions: [{ export: "f", ...source }] });
const ticks = (body: Code, more: Partial<FunctionSource> = {}, ...values: unknown[]) =>
  ticksOf(one({ body, ...more }), "f", ...values);

test("a straight line costs the sum of its instructions", () => {
  assert.is(ticks([]), 0n);
  assert.is(ticks([i32(1), drop]), 1n);
  assert.is(ticks([i32(1), i32(2), add, drop]), 3n);
  assert.is(ticks([i32(6), i32(2), 0x6d, drop]), 14n, "a division costs 12");
  assert.is(ticks([f64(2), 0x9f, drop]), 17n, "a square root costs 16");
});

test("each arm of an if is charged only when it runs", () => {
  const body = [get(0), 0x04, 0x40, i32(1), drop, i32(1), drop, otherwise, i32(1), drop, 0x0b, i32(1), drop];
  // get, if, and the join (which always runs): 3; then 2 or 1.
  assert.is(ticks(body, { params: [I32] }, 1), 5n);
  assert.is(ticks(body, { params: [I32] }, 0), 4n);
});

test("a loop costs one tick an iteration beside its body", () => {
  // set-up 0; per iteration: header 1, get, const, sub, tee, br_if = 6
  const body = [loop(get(0), i32(1), sub, tee(0), brIf(0))];
  assert.is(ticks(body, { params: [I32] }, 1), 6n);
  assert.is(ticks(body, { params: [I32] }, 10), 60n);
});

test("code behind a taken branch is not charged, code behind the label is", () => {
  // block: get, br_if (2); inside 1; after 1.
  const body = [block(get(0), brIf(0), i32(1), drop), i32(1), drop];
  assert.is(ticks(body, { params: [I32] }, 1), 3n);
  assert.is(ticks(body, { params: [I32] }, 0), 4n);
});

test("an early return leaves the rest unpaid", () => {
  const body = [get(0), when(ret), i32(1), drop, i32(1), drop];
  assert.is(ticks(body, { params: [I32] }, 1), 3n, "get, if, return");
  assert.is(ticks(body, { params: [I32] }, 0), 4n);
});

test("a branch out of two blocks does not pay for what lies between", () => {
  const body = [block(block(get(0), brIf(1)), i32(1), drop, i32(1), drop), i32(1), drop];
  assert.is(ticks(body, { params: [I32] }, 1), 3n);
  assert.is(ticks(body, { params: [I32] }, 0), 5n);
});

test("a branch out of three blocks pays for none of the joins on its way", () => {
  const step = [i32(1), drop];
  const body = [block(block(block(get(0), brIf(2)), step), step, step), step];
  assert.is(ticks(body, { params: [I32] }, 1), 3n);
  assert.is(ticks(body, { params: [I32] }, 0), 6n);
});

test("a join whose inside can leave further out is not prepaid", () => {
  const step = [i32(1), drop];
  const body = [block(block(block(get(0), brIf(2), get(1), brIf(1)), step), step, step), step];
  const both = { params: [I32, I32] };
  assert.is(ticks(body, both, 1, 0), 3n);
  assert.is(ticks(body, both, 0, 1), 7n);
  assert.is(ticks(body, both, 0, 0), 8n);
});

test("what ran before an unreachable is counted", () => {
  const guest = metered({
    functions: [{ export: "f", params: [I32], body: [loop(get(0), i32(1), sub, tee(0), brIf(0)), unreachable] }],
  });
  const before = guest.fuel.value;
  assert.throws(() => guest.exports.f!(10));
  assert.is(before - guest.fuel.value, 61n);
});

test("dead code costs nothing", () => {
  assert.is(ticks([block(br(0), i32(1), drop, loop(br(0))), i32(1), drop]), 2n);
});

test("callers pay for calls, callees for themselves", () => {
  const source = {
    functions: [{ body: [i32(1), drop] }, { export: "f", body: [call(0), call(0)] }],
  };
  assert.is(ticksOf(source, "f"), 14n);
});

test("bulk memory is priced by its length", () => {
  const source = (length: number) => ({
    memory: [1] as const,
    functions: [{ export: "f", body: [i32(0), i32(0), i32(length), [0xfc, 11, 0]] }],
  });
  assert.is(ticksOf(source(0), "f"), 103n);
  assert.is(ticksOf(source(4096), "f"), 103n + 512n);
});

test("growing is priced by the page, and free beyond the cap", () => {
  const source = {
    memory: [1] as const,
    functions: [{ export: "f", params: [I32], results: [I32], body: [get(0), [0x40, 0]] }],
  };
  assert.is(ticksOf(source, "f", 3), 1n + 1_000n + 30_000n);
  const guest = metered(source, 1n << 40n, 4);
  assert.is(guest.exports.f!(3), 1);
  assert.is(guest.exports.f!(1), -1);
  assert.is(guest.exports.f!(-1), -1);
  assert.is(guest.exports.f!(0), 4);
  assert.is(guest.memory.buffer.byteLength, 4 * 65_536);
  assert.is(guest.infra.value, 0);
});

test("a maximum of the guest's own below the cap holds", () => {
  const guest = metered({
    memory: [1, 2],
    functions: [{ export: "f", results: [I32], body: [i32(2), [0x40, 0]] }],
  });
  assert.is(guest.exports.f!(), -1);
});

test("every budget below the whole cost runs out, with the memory of exactly that point", () => {
  // Each iteration stores its number and calls a function.
  const source = {
    memory: [1] as const,
    functions: [
      { body: [i32(1), drop] },
      {
        export: "f",
        locals: [I32],
        body: [loop(i32(0), get(0), i32(1), add, tee(0), [0x36, 2, 0], call(0), get(0), i32(20), 0x48, brIf(0))],
      },
    ],
  };
  const whole = ticksOf(source, "f");
  let last = 0;
  for (let budget = 0n; budget < whole; budget++) {
    const guest = metered(source, budget);
    const stored = () => new Int32Array(guest.memory.buffer)[0]!;
    let trapped = false;
    try {
      guest.exports.f!();
    } catch (error) {
      assert.instance(error, WebAssembly.RuntimeError);
      trapped = true;
    }
    assert.ok(guest.fuel.value < 0n, `budget ${budget} leaves ${guest.fuel.value}`);
    if (!trapped) assert.ok(whole - budget <= 20n, "only the last stretch may overshoot unnoticed");
    assert.ok(stored() >= last);
    last = stored();
  }
  const guest = metered(source, whole);
  guest.exports.f!();
  assert.is(guest.fuel.value, 0n);
});

test("results are those of the plain module", () => {
  // gcd with multi-value, br_table, select and globals in it
  const source = {
    globals: [[I32, true, i32(5)]] as const,
    functions: [
      { params: [I32, I32], results: [I32, I32], body: [get(1), get(0), get(1), 0x70] },
      {
        export: "f",
        params: [I32, I32],
        results: [I32],
        body: [
          loop(get(1), when(get(0), get(1), call(0), set(1), set(0), br(1))),
          block(block(block(get(0), [0x0e, 2, 0, 1, 2])), i32(100), [0x24, 0]),
          get(0),
          [0x23, 0],
          add,
          ret,
        ],
      },
    ],
  };
  const plain = new WebAssembly.Instance(new WebAssembly.Module(assemble(source) as Uint8Array<ArrayBuffer>));
  const rewritten = metered(source);
  for (const [a, b] of [
    [12, 18],
    [1, 1],
    [0, 0],
    [7, 21],
    [1 << 30, 48],
  ]) {
    assert.is(rewritten.exports.f!(a, b), (plain.exports.f as (...v: unknown[]) => unknown)(a, b));
  }
});

test("a function with several results may return early", () => {
  const guest = metered(
    one({ params: [I32], results: [I32, I64], body: [get(0), when(i32(1), i64(2n), ret), loop(), i32(3), i64(4n)] }),
  );
  assert.equal(guest.exports.f!(1), [1, 2n]);
  assert.equal(guest.exports.f!(0), [3, 4n]);
});

test("recursion ends with the metered stack, not the engine's", () => {
  const depth = () => {
    const guest = metered({
      memory: [1],
      functions: [
        {
          export: "f",
          params: [I32],
          results: [I32],
          body: [i32(0), get(0), [0x36, 2, 0], get(0), i32(1), add, call(0)],
        },
      ],
    });
    assert.throws(
      () => guest.exports.f!(0),
      (error: unknown) => error instanceof WebAssembly.RuntimeError,
    );
    assert.ok(guest.stack.value < 0);
    return new Int32Array(guest.memory.buffer)[0];
  };
  const first = depth();
  assert.ok(first! > 1000);
  assert.is(depth(), first);
});

test("a function leaves its frame on every way out: calls one after the other have the same room", () => {
  const wide = Array<number>(1_000).fill(I64);
  const guest = metered({
    functions: [
      { body: [] },
      { params: [I32], locals: wide, body: [get(0), when(call(0), ret), block(br(1)), call(0)] },
      {
        export: "f",
        params: [I32],
        body: [loop(i32(1), call(1), i32(0), call(1), get(0), i32(1), sub, tee(0), brIf(0))],
      },
    ],
  });
  guest.exports.f!(10_000);
  assert.ok(guest.stack.value > 0);
});

test("a tail call gives its frame back: an endless chain runs in one, and is paid call by call", () => {
  const down = (tail: Code): ModuleSource => ({
    table: 1,
    elements: [0],
    functions: [
      {
        export: "f",
        params: [I32],
        results: [I32],
        body: [block(get(0), brIf(0), i32(7), ret), get(0), i32(1), sub, tail],
      },
    ],
  });
  for (const [tail, cost] of [
    [[0x12, 0], 6],
    [[i32(0), 0x13, 0, 0], 9],
  ] as const) {
    const guest = metered(down(tail));
    assert.is(guest.exports.f!(100_000), 7);
    assert.ok(guest.stack.value > 0);
    assert.is(ticksOf(down(tail), "f", 5) - ticksOf(down(tail), "f", 4), BigInt(2 + 3 + cost));
  }
});

test("a tail call is no way around the fuel, and one that leaves pays no join behind it", () => {
  const endless = metered({ functions: [{ export: "f", body: [[0x12, 0]] }] }, 10_000n);
  assert.throws(
    () => endless.exports.f!(),
    (error: unknown) => error instanceof WebAssembly.RuntimeError,
  );
  assert.ok(endless.fuel.value < 0n);
  const leaving: ModuleSource = {
    functions: [
      { body: [] },
      { export: "f", params: [I32], body: [block(get(0), when([0x12, 0])), i32(1), drop, i32(2), drop] },
    ],
  };
  assert.is(ticksOf(leaving, "f", 1), 8n);
  assert.is(ticksOf(leaving, "f", 0), 4n);
});

test("a table grows to its maximum and no further, priced by the length", () => {
  const grow = (maximum: number): Uint8Array => {
    const source = assemble({
      functions: [{ export: "f", params: [I32], results: [I32], body: [0xd0, 0x70, get(0), 0xfc, 15, 0] }],
    });
    const bytes = [...source];
    // The table section stands between functions and exports.
    const exportsAt = bytes.findIndex((_, at) => at > 8 && bytes[at] === 7 && bytes[at + 1] === 5);
    bytes.splice(exportsAt, 0, ...section(4, [1, 0x70, 1, 2, ...u32(maximum)]));
    return Uint8Array.from(bytes);
  };
  const guest = metered(grow(100));
  const before = guest.fuel.value;
  assert.is(guest.exports.f!(80), 2);
  assert.is(before - guest.fuel.value, BigInt(1 + 1 + 100 + 80 * 32));
  assert.is(guest.exports.f!(19), -1);
  assert.is(guest.exports.f!(18), 82);
  const capped = metered(grow(0xffff_fff0));
  assert.is(capped.exports.f!(1_000_000), -1);
  assert.is(capped.exports.f!(999_998), 2);
});

test("a start function is exported, not run at instantiation", () => {
  const code = assemble({ memory: [1], functions: [{ body: [unreachable] }], start: 0 });
  const guest = metered(code);
  assert.throws(() => (guest.exports.$start as () => void)());
});

test("NaNs are canonical wherever they can be seen", () => {
  const divide = [get(0), get(1), 0xa3];
  const cases: [Code, Partial<FunctionSource>][] = [
    [[divide, 0xbd], {}],
    [[divide, set(0), get(0), 0xbd], {}],
    [[divide, 0x9a, 0x9a, 0xbd], {}],
    [[divide, f64(1), 0xa0, 0xbd], {}],
    // A value that a conditional branch copies keeps its canonical bits on the branch, whatever consumes it later.
    [[[0x02, F64], divide, i32(1), brIf(0), f64(1), 0xa0, 0x0b, 0xbd], {}],
    [[[0x02, F64], divide, get(2), brIf(0), drop, f64(1), 0x0b, 0xbd], {}],
    // What unreachable code drops comes from nowhere, not from the value below the block.
    [[divide, block(get(2), brIf(0), unreachable, drop), 0xbd], {}],
  ];
  for (const [index, [body]] of cases.entries()) {
    const guest = metered(one({ params: [F64, F64, I32], results: [I64], body }));
    for (const [a, b] of [
      [0, 0],
      [-0, 0],
      [Number.NaN, 1],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ]) {
      const bits = BigInt.asUintN(64, guest.exports.f!(a, b, 1) as bigint);
      assert.is(bits, 0x7ff8_0000_0000_0000n, `case ${index} with ${a}, ${b}: ${bits.toString(16)}`);
    }
  }
});

test("payloads of NaN operands do not come through arithmetic, in scalars and lanes", () => {
  const quiet = (bits: bigint) => [i64(BigInt.asIntN(64, bits)), 0xbf];
  const scalar = metered(
    one({ results: [I64], body: [quiet(0xfff8_0000_0000_0222n), quiet(0x7ff8_0000_0000_0111n), 0xa0, 0xbd] }),
  );
  assert.is(BigInt.asUintN(64, scalar.exports.f!() as bigint), 0x7ff8_0000_0000_0000n);
  const lanes = metered(
    one({
      results: [I64],
      body: [quiet(0xfff8_0000_0000_0222n), [0xfd, 20], f64(1), [0xfd, 20], [0xfd, 0xf0, 0x01], [0xfd, 29, 0]],
    }),
  );
  assert.is(BigInt.asUintN(64, lanes.exports.f!() as bigint), 0x7ff8_0000_0000_0000n);
  const single = metered(one({ params: [F32], results: [I32], body: [get(0), get(0), 0x93, 0xbc] }));
  assert.is(single.exports.f!(Number.POSITIVE_INFINITY), 0x7fc0_0000);
});

test("a local that holds results of arithmetic is canonical wherever its bits can be seen", () => {
  const nan = [f64(Number.POSITIVE_INFINITY), f64(Number.POSITIVE_INFINITY), 0xa1];
  const seen: readonly Code[] = [
    [nan, set(0), get(0), 0xbd],
    [nan, tee(0), 0xbd],
    [f64(1), set(0), nan, tee(0), set(1), get(1), 0xbd],
    [f64(1), set(0), loop(get(0), nan, 0xa0, set(0)), get(0), 0x99, 0xbd],
    [nan, set(0), get(0), nan, i32(1), 0x1b, 0xbd],
    [i32(0), nan, set(0), get(0), [0x39, 3, 0], i32(0), [0x29, 3, 0]],
  ];
  for (const body of seen) {
    const guest = metered({ memory: [1], ...one({ locals: [F64, F64], results: [I64], body }) });
    assert.is(guest.exports.f!(), 0x7ff8_0000_0000_0000n);
  }
});

test("a NaN that the guest chose comes out of a local as it went in, beside arithmetic in the same local", () => {
  const chosen = 0x7ff0_0000_0000_0abcn;
  const guest = metered(
    one({
      params: [I32, I64],
      results: [I64],
      locals: [F64],
      body: [get(0), 0x04, 0x40, get(1), 0xbf, set(2), otherwise, f64(1), f64(2), 0xa0, set(2), 0x0b, get(2), 0xbd],
    }),
  );
  assert.is(guest.exports.f!(1, chosen), chosen);
  const constant = [0x44, 0xbc, 0x0a, 0, 0, 0, 0, 0xf0, 0x7f];
  const kept = one({
    results: [I64],
    locals: [F64],
    body: [f64(1), f64(2), 0xa0, set(0), constant, set(0), get(0), 0xbd],
  });
  assert.is(metered(kept).exports.f!(), chosen);
});

test("a trap inside a loop has paid for the iterations before it", () => {
  const source = one({
    params: [I32],
    body: [loop(i32(100), get(0), 0x6d, drop, get(0), i32(1), sub, set(0), br(0))],
  });
  const spent = (times: number): bigint => {
    const guest = metered(source);
    const before = guest.fuel.value;
    assert.throws(() => guest.exports.f!(times), /divide by zero/);
    return before - guest.fuel.value;
  };
  assert.is(spent(11) - spent(10), 20n);
});

test("a canonicalisation is left out where the consumer ignores NaN bits", () => {
  const size = (body: Code, results: readonly number[]) => {
    const code = assemble(one({ params: [F64], results, body }));
    return metered(code) && code.length;
  };
  assert.ok(size([get(0), get(0), 0xa0], [F64]) > 0);
  const kept = ticks([get(0), get(0), 0xa0, drop], { params: [F64] }, 1);
  assert.is(kept, 4n, "canonicalisation itself is never charged");
});

test("a guest cannot reach the counters", () => {
  for (const exportName of ["$fuel", "$sp", "$infra", "$memory", "$start"]) {
    assert.is(rejectionOf(assemble(one({ body: [], export: exportName })))?.code, "reservedName");
  }
  // Global 1 would be the stack counter's index once the rewriting has appended its own to one global.
  const reach = assemble({ globals: [[I32, true, i32(0)]], functions: [{ body: [i32(1), [0x24, 1]] }] });
  assert.is(rejectionOf(reach)?.code, "invalid");
  const callHelper = assemble({ memory: [1], functions: [{ body: [i32(1), call(1), drop] }] });
  assert.is(rejectionOf(callHelper)?.code, "invalid");
});

test("an endless loop, an endless recursion and a long straight line all end", () => {
  const endless = execute({ functions: [{ export: "_start", body: [loop(br(0))] }] });
  assert.is(endless.kind === "trapped" && endless.trap, "outOfFuel");
  assert.is(endless.kind === "trapped" && endless.fuel, 10_000_000n);
  const line = execute(
    { functions: [{ export: "_start", body: Array(1000).fill([i32(1), drop]) }] },
    {
      limits: { maxFuel: 10n, maxMemoryPages: 1, maxOutputBytes: 1 },
    },
  );
  assert.is(line.kind === "trapped" && line.trap, "outOfFuel");
  assert.is(line.kind === "trapped" && line.fuel, 10n);
});

test("large frames of leaf functions are metered too", () => {
  const locals = Array<number>(10_000).fill(V128);
  const guest = metered(one({ locals, body: [] }), 1n << 40n);
  guest.exports.f!();
  guest.stack.value = 2 * 8 * 10_000;
  assert.throws(
    () => guest.exports.f!(),
    (error: unknown) => error instanceof WebAssembly.RuntimeError,
  );
  assert.ok(guest.fuel.value > 0n && guest.stack.value < 0);
});

test.run();
