/**
 * A profile as a flame graph: an SVG without scripts whose boxes are chains of calls, each as wide as its share of
 * the fuel, callers below what they call. Names come from a hostile module and are escaped and cut.
 */
import { FUEL_DIVISOR } from "../cost-model.ts";
import type { CallProfile } from "./call-tree.ts";
import { depthFirst, inclusiveTicks, nameOf } from "./fuel-report.ts";

const WIDTH = 1200;
const ROW_HEIGHT = 18;
const MARGIN = 10;
const TITLE_HEIGHT = 34;
/** Boxes that are narrower are left out, and chains that are deeper. */
const MIN_BOX_WIDTH = 0.3;
const MAX_DEPTH = 200;
const CHARACTER_WIDTH = 7;
const MAX_NAME_CHARACTERS = 200;

interface Box {
  readonly node: number;
  readonly depth: number;
  readonly x: number;
  readonly width: number;
}

/** The SVG's text; `title` is shown above the graph. */
export function flameGraph(profile: CallProfile, names: readonly string[], title: string): string {
  const totals = inclusiveTicks(profile);
  const boxes = layOut(profile, totals);
  const depth = boxes.reduce((deepest, box) => Math.max(deepest, box.depth), 0);
  const height = TITLE_HEIGHT + (depth + 1) * ROW_HEIGHT + MARGIN;
  const whole = Math.max(totals[0]!, 1);
  const drawn = boxes.map((box) => {
    const name = box.node === 0 ? "all" : cut(nameOf(profile.functions[box.node]!, names));
    const share = ((100 * totals[box.node]!) / whole).toFixed(2);
    const fuel = Math.ceil(totals[box.node]! / Number(FUEL_DIVISOR));
    const y = height - MARGIN - (box.depth + 1) * ROW_HEIGHT;
    return drawBox(box, y, name, `${name}: ${fuel} fuel, ${share} %, ${profile.calls[box.node]} calls`);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, monospace" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fffdf7"/>`,
    `<text x="${WIDTH / 2}" y="22" text-anchor="middle" font-size="15">${escaped(title)}</text>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function layOut(profile: CallProfile, totals: Float64Array): readonly Box[] {
  const scale = (WIDTH - 2 * MARGIN) / Math.max(totals[0]!, 1);
  const placed = new Map<number, Box>();
  /** Where the next child of a node starts. */
  const cursors = new Map<number, number>();
  for (const node of depthFirst(profile.parents)) {
    const parent = node === 0 ? undefined : placed.get(profile.parents[node]!);
    if (node !== 0 && parent === undefined) continue;
    const x = parent === undefined ? MARGIN : (cursors.get(parent.node) ?? parent.x);
    const width = totals[node]! * scale;
    const depth = parent === undefined ? 0 : parent.depth + 1;
    if (parent !== undefined) cursors.set(parent.node, x + width);
    if (width >= MIN_BOX_WIDTH && depth <= MAX_DEPTH) placed.set(node, { node, depth, x, width });
  }
  return [...placed.values()];
}

function drawBox(box: Box, y: number, name: string, tooltip: string): string {
  const characters = Math.floor((box.width - 6) / CHARACTER_WIDTH);
  const shown = characters < 3 ? "" : name.length <= characters ? name : `${name.slice(0, characters - 1)}…`;
  const label = shown === "" ? "" : `<text x="${(box.x + 3).toFixed(1)}" y="${y + 13}">${escaped(shown)}</text>`;
  const place = `x="${box.x.toFixed(1)}" y="${y}" width="${box.width.toFixed(1)}" height="${ROW_HEIGHT - 1}"`;
  return `<g><title>${escaped(tooltip)}</title><rect ${place} rx="1" fill="${colour(name)}"/>${label}</g>`;
}

/** A warm colour that depends on the name alone, so that two graphs can be compared. */
function colour(name: string): string {
  let hash = 2_166_136_261;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 16_777_619) >>> 0;
  return `hsl(${20 + (hash % 40)} ${60 + ((hash >>> 8) % 30)}% ${62 + ((hash >>> 16) % 16)}%)`;
}

/** A name alone is cut, and not what is said beside it; half a surrogate pair is replaced when it is escaped. */
function cut(name: string): string {
  return name.length <= MAX_NAME_CHARACTERS ? name : `${name.slice(0, MAX_NAME_CHARACTERS - 1)}…`;
}

/** Text as XML: markup escaped, characters that XML does not have replaced. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}
