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

/** Of memory, about. */
export function bytesOfColumn(column: Column | undefined): number {
  if (column === undefined) return 0;
  if (column.kind === 'uuid') return column.words.byteLength;
  if (column.kind === 'number') return column.values.byteLength;
  let bytes = column.codes.byteLength + column.counts.byteLength + 100 * column.more.size;
  for (const value of column.values) bytes += typeof value === 'string' ? 24 + 2 * value.length : 16;
  return bytes;
}
