/** One value of a column. */
import type { Column, Scalar } from './segment.ts';
import { readUuid, uuidWords } from './uuid-words.ts';

/** The event's first value; undefined if it has none. */
export function firstValue(column: Column | undefined, position: number): Scalar | undefined {
  if (column === undefined) return undefined;
  if (column.kind === 'uuid') return readUuid(column.words, position * uuidWords);
  if (column.kind === 'dictionary') return column.values[(column.codes[position] ?? 0) - 1];
  const value = column.values[position];
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** The first values of some events in memory of their own: what is kept of it keeps nothing of the column. */
export function firstValues(column: Column | undefined, from: number, to: number): Column | undefined {
  if (column === undefined) return undefined;
  if (column.kind === 'uuid')
    return { kind: 'uuid', words: column.words.slice(from * uuidWords, to * uuidWords) };
  if (column.kind === 'number') return { kind: 'number', values: column.values.slice(from, to) };
  const values: Scalar[] = [];
  const codes = new Uint32Array(to - from);
  for (let position = from; position < to; position++) {
    const value = firstValue(column, position);
    if (value !== undefined) codes[position - from] = values.push(value);
  }
  return {
    kind: 'dictionary',
    values,
    counts: new Uint32Array(values.length).fill(1),
    codes,
    more: new Map(),
  };
}

/** Of memory, about. */
export function bytesOfColumn(column: Column | undefined): number {
  if (column === undefined) return 0;
  if (column.kind === 'uuid') return column.words.byteLength;
  if (column.kind === 'number') return column.values.byteLength;
  let bytes = column.codes.byteLength + column.counts.byteLength + 100 * column.more.size;
  for (const value of column.values) bytes += typeof value === 'string' ? 24 + 2 * value.length : 16;
  return bytes;
}
