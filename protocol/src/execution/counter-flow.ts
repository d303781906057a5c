/**
 * Where the fuel counter's current value is while a body runs that caches it in a local, and the edits that carry it
 * from one place to the other. The counter must be in the global before anything leaves the function, and in the
 * local before it is charged.
 *
 * Where paths join, all must agree. Inside loops they agree on the local, so that a turn of the loop that calls
 * nothing does not go through memory. Outside of loops they agree on the global as soon as one of them comes from a
 * call: behind a join little is charged that was not charged before it, and a function's end needs the global anyway.
 * Which it is becomes known only at the join, so paths that may have to write the global leave an edit behind that
 * the join turns on.
 */
import { Edit, type EditList } from "./edits.ts";
import type { SegmentBuilder } from "./segments.ts";

const Place = {
  /** In the local alone: the global must be written before anything leaves the function. */
  local: 0,
  /** In both. */
  both: 1,
  /** In the global alone, after a call: the local must be loaded before it is charged. */
  global: 2,
} as const;

/** The end of a block or an `if`, to which paths lead. */
interface Join {
  /** Whether its paths may agree on the global. */
  readonly outsideLoops: boolean;
  /** Where the counter was when the construct was opened, and the edit that could change that, or -1. */
  opened: number;
  opening: number;
  /** A path comes here with the counter in the global alone. */
  fromCall: boolean;
  /** Edits, off so far, of the paths that come with the counter in the local alone. */
  readonly writeBacks: number[];
}

export class CounterFlow {
  readonly #edits: EditList;
  readonly #segments: SegmentBuilder;
  #place: number = Place.local;
  /** Of each open construct, the function's body first; loops have none, since a branch to one goes to its header. */
  readonly #joins: (Join | undefined)[] = [];
  #openLoops = 0;
  /** Where the last path that may have to write the global was found, and its edit: a br_table has many targets. */
  #lastPosition = -1;
  #lastEdit = -1;

  constructor(edits: EditList, segments: SegmentBuilder) {
    this.#edits = edits;
    this.#segments = segments;
  }

  begin(): void {
    this.#place = Place.local;
    this.#joins.length = 1;
    this.#joins[0] = undefined;
    this.#openLoops = 0;
    this.#lastPosition = -1;
  }

  /** A segment is charged at `position`; -1 is none. */
  charge(position: number, segment: number): void {
    if (segment < 0 || this.#segments.isHoisted(segment)) return;
    this.needLocal(position);
    this.#edits.add(position, Edit.charge, segment);
    // A checked charge inside a function is a loop's, which writes the global too.
    this.#place = this.#segments.isChecked(segment) ? Place.both : Place.local;
  }

  needLocal(position: number): void {
    if (this.#place !== Place.global) return;
    this.#edit(position, Edit.reload);
    this.#place = Place.both;
  }

  needGlobal(position: number): void {
    if (this.#place !== Place.local) return;
    this.#edit(position, Edit.writeBack);
    this.#place = Place.both;
  }

  /** Something outside of this function runs here and charges the global. */
  leaveAndReturn(position: number): void {
    this.needGlobal(position);
    this.#place = Place.global;
  }

  openBlock(): void {
    this.#joins.push(this.#join());
  }

  openLoop(position: number): void {
    this.needLocal(position);
    this.#openLoops++;
    this.#joins.push(undefined);
  }

  /** Both arms are charged, and without an `else` a path leads from here to the end. */
  openIf(position: number): void {
    this.needLocal(position);
    const join = this.#join();
    join.opened = this.#place;
    if (join.outsideLoops && this.#place === Place.local) join.opening = this.#writeBackIfAsked(position);
    this.#joins.push(join);
  }

  openElse(position: number): void {
    const join = this.#joins.at(-1)!;
    this.#arrive(join, position);
    this.#place = join.opened;
    join.opening = -1;
  }

  /** A branch at `position` to the label `depth` constructs out. */
  branch(position: number, depth: number): void {
    const target = this.#joins.length - 1 - depth;
    if (target === 0) return this.needGlobal(position);
    const join = this.#joins[target];
    if (join === undefined) this.needLocal(position);
    else this.#arrive(join, position);
  }

  /** The innermost construct ends at `position`; `joins` when more than one path leads to its end. */
  close(position: number, joins: boolean): void {
    const join = this.#joins.pop();
    if (join === undefined) {
      if (this.#joins.length === 0) this.needGlobal(position);
      else this.#openLoops--;
      return;
    }
    if (!joins) return;
    this.#arrive(join, position);
    if (join.opening >= 0) join.writeBacks.push(join.opening);
    if (!join.fromCall) {
      this.#place = Place.local;
      return;
    }
    for (const edit of join.writeBacks) this.#edits.kinds[edit] = Edit.writeBack;
    this.#place = Place.global;
  }

  #join(): Join {
    return { outsideLoops: this.#openLoops === 0, opened: this.#place, opening: -1, fromCall: false, writeBacks: [] };
  }

  #arrive(join: Join, position: number): void {
    if (this.#segments.dead) return;
    if (!join.outsideLoops) return this.needLocal(position);
    if (this.#place === Place.global) join.fromCall = true;
    else if (this.#place === Place.local) {
      const edit = this.#writeBackIfAsked(position);
      if (join.writeBacks.at(-1) !== edit) join.writeBacks.push(edit);
    }
  }

  /** An edit that is off until a join turns it on. */
  #writeBackIfAsked(position: number): number {
    if (this.#segments.dead) return -1;
    if (this.#lastPosition === position) return this.#lastEdit;
    this.#lastPosition = position;
    this.#lastEdit = this.#edits.add(position, Edit.none);
    return this.#lastEdit;
  }

  /** Notes an edit, unless the code can never run. */
  #edit(position: number, kind: number): void {
    if (!this.#segments.dead) this.#edits.add(position, kind);
  }
}
