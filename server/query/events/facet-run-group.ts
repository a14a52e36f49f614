/**
 * Groups: which events a level of facets is about, and in which bucket (slot) each of them is. A group is not a list but
 * a way to go through its events, segment by segment; what lies deeper is found by going the whole way again.
 *
 *   RootGroup    the events that a query finds, one slot
 *   NarrowGroup  those of another group that a query finds as well; the same slots
 *   BucketGroup  those of another group that are in chosen buckets of a facet, a slot for each of these
 */
import type { Query } from '../../protocol/lucene/query.ts';
import { type DocSet, hasPosition, listPositions, sizeOf } from './doc-set.ts';
import { type Classes, expand, Slice, sliceLength } from './facet-run-slice.ts';
import type { Filter } from './filter.ts';
import { plainColumn } from './plain-column.ts';
import type { Turns } from './question-turns.ts';
import type { Segment } from './segment.ts';

/** A group's events in one segment. */
export interface GroupPart {
  /** How many, where that is known before going through them: in groups of one slot. */
  readonly size?: number | undefined;
  /** Each slice is used again for the next one. */
  slices(): Iterable<Slice>;
}

export interface Group {
  /** Number of its buckets. */
  readonly slots: number;
  open(segment: Segment): Promise<GroupPart>;
  /** What a query finds of it. */
  narrow(query: Query): Group;
}

/** What groups of one question use. */
export interface GroupTools {
  readonly filterOf: (query: Query) => Filter;
  readonly turns: Turns;
}

const nothing: GroupPart = { slices: () => [] };

export class RootGroup implements Group {
  readonly slots = 1;
  readonly #filter: Filter;

  constructor(filter: Filter) {
    this.#filter = filter;
  }

  async open(segment: Segment): Promise<GroupPart> {
    const set = await this.#filter.set(segment);
    return { size: sizeOf(set), slices: () => slicesOf(set) };
  }

  narrow(query: Query): Group {
    return new RootGroup(this.#filter.and(query));
  }
}

function* slicesOf(set: DocSet): Generator<Slice> {
  const slice = new Slice();
  const wordsPerSlice = sliceLength / 32;
  for (let word = 0; word < set.length; word += wordsPerSlice) {
    const end = Math.min(set.length, word + wordsPerSlice);
    slice.length = listPositions(set, word, end, slice.positions);
    if (slice.length > 0) yield slice;
  }
}

export class NarrowGroup implements Group {
  readonly slots: number;
  readonly #parent: Group;
  readonly #query: Query;
  readonly #tools: GroupTools;

  constructor(parent: Group, query: Query, tools: GroupTools) {
    this.slots = parent.slots;
    this.#parent = parent;
    this.#query = query;
    this.#tools = tools;
  }

  async open(segment: Segment): Promise<GroupPart> {
    const set = await this.#tools.filterOf(this.#query).set(segment);
    const part = await this.#parent.open(segment);
    return { slices: () => narrowed(part, set) };
  }

  narrow(query: Query): Group {
    return new NarrowGroup(this, query, this.#tools);
  }
}

function* narrowed(part: GroupPart, set: DocSet): Generator<Slice> {
  const into = new Slice();
  for (const slice of part.slices()) {
    into.length = 0;
    for (let i = 0; i < slice.length; i++) {
      const position = slice.positions[i] as number;
      if (hasPosition(set, position)) into.add(position, slice.slots[i] as number, 0);
    }
    yield into;
  }
}

export interface Chosen {
  readonly slots: number;
  /** The slot of what is in a slot and a class of the parent; undefined if that is not among the chosen. */
  slotOf(parentSlot: number, found: number): number | undefined;
}

export class BucketGroup implements Group {
  readonly slots: number;
  readonly #parent: Group;
  readonly #field: string;
  readonly #classes: Classes;
  readonly #chosen: Chosen;
  readonly #tools: GroupTools;

  constructor(parent: Group, field: string, classes: Classes, chosen: Chosen, tools: GroupTools) {
    this.slots = chosen.slots;
    this.#parent = parent;
    this.#field = field;
    this.#classes = classes;
    this.#chosen = chosen;
    this.#tools = tools;
  }

  async open(segment: Segment): Promise<GroupPart> {
    if (this.slots === 0) return nothing;
    const column = await this.#tools.turns.wait(plainColumn(segment, this.#field));
    if (column === undefined) return nothing;
    const part = await this.#parent.open(segment);
    const expanded = new Slice();
    const into = new Slice();
    const [classes, chosen] = [this.#classes, this.#chosen];
    return {
      *slices() {
        for (const slice of part.slices()) {
          expand(slice, column, classes, expanded);
          into.length = 0;
          for (let i = 0; i < expanded.length; i++) {
            const slot = chosen.slotOf(expanded.slots[i] as number, expanded.classes[i] as number);
            if (slot !== undefined) into.add(expanded.positions[i] as number, slot, 0);
          }
          yield into;
        }
      },
    };
  }

  narrow(query: Query): Group {
    return new NarrowGroup(this, query, this.#tools);
  }
}
