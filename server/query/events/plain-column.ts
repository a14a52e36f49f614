/**
 * Columns as questions read them. The language knows no booleans: `true` is found, sorted and counted as the text
 * `true`. So a dictionary with booleans is turned into one with texts, once a column.
 */
import { pointOf } from '../../protocol/lucene/literal.ts';
import type { Column, DictionaryColumn, NumberColumn, Segment, UuidColumn } from './segment.ts';

export interface TextColumn extends DictionaryColumn {
  readonly values: readonly (string | number)[];
}

export type PlainColumn = TextColumn | NumberColumn | UuidColumn;

const known = new WeakMap<DictionaryColumn, TextColumn>();

/** Undefined: no event of the segment has the field. Throws CB_REDIS_*. */
export async function plainColumn(segment: Segment, field: string): Promise<PlainColumn | undefined> {
  const column = await segment.column(field);
  return column === undefined ? undefined : asPlain(column);
}

export function asPlain(column: Column): PlainColumn {
  if (column.kind !== 'dictionary') return column;
  let plain = known.get(column);
  if (plain === undefined) {
    plain = withoutBooleans(column);
    known.set(column, plain);
  }
  return plain;
}

function withoutBooleans(column: DictionaryColumn): TextColumn {
  const values = column.values.map((value) => (typeof value === 'boolean' ? String(value) : value));
  const renamed = new Map<number, number>();
  for (const [index, value] of column.values.entries()) {
    const first = typeof value === 'boolean' ? column.values.indexOf(String(value)) : -1;
    if (first !== -1) renamed.set(index + 1, first + 1);
  }
  return renamed.size === 0 ? { ...column, values } : merged({ ...column, values }, renamed);
}

/** The same with the codes of `renamed` gone; an event that had both has the value once. */
function merged(column: TextColumn, renamed: ReadonlyMap<number, number>): TextColumn {
  const counts = column.counts.slice();
  const codes = column.codes.slice();
  const more = new Map(column.more);
  for (const [from, to] of renamed) {
    counts[to - 1] = (counts[to - 1] as number) + (counts[from - 1] as number);
    counts[from - 1] = 0;
    for (let at = 0; at < codes.length; at++) if (codes[at] === from) codes[at] = to;
  }
  for (const [position, others] of column.more) {
    const first = codes[position] as number;
    const rest = new Set<number>();
    for (const code of others.map((other) => renamed.get(other) ?? other)) {
      if (code === first || rest.has(code)) counts[code - 1] = (counts[code - 1] as number) - 1;
      else rest.add(code);
    }
    if (rest.size === 0) more.delete(position);
    else more.set(position, [...rest]);
  }
  return { ...column, counts, codes, more };
}

const knownPoints = new WeakMap<TextColumn, Float64Array>();

/** The point of each code; NaN where the value has none, and for code 0. */
export function pointsOfCodes(column: TextColumn): Float64Array {
  let points = knownPoints.get(column);
  if (points === undefined) {
    points = new Float64Array(column.values.length + 1).fill(Number.NaN);
    for (const [index, value] of column.values.entries()) points[index + 1] = pointOf(value) ?? Number.NaN;
    knownPoints.set(column, points);
  }
  return points;
}
