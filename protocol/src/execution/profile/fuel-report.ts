/**
 * A run's fuel by function. Ticks become fuel by cumulative rounding over the rows, so that the column sums to
 * exactly the fuel that the run reports.
 */
import { fuelOfTicks } from "../cost-model.ts";
import type { CallProfile } from "./call-tree.ts";

export interface FuelRow {
  /** Function index; -1 for what the run costs before any function: initial memory and data. */
  readonly functionIndex: number;
  readonly name: string;
  readonly calls: number;
  /** Ticks of the function itself. */
  readonly ticks: number;
  /** Its share of the run's fuel. */
  readonly fuel: bigint;
  /** Ticks of the function and all that it called, each tick once however the function recurses. */
  readonly totalTicks: number;
}

/** Name of node 0 of a profile. */
export const INSTANTIATION = "(instantiation)";

/** Rows with the most expensive function first. */
export function fuelReport(profile: CallProfile, names: readonly string[]): readonly FuelRow[] {
  const sums = new Map<number, { calls: number; ticks: number; totalTicks: number }>();
  const rowOf = (functionIndex: number) => {
    let row = sums.get(functionIndex);
    if (row === undefined) {
      row = { calls: 0, ticks: 0, totalTicks: 0 };
      sums.set(functionIndex, row);
    }
    return row;
  };
  const totals = inclusiveTicks(profile);
  const outermost = outermostCalls(profile);
  for (let node = 0; node < profile.functions.length; node++) {
    const row = rowOf(profile.functions[node]!);
    row.calls += profile.calls[node]!;
    row.ticks += profile.ticks[node]!;
    if (node === 0) row.totalTicks = row.ticks;
    else if (outermost[node] === 1) row.totalTicks += totals[node]!;
  }
  const rows = [...sums].sort(([a, left], [b, right]) => right.ticks - left.ticks || a - b);
  let ticksSoFar = 0;
  let fuelSoFar = 0n;
  return rows.map(([functionIndex, row]) => {
    ticksSoFar += row.ticks;
    const fuel = fuelOfTicks(BigInt(ticksSoFar)) - fuelSoFar;
    fuelSoFar += fuel;
    return { functionIndex, name: nameOf(functionIndex, names), fuel, ...row };
  });
}

export function nameOf(functionIndex: number, names: readonly string[]): string {
  return functionIndex < 0 ? INSTANTIATION : (names[functionIndex] ?? `function[${functionIndex}]`);
}

/** Ticks of each node with everything below it. */
export function inclusiveTicks({ ticks, parents }: CallProfile): Float64Array {
  const totals = Float64Array.from(ticks);
  for (let node = totals.length - 1; node > 0; node--) totals[parents[node]!]! += totals[node]!;
  return totals;
}

/** 1 for nodes whose function does not stand above them already. */
function outermostCalls({ functions, parents }: CallProfile): Uint8Array {
  const outermost = new Uint8Array(functions.length);
  const active = new Map<number, number>();
  const path: number[] = [];
  const depths = new Int32Array(functions.length);
  for (const node of depthFirst(parents)) {
    if (node === 0) continue;
    depths[node] = depths[parents[node]!]! + 1;
    while (path.length >= depths[node]!) {
      const left = functions[path.pop()!]!;
      active.set(left, active.get(left)! - 1);
    }
    const index = functions[node]!;
    const above = active.get(index) ?? 0;
    outermost[node] = above === 0 ? 1 : 0;
    active.set(index, above + 1);
    path.push(node);
  }
  return outermost;
}

/** Nodes in the order of a walk down the tree, children in the order in which they were first called. */
export function* depthFirst(parents: Int32Array): Generator<number> {
  const firstChild = new Int32Array(parents.length).fill(-1);
  const nextSibling = new Int32Array(parents.length).fill(-1);
  for (let node = parents.length - 1; node > 0; node--) {
    nextSibling[node] = firstChild[parents[node]!]!;
    firstChild[parents[node]!] = node;
  }
  const pending = [0];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    yield node;
    if (nextSibling[node]! >= 0) pending.push(nextSibling[node]!);
    if (firstChild[node]! >= 0) pending.push(firstChild[node]!);
  }
}
