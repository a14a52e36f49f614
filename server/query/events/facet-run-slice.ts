/**
 * Events on their way through facets, some thousand at a time: which position, and which bucket it is counted
 * in. An event in two buckets is there twice.
 */
import { isUuidAt } from './filter-leaf.ts';
import type { PlainColumn, TextColumn } from './plain-column.ts';
import type { UuidColumn } from './segment.ts';
import { larger, warmLength } from './unique-keys.ts';
import { uuidWords } from './uuid-words.ts';

/** So small that its arrays stay in the processor's caches, and that 100 ns an event are less than a millisecond. */
export const sliceLength = 4096;

export class Slice {
  length = 0;
  positions = new Uint32Array(sliceLength);
  /** Buckets, from 0. */
  slots = new Uint32Array(sliceLength);
  /** What the events have in a field, if the slice came from `expand`. */
  classes = new Uint32Array(sliceLength);

  add(position: number, slot: number, found: number): void {
    const { length } = this;
    if (length === this.positions.length) {
      this.positions = larger(this.positions);
      this.slots = larger(this.slots);
      this.classes = larger(this.classes);
    }
    this.positions[length] = position;
    this.slots[length] = slot;
    this.classes[length] = found;
    this.length = length + 1;
  }
}

/** Sorts the values of a field into classes, from 0; -1 is none. */
export interface Classes {
  /** No two values are of one class. */
  readonly areValues: boolean;
  ofValue(value: string | number): number;
  ofNumber(value: number): number;
  /** @param at where its four words stand */
  ofUuid(words: Uint32Array, at: number): number;
  /** To be called before `ofUuid` of at most `warmLength` positions. */
  warm(words: Uint32Array, positions: Uint32Array, from: number, end: number): void;
  /** Of each code, -2 where nobody asked yet. */
  ofCodes(column: TextColumn): Int32Array;
}

/** Remembers the classes of a column's codes, so that each value is sorted once a segment. */
export class CodeMemo {
  readonly #known = new WeakMap<TextColumn, Int32Array>();

  of(column: TextColumn): Int32Array {
    let codes = this.#known.get(column);
    if (codes === undefined) {
      codes = new Int32Array(column.values.length + 1).fill(-2);
      codes[0] = -1;
      this.#known.set(column, codes);
    }
    return codes;
  }
}

export function classOfCode(code: number, column: TextColumn, classes: Classes, known: Int32Array): number {
  const found = known[code] as number;
  if (found !== -2) return found;
  const made = classes.ofValue(column.values[code - 1] as string | number);
  known[code] = made;
  return made;
}

/** The events of `slice` with what they have in a column: once for each class, none without one. */
export function expand(slice: Slice, column: PlainColumn, classes: Classes, into: Slice): void {
  into.length = 0;
  if (column.kind === 'dictionary') expandCodes(slice, column, classes, into);
  else if (column.kind === 'uuid') expandUuids(slice, column, classes, into);
  else {
    for (let i = 0; i < slice.length; i++) {
      const position = slice.positions[i] as number;
      const value = column.values[position] as number;
      const found = Number.isNaN(value) ? -1 : classes.ofNumber(value);
      if (found >= 0) into.add(position, slice.slots[i] as number, found);
    }
  }
}

function expandUuids(slice: Slice, { words }: UuidColumn, classes: Classes, into: Slice): void {
  for (let from = 0; from < slice.length; from += warmLength) {
    const end = Math.min(slice.length, from + warmLength);
    classes.warm(words, slice.positions, from, end);
    for (let i = from; i < end; i++) {
      const position = slice.positions[i] as number;
      const found = isUuidAt(words, position) ? classes.ofUuid(words, position * uuidWords) : -1;
      if (found >= 0) into.add(position, slice.slots[i] as number, found);
    }
  }
}

function expandCodes(slice: Slice, column: TextColumn, classes: Classes, into: Slice): void {
  const known = classes.ofCodes(column);
  const { codes, more } = column;
  for (let i = 0; i < slice.length; i++) {
    const position = slice.positions[i] as number;
    const slot = slice.slots[i] as number;
    const start = into.length;
    const found = classOfCode(codes[position] as number, column, classes, known);
    if (found >= 0) into.add(position, slot, found);
    const others = more.size === 0 ? undefined : more.get(position);
    if (others === undefined) continue;
    for (const code of others) {
      const other = classOfCode(code, column, classes, known);
      if (other >= 0 && !hasClass(into, start, other)) into.add(position, slot, other);
    }
  }
}

/** Of one event: two values of it may be of one class. */
function hasClass(slice: Slice, start: number, wanted: number): boolean {
  for (let i = start; i < slice.length; i++) if (slice.classes[i] === wanted) return true;
  return false;
}
