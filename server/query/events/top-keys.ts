/** What the events of a segment sort by, from a column: the keys of protocol/lucene/sort.ts. */
import { pointOf } from '../../protocol/lucene/literal.ts';
import { compareKeys, type SortKey, type SortSpec } from '../../protocol/lucene/sort.ts';
import { isUuidAt } from './filter-leaf.ts';
import type { PlainColumn, TextColumn } from './plain-column.ts';
import { readUuid, uuidWords } from './uuid-words.ts';

export type KeyReader = (position: number) => SortKey;

export function keyReader(column: PlainColumn | undefined, direction: SortSpec['direction']): KeyReader {
  if (column === undefined) return () => undefined;
  if (column.kind === 'dictionary') return dictionaryReader(column, direction);
  if (column.kind === 'uuid') {
    const { words } = column;
    return (position) => (isUuidAt(words, position) ? readUuid(words, position * uuidWords) : undefined);
  }
  const { values } = column;
  return (position) => {
    const value = values[position] as number;
    return Number.isNaN(value) ? undefined : value;
  };
}

function dictionaryReader({ values, codes, more }: TextColumn, direction: SortSpec['direction']): KeyReader {
  const keys: SortKey[] = [undefined];
  // Asked of as many values as there are candidates, which may be few of many.
  const keyOf = (code: number): SortKey => {
    const value = values[code - 1];
    if (value === undefined) return undefined;
    keys[code] ??= pointOf(value) ?? value;
    return keys[code];
  };
  return (position) => {
    let best = keyOf(codes[position] as number);
    if (more.size === 0) return best;
    for (const code of more.get(position) ?? []) {
      const key = keyOf(code);
      if (compareKeys(key, best, direction) < 0) best = key;
    }
    return best;
  };
}
