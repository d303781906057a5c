import { test } from "uvu";
import * as assert from "uvu/assert";
import { CallTree, flameGraph, fuelReport } from "../../../src/execution/index.ts";
import { functionNames } from "../../../src/execution/profile/function-names.ts";
import { assemble, call, name, section, u32, vector } from "../assembler.ts";

/** run → 1 → 2 → 1, then 1 → 3, with a counter that starts at 1000. */
function sample(): CallTree {
  const tree = new CallTree(1_000n, 900n);
  tree.enter(1, 900n);
  tree.enter(2, 890n);
  tree.enter(1, 870n);
  tree.leave(840n);
  tree.leave(800n);
  tree.enter(3, 795n);
  return tree;
}

test("what is spent between two reports belongs to the function that ran", () => {
  const { functions, parents, ticks, calls } = sample().finish(700n);
  assert.equal([...functions], [-1, 1, 2, 1, 3]);
  assert.equal([...parents], [0, 0, 1, 2, 1]);
  assert.equal([...ticks], [100, 15, 60, 30, 95]);
  assert.equal([...calls], [1, 1, 1, 1, 1]);
});

test("a run that ends below zero is charged its budget", () => {
  const { ticks } = sample().finish(-50n);
  assert.is(
    ticks.reduce((sum, count) => sum + count, 0),
    1_000,
  );
});

test("rows sum to the run's fuel exactly, and recursion counts once", () => {
  const rows = fuelReport(sample().finish(700n), ["zero", "one", "two", "three"]);
  assert.equal(
    rows.map(({ name: of, ticks, totalTicks, calls }) => [of, ticks, totalTicks, calls]),
    [
      ["(instantiation)", 100, 100, 1],
      ["three", 95, 95, 1],
      ["two", 60, 90, 1],
      ["one", 45, 200, 2],
    ],
  );
  assert.is(
    rows.reduce((sum, { fuel }) => sum + fuel, 0n),
    100n,
  );
});

test("a chain that runs many times is one node", () => {
  const tree = new CallTree(10_000n, 10_000n);
  for (let left = 9_000n; left > 0n; left -= 10n) {
    tree.enter(5, left);
    tree.leave(left - 4n);
  }
  const { functions, ticks, calls } = tree.finish(0n);
  assert.is(functions.length, 2);
  assert.is(calls[1], 900);
  assert.is(ticks[1], 3_600);
});

test("names come from the name section, else from exports and imports", () => {
  const source = {
    imports: [["wasi_snapshot_preview1", "sched_yield", [], [0x7f]]] as const,
    functions: [{ export: "_start", body: [call(0), 0x1a] }, { body: [] }, { body: [] }],
  };
  const names = [
    name("name"),
    [1, ...u32(8)],
    vector([
      [2, ...name("a<b")],
      [9, ...name("?")],
    ]),
  ];
  const bytes = assemble({ ...source, extra: [[0, names]] });
  assert.equal(functionNames(bytes), ["wasi_snapshot_preview1.sched_yield", "_start", "a<b", "function[3]"]);
  const damaged = Uint8Array.from([...assemble(source), ...section(0, [name("name"), 1, 99, 1])]);
  assert.is(functionNames(damaged)[2], "function[2]");
});

test("the graph is one SVG whose names are escaped", () => {
  const svg = flameGraph(sample().finish(700n), ["", 'a<b>&"c\u0000', "x".repeat(5_000)], "100 fuel");
  assert.ok(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"));
  assert.ok(svg.includes("a&lt;b&gt;&amp;&quot;c\ufffd: 67 fuel"));
  assert.not.match(svg, /a<b|x{300}/);
  assert.not.ok(svg.includes("\u0000"));
  assert.match(svg, /<title>x{199}…: \d+ fuel, [\d.]+ %, 1 calls<\/title>/);
  assert.is(svg.match(/<rect x=/g)!.length, 5);
});

test("characters beyond the basic plane stay, halves of them do not", () => {
  const svg = flameGraph(sample().finish(700n), ["", "\u{1f980}", `${"y".repeat(198)}\u{1f980}z`, "\ud83e"], "");
  assert.ok(svg.includes("<title>\u{1f980}: ") && svg.includes("<title>\ufffd: "));
  assert.ok(svg.includes(`${"y".repeat(198)}\ufffd…: `));
});

test.run();
